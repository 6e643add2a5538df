// Package query reads and runs the query language of IoT Hub for twins and
// jobs, over any documents:
//
//	SELECT [TOP n] * | path [AS name], COUNT() AS n, …
//	FROM devices | devices.modules | devices.jobs
//	[WHERE condition] [GROUP BY path, …]
//
// Keywords and functions are read in any letter case, names of members as they
// are written. A member that does not exist is neither equal to anything nor
// different from it; a condition that hangs on it does not hold.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language
package query

// Source is the collection that a query looks at.
type Source string

// The sources.
const (
	Devices Source = "devices"
	Modules Source = "devices.modules"
	Jobs    Source = "devices.jobs"
)

// Object is a document or an object inside. Values are nil, bool, float64,
// string, []any, map[string]any or another Object; all encode themselves with
// encoding/json.
type Object interface {
	// Member gives a member's value; false if there is none.
	Member(name string) (value any, exists bool)
}

// Query is a parsed query. It may be used by several goroutines.
type Query struct {
	Source Source
	// Top is how many rows there are at most, 0 for all.
	Top int

	columns []column // none for SELECT *
	where   node     // or nil
	groupBy []*path
}

// column is one member of a row.
type column struct {
	name      string
	from      *path  // nil for COUNT()
	aggregate string // such as count, or empty
	at        int    // byte offset in the query
}

// Whole tells SELECT *: the documents themselves are the rows.
func (q *Query) Whole() bool { return len(q.columns) == 0 }

// Aggregated tells a query whose rows are of groups of documents; see Groups.
func (q *Query) Aggregated() bool {
	for _, c := range q.columns {
		if c.aggregate != "" {
			return true
		}
	}
	return len(q.groupBy) > 0
}

// Matches tells whether the condition holds for a document.
func (q *Query) Matches(document Object) bool {
	return q.where == nil || q.where.eval(document) == true
}

// Row gives the columns of a document that exist in it.
func (q *Query) Row(document Object) map[string]any {
	row := make(map[string]any, len(q.columns))
	for _, c := range q.columns {
		if value := c.from.eval(document); value != missing {
			row[c.name] = value
		}
	}
	return row
}
