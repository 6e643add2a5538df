package practice

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/wire"
)

// The views are snapshots for a person: no secret is in them, and lists come
// in pages, so that a look at a large registry costs little.

// DefaultHub is the label of the hub that every practice cloud has.
const DefaultHub = defaultHub

// Overview is the practice cloud at a glance.
type Overview struct {
	// Change differs from that of an earlier look where anything in any view
	// may differ.
	Change        uint64        `json:"change"`
	Now           time.Time     `json:"now"` // the cloud's clock
	Hubs          []HubView     `json:"hubs"`
	Enrollments   int           `json:"enrollments"`
	Groups        int           `json:"groups"`
	Registrations int           `json:"registrations"`
	CAs           int           `json:"cas"`
	Requests      uint64        `json:"requests"` // answered so far
	Faults        FaultSettings `json:"faults"`
	Limits        Limits        `json:"limits"`
}

// HubView is a hub in numbers.
type HubView struct {
	Name      string `json:"name"` // its label
	Host      string `json:"host"` // with the port unless it is 443
	Devices   int    `json:"devices"`
	Connected int    `json:"connected"` // devices and modules
}

// PageQuery asks for a page of a list.
type PageQuery struct {
	Search string // part of the ID, in any letter case
	After  string // the key of the last row of the page before; empty begins
	Limit  int    // rows; 0 means 100, at most 1000
}

// DeviceRow is a device in a list. Its key is HUB/DEVICE.
type DeviceRow struct {
	Hub            string    `json:"hub"`
	ID             string    `json:"device"`
	Edge           bool      `json:"edge"`
	Enabled        bool      `json:"enabled"`
	Connected      bool      `json:"connected"`
	LastActivity   time.Time `json:"last_activity"` // zero for never
	Authentication string    `json:"authentication"`
	Modules        int       `json:"modules"`
}

// Key is what PageQuery.After takes.
func (r DeviceRow) Key() string { return r.Hub + "/" + r.ID }

// DevicePage is a page of devices, by hub and ID; Total counts all that match.
type DevicePage struct {
	Devices []DeviceRow `json:"devices"`
	Total   int         `json:"total"`
}

// EnrollmentRow is an enrollment or enrollment group in a list.
type EnrollmentRow struct {
	ID          string    `json:"id"`
	Group       bool      `json:"group"`
	Attestation string    `json:"attestation"`
	Enabled     bool      `json:"enabled"`
	Edge        bool      `json:"edge"`
	Created     time.Time `json:"created"`
}

// Key is what PageQuery.After takes.
func (r EnrollmentRow) Key() string { return enrollmentRowKey(r.Group, r.ID) }

func enrollmentRowKey(group bool, id string) string {
	if group {
		return "group/" + id
	}
	return "individual/" + id
}

// EnrollmentPage is a page of groups, then individual enrollments, by ID.
type EnrollmentPage struct {
	Enrollments []EnrollmentRow `json:"enrollments"`
	Total       int             `json:"total"`
}

// RegistrationRow is a registration record in a list; its key is its ID.
type RegistrationRow struct {
	ID        string    `json:"id"`
	Device    string    `json:"device"`
	Hub       string    `json:"hub"` // label
	Group     string    `json:"group"`
	Status    string    `json:"status"`
	Substatus string    `json:"substatus"`
	Updated   time.Time `json:"updated"`
	Error     string    `json:"error"`
}

// RegistrationPage is a page of registrations by ID.
type RegistrationPage struct {
	Registrations []RegistrationRow `json:"registrations"`
	Total         int               `json:"total"`
}

// look runs f on the state; it changes nothing.
func (c *Cloud) look(ctx context.Context, f func()) error {
	leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	return nil
}

// Overview looks at everything in numbers.
func (c *Cloud) Overview(ctx context.Context) (Overview, error) {
	o := Overview{Change: c.changes.Load(), Now: c.now(), Requests: c.log.count(), Faults: c.faults.Settings(), Limits: c.Limits()}
	err := c.look(ctx, func() {
		connected := map[string]int{}
		for key := range c.connections {
			label, _, _ := strings.Cut(key.id, "/")
			connected[label]++
		}
		s := c.settings()
		for _, label := range s.Hubs {
			o.Hubs = append(o.Hubs, HubView{Name: label, Host: s.withPort(label + "." + domain), Devices: len(c.state.hubs[label].devices),
				Connected: connected[label]})
		}
		o.Enrollments, o.Groups, o.Registrations, o.CAs = len(c.state.enrollments), len(c.state.groups), len(c.state.registrations), len(c.state.cas)
	})
	return o, err
}

