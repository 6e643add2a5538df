package pki

// Level says how much a finding matters: an error makes the thing useless, care
// is worth a look, a note informs.
type Level string

// The levels of findings.
const (
	LevelError Level = "error"
	LevelCare  Level = "care"
	LevelNote  Level = "note"
)

// Finding is something about a profile, a certificate, a pair or a chain: the
// member concerned, what is wrong and what to do, as sentences for a person.
type Finding struct {
	Field   string `json:"field"`
	Level   Level  `json:"level"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

// Findings is a list of findings in the order in which they were found.
type Findings []Finding

// Errors tells whether one of f is an error.
func (f Findings) Errors() bool {
	for _, finding := range f {
		if finding.Level == LevelError {
			return true
		}
	}
	return false
}

func (f *Findings) bad(field, problem, fix string) {
	*f = append(*f, Finding{field, LevelError, problem, fix})
}

func (f *Findings) care(field, problem, fix string) {
	*f = append(*f, Finding{field, LevelCare, problem, fix})
}

func (f *Findings) note(field, problem, fix string) {
	*f = append(*f, Finding{field, LevelNote, problem, fix})
}
