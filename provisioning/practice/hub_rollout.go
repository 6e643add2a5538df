package practice

import (
	"strings"

	"edgewright/provisioning/practice/query"
)

// A walk over all devices of a hub is made in steps, each a transaction of its
// own, so that a large hub answers in between. The first step belongs to the
// request that began the walk: for a small hub it is the only one.
const (
	stepDevices = 4096 // looked at
	stepWrites  = 1024 // queued
)

// walk is how far the devices were visited. IDs may come and go meanwhile.
type walk struct {
	under bool
	next  string // the first ID of the next step
}

// step visits devices until the walk ends or the step is full.
func (w *walk) step(t *transaction, visit func(d *device)) {
	at, _ := t.hub.at(w.next)
	end := min(len(t.hub.ordered), at+stepDevices)
	for ; at < end && len(t.urgent) < stepWrites; at++ {
		visit(t.hub.ordered[at])
	}
	if w.under = at < len(t.hub.ordered); w.under {
		w.next = t.hub.ordered[at].Identity.DeviceID
	}
}

// rollOutAgain has every device visited, from the first on.
func (h *hub) rollOutAgain() { h.rollout = walk{under: true} }

// configurationsChanged begins a roll-out and makes the first step.
func (t *transaction) configurationsChanged() {
	t.hub.rollOutAgain()
	t.rollOut()
	if t.hub.rollout.under {
		t.c.background.poke()
	}
}

// rollOut makes one step of the roll-out.
func (t *transaction) rollOut() {
	settled := len(t.changed)
	t.hub.version++
	t.hub.rollout.step(t, func(d *device) {
		t.configure(d)
		t.hub.recount(d)
	})
	t.changed = t.changed[:settled]
}

// measurement counts the rows of the metrics' queries.
type measurement struct {
	walk
	of      uint64 // version of the hub when it began
	measure []*metric
}

type metric struct {
	c      *configuration
	name   string
	query  *query.Query
	groups *query.Groups // of an aggregated query, else nil
	rows   int64
}

// measure counts again, if anything has changed since, and makes the first
// step.
func (t *transaction) measure() {
	h := t.hub
	if h.measured.under || h.measured.of == h.version {
		return
	}
	h.measured = measurement{of: h.version}
	for _, c := range h.ranked {
		for name, q := range c.metrics {
			m := &metric{c: c, name: name, query: q}
			if q.Aggregated() {
				m.groups = q.Groups()
			}
			h.measured.measure = append(h.measured.measure, m)
		}
	}
	if h.measured.under = len(h.measured.measure) > 0; h.measured.under {
		t.measureStep()
	}
	if h.measured.under {
		t.c.background.poke()
	}
}

// measureStep makes one step and, at the end, the results known.
func (t *transaction) measureStep() {
	h := t.hub
	h.measured.step(t, func(d *device) {
		for _, m := range h.measured.measure {
			if m.query.Source == query.Devices {
				m.add(&twinDocument{d: d})
				continue
			}
			for _, module := range d.modules {
				m.add(&twinDocument{d: d, m: module})
			}
		}
	})
	if h.measured.under {
		return
	}
	for _, m := range h.measured.measure {
		if m.c.results == nil {
			m.c.results = map[string]int64{}
		}
		m.c.results[m.name] = m.count()
	}
	h.measured.measure = nil
}

func (m *metric) add(document *twinDocument) {
	switch {
	case m.query.Source == query.Jobs || !m.query.Matches(document):
	case m.groups != nil:
		m.groups.Add(document)
	default:
		m.rows++
	}
}

// count is the number of rows (assumed for queries with groups or TOP).
func (m *metric) count() int64 {
	if m.groups != nil {
		m.rows = int64(len(m.groups.Rows()))
	}
	if top := int64(m.query.Top); top > 0 {
		return min(m.rows, top)
	}
	return m.rows
}

// walks makes a step of every walk that is under way; false if none is left.
func (c *Cloud) walks(t *transaction) (more bool) {
	for _, h := range c.state.hubs {
		t.hub = h
		if h.rollout.under {
			t.rollOut()
		}
		if h.measured.under {
			t.measureStep()
		}
		more = more || h.rollout.under || h.measured.under
	}
	return more
}

// isChange tells a write that configurations follow.
func (k objectKey) isChange() bool {
	return (k.kind == kindDevice || k.kind == kindModule) && strings.Contains(k.id, "/")
}