// Devices gives a page of the devices of a hub, or of all hubs if hub is empty.
func (c *Cloud) Devices(ctx context.Context, hub string, q PageQuery) (page DevicePage, err error) {
	page.Devices = []DeviceRow{}
	afterHub, afterID, _ := strings.Cut(q.After, "/")
	limit, search := q.limit(), q.search()
	err = c.look(ctx, func() {
		for _, label := range sortedIDs(c.state.hubs) {
			if hub != "" && hub != label {
				continue
			}
			h := c.state.hubs[label]
			if search == "" && len(page.Devices) == limit {
				page.Total += len(h.ordered)
				continue
			}
			for i, d := range h.ordered {
				id := d.Identity.DeviceID
				if search != "" && !strings.Contains(strings.ToLower(id), search) {
					continue
				}
				page.Total++
				if len(page.Devices) < limit && (label > afterHub || label == afterHub && id > afterID) {
					page.Devices = append(page.Devices, h.row(d))
				}
				if search == "" && len(page.Devices) == limit {
					page.Total += len(h.ordered) - i - 1
					break
				}
			}
		}
	})
	return page, err
}

// row is a device of the hub.
func (h *hub) row(d *device) DeviceRow {
	i := d.Identity
	return DeviceRow{Hub: h.label, ID: i.DeviceID, Edge: i.IsEdge(), Enabled: i.Status == wire.StatusEnabled, Connected: i.ConnectionState == wire.Connected,
		LastActivity: i.LastActivityTime.Moment(), Authentication: i.Authentication.Type, Modules: len(d.modules)}
}

// Enrollments gives a page of enrollments and groups.
func (c *Cloud) Enrollments(ctx context.Context, q PageQuery) (page EnrollmentPage, err error) {
	page.Enrollments = []EnrollmentRow{}
	err = c.look(ctx, func() {
		var keys []string
		keys, page.Total = q.pick(func(yield func(string) bool) {
			for id := range c.state.groups {
				if !yield(enrollmentRowKey(true, id)) {
					return
				}
			}
			for id := range c.state.enrollments {
				if !yield(enrollmentRowKey(false, id)) {
					return
				}
			}
		})
		for _, key := range keys {
			kind, id, _ := strings.Cut(key, "/")
			e := enrollment{}
			if kind == "group" {
				e = group(c.state.groups[id])
			} else {
				e = individual(c.state.enrollments[id])
			}
			page.Enrollments = append(page.Enrollments, EnrollmentRow{ID: id, Group: kind == "group", Attestation: (*e.attestation).Type,
				Enabled: *e.status != wire.StatusDisabled, Edge: e.isEdge(), Created: (*e.created).Moment()})
		}
	})
	return page, err
}

// Registrations gives a page of registration records.
func (c *Cloud) Registrations(ctx context.Context, q PageQuery) (page RegistrationPage, err error) {
	page.Registrations = []RegistrationRow{}
	err = c.look(ctx, func() {
		var keys []string
		keys, page.Total = q.pick(maps.Keys(c.state.registrations))
		for _, id := range keys {
			page.Registrations = append(page.Registrations, c.state.registrations[id].row(id))
		}
	})
	return page, err
}

func (r *registration) row(id string) RegistrationRow {
	return RegistrationRow{ID: id, Device: r.State.DeviceID, Hub: r.Hub, Group: r.Group, Status: r.State.Status, Substatus: r.State.Substatus,
		Updated: r.State.LastUpdatedDateTimeUTC.Moment(), Error: r.State.ErrorMessage}
}

const (
	usualRows = 100 // in a page of a view
	mostRows  = 1000
)

func (q PageQuery) limit() int {
	if q.Limit <= 0 {
		return usualRows
	}
	return min(q.Limit, mostRows)
}

func (q PageQuery) search() string { return strings.ToLower(strings.TrimSpace(q.Search)) }

// pick gives the keys of the page, sorted, and how many match the search. The
// part of a key behind its first slash is searched, or all of it.
func (q PageQuery) pick(keys iter.Seq[string]) (page []string, total int) {
	limit, search := q.limit(), q.search()
	for key := range keys {
		if search != "" {
			name := key
			if _, id, ok := strings.Cut(key, "/"); ok {
				name = id
			}
			if !strings.Contains(strings.ToLower(name), search) {
				continue
			}
		}
		total++
		if key <= q.After {
			continue
		}
		if page = append(page, key); len(page) >= 8*limit {
			page = lowest(page, limit)
		}
	}
	return lowest(page, limit), total
}

// lowest sorts and keeps the first n.
func lowest(keys []string, n int) []string {
	slices.Sort(keys)
	return keys[:min(n, len(keys))]
}
