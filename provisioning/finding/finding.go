// Package finding holds what a look at something brought up: a plan, a file, a
// device, a certificate. It is the one form in which all parts of the program
// say what is wrong and what to do. It imports nothing.
package finding

// Level says how much a finding matters.
type Level string

// An error stops what was to be done before anything is touched; care is shown
// and does not stop; a note informs.
const (
	Error Level = "error"
	Care  Level = "care"
	Note  Level = "note"
)

// Finding is one thing that a look brought up: the field concerned (a dotted
// plan path, a fact's name, a member of a profile or certificate), what is
// wrong and what to do. Problem and Fix are sentences for a person, without
// secrets.
type Finding struct {
	Field   string `json:"field"`
	Level   Level  `json:"level"`
	Problem string `json:"problem"`
	Fix     string `json:"fix"`
}

// List is a list of findings in the order in which they were found.
type List []Finding

// Errors tells whether one of l is an error.
func (l List) Errors() bool { return l.Count(Error) > 0 }

// Count counts the findings of one level.
func (l List) Count(level Level) int {
	n := 0
	for _, f := range l {
		if f.Level == level {
			n++
		}
	}
	return n
}

// First is the first finding of a level; the zero one where there is none.
func (l List) First(level Level) Finding {
	for _, f := range l {
		if f.Level == level {
			return f
		}
	}
	return Finding{}
}

// Add appends one.
func (l *List) Add(level Level, field, problem, fix string) {
	*l = append(*l, Finding{Field: field, Level: level, Problem: problem, Fix: fix})
}
