package practice

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

const fleetSize = 100_000

// fleet makes devices with a tag and desired properties; every tenth is an edge
// device.
func (b *bench) fleet(n int) {
	b.Helper()
	for at := 0; at < n; at += 1000 {
		b.act(func(x *transaction) {
			for i := at; i < min(at+1000, n); i++ {
				given := wire.Device{DeviceID: fmt.Sprintf("device-%06d", (i*7919)%n), Capabilities: leafOrEdge(i%10 == 0)}
				d, refused := x.writeDevice(given, nil)
				if refused != nil {
					b.Fatal(refused.text)
				}
				if refused := x.changeTwin(d, nil, twinChange{tags: map[string]any{"line": float64(i % 100)},
					desired: map[string]any{"interval": 30.0}}); refused != nil {
					b.Fatal(refused.text)
				}
			}
		})
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkFleetMemory reports what a device costs in memory, its share of the
// modules of edge devices included, after it was made and after a restart; what
// the process then has from the system; and how long the restart took.
func BenchmarkFleetMemory(b *testing.B) {
	for b.Loop() {
		before := heapInUse()
		bench := open(b, Options{})
		bench.fleet(fleetSize)
		b.ReportMetric(float64(heapInUse()-before)/fleetSize, "B/device-made")
		again := bench.reopened()
		bench.state = nil
		debug.FreeOSMemory()
		begin := time.Now()
		again.hubDo("GET", "/devices/device-000000", "")
		b.ReportMetric(time.Since(begin).Seconds(), "s-restart")
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		b.ReportMetric(float64(stats.Sys-stats.HeapReleased)/1e6, "MB-process")
		b.ReportMetric(float64(heapInUse()-before)/fleetSize, "B/device-loaded")
	}
}

// BenchmarkFleetQuery reports the time of one page of each kind, the mean and
// the slowest.
func BenchmarkFleetQuery(b *testing.B) {
	bench := open(b, Options{})
	bench.fleet(fleetSize)
	owner := bench.owner()
	for name, query := range map[string]string{
		"all":       "SELECT * FROM devices",
		"few":       "SELECT deviceId FROM devices WHERE tags.line = 99",
		"edge":      "SELECT * FROM devices WHERE capabilities.iotEdge = true AND status = 'enabled'",
		"none":      "SELECT * FROM devices WHERE tags.line = 'none'",
		"count":     "SELECT COUNT() AS n FROM devices",
		"groups":    "SELECT tags.line AS line, COUNT() AS n FROM devices GROUP BY tags.line",
		"modules":   "SELECT * FROM devices.modules WHERE moduleId = '$edgeHub'",
		"lastPages": "SELECT deviceId FROM devices WHERE startswith(deviceId, 'device-0999')",
	} {
		b.Run(name, func(b *testing.B) {
			slowest := time.Duration(0)
			for b.Loop() {
				begin := time.Now()
				r := bench.do(call{method: "POST", path: "/devices/query", body: `{"query":"` + query + `"}`, auth: owner})
				slowest = max(slowest, time.Since(begin))
				if r.status != 200 {
					b.Fatal(r.body)
				}
			}
			b.ReportMetric(float64(slowest.Microseconds())/1000, "ms-slowest")
		})
	}
}
