package query

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Groups collects the documents of an aggregated query.
type Groups struct {
	query *Query
	byKey map[string]*group
	key   []byte
}

// group is the documents that have the values of GROUP BY in common.
type group struct {
	row     map[string]any // columns that are no aggregates
	tallies []tally        // of all columns
}

// tally is what aggregates need. Only numbers count in it, but for count.
type tally struct {
	count, numbers int
	sum, min, max  float64
}

// Groups begins to collect.
func (q *Query) Groups() *Groups {
	g := &Groups{query: q, byKey: map[string]*group{}}
	if len(q.groupBy) == 0 {
		g.byKey[""] = &group{tallies: make([]tally, len(q.columns))} // there even if nothing matches
	}
	return g
}

// Add counts a document that matches.
func (g *Groups) Add(document Object) {
	g.key = g.key[:0]
	for _, by := range g.query.groupBy {
		// A missing member is a group of its own, before null.
		if value := by.eval(document); value != missing {
			g.key = appendKey(g.key, value)
		}
		g.key = append(g.key, '\n') // stands in no JSON text
	}
	found := g.byKey[string(g.key)]
	if found == nil {
		found = &group{tallies: make([]tally, len(g.query.columns)), row: map[string]any{}}
		for _, c := range g.query.columns {
			if c.aggregate != "" {
				continue
			}
			if value := c.from.eval(document); value != missing {
				found.row[c.name] = value
			}
		}
		g.byKey[string(g.key)] = found
	}
	for i, c := range g.query.columns {
		if c.aggregate != "" {
			found.tallies[i].add(c, document)
		}
	}
}

// appendKey writes a value as JSON.
func appendKey(b []byte, value any) []byte {
	if number, ok := value.(float64); ok {
		return strconv.AppendFloat(b, number, 'g', -1, 64)
	}
	encoded, _ := json.Marshal(value) // was JSON before
	return append(b, encoded...)
}

func (t *tally) add(c column, document Object) {
	t.count++
	if c.from == nil {
		return
	}
	number, ok := c.from.eval(document).(float64)
	if !ok {
		return
	}
	if t.numbers == 0 {
		t.min, t.max = number, number
	}
	t.numbers++
	t.sum += number
	t.min, t.max = min(t.min, number), max(t.max, number)
}

// value is missing for an average or extreme of nothing.
func (t tally) value(aggregate string) any {
	switch {
	case aggregate == "count":
		return t.count
	case aggregate == "sum":
		return t.sum
	case t.numbers == 0:
		return missing
	case aggregate == "avg":
		return t.sum / float64(t.numbers)
	case aggregate == "min":
		return t.min
	}
	return t.max
}

// Row is one group.
type Row struct {
	// Key orders the rows and stays the same for the same group.
	Key    string
	Values map[string]any
}

// Rows gives the groups in the order of their keys.
func (g *Groups) Rows() []Row {
	rows := make([]Row, 0, len(g.byKey))
	for _, key := range slices.Sorted(maps.Keys(g.byKey)) {
		values := maps.Clone(g.byKey[key].row)
		if values == nil {
			values = map[string]any{}
		}
		for i, c := range g.query.columns {
			if c.aggregate == "" {
				continue
			}
			if value := g.byKey[key].tallies[i].value(c.aggregate); value != missing {
				values[c.name] = value
			}
		}
		rows = append(rows, Row{key, values})
	}
	return rows
}
