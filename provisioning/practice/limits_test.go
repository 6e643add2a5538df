package practice

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

// The rates of the product page, at once and then by the clock.
func TestLimiterQueuesAndThenRefuses(t *testing.T) {
	at := newClock()
	l := limiter{chosen: Limits{"S1", 2}, buckets: map[limited]*bucket{}}
	registry := limited{"hub", opRegistry}
	for i := range 200 { // 100 a minute and unit
		if wait, ok := l.reserve(registry, 1, at.Now()); wait != 0 || !ok {
			t.Fatalf("request %d: %s %v", i, wait, ok)
		}
	}
	// One each 300 ms from here on; the queue holds 5 s of them.
	for i := 1; i <= 16; i++ {
		if wait, ok := l.reserve(registry, 1, at.Now()); !ok || (wait-time.Duration(i)*300*time.Millisecond).Abs() > time.Microsecond {
			t.Fatalf("queued request %d: %s %v", i, wait, ok)
		}
	}
	if wait, ok := l.reserve(registry, 1, at.Now()); ok || wait != 0 {
		t.Errorf("the queue has no end: %s", wait)
	}
	if _, ok := l.reserve(limited{"line2", opRegistry}, 1, at.Now()); !ok {
		t.Error("hubs share their rates")
	}
	at.advance(4 * time.Second)
	if wait, ok := l.reserve(registry, 1, at.Now()); !ok || wait > 1200*time.Millisecond {
		t.Errorf("after 4 s: %s %v", wait, ok)
	}
	at.advance(-time.Hour)
	if _, ok := l.reserve(registry, 1, at.Now()); !ok {
		t.Error("a clock that is set back refuses")
	}
	at.advance(2 * time.Hour)
	if wait, ok := l.reserve(registry, 200, at.Now()); wait != 0 || !ok {
		t.Errorf("rested, the whole rate at once: %s %v", wait, ok)
	}
}

func TestRatesOfTheSKUs(t *testing.T) {
	for _, c := range []struct {
		limits Limits
		op     operation
		want   rate
	}{
		{Limits{"F1", 1}, opRegistry, rate{100, time.Minute}},
		{Limits{"S3", 2}, opRegistry, rate{10000, time.Minute}},
		{Limits{"S2", 3}, opQuery, rate{60, time.Minute}},
		{Limits{"S3", 1}, opQuery, rate{1000, time.Minute}},
		{Limits{"S1", 5}, opTwinRead, rate{100, time.Second}},
		{Limits{"S2", 20}, opTwinRead, rate{200, time.Second}},
		{Limits{"S2", 2}, opTwinUpdate, rate{50, time.Second}},
		{Limits{"S3", 2}, opTwinUpdate, rate{500, time.Second}},
		{Limits{"B3", 1}, opConfiguration, rate{20, time.Minute}},
		{Limits{"S1", 20}, opConnect, rate{240, time.Second}},
		{Limits{"S2", 2}, opMethod, rate{2 * 480 * 1024, time.Second}},
		{Limits{"S1", 1}, opDPS, rate{1000, time.Minute}},
		{Limits{"S1", 9}, opRegister, rate{1000, time.Minute}},
		{Limits{"S1", 1}, opFree, rate{}},
	} {
		if got := c.limits.rate(c.op); got != c.want {
			t.Errorf("%v, class %d: %v, want %v", c.limits, c.op, got, c.want)
		}
	}
}

func TestLimitsThatCannotBe(t *testing.T) {
	b := open(t, Options{})
	for _, wrong := range []Limits{{"S4", 1}, {"s1", 1}, {"S1", 0}, {"S1", 201}, {"F1", 2}, {"", 1}} {
		var option *OptionError
		if err := b.SetLimits(wrong); !errors.As(err, &option) {
			t.Errorf("%v: %v", wrong, err)
		}
		if b.Limits() != (Limits{}) {
			t.Errorf("%v was taken", wrong)
		}
	}
}

