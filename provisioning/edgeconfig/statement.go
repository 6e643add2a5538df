package edgeconfig

import (
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// statement is one top-level expression of a file: a key with its value, or
// the header of a table or of an array element.
type statement struct {
	header  bool
	element bool     // a [[header]]
	path    []string // from the root, table header included
	own     int      // how many parts of path the statement spells itself
	under   int      // index of the header it stands below, -1 for none
	at      int      // offset of its first byte after white space
	start   int      // offset of its first line
	end     int      // offset after its last line, break included
	value   *value   // nil for headers
}

// value is a value with its place. Offsets are in the text of the source.
type value struct {
	kind       unstable.Kind
	start, end int
	text       string // strings: decoded; other scalars: as written
	members    []member
	items      []*value
}

// member is a key and its value in an inline table.
type member struct {
	path       []string
	start, end int
	value      *value
}

// scan splits text into statements as far as it is TOML. good is the offset up
// to which it was: len(text) where all of it is.
func scan(s *source) (statements []statement, good int) {
	var parser unstable.Parser
	parser.Reset(s.text)
	header := -1
	for parser.NextExpression() {
		node := parser.Expression()
		st := statement{under: header}
		last := 0
		keys := node.Key()
		for keys.Next() {
			key := keys.Node()
			if len(st.path) == 0 {
				st.at = int(key.Raw.Offset)
			}
			st.path = append(st.path, string(key.Data))
			last = int(key.Raw.Offset + key.Raw.Length)
		}
		st.own = len(st.path)
		switch node.Kind {
		case unstable.KeyValue:
			if header >= 0 {
				st.path = append(slices.Clone(statements[header].path), st.path...)
			}
			end := int(node.Raw.Offset + node.Raw.Length)
			st.value = s.value(node.Value(), s.afterEquals(last), end)
			last = end
		default:
			st.header, st.element = true, node.Kind == unstable.ArrayTable
			st.under = -1
			header = len(statements)
		}
		st.start = s.lines[s.line(st.at)-1]
		st.end = s.lineEnd(max(last-1, st.at))
		good = st.end
		statements = append(statements, st)
	}
	if parser.Error() == nil {
		good = len(s.text)
	}
	return statements, good
}

// afterEquals gives the offset of a value whose key ends at offset.
func (s *source) afterEquals(offset int) int {
	for offset < len(s.text) && (s.text[offset] == ' ' || s.text[offset] == '\t' || s.text[offset] == '=') {
		offset++
	}
	return offset
}

// value copies a parser's node, which does not outlive the next expression.
// The parser gives no range for arrays and only the start of inline tables, so
// the caller names both ends.
func (s *source) value(node *unstable.Node, start, end int) *value {
	v := &value{kind: node.Kind, start: start, end: end}
	switch node.Kind {
	case unstable.InlineTable:
		children := node.Children()
		for children.Next() {
			child := children.Node()
			m := member{start: int(child.Raw.Offset), end: int(child.Raw.Offset + child.Raw.Length)}
			last := m.start
			keys := child.Key()
			for keys.Next() {
				key := keys.Node()
				m.path = append(m.path, string(key.Data))
				last = int(key.Raw.Offset + key.Raw.Length)
			}
			m.value = s.value(child.Value(), s.afterEquals(last), m.end)
			v.members = append(v.members, m)
		}
	case unstable.Array:
		children := node.Children()
		for children.Next() {
			child := children.Node()
			from, to := start, end
			if child.Raw.Length > 0 {
				from = int(child.Raw.Offset)
			}
			if child.Kind != unstable.InlineTable && child.Kind != unstable.Array {
				to = from + int(child.Raw.Length)
			}
			v.items = append(v.items, s.value(child, from, to))
		}
	default:
		v.text = string(node.Data)
		v.start, v.end = int(node.Raw.Offset), int(node.Raw.Offset+node.Raw.Length)
	}
	return v
}
