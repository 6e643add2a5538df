package catalog

import (
	"context"
	"fmt"
	"strings"
)

// Query narrows and sorts a list of devices. The zero Query lists all.
type Query struct {
	// Text is looked for in IDs, hub, host name, target, tags and note, each
	// word of it anywhere. If no word has three characters, the first one must
	// begin the device ID.
	Text  string
	Cloud string
	State string
	// NeedsCare leaves only devices that want attention.
	NeedsCare  bool
	SortBy     string // device (also ""), state, way, cloud, target, runtime, certificate, proof
	Descending bool
	Limit      int // 0 means 200
	Offset     int
	// After is the UUID of the last row of the page before; it is faster than
	// a large Offset and keeps its place while rows are added.
	After string
}

// hitLimit is how many hits a search by text sorts and pages. More than these
// are not found until the text says more: nobody reads that far.
const hitLimit = 500

// rareLimit is how many rows of a filter are worth sorting. Where there are
// more, walking in the order of the list meets enough of them soon.
const rareLimit = 2000

// sortColumns maps the names of Query.SortBy to expressions that have an index
// each.
var sortColumns = map[string]string{
	"": "device_id COLLATE NOCASE", "device": "device_id COLLATE NOCASE", "state": "state", "cloud": "cloud",
	"way":    "platform || '/' || provisioning || '/' || authentication",
	"target": "target COLLATE NOCASE", "runtime": "runtime",
	"certificate": "ifnull(cert_ends, '~')", "proof": "ifnull(last_proof, '')",
}

// Search lists devices. It is fit for search as you type: text goes through a
// trigram index, and the hits, at most 500 of them, are sorted afterwards.
// Cancelling ctx ends a running query.
func (c *Catalog) Search(ctx context.Context, q Query) ([]Device, error) {
	query, args, err := c.searchQuery(ctx, q)
	if err != nil {
		return nil, err
	}
	return c.devices(ctx, query, args...)
}

// Found counts the rows that Search can page through. More says that there are
// hits beyond them.
func (c *Catalog) Found(ctx context.Context, q Query) (n int, more bool, err error) {
	where, args, limited, err := c.where(ctx, q)
	if err != nil {
		return 0, false, err
	}
	if err := c.read.QueryRowContext(ctx, "SELECT count(*) FROM device "+where, args...).Scan(&n); err != nil {
		return 0, false, fmt.Errorf("count devices: %w", known(err))
	}
	if limited && n > hitLimit {
		return hitLimit, true, nil
	}
	return n, false, nil
}

// searchQuery gives what follows "SELECT … FROM device".
func (c *Catalog) searchQuery(ctx context.Context, q Query) (query string, args []any, err error) {
	key, ok := sortColumns[q.SortBy]
	if !ok {
		return "", nil, fmt.Errorf("search devices: %w: no order %q", ErrInvalid, q.SortBy)
	}
	where, args, _, err := c.where(ctx, q)
	if err != nil {
		return "", nil, err
	}
	direction, beyond := "", ">"
	if q.Descending {
		direction, beyond = " DESC", "<"
	}
	if q.After != "" {
		// The first condition is implied by the second, but only for it is an
		// index on an expression entered in the middle.
		where = and(where, fmt.Sprintf("%s %s= (SELECT %s FROM device WHERE uuid = ?)", key, beyond, key))
		where = and(where, fmt.Sprintf("(%s, id) %s (SELECT %s, id FROM device WHERE uuid = ?)", key, beyond, key))
		args = append(args, q.After, q.After)
	}
	if q.Limit <= 0 {
		q.Limit = 200
	}
	return where + " ORDER BY " + key + direction + ", id" + direction + " LIMIT ? OFFSET ?", append(args, q.Limit, q.Offset), nil
}

// where gives the conditions of a query. What there is little of leads the way.
// limited says that they stop at hitLimit and one.
func (c *Catalog) where(ctx context.Context, q Query) (where string, args []any, limited bool, err error) {
	filters, filterArgs := q.filters("")
	text := words(q.Text)
	rare := len(filters) > 0
	if rare {
		if rare, err = c.isRare(ctx, filters, filterArgs); err != nil {
			return "", nil, false, err
		}
	}
	switch {
	case len(text.long) > 0 && !rare:
		where, args = text.hits(q)
		return where, args, true, nil
	case !rare && (text.prefix != "" || q.SortBy != "" && q.SortBy != "device"):
		// "+" keeps the index of the filter out, so that the one of the order
		// or of the text is walked.
		filters, filterArgs = q.filters("+")
	}
	where, args = "", filterArgs
	for _, filter := range filters {
		where = and(where, filter)
	}
	if text.prefix != "" {
		where = and(where, "device_id COLLATE NOCASE >= ? AND device_id COLLATE NOCASE < ?")
		args = append(args, text.prefix, text.prefix+"\U0010ffff")
	}
	for _, word := range append(text.long, text.short...) {
		where = and(where, anywhere)
		args = append(args, likePattern(word))
	}
	return where, args, false, nil
}

// filters are the conditions besides the text.
func (q Query) filters(noIndex string) (filters []string, args []any) {
	if q.Cloud != "" {
		filters, args = append(filters, noIndex+"cloud = ?"), append(args, q.Cloud)
	}
	if q.State != "" {
		filters, args = append(filters, noIndex+"state = ?"), append(args, q.State)
	}
	if q.NeedsCare {
		filters = append(filters, noIndex+"state IN (?,?,?,?)")
		for _, state := range careStates {
			args = append(args, state)
		}
	}
	return filters, args
}

// isRare tells whether one of the filters leaves few rows.
func (c *Catalog) isRare(ctx context.Context, filters []string, args []any) (bool, error) {
	for _, filter := range filters {
		n := strings.Count(filter, "?")
		var rows int
		err := c.read.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM device WHERE %s LIMIT %d)", filter, rareLimit+1), args[:n]...).Scan(&rows)
		if err != nil {
			return false, fmt.Errorf("search devices: %w", known(err))
		}
		if rows <= rareLimit {
			return true, nil
		}
		args = args[n:]
	}
	return false, nil
}

func and(where, condition string) string {
	if where == "" {
		return "WHERE " + condition
	}
	return where + " AND " + condition
}
