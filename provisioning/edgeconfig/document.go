package edgeconfig

import (
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a file that is TOML: its statements, what they decode to, and
// the same as a tree that knows the place of each key.
type document struct {
	*source
	statements []statement
	decoded    map[string]any
	root       *entry
}

// entry is a key of the tree with its place. It is a table (kids), a list of
// tables (tables, from [[headers]] or an array of inline tables), or a leaf.
type entry struct {
	name   string
	at     int // offset of the key that first named it
	value  *value
	kids   []*entry
	tables []*entry
	leaf   bool
}

// parse reads a whole file. The error is a *SyntaxError.
func parse(data []byte) (*document, error) {
	d := &document{source: newSource(data), decoded: map[string]any{}}
	if err := toml.Unmarshal(d.text, &d.decoded); err != nil {
		return nil, newSyntaxError(d.source, err)
	}
	d.statements, _ = scan(d.source)
	d.root = &entry{}
	for _, st := range d.statements {
		d.root.grow(st)
	}
	return d, nil
}

// grow adds a statement below the root. The file has decoded, so paths do not
// contradict each other.
func (e *entry) grow(st statement) {
	parents := st.path
	if !st.header || st.element {
		parents = st.path[:len(st.path)-1]
	}
	for _, name := range parents {
		e = e.need(name, st.at)
		if n := len(e.tables); n > 0 {
			e = e.tables[n-1]
		}
	}
	switch {
	case st.element:
		list := e.need(st.path[len(st.path)-1], st.at)
		list.tables = append(list.tables, &entry{at: st.at})
	case !st.header:
		e.need(st.path[len(st.path)-1], st.at).hold(st.value)
	}
}

// hold gives a value to e; inline tables become kids.
func (e *entry) hold(v *value) {
	e.value = v
	switch {
	case v.kind == unstable.InlineTable:
		for _, m := range v.members {
			kid := e
			for _, name := range m.path {
				kid = kid.need(name, m.start)
			}
			kid.hold(m.value)
		}
	case v.kind == unstable.Array && allTables(v.items):
		for _, item := range v.items {
			table := &entry{at: item.start}
			table.hold(item)
			e.tables = append(e.tables, table)
		}
	default:
		e.leaf = true
	}
}

func allTables(items []*value) bool {
	for _, item := range items {
		if item.kind != unstable.InlineTable {
			return false
		}
	}
	return len(items) > 0
}

// need finds or makes the kid of that name.
func (e *entry) need(name string, at int) *entry {
	if kid := e.kid(name); kid != nil {
		return kid
	}
	kid := &entry{name: name, at: at}
	e.kids = append(e.kids, kid)
	return kid
}

// kid gives the kid of that name, or nil.
func (e *entry) kid(name string) *entry {
	if e == nil {
		return nil
	}
	for _, kid := range e.kids {
		if kid.name == name {
			return kid
		}
	}
	return nil
}

// find follows a dotted path of plain names; nil where it ends.
func (e *entry) find(path string) *entry {
	for name := range strings.SplitSeq(path, ".") {
		e = e.kid(name)
	}
	return e
}

// has tells whether the key stands in the file.
func (e *entry) has(path string) bool { return e.find(path) != nil }

// isTable tells whether e is a table, an empty one included.
func (e *entry) isTable() bool { return e != nil && !e.leaf && len(e.tables) == 0 }

// isText tells whether e is a string.
func (e *entry) isText() bool {
	return e != nil && e.leaf && e.value.kind == unstable.String
}

// text gives the string at path, or "" where there is none.
func (e *entry) text(path string) string {
	if found := e.find(path); found.isText() {
		return found.value.text
	}
	return ""
}

// number gives an integer leaf.
func (e *entry) number() (int64, bool) {
	if e == nil || !e.leaf || e.value.kind != unstable.Integer {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(e.value.text, "_", ""), 0, 64)
	if err != nil { // a sign is allowed, leading zeros are not, so base 0 reads all of TOML's
		return 0, false
	}
	return n, true
}

// texts gives the strings of a list, or of a single string.
func (e *entry) texts() []*value {
	if e.isText() {
		return []*value{e.value}
	}
	if e == nil || !e.leaf || e.value.kind != unstable.Array {
		return nil
	}
	var texts []*value
	for _, item := range e.value.items {
		if item.kind == unstable.String {
			texts = append(texts, item)
		}
	}
	return texts
}
