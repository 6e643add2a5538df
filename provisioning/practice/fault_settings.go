package practice

import (
	"net/http"
	"slices"
	"time"
)

// codeOffline stands in the log for a request that an offline hub did not
// answer.
const codeOffline = "Offline"

// Span is a duration that is written as in "2s" or "-1h30m0s".
type Span time.Duration

// MarshalText implements encoding.TextMarshaler.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = Span(d)
	return err
}

// ThrottleShare answers the first N of every Of requests with 429; the zero
// value answers none so. RetryAfter is the header, whole seconds, 0 for none.
type ThrottleShare struct {
	N          int  `json:"n"`
	Of         int  `json:"of"`
	RetryAfter Span `json:"retry_after"`
}

// FailShare answers the first N of every Of requests with Status, 500 to 599,
// without acting on them; the zero value none.
type FailShare struct {
	N      int `json:"n"`
	Of     int `json:"of"`
	Status int `json:"status"`
}

// FaultSettings are the faults that stay until they are cleared, as a person
// sets them.
type FaultSettings struct {
	Throttle ThrottleShare `json:"throttle"`
	Fail     FailShare     `json:"fail"`
	Delay    Span          `json:"delay"` // before each request
	Skew     Span          `json:"skew"`  // of the cloud's clock
	// Offline are the labels of hubs that end each connection without an
	// answer. DPS goes on assigning devices to them.
	Offline []string `json:"offline"`
}

// Any tells whether one of the faults is on.
func (s FaultSettings) Any() bool {
	return s.Throttle.N > 0 || s.Fail.N > 0 || s.Delay != 0 || s.Skew != 0 || len(s.Offline) > 0
}

// The bounds of what a person may set.
const (
	maxShare = 1000
	maxDelay = Span(2 * time.Minute)
	maxSkew  = Span(10 * 365 * 24 * time.Hour)
)

// check finds the first thing that cannot be, as an *OptionError.
func (s FaultSettings) check(hubs []string) error {
	share := func(n, of int) bool { return n >= 0 && of >= n && of <= maxShare && (of > 0) == (n > 0) }
	switch {
	case !share(s.Throttle.N, s.Throttle.Of) || !share(s.Fail.N, s.Fail.Of):
		return wrongOption("a share is n of every so many requests, 1 of 2 for half of them, at most %d", maxShare)
	case s.Throttle.RetryAfter < 0 || time.Duration(s.Throttle.RetryAfter)%time.Second != 0:
		return wrongOption("Retry-After is a number of whole seconds")
	case s.Fail.N > 0 && (s.Fail.Status < http.StatusInternalServerError || s.Fail.Status > 599):
		return wrongOption("the status of a failure is 500 to 599")
	case s.Delay < 0 || s.Delay > maxDelay:
		return wrongOption("the delay is 0 s to %s", time.Duration(maxDelay))
	case max(s.Skew, -s.Skew) > maxSkew:
		return wrongOption("the clock can be set at most ten years off")
	}
	for _, label := range s.Offline {
		if !slices.Contains(hubs, label) {
			return wrongOption("there is no practice hub %q", label)
		}
	}
	return nil
}

// Settings gives the faults that stay.
func (f *Faults) Settings() FaultSettings {
	f.mu.Lock()
	defer f.mu.Unlock()
	return FaultSettings{Throttle: ThrottleShare{f.n, f.of, Span(f.wait)}, Fail: f.fail, Delay: Span(f.delay), Skew: Span(f.skew),
		Offline: append([]string{}, f.offline...)}
}

// SetFaults replaces the faults that stay; those for the next few requests and
// the limits of Only and Polling are left alone. It gives an *OptionError for
// what cannot be.
func (c *Cloud) SetFaults(s FaultSettings) error {
	if err := s.check(c.settings().Hubs); err != nil {
		return err
	}
	c.faults.set(func() {
		f := c.faults
		f.n, f.of, f.count, f.wait = s.Throttle.N, s.Throttle.Of, 0, time.Duration(s.Throttle.RetryAfter)
		f.fail, f.failCount = s.Fail, 0
		f.delay, f.skew, f.offline = time.Duration(s.Delay), time.Duration(s.Skew), slices.Clone(s.Offline)
	})
	return nil
}

// isOffline tells whether a hub answers nobody.
func (f *Faults) isOffline(label string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.offline, label)
}
