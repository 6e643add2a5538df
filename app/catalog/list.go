package catalog

import (
	"context"
	"fmt"
)

// list reads the rows of a query. scan reads one of them into a value; what names
// them in errors. No rows are an empty list.
func list[T any](ctx context.Context, c *Catalog, what, query string, args []any, scan func(scanner, *T) error) ([]T, error) {
	rows, err := c.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, known(err))
	}
	defer func() { _ = rows.Close() }()
	all := []T{}
	for rows.Next() {
		var one T
		if err := scan(rows, &one); err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
		all = append(all, one)
	}
	return all, known(rows.Err())
}
