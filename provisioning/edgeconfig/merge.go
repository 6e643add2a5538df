package edgeconfig

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// pathKey makes a path usable as the key of a map.
func pathKey(path []string) string { return strings.Join(path, "\x00") }

func below(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

// merger works the wanted sections into those that stand in the file: equal
// keys stay, changed values are changed in their place, others go, and missing
// ones are added.
type merger struct {
	*document
	edits
	want map[string]sectionKey // wanted leaves
	done map[string]bool       // wanted leaves that stand in the file
	kept map[int]bool          // statements that stay
}

// mergeSections gives the edits, or false where the file spells the sections
// in a way that has no place for what is missing.
func (d *document) mergeSections(sections []section) (edits, bool) {
	m := &merger{document: d, want: map[string]sectionKey{}, done: map[string]bool{}, kept: map[int]bool{}}
	for _, s := range sections {
		for _, key := range s.keys {
			m.want[pathKey(s.leaf(key))] = key
		}
	}
	root := sections[0].path
	for i, st := range d.statements {
		switch {
		case !below(st.path, root):
		case st.element:
			return nil, false
		case !st.header && m.fits(st.path, st.value):
			m.kept[i] = true
			m.update(st.path, st.value)
		}
	}
	missing := map[string][]sectionKey{}
	for _, s := range sections {
		for _, key := range s.keys {
			if !m.done[pathKey(s.leaf(key))] {
				missing[pathKey(s.path)] = append(missing[pathKey(s.path)], key)
			}
		}
	}
	for i, st := range d.statements {
		if st.header && below(st.path, root) {
			m.kept[i] = slices.Equal(st.path, root) || len(missing[pathKey(st.path)]) > 0 || m.holds(i)
		}
	}
	for i, st := range d.statements {
		if below(st.path, root) && !m.kept[i] {
			m.removeStatement(i, root)
		}
	}
	return m.edits, m.add(sections, missing)
}

// fits tells whether a statement holds wanted values only, of their kinds.
func (m *merger) fits(path []string, v *value) bool {
	if v.kind == unstable.InlineTable {
		for _, inner := range v.members {
			if !m.fits(slices.Concat(path, inner.path), inner.value) {
				return false
			}
		}
		return len(v.members) > 0
	}
	key, wanted := m.want[pathKey(path)]
	if !wanted {
		return false
	}
	switch key.value.(type) {
	case bool:
		return v.kind == unstable.Bool
	case int64:
		return v.kind == unstable.Integer
	}
	return v.kind == unstable.String
}

func (m *merger) update(path []string, v *value) {
	for _, inner := range v.members {
		m.update(slices.Concat(path, inner.path), inner.value)
	}
	if v.kind == unstable.InlineTable {
		return
	}
	m.done[pathKey(path)] = true
	if key := m.want[pathKey(path)]; fmt.Sprint(key.value) != v.text {
		m.replace(v.start, v.end, key.text())
	}
}

// holds tells whether a header has a kept statement below it.
func (m *merger) holds(header int) bool {
	for i, st := range m.statements {
		if st.under == header && !st.header && m.kept[i] {
			return true
		}
	}
	return false
}

// removeStatement takes the lines of a statement out. A header that goes takes
// the blank line before it along if another blank line, or nothing, follows
// what goes with it, so that blank lines do not pile up.
func (m *merger) removeStatement(i int, root []string) {
	st := m.statements[i]
	start := st.start
	if st.header {
		end := st.end
		for j := i + 1; j < len(m.statements); j++ {
			if other := m.statements[j]; m.kept[j] || !below(other.path, root) || other.start != end {
				break
			}
			end = m.statements[j].end
		}
		if before := m.lines[m.line(start)-1]; before > 0 && m.blankAt(m.lines[m.line(start)-2]) && m.blankAt(end) {
			start = m.lines[m.line(start)-2]
		}
	}
	m.remove(start, st.end)
}

// blankAt tells whether the line at offset is empty, or beyond the end.
func (d *document) blankAt(offset int) bool {
	return offset >= len(d.text) || len(bytes.TrimSpace(d.text[offset:d.lineEnd(offset)])) == 0
}

// add writes what is missing below the headers that stand in the file, and as
// new tables behind the last of them.
func (m *merger) add(sections []section, missing map[string][]sectionKey) bool {
	lineBreak := m.lineBreak()
	last := -1
	for i, st := range m.statements {
		if st.header && m.kept[i] && below(st.path, sections[0].path) {
			last = i
		}
	}
	var fresh strings.Builder
	for _, s := range sections {
		keys := missing[pathKey(s.path)]
		if len(keys) == 0 {
			continue
		}
		header := slices.IndexFunc(m.statements, func(st statement) bool { return st.header && slices.Equal(st.path, s.path) })
		if header >= 0 {
			var lines strings.Builder
			for _, key := range keys {
				lines.WriteString(key.String() + lineBreak)
			}
			m.insertLines(m.endOf(header), lines.String())
			continue
		}
		for i, st := range m.statements {
			if m.kept[i] && below(st.path, s.path) {
				return false // the table is there without a header of its own
			}
		}
		if fresh.Len() > 0 {
			fresh.WriteString(lineBreak)
		}
		section{path: s.path, keys: keys}.write(&fresh, lineBreak)
	}
	switch {
	case fresh.Len() == 0:
	case last < 0:
		m.insertLines(len(m.text), m.gapAtEnd()+fresh.String())
	default:
		m.insertLines(m.endOf(last), lineBreak+fresh.String())
	}
	return true
}

// endOf is where a key can be added to a header's table: behind the last key
// that stays, else where the first one goes, else behind the header.
func (m *merger) endOf(header int) int {
	at, gone := m.statements[header].end, -1
	for i, st := range m.statements {
		switch {
		case st.header || st.under != header:
		case m.kept[i]:
			at, gone = st.end, -2
		case gone == -1:
			gone = st.start
		}
	}
	if gone >= 0 {
		return gone
	}
	return at
}

// gapAtEnd is the blank line that parts a new table from the end of the file.
func (d *document) gapAtEnd() string {
	if len(d.text) == 0 || bytes.HasSuffix(d.text, []byte("\n\n")) || bytes.HasSuffix(d.text, []byte("\n\r\n")) {
		return ""
	}
	return d.lineBreak()
}

// replaceSections takes all statements of the sections out, however they are
// spelt, and writes the sections where the first header of them stood, or at
// the end. Comment lines stay.
func (d *document) replaceSections(sections []section) edits {
	m := &merger{document: d, kept: map[int]bool{}}
	root := sections[0].path
	at := -1
	for i, st := range d.statements {
		if !below(st.path, root) {
			continue
		}
		if st.header && at < 0 {
			at = st.start
		}
		m.removeStatement(i, root)
	}
	var text strings.Builder
	if at < 0 {
		at = len(d.text)
		text.WriteString(d.gapAtEnd())
	}
	for i, s := range sections {
		if i > 0 {
			text.WriteString(d.lineBreak())
		}
		s.write(&text, d.lineBreak())
	}
	m.insertLines(at, text.String())
	return m.edits
}
