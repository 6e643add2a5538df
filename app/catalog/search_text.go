package catalog

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// searchWords are the words of a search text. The trigram index finds nothing
// under three characters, and says so by no error.
type searchWords struct {
	long, short []string
	// prefix is the first word where no word is long.
	prefix string
}

func words(text string) searchWords {
	var w searchWords
	for word := range strings.FieldsSeq(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "")) {
		if utf8.RuneCountInString(word) >= 3 {
			w.long = append(w.long, word)
		} else {
			w.short = append(w.short, word)
		}
	}
	if len(w.long) == 0 && len(w.short) > 0 {
		w.prefix, w.short = w.short[0], w.short[1:]
	}
	return w
}

// match quotes the long words: what FTS5 reads as an operator (-, *, :, AND)
// is text here (sqlite.org/fts5.html, 3.1).
func (w searchWords) match() string {
	quoted := make([]string, len(w.long))
	for i, word := range w.long {
		quoted[i] = `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
	}
	return strings.Join(quoted, " AND ")
}

// hits narrows to the first rows, in the order of the index, that the long
// words and all other conditions of q fit. The filters stand inside, so that
// the limit counts only rows that fit everything; one more than the limit
// shows that there are more.
func (w searchWords) hits(q Query) (where string, args []any) {
	if len(w.short) == 0 && q.Cloud == "" && q.State == "" && !q.NeedsCare {
		return fmt.Sprintf("WHERE id IN (SELECT rowid FROM device_text WHERE device_text MATCH ? LIMIT %d)", hitLimit+1), []any{w.match()}
	}
	filters, filterArgs := q.filters("+hit.")
	inner, args := "device_text MATCH ?", append([]any{w.match()}, filterArgs...)
	for _, filter := range filters {
		inner += " AND " + filter
	}
	for _, word := range w.short {
		inner += " AND " + anywhereIn("hit.")
		args = append(args, likePattern(word))
	}
	return fmt.Sprintf("WHERE id IN (SELECT hit.id FROM device_text CROSS JOIN device AS hit ON hit.id = device_text.rowid WHERE %s LIMIT %d)", inner, hitLimit+1), args
}

// anywhere finds a word in any of the columns that are searched.
var anywhere = anywhereIn("")

func anywhereIn(table string) string {
	columns := []string{"device_id", "registration_id", "hub_host", "host_name", "target", "tags", "note"}
	for i, column := range columns {
		columns[i] = table + column
	}
	// The separator, a line end, is in no word.
	return "(" + strings.Join(columns, " || char(10) || ") + `) LIKE ? ESCAPE '\'`
}

func likePattern(word string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(word) + "%"
}
