package practice

import (
	"runtime"
	"strconv"
	"testing"
	"time"
)

// walked waits until no walk is under way.
func (b *bench) walked() {
	b.Helper()
	for {
		b.mu.Lock()
		h := b.state.hubs[defaultHub]
		under := h.rollout.under || h.measured.under
		b.mu.Unlock()
		if !under {
			return
		}
		if b.Context().Err() != nil {
			b.Fatal("the walk does not end")
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
}

// A configuration of a large hub is rolled out in steps, which a restart in
// between does not end.
func TestRollOutGoesOnInSteps(t *testing.T) {
	const devices = 3 * stepWrites
	b := open(t, Options{})
	b.fleet(devices)
	made := b.putConfiguration("all", `{"deviceContent":{"properties.desired.a":1}}`, "*", 1)
	if n := made.SystemMetrics.Results["targetedCount"]; n == 0 || n >= devices {
		t.Errorf("the call itself wrote %d of %d devices", n, devices)
	}
	b = b.reopened()
	b.hubDo("GET", "/devices/device-000000", "")
	b.walked()
	b.wantMetrics("all", map[string]int64{"targetedCount": devices, "appliedCount": devices})
	b.wantDesired("device-000000", `{"a":1,"interval":30}`)
	// Nothing is written twice.
	b.putConfiguration("edge", fullDeployment("temp", 1), "tags.line = 10", 1)
	b.walked()
	if _, version := b.desired("device-000000"); version != 3 {
		t.Errorf("version %d", version)
	}
	b.wantMetrics("edge", map[string]int64{"targetedCount": 31, "appliedCount": 31})
	b.want(b.hubDo("DELETE", "/configurations/all", ""), 204, "")
	b = b.reopened()
	b.hubDo("GET", "/devices/device-000000", "")
	b.walked()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.state.hubs[defaultHub].stacks {
		if len(s.Placed) != 1 || s.Placed[0].ID != "edge" {
			t.Errorf("%d twins are still under %v", s.twins, s.Placed)
		}
	}
}

// BenchmarkFleetConfigurations reports what a change of one twin and a look at
// the metrics cost in a large hub under ten configurations, and how long it
// takes until one more has reached every device.
func BenchmarkFleetConfigurations(b *testing.B) {
	bench := open(b, Options{})
	bench.fleet(fleetSize)
	for _, id := range []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"} {
		bench.putConfiguration("c"+id, `{"deviceContent":{"properties.desired.c`+id+`":1}}`, "tags.line = 1"+id, 1)
		bench.walked()
	}
	b.Run("change", func(b *testing.B) {
		for b.Loop() {
			bench.hubDo("PATCH", "/twins/device-000010", `{"tags":{"x":1}}`)
		}
	})
	b.Run("metrics", func(b *testing.B) {
		for b.Loop() {
			bench.configuration("c3")
		}
	})
	b.Run("rollout", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			id := "all-" + strconv.Itoa(i)
			bench.putConfiguration(id, `{"deviceContent":{"properties.desired.`+id+`":1}}`, "*", 2)
			bench.walked()
		}
	})
}
