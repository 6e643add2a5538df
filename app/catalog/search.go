package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Query narrows and sorts a list of devices. The zero Query lists all.
type Query struct {
	// Text is looked for in IDs, hub, host name, target, tags and note. With
	// one or two characters only IDs that begin with it are found.
	Text  string
	Cloud string
	State string
	// NeedsCare leaves only devices that want attention.
	NeedsCare  bool
	SortBy     string // device, state, way, cloud, target, runtime, certificate, proof
	Descending bool
	Limit      int // 0 means 200
	Offset     int
}

// careStates are the states that want attention.
var careStates = []string{"failed", "differs", "renew soon", "unsupported"}

// sortColumns maps the names of Query.SortBy to what they sort by.
var sortColumns = map[string]string{
	"device": "device_id COLLATE NOCASE", "state": "state", "way": "platform || provisioning || authentication", "cloud": "cloud",
	"target": "target", "runtime": "runtime", "certificate": "cert_ends", "proof": "last_proof",
}

// Search lists devices. It is fit for search as you type: three and more
// characters go through a trigram index without sorting, and the hits, at most
// Limit of them, are sorted afterwards. Cancelling ctx ends a running query.
func (c *Catalog) Search(ctx context.Context, q Query) ([]Device, error) {
	if q.Limit <= 0 {
		q.Limit = 200
	}
	text := strings.TrimSpace(q.Text)
	conditions, args := q.conditions()
	byText := len([]rune(text)) >= 3
	switch {
	case byText:
		conditions = append(conditions, "rowid IN (SELECT rowid FROM device_text WHERE device_text MATCH ? LIMIT 5000)")
		args = append(args, `"`+strings.ReplaceAll(text, `"`, `""`)+`"`)
	case text != "":
		conditions = append(conditions, "device_id COLLATE NOCASE >= ? AND device_id COLLATE NOCASE < ?")
		args = append(args, text, text+"\U0010ffff")
	}
	where := ""
	if len(conditions) > 0 {
		where = "WHERE " + strings.Join(conditions, " AND ")
	}
	column, ok := sortColumns[q.SortBy]
	if !ok {
		column = sortColumns["device"]
	}
	direction := " ASC"
	if q.Descending {
		direction = " DESC"
	}
	if !byText {
		where += " ORDER BY " + column + direction + ", uuid"
	}
	list, err := c.devices(ctx, where+" LIMIT ? OFFSET ?", append(args, q.Limit, q.Offset)...)
	if err == nil && byText {
		sortDevices(list, q)
	}
	return list, err
}

func (q Query) conditions() (conditions []string, args []any) {
	if q.Cloud != "" {
		conditions, args = append(conditions, "cloud = ?"), append(args, q.Cloud)
	}
	if q.State != "" {
		conditions, args = append(conditions, "state = ?"), append(args, q.State)
	}
	if q.NeedsCare {
		conditions = append(conditions, "state IN (?,?,?,?)")
		for _, state := range careStates {
			args = append(args, state)
		}
	}
	return conditions, args
}

// sortDevices sorts hits in memory as the database would.
func sortDevices(list []Device, q Query) {
	key := func(d Device) string {
		switch q.SortBy {
		case "state":
			return d.State
		case "way":
			return d.Platform + d.Provisioning + d.Authentication
		case "cloud":
			return d.Cloud
		case "target":
			return d.Target
		case "runtime":
			return d.RuntimeVersion
		case "certificate":
			if d.CertificateEnds != nil {
				return timeText(*d.CertificateEnds)
			}
			return ""
		case "proof":
			if d.LastProof != nil {
				return timeText(*d.LastProof)
			}
			return ""
		}
		return strings.ToLower(d.DeviceID)
	}
	slices.SortStableFunc(list, func(a, b Device) int {
		order := strings.Compare(key(a), key(b))
		if q.Descending {
			order = -order
		}
		return order
	})
}

// Counts are the numbers of the catalog.
type Counts struct {
	Devices, NeedCare int
}

// Count counts all devices and those that want attention.
func (c *Catalog) Count(ctx context.Context) (Counts, error) {
	var n Counts
	err := c.read.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM device), (SELECT count(*) FROM device WHERE state IN (?,?,?,?))",
		careStates[0], careStates[1], careStates[2], careStates[3]).Scan(&n.Devices, &n.NeedCare)
	if err != nil {
		return n, fmt.Errorf("count devices: %w", known(err))
	}
	return n, nil
}
