package edgeconfig

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/pelletier/go-toml/v2/unstable"
)

// newEscape is an escape that strings have since TOML 1.1.
var newEscape = regexp.MustCompile(`(?:^|[^\\])(?:\\\\)*\\[ex]`)

// newerTOML reports what TOML allows since 1.1 and not in 1.0, by which the
// runtimes up to 1.5 read the file (their parser is the toml crate 0.7; 1.6
// has 1.1 of the crate). This package reads both.
func (l *linter) newerTOML() {
	for _, st := range l.statements {
		if st.value != nil {
			l.newerValue(keyText(st.path...), st.value)
		}
	}
}

func (l *linter) newerValue(field string, v *value) {
	level, reader := LevelError, fmt.Sprintf("IoT Edge %s reads", l.version)
	if !l.version.Before(Version{1, 6, 0}) {
		level, reader = LevelCare, "runtimes before 1.6 read"
	}
	raw := l.text[v.start:v.end]
	switch {
	case v.kind == unstable.InlineTable && (bytes.ContainsRune(l.between(v), '\n') || bytes.ContainsRune(l.tail(v), ',')):
		l.add(level, field, v.start, "an inline table has a line break or a comma at its end, which is TOML 1.1; "+reader+" 1.0", "Write it on one line without a comma at the end, or as a [table].")
	case v.kind == unstable.String && raw[0] == '"' && newEscape.Match(raw):
		l.add(level, field, v.start, `the escapes \e and \x are TOML 1.1; `+reader+" 1.0", `Write \u and four hexadecimal digits.`)
	}
	for _, inner := range v.members {
		l.newerValue(field+"."+keyText(inner.path...), inner.value)
	}
	for _, item := range v.items {
		l.newerValue(field, item)
	}
}

// between is the text of an inline table around its members.
func (l *linter) between(v *value) []byte {
	var text []byte
	at := v.start
	for _, inner := range v.members {
		text = append(text, l.text[at:inner.start]...)
		at = inner.end
	}
	return append(text, l.tail(v)...)
}

// tail is the text from the last member of an inline table to its brace. The
// end of a table in an array is not known; what comes behind its brace is not
// looked at.
func (l *linter) tail(v *value) []byte {
	at := v.start
	if n := len(v.members); n > 0 {
		at = v.members[n-1].end
	}
	text := l.text[at:v.end]
	if i := bytes.IndexByte(text, '}'); i >= 0 {
		text = text[:i]
	}
	return text
}
