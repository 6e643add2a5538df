package practice

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits choose the SKU whose rates every hub keeps, and with it those of DPS.
// The zero value keeps none.
type Limits struct {
	SKU   string `json:"sku"`   // F1, B1, B2, B3, S1, S2 or S3; empty for none
	Units int    `json:"units"` // at least 1, 1 for F1
}

// SKUs are the SKUs of IoT Hub that Limits know.
var SKUs = []string{"F1", "B1", "B2", "B3", "S1", "S2", "S3"}

// maxUnits of a SKU; 3 has at most 10 in Azure, which is not checked.
const maxUnits = 200

func (l Limits) check() error {
	switch {
	case l == Limits{}:
		return nil
	case !slices.Contains(SKUs, l.SKU):
		return wrongOption("SKU %q: it is one of %s", l.SKU, strings.Join(SKUs, ", "))
	case l.Units < 1 || l.Units > maxUnits || l.SKU == "F1" && l.Units != 1:
		return wrongOption("units of a hub: 1 to %d, and 1 for F1", maxUnits)
	}
	return nil
}

// Basic tells a tier without twins, methods, jobs, configurations and
// cloud-to-device messages.
func (l Limits) Basic() bool { return strings.HasPrefix(l.SKU, "B") }

// operation is a class of requests with a rate of its own.
type operation int

const (
	opFree operation = iota // has no rate
	opRegistry
	opQuery
	opTwinRead
	opTwinUpdate
	opJob
	opConfiguration
	opConnect
	opMethod // counted in bytes
	opDPS
	opRegister
)

// rate is so many in a period, which are also what may come at once.
type rate struct {
	n   float64
	per time.Duration
}

// rate gives that of a class of operations; n is 0 where there is none.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling
// and https://learn.microsoft.com/azure/iot-dps/about-iot-dps#quotas-and-limits
func (l Limits) rate(op operation) rate {
	tier, units := int(l.SKU[1]-'1'), float64(l.Units)
	pick := func(of [3]float64) float64 { return of[tier] }
	switch op {
	case opRegistry, opJob:
		return rate{units * pick([3]float64{100, 100, 5000}), time.Minute}
	case opQuery:
		return rate{units * pick([3]float64{20, 20, 1000}), time.Minute}
	case opTwinRead:
		return rate{pick([3]float64{100, max(100, 10*units), 500 * units}), time.Second}
	case opTwinUpdate:
		return rate{pick([3]float64{50, max(50, 5*units), 250 * units}), time.Second}
	case opConfiguration:
		return rate{units * 20, time.Minute}
	case opConnect:
		return rate{pick([3]float64{max(100, 12*units), 120 * units, 6000 * units}), time.Second}
	case opMethod:
		return rate{units * 1024 * pick([3]float64{160, 480, 24 * 1024}), time.Second}
	case opDPS, opRegister:
		return rate{1000, time.Minute}
	}
	return rate{}
}

// longestQueue is how long a request above the rate may wait for its turn
// before it is answered with 429. Assumed: the product page says that there is
// a queue, not how long.
const longestQueue = 5 * time.Second

// limiter keeps a token bucket for each hub and class of operations.
type limiter struct {
	mu      sync.Mutex
	chosen  Limits
	buckets map[limited]*bucket
}

type limited struct {
	hub string // label; empty for DPS
	op  operation
}

// bucket has tokens; below 0 are those that queued requests have taken ahead.
type bucket struct {
	tokens float64
	at     time.Time
}

// SetLimits chooses the rates, from now on. It gives an *OptionError for what
// cannot be.
func (c *Cloud) SetLimits(l Limits) error {
	if err := l.check(); err != nil {
		return err
	}
	c.limits.mu.Lock()
	c.limits.chosen, c.limits.buckets = l, map[limited]*bucket{}
	c.limits.mu.Unlock()
	c.changes.Add(1)
	return nil
}

// Limits gives the rates that are kept.
func (c *Cloud) Limits() Limits {
	c.limits.mu.Lock()
	defer c.limits.mu.Unlock()
	return c.limits.chosen
}

// reserve takes cost tokens, perhaps ahead of time: wait is how long the
// request stands in the queue. ok is false where the queue is full.
func (l *limiter) reserve(of limited, cost float64, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.chosen.SKU == "" {
		return 0, true
	}
	r := l.chosen.rate(of.op)
	if r.n == 0 {
		return 0, true
	}
	b := l.buckets[of]
	if b == nil {
		b = &bucket{tokens: r.n, at: now}
		l.buckets[of] = b
	}
	perSecond := r.n / r.per.Seconds()
	// A clock that is set back gives nothing and takes nothing.
	b.tokens = min(r.n, b.tokens+max(0, now.Sub(b.at).Seconds())*perSecond)
	b.at = now
	if left := b.tokens - cost; left < 0 {
		wait = time.Duration(-left / perSecond * float64(time.Second))
	}
	if wait > longestQueue {
		return 0, false
	}
	b.tokens -= cost
	return wait, true
}

// admit waits for the turn of an operation; false means 429. The caller holds
// no lock.
func (c *Cloud) admit(ctx context.Context, hub string, op operation, cost float64) bool {
	if op == opDPS || op == opRegister {
		hub = ""
	}
	wait, ok := c.limits.reserve(limited{hub, op}, cost, c.now())
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ok
}

// limit holds a request until its turn, or refuses it.
func (x *exchange) limit() *answer {
	chosen := x.c.Limits()
	if chosen.SKU == "" {
		return nil
	}
	op, standard := operationOf(x.plane, x.r.Method, x.segments)
	if standard && chosen.Basic() {
		// Assumed: that the tier lacks them is documented, the answer is not.
		a := x.fail(http.StatusMethodNotAllowed, "InvalidOperation", "Hubs of the basic tier do not offer this.")
		return &a
	}
	cost := 1.0
	if op == opMethod {
		cost = float64(len(x.body))
	}
	if !x.c.admit(x.r.Context(), hubLabelOf(x.r.Host), op, cost) {
		a := x.throttled(0)
		return &a
	}
	return nil
}

// operationOf tells the class of a request, and whether it needs the standard
// tier. Jobs that import and export identities do not.
func operationOf(p plane, method string, segments []string) (op operation, standard bool) {
	at := func(i int) string {
		if i < len(segments) {
			return strings.ToLower(segments[i])
		}
		return ""
	}
	switch p {
	case planeDPSService:
		return opDPS, false
	case planeDPSDevice:
		if at(3) == "register" {
			return opRegister, false
		}
		return opFree, false
	}
	switch at(0) {
	case "twins":
		switch {
		case method == http.MethodPost && at(len(segments)-1) == "methods":
			return opMethod, true
		case method == http.MethodGet:
			return opTwinRead, true
		}
		return opTwinUpdate, true
	case "configurations":
		return opConfiguration, true
	case "jobs":
		return opJob, at(1) == "v2"
	case "devices":
		switch {
		case at(1) == "query":
			return opQuery, false
		case at(2) == "applyconfigurationcontent":
			return opConfiguration, true
		case at(2) == "commands":
			return opFree, true
		case at(2) == "files":
			return opFree, false
		case at(2) == "messages" || at(4) == "messages":
			return opFree, at(3) == "devicebound"
		}
		return opRegistry, false
	}
	return opFree, false
}
