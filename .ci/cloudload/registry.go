package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"edgewright/provisioning/wire"
)

// fill makes identities by bulk calls of a hundred, every tenth an edge device,
// each with a tag.
func (c *cloud) fill(ctx context.Context, count int) error {
	const bulk = 100
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for begin := 0; begin < count; begin += bulk {
		group.Go(func() error {
			var items []map[string]any
			for i := begin; i < min(begin+bulk, count); i++ {
				items = append(items, map[string]any{"id": fmt.Sprintf("device-%06d", i), "importMode": "create", "status": "enabled",
					"capabilities": map[string]any{"iotEdge": i%10 == 0}, "tags": map[string]any{"line": i % 100}})
			}
			_, answer, err := c.call(ctx, c.owner, "POST", "/devices", items, nil)
			var result struct{ IsSuccessful bool }
			if err == nil {
				err = json.Unmarshal(answer, &result)
			}
			if err == nil && !result.IsSuccessful {
				err = fmt.Errorf("bulk call: %s", answer)
			}
			return err
		})
	}
	return group.Wait()
}

// fewestPages is how many pages of a query are timed at least, by asking again.
const fewestPages = 20

// query pages through queries of several kinds and times each page.
func (c *cloud) query(ctx context.Context, identities int) (figures []figure, err error) {
	for _, q := range []struct {
		name, text string
		rows       int // in all pages; -1 where it does not count them
	}{
		{"all devices, by 100", "SELECT * FROM devices", identities},
		{"by tag", "SELECT deviceId FROM devices WHERE tags.line = 99", identities / 100},
		{"edge devices", "SELECT * FROM devices WHERE capabilities.iotEdge = true AND status = 'enabled'", identities / 10},
		{"nothing found", "SELECT * FROM devices WHERE tags.line = 'none'", 0},
		{"modules", "SELECT * FROM devices.modules WHERE moduleId = '$edgeAgent'", identities / 10},
		{"count by tag", "SELECT tags.line AS line, COUNT() AS n FROM devices GROUP BY tags.line", -1},
	} {
		var times []time.Duration
		rows, next := 0, ""
		for next != "" || len(times) < fewestPages {
			if next == "" {
				rows = 0 // from the beginning
			}
			header := map[string]string{wire.HeaderMaxItemCount: "100"}
			if next != "" {
				header[wire.HeaderContinuation] = next
			}
			begin := time.Now()
			resp, answer, err := c.call(ctx, c.owner, "POST", "/devices/query", wire.QuerySpecification{Query: q.text}, header)
			if err != nil {
				return figures, err
			}
			times = append(times, time.Since(begin))
			var items []json.RawMessage
			if err := json.Unmarshal(answer, &items); err != nil {
				return figures, err
			}
			rows += len(items)
			next = resp.Header.Get(wire.HeaderContinuation)
		}
		if q.rows >= 0 && rows != q.rows {
			return figures, fmt.Errorf("%s: %d rows, not %d", q.name, rows, q.rows)
		}
		text, most := spread(times)
		figures = append(figures, figure{fmt.Sprintf("query, %s (%d pages)", q.name, len(times)), text, fmt.Sprintf("99 of 100 under %v", pageMark), most < pageMark})
	}
	return figures, nil
}
