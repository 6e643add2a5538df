package edgeconfig

// The levels of findings.
const (
	LevelError = "error" // apply refuses the file, or the device cannot work with it
	LevelCare  = "care"  // something is ignored or will surprise
	LevelNote  = "note"
)

// Finding is something that the linter found. Field is a dotted path, "" for
// the file as a whole. Line and Column count from 1, Column in characters; a
// key that is missing is reported at its table. Problem and Fix are sentences
// for a person; they never hold a secret.
type Finding struct {
	Field   string `json:"field"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Level   string `json:"level"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}
