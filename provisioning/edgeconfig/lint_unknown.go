package edgeconfig

import (
	"fmt"
	"slices"
	"strings"
)

// unknown explains a key that nothing reads: put in the wrong table, misspelt,
// of another format, or free invention. The runtime says nothing about any of
// them.
func (l *linter) unknown(schema *Table, path, field string, parent, e *entry) {
	where := "in [" + path + "]"
	if path == "" {
		where = "at the top level"
	}
	paths := homes(e.name)
	nearest := schema.nearest(e.name)
	switch {
	case path != "" && slices.Contains(paths, ""):
		l.care(field, e, fmt.Sprintf("%s stands behind the header of [%s] and so became a key of that table, where nothing reads it", e.name, path),
			fmt.Sprintf("Move it above the first [table], which is in line %d.", l.firstHeader()))
	case formerNames[e.name] != "":
		l.care(field, e, fmt.Sprintf("%s belongs to another format; config.toml has %s instead", e.name, formerNames[e.name]), "Use the name of config.toml.")
	case nearest != "" && (!parent.has(nearest) || plainName(nearest) == plainName(e.name)):
		l.care(field, e, fmt.Sprintf("nothing %s is called %s, and the runtime ignores it; %s may be meant", where, keyText(e.name), nearest),
			fmt.Sprintf("Write %s.", nearest))
	case len(paths) > 0:
		l.care(field, e, fmt.Sprintf("%s is not read %s", e.name, where), "Move it to "+homeList(paths)+".")
	default:
		l.care(field, e, fmt.Sprintf("nothing %s is called %s, and the runtime ignores it", where, keyText(e.name)), "Remove it, or check its name.")
	}
}

func homeList(paths []string) string {
	for i, path := range paths {
		paths[i] = "[" + path + "]"
		if path == "" {
			paths[i] = "the top of the file"
		}
	}
	return strings.Join(paths, " or ")
}

func (l *linter) firstHeader() int {
	for _, st := range l.statements {
		if st.header {
			return l.line(st.at)
		}
	}
	return 1
}

// nearest gives the key of the table whose name is like the given one, or "".
func (t *Table) nearest(name string) string {
	best, distance := "", 1+max(1, min(3, len(name)/4))
	for _, key := range t.Keys {
		n := editDistance(plainName(name), plainName(key.Name))
		if n < distance {
			best, distance = key.Name, n
		}
	}
	return best
}

// editDistance counts the letters to change, add, drop or swap (the optimal
// string alignment distance). Long names are not compared.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	before, above := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := above[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
