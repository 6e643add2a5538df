package practice

import (
	"net/http"
	"sync"
	"time"
)

const (
	defaultPollWait = 3 * time.Second // what DPS asks for
	defaultPolls    = 1               // answers of "assigning" before the last
)

// Faults makes the practice cloud misbehave, for tests and rehearsals. All
// methods may be called at any time from any goroutine. Nothing here is stored.
type Faults struct {
	mu        sync.Mutex
	only      func(method, path string) bool
	of, n     int // answer n of each run of "of" requests with 429
	count     int
	next      int // answer the next ones with 429
	wait      time.Duration
	failNext  int
	failWith  int
	fail      FailShare
	failCount int
	offline   []string // labels of hubs
	changed   func()   // may be nil
	delay     time.Duration
	skew      time.Duration
	pollWait  time.Duration
	pollCount int
}

func newFaults() *Faults { return &Faults{pollWait: defaultPollWait, pollCount: defaultPolls} }

// Throttle answers the first n of every of requests with 429. retryAfter is
// the Retry-After header, whole seconds; 0 sends none, as IoT Hub does.
func (f *Faults) Throttle(n, of int, retryAfter time.Duration) {
	f.set(func() { f.n, f.of, f.count, f.wait = n, of, 0, retryAfter })
}

// ThrottleNext answers the next n requests with 429.
func (f *Faults) ThrottleNext(n int, retryAfter time.Duration) {
	f.set(func() { f.next, f.wait = n, retryAfter })
}

// FailNext answers the next n requests with a status of 500 to 599, without
// acting on them.
func (f *Faults) FailNext(n, status int) {
	f.set(func() { f.failNext, f.failWith = n, status })
}

// Delay holds every request for d before it is looked at.
func (f *Faults) Delay(d time.Duration) { f.set(func() { f.delay = d }) }

// Skew sets the cloud's clock d ahead of (or behind) the real one: in the Date
// header, in every time it writes and in the check of expiry.
func (f *Faults) Skew(d time.Duration) { f.set(func() { f.skew = d }) }

// Polling sets the Retry-After of registrations, in whole seconds, and how many
// polls answer "assigning" before the result. 3 s and 1 without this call.
func (f *Faults) Polling(wait time.Duration, polls int) {
	f.set(func() { f.pollWait, f.pollCount = wait, polls })
}

// Only limits throttling, failure and delay to the requests for which match
// gives true; nil means all.
func (f *Faults) Only(match func(method, path string) bool) { f.set(func() { f.only = match }) }

// Clear ends all misbehaviour; what Polling set stays.
func (f *Faults) Clear() {
	f.set(func() {
		f.only, f.of, f.n, f.count, f.next, f.wait = nil, 0, 0, 0, 0, 0
		f.failNext, f.failWith, f.delay, f.skew = 0, 0, 0, 0
		f.fail, f.failCount, f.offline = FailShare{}, 0, nil
	})
}

func (f *Faults) set(change func()) {
	f.mu.Lock()
	change()
	f.mu.Unlock()
	if f.changed != nil {
		f.changed()
	}
}

func (f *Faults) skewed() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.skew
}

func (f *Faults) polling() (wait time.Duration, polls int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pollWait, f.pollCount
}

// fault is what happens to one request: status 0 means that it is served.
type fault struct {
	delay  time.Duration
	status int
	wait   time.Duration
}

func (f *Faults) draw(method, path string) fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.only != nil && !f.only(method, path) {
		return fault{}
	}
	drawn := fault{delay: f.delay}
	if f.of > 0 {
		if f.count%f.of < f.n {
			drawn.status, drawn.wait = http.StatusTooManyRequests, f.wait
		}
		f.count++
	}
	switch {
	case drawn.status != 0:
	case f.next > 0:
		f.next--
		drawn.status, drawn.wait = http.StatusTooManyRequests, f.wait
	case f.failNext > 0:
		f.failNext--
		drawn.status = f.failWith
	case f.fail.Of > 0:
		if f.failCount%f.fail.Of < f.fail.N {
			drawn.status = f.fail.Status
		}
		f.failCount++
	}
	return drawn
}
