package practice

import (
	"strconv"
	"strings"
)

// stack is the configurations that target a twin, from the lowest priority to
// the highest. Twins of a fleet are under few different stacks: each is kept
// once per hub and counts the twins under it, so that the metrics of a
// configuration cost nothing.
type stack struct {
	Placed []placed

	twins, succeeded, failed int
	key                      string
	home                     map[string]*stack
	shown                    map[string]any
}

// placed is a configuration in a stack. Made tells it from an earlier or later
// one of the same ID; Applied that something of it is in the twin.
type placed struct {
	ID      string
	Made    int64
	Applied bool `json:",omitempty"`
}

// deployed is what edgeAgent reports of the desired properties that it has now.
type deployed byte

const (
	outcomeNone deployed = iota
	outcomeSucceeded
	outcomeFailed
)

// outcome reads lastDesiredVersion and lastDesiredStatus.code.
func (t *twin) outcome() deployed {
	version, _ := t.Reported.Member("lastDesiredVersion")
	if version != float64(t.DesiredVersion) {
		return outcomeNone
	}
	code, exists := t.Reported.inside("lastDesiredStatus").Member("code")
	switch {
	case !exists:
		return outcomeNone
	case code == 200.0:
		return outcomeSucceeded
	}
	return outcomeFailed
}

// sharedStack gives the hub's only stack with these configurations, nil for
// none.
func (h *hub) sharedStack(all []placed) *stack {
	if len(all) == 0 {
		return nil
	}
	var key strings.Builder
	for _, p := range all {
		key.WriteString(p.ID + "/" + strconv.FormatInt(p.Made, 36) + "/" + strconv.FormatBool(p.Applied) + "\n")
	}
	s := h.stacks[key.String()]
	if s == nil {
		s = &stack{Placed: all, key: key.String(), home: h.stacks, shown: map[string]any{}}
		for _, p := range all {
			status := "Targeted"
			if p.Applied {
				status = "Applied"
			}
			s.shown[p.ID] = map[string]any{"status": status}
		}
		h.stacks[s.key] = s
	}
	return s
}

// join counts a twin under a stack, nil for none, instead of the one before.
func (t *twin) join(s *stack) {
	t.leave()
	if t.Configurations = s; s == nil {
		return
	}
	s.twins++
	s.home[s.key] = s // it may have lost its last twin a moment ago
	t.counted = outcomeNone
	t.recount()
}

// leave takes a twin out of its stack. Whoever removes a twin calls it.
func (t *twin) leave() {
	s := t.Configurations
	if s == nil {
		return
	}
	s.count(t.counted, -1)
	t.Configurations, t.counted = nil, outcomeNone
	if s.twins--; s.twins == 0 {
		delete(s.home, s.key)
	}
}

// recount notes a changed outcome.
func (t *twin) recount() {
	if t.Configurations == nil {
		return
	}
	if now := t.outcome(); now != t.counted {
		t.Configurations.count(t.counted, -1)
		t.Configurations.count(now, 1)
		t.counted = now
	}
}

func (s *stack) count(o deployed, by int) {
	switch o {
	case outcomeSucceeded:
		s.succeeded += by
	case outcomeFailed:
		s.failed += by
	}
}

// configurationCounts are the system metrics of a configuration.
type configurationCounts struct{ targeted, applied, succeeded, failed int64 }

// counts adds up the stacks that a configuration is in.
func (h *hub) counts(c *configuration) (sum configurationCounts) {
	for _, s := range h.stacks {
		for _, p := range s.Placed {
			if p.ID != c.ID || p.Made != c.Made {
				continue
			}
			sum.targeted += int64(s.twins)
			if p.Applied {
				sum.applied += int64(s.twins)
				sum.succeeded += int64(s.succeeded)
				sum.failed += int64(s.failed)
			}
		}
	}
	return sum
}

// countStacks begins the counts of a hub that was read from disk, and has its
// configurations rolled out as far as they were not.
func (h *hub) countStacks() {
	count := func(t *twin) {
		if read := t.Configurations; read != nil {
			t.Configurations = nil
			t.join(h.sharedStack(read.Placed))
		}
	}
	for _, d := range h.ordered {
		count(&d.Twin)
		for _, m := range d.modules {
			count(&m.Twin)
		}
	}
	if len(h.configurations) > 0 || len(h.stacks) > 0 {
		h.rollOutAgain()
	}
}