func TestThrottledLikeASKU(t *testing.T) {
	b := open(t, Options{Limits: Limits{"F1", 1}})
	for range 20 {
		b.want(b.hubDo("POST", "/devices/query", `{"query":"SELECT * FROM devices"}`), 200, "")
	}
	// 5 s of the queue hold one query; this one takes its place.
	if _, ok := b.limits.reserve(limited{"hub", opQuery}, 1, b.now()); !ok {
		t.Fatal("there is no queue")
	}
	r := b.hubDo("POST", "/devices/query", `{"query":"SELECT * FROM devices"}`)
	b.want(r, 429, "ThrottlingException")
	if r.header.Get("Retry-After") != "" || r.header.Get("Connection") != "close" {
		t.Errorf("%v", r.header)
	}
	b.want(b.hubDo("GET", "/devices", ""), 200, "") // another class
	if err := b.SetLimits(Limits{}); err != nil {
		t.Fatal(err)
	}
	b.want(b.hubDo("POST", "/devices/query", `{"query":"SELECT * FROM devices"}`), 200, "")
}

func TestBasicTierLacksTwins(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", true)
	if err := b.SetLimits(Limits{"B2", 1}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ method, path string }{
		{"GET", "/twins/d"}, {"PATCH", "/twins/d"}, {"GET", "/twins/d/modules/$edgeHub"}, {"POST", "/twins/d/methods"}, {"GET", "/configurations"},
		{"POST", "/devices/d/applyConfigurationContent"}, {"PUT", "/jobs/v2/j"}, {"GET", "/devices/d/messages/devicebound"},
	} {
		if r := b.hubDo(c.method, c.path, "{}"); r.status != http.StatusMethodNotAllowed && r.status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", c.method, c.path, r.status, r.body)
		}
	}
	for _, path := range []string{"/devices", "/devices/d", "/devices/d/modules"} {
		b.want(b.hubDo("GET", path, ""), 200, "")
	}
}

// Every route of the router has the class that the product page gives it.
func TestOperationsOfTheRoutes(t *testing.T) {
	for _, c := range []struct {
		plane        plane
		method, path string
		op           operation
		standard     bool
	}{
		{planeHub, "GET", "/devices", opRegistry, false},
		{planeHub, "PUT", "/Devices/query-1", opRegistry, false},
		{planeHub, "POST", "/devices/query/", opQuery, false},
		{planeHub, "PUT", "/devices/d/modules/m", opRegistry, false},
		{planeHub, "POST", "/devices/d/messages/events", opFree, false},
		{planeHub, "POST", "/devices/d/modules/m/messages/events", opFree, false},
		{planeHub, "GET", "/devices/d/messages/deviceBound", opFree, true},
		{planeHub, "POST", "/devices/d/applyConfigurationContent", opConfiguration, true},
		{planeHub, "GET", "/twins/d", opTwinRead, true},
		{planeHub, "GET", "/twins/methods", opTwinRead, true},
		{planeHub, "PATCH", "/twins/d/modules/m", opTwinUpdate, true},
		{planeHub, "POST", "/twins/d/methods", opMethod, true},
		{planeHub, "POST", "/twins/d/modules/m/methods", opMethod, true},
		{planeHub, "GET", "/configurations", opConfiguration, true},
		{planeHub, "POST", "/jobs/create", opJob, false},
		{planeHub, "PUT", "/jobs/v2/j", opJob, true},
		{planeHub, "GET", "/statistics/devices", opFree, false},
		{planeDPSService, "PUT", "/enrollments/e", opDPS, false},
		{planeDPSDevice, "PUT", "/0ne00PRACTICE/registrations/r/register", opRegister, false},
		{planeDPSDevice, "GET", "/0ne00PRACTICE/registrations/r/operations/o", opFree, false},
	} {
		segments, err := splitPath(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if op, standard := operationOf(c.plane, c.method, segments); op != c.op || standard != c.standard {
			t.Errorf("%s %s: class %d, standard %v", c.method, c.path, op, standard)
		}
	}
}
