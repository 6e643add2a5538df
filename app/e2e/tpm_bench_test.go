//go:build e2e && bench

package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// BenchmarkFiftyTPMs reads the TPMs of 50 machines over SSH at once and enrols their
// keys in the practice cloud from a list. Each machine is as in FiftyTargets, with a
// software TPM of its own in its network; making them is not counted. The software
// TPMs work on the same processors and are counted.
//
// "s/collect" and "s/enrol" are the whole commands from outside, "s/both" their sum.
func BenchmarkFiftyTPMs(b *testing.B) {
	for range b.N {
		b.StopTimer()
		s := newStation(b)
		devices, identity := fleetDevices(b, s)
		collect := []string{"tpm", "collect", "--json", "--identity", identity, "--parallel", fmt.Sprint(fleetSize)}
		for i, d := range devices {
			d.startTPM(b)
			collect = append(collect, "--target", "ssh://root@"+d.addr, "--tpm", "tcp:127.0.0.1:2321", "--id", fmt.Sprintf("line-7-%04d", i))
		}
		b.StartTimer()
		begun := time.Now()
		r := s.run("", collect...)
		collected := time.Since(begun)
		b.StopTimer()
		var keys struct {
			Collected, Failed int
			Keys              []struct{ Key struct{ ID string } }
		}
		decodeLast(b, r, &keys)
		distinct := map[string]bool{}
		for _, one := range keys.Keys {
			distinct[one.Key.ID] = true
		}
		if keys.Collected != fleetSize || len(distinct) != fleetSize {
			b.Fatalf("%d collected, %d distinct, %d failed\n%s", keys.Collected, len(distinct), keys.Failed, r.errOut)
		}
		list := filepath.Join(s.home, "keys.csv")
		if r := s.run("", "tpm", "export", list, "--format", "csv"); r.code != 0 {
			b.Fatalf("export: %d\n%s", r.code, r.errOut)
		}
		b.StartTimer()
		begun = time.Now()
		r = s.run("", "tpm", "enroll", "--list", list, "--cloud", "practice", "--json")
		enrolled := time.Since(begun)
		b.StopTimer()
		var run struct{ Enrolled int }
		if decodeLast(b, r, &run); run.Enrolled != fleetSize {
			b.Fatalf("%d enrolled\n%s%s", run.Enrolled, r.out, r.errOut)
		}
		b.ReportMetric(collected.Seconds(), "s/collect")
		b.ReportMetric(enrolled.Seconds(), "s/enrol")
		b.ReportMetric((collected + enrolled).Seconds(), "s/both")
	}
	b.ReportMetric(0, "ns/op") // the seconds above say it
}

// decodeLast reads the last line of a command's output, which is its result.
func decodeLast(b *testing.B, r result, into any) {
	b.Helper()
	text := strings.TrimSpace(r.out)
	if err := json.Unmarshal([]byte(text[strings.LastIndexByte(text, '\n')+1:]), into); err != nil {
		b.Fatalf("code %d: %v\n%s\n%s", r.code, err, r.out, r.errOut)
	}
}
