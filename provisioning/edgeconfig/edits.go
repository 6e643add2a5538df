package edgeconfig

import (
	"bytes"
	"cmp"
	"slices"
)

// edits are changes of a text by position: ranges that go and texts that come.
type edits []edit

// edit puts text in the place of the bytes from start to end. line tells that
// text is whole lines, which begin on a line of their own.
type edit struct {
	start, end int
	text       string
	line       bool
}

func (e *edits) remove(start, end int) { *e = append(*e, edit{start: start, end: end}) }

func (e *edits) replace(start, end int, text string) {
	*e = append(*e, edit{start: start, end: end, text: text})
}

func (e *edits) insertLines(at int, text string) {
	*e = append(*e, edit{start: at, end: at, text: text, line: true})
}

// on carries the edits out on a text. Insertions at a place come before a
// removal that begins there, and in the order in which they were made.
func (e edits) on(text []byte, lineBreak string) []byte {
	slices.SortStableFunc(e, func(a, b edit) int {
		if a.start != b.start {
			return cmp.Compare(a.start, b.start)
		}
		return cmp.Compare(min(a.end-a.start, 1), min(b.end-b.start, 1))
	})
	var out bytes.Buffer
	at := 0
	for _, change := range e {
		if change.start > at {
			out.Write(text[at:change.start])
			at = change.start
		}
		if change.line && out.Len() > 0 && !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
			out.WriteString(lineBreak)
		}
		out.WriteString(change.text)
		at = max(at, change.end)
	}
	out.Write(text[at:])
	return out.Bytes()
}
