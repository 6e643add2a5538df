package provisioning

// Level says how much a finding matters.
type Level string

// An error stops a run before anything is touched; care is shown and does not
// stop; a note informs.
const (
	LevelError Level = "error"
	LevelCare  Level = "care"
	LevelNote  Level = "note"
)

// Finding is what a look at a plan, a file or a device brought up: the field
// concerned (a dotted plan path, or a fact's name), what is wrong and what to
// do. Problem and Fix are sentences for a person, without secrets.
type Finding struct {
	Field   string `json:"field"`
	Level   Level  `json:"level"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

// Findings is a list of findings in the order in which they were found.
type Findings []Finding

// Errors tells whether one of f stops a run.
func (f Findings) Errors() bool { return f.Count(LevelError) > 0 }

// Count counts the findings of one level.
func (f Findings) Count(level Level) int {
	n := 0
	for _, finding := range f {
		if finding.Level == level {
			n++
		}
	}
	return n
}

func (f *Findings) add(level Level, field, problem, fix string) {
	*f = append(*f, Finding{Field: field, Level: level, Problem: problem, Fix: fix})
}
