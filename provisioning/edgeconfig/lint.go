package edgeconfig

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Lint finds what is wrong with a config.toml for a runtime of that version
// ("1.5", "1.4.9"; "" or anything else for the newest): what apply refuses, with
// the reason it does not give; what it passes over without a word; and what
// fails later. Findings come in the order of the file.
func Lint(data []byte, version string) []Finding {
	d, err := parse(data)
	if err != nil {
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			return nil
		}
		return []Finding{{Line: syntax.Line, Column: syntax.Column, Level: LevelError, Problem: sentence(syntax.Cause), Fix: syntax.Fix}}
	}
	l := &linter{document: d, version: ParseVersion(version)}
	if l.version.IsZero() {
		l.version = newest
	}
	l.newerTOML()
	l.table(Schema, "", d.root)
	l.provisioning()
	l.certificates()
	l.names()
	l.agent()
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.findings
}

// newest is the line of releases that an unknown version is taken for.
var newest = Version{1, 6, anyPatch}

// linter gathers findings about one file.
type linter struct {
	*document
	version  Version
	findings []Finding
}

func (l *linter) add(level, field string, at int, problem, fix string) {
	l.findings = append(l.findings, Finding{
		Field: field, Line: l.line(at), Column: l.column(at), Level: level, Problem: sentence(problem), Fix: fix,
	})
}

func (l *linter) error(field string, e *entry, problem, fix string) {
	l.add(LevelError, field, e.at, problem, fix)
}

func (l *linter) care(field string, e *entry, problem, fix string) {
	l.add(LevelCare, field, e.at, problem, fix)
}

func (l *linter) note(field string, e *entry, problem, fix string) {
	l.add(LevelNote, field, e.at, problem, fix)
}

// untagged adds to a problem what apply prints of it, which names only a type
// of its source.
func untagged(problem, enum string) string {
	if enum == "" {
		return problem
	}
	return problem + `; apply says only "data did not match any variant of untagged enum ` + enum + `"`
}

// sentence makes a sentence of a clause. Names of keys keep their case.
func sentence(text string) string {
	if text == "" {
		return text
	}
	first, end := text[0], text[len(text)-1]
	word, _, _ := strings.Cut(text, " ")
	if first >= 'a' && first <= 'z' && !knownNames[word] {
		text = string(first-'a'+'A') + text[1:]
	}
	if end != '.' {
		text += "."
	}
	return text
}
