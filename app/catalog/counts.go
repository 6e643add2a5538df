package catalog

import (
	"context"
	"fmt"
)

// Counts are the numbers of the catalog.
type Counts struct {
	Devices, NeedCare int
	// ByState has every state that a device is in.
	ByState map[string]int
}

// Count counts all devices by their state, and those that want attention.
func (c *Catalog) Count(ctx context.Context) (Counts, error) {
	n := Counts{ByState: map[string]int{}}
	rows, err := c.read.QueryContext(ctx, "SELECT state, count(*) FROM device GROUP BY state")
	if err != nil {
		return n, fmt.Errorf("count devices: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var state string
		var devices int
		if err := rows.Scan(&state, &devices); err != nil {
			return n, fmt.Errorf("count devices: %w", known(err))
		}
		n.ByState[state] = devices
		n.Devices += devices
	}
	for _, state := range careStates {
		n.NeedCare += n.ByState[state]
	}
	return n, known(rows.Err())
}
