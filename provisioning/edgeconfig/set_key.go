package edgeconfig

import (
	"errors"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// set gives the edits that write a key with its value, text, in the place
// where the file has it or would have it.
func (d *document) set(path []string, text string) (edits, error) {
	var e edits
	lineBreak := d.lineBreak()
	for _, st := range d.statements {
		if st.element && below(path, st.path) {
			return nil, errors.New("it is in a list of tables")
		}
		if !st.header && below(path, st.path) && d.setIn(&e, st.value, path[len(st.path):], text) {
			return e, nil
		}
	}
	table, name := path[:len(path)-1], path[len(path)-1]
	line := keyText(name) + " = " + text + lineBreak
	if len(table) == 0 {
		d.insertAtTop(&e, line)
		return e, nil
	}
	dotted := -1
	for i, st := range d.statements {
		switch {
		case st.header && slices.Equal(st.path, table):
			e.insertLines(d.lastOf(i), line)
			return e, nil
		case !st.header && below(st.path, table) && len(st.path)-st.own < len(table):
			dotted = i
		}
	}
	if dotted >= 0 {
		st := d.statements[dotted]
		own := path[len(st.path)-st.own:]
		e.insertLines(st.end, keyText(own...)+" = "+text+lineBreak)
		return e, nil
	}
	e.insertLines(len(d.text), d.gapAtEnd()+"["+keyText(table...)+"]"+lineBreak+line)
	return e, nil
}

// setIn changes a value in its place: the whole of it where rest is empty, or
// what rest names in an inline table.
func (d *document) setIn(e *edits, v *value, rest []string, text string) bool {
	if len(rest) == 0 {
		e.replace(v.start, v.end, text)
		return true
	}
	if v.kind != unstable.InlineTable {
		return false
	}
	for _, m := range v.members {
		if below(rest, m.path) {
			return d.setIn(e, m.value, rest[len(m.path):], text)
		}
	}
	line := keyText(rest...) + " = " + text
	if n := len(v.members); n > 0 {
		e.replace(v.members[n-1].end, v.members[n-1].end, ", "+line)
	} else {
		e.replace(v.start, v.end, "{ "+line+" }")
	}
	return true
}

// insertAtTop adds a key of the root: behind the last one there, else before
// the first header and the comment block that belongs to it.
func (d *document) insertAtTop(e *edits, line string) {
	first, last := len(d.text), -1
	for _, st := range d.statements {
		if st.header {
			first = st.start
			break
		}
		last = st.end
	}
	if last >= 0 {
		e.insertLines(last, line)
		return
	}
	for n := d.line(first) - 1; n > 0 && first < len(d.text); n-- {
		if d.blankAt(d.lines[n-1]) {
			break
		}
		first = d.lines[n-1]
	}
	if first < len(d.text) {
		line += d.lineBreak()
	}
	e.insertLines(first, line)
}

// lastOf is the offset behind the last key of a header's table.
func (d *document) lastOf(header int) int {
	at := d.statements[header].end
	for _, st := range d.statements {
		if !st.header && st.under == header {
			at = st.end
		}
	}
	return at
}

// unset gives the edits that take a key, or a table with its content, out.
func (d *document) unset(path []string) edits {
	m := &merger{document: d, kept: map[int]bool{}}
	for i, st := range d.statements {
		switch {
		case below(st.path, path):
			m.removeStatement(i, path)
		case !st.header && below(path, st.path):
			m.unsetIn(st.value, path[len(st.path):])
		}
	}
	return m.edits
}

// unsetIn takes members out of an inline table, each with the comma that parts
// it from its neighbour.
func (m *merger) unsetIn(v *value, rest []string) {
	kept := slices.IndexFunc(v.members, func(inner member) bool { return !below(inner.path, rest) })
	for i, inner := range v.members {
		switch {
		case below(rest, inner.path) && len(inner.path) < len(rest):
			m.unsetIn(inner.value, rest[len(inner.path):])
		case !below(inner.path, rest):
		case kept < 0:
			m.remove(v.members[0].start, v.members[len(v.members)-1].end)
		case i < kept:
			m.remove(inner.start, v.members[i+1].start)
		default:
			m.remove(v.members[i-1].end, inner.end)
		}
	}
}
