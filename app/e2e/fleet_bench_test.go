//go:build e2e && bench

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fleetSize is how many machines are provisioned at once.
const fleetSize = 50

// BenchmarkFiftyTargets provisions 50 machines over SSH at once, through one
// enrollment group, until both proofs of each stand. Each machine has its own
// root, network, address, sshd and host key; making them is not counted. The
// stand-in of the runtime works on the same processors and is counted.
//
// "s/batch" is the whole command from outside. "cloud-s" is what the cloud made
// each run wait by Retry-After, the least of all runs; "s/batch-less-cloud" is
// the difference. "s/batch-less-apply" leaves out the share that applying has in
// the time of the runs: what is left is to be compared with BenchmarkFiftyTPMs.
func BenchmarkFiftyTargets(b *testing.B) {
	for range b.N {
		b.StopTimer()
		s := newStation(b)
		lines, identity := fleet(b, s)
		plan := s.plan("plan.toml", plans("unused")["group"])
		b.StartTimer()
		begun := time.Now()
		r := s.run("", "provision", "--plan", plan, "--targets", lines, "--parallel", fmt.Sprint(fleetSize), "--identity", identity, "--yes", "--json")
		took := time.Since(begun)
		b.StopTimer()

		waits := proven(b, r)
		b.ReportMetric(took.Seconds(), "s/batch")
		b.ReportMetric(slices.Min(waits).Seconds(), "cloud-s")
		b.ReportMetric((took - slices.Min(waits)).Seconds(), "s/batch-less-cloud")
		b.ReportMetric(took.Seconds()*(1-applyShare(b, r)), "s/batch-less-apply")
	}
	b.ReportMetric(0, "ns/op") // the seconds above say it
}

// fleet makes the machines, and on the station what reaches them and the list of
// targets.
func fleet(b *testing.B, s *station) (lines, identity string) {
	b.Helper()
	devices, identity := fleetDevices(b, s)
	list := "target,id\n"
	for i, d := range devices {
		list += fmt.Sprintf("ssh://root@%s,line-7-%04d\n", d.addr, i)
	}
	return s.plan("targets.csv", list), identity
}

// fleetDevices makes the machines, and on the station what reaches them: a key and
// their host keys.
func fleetDevices(b *testing.B, s *station) (devices []*device, identity string) {
	b.Helper()
	identity = filepath.Join(s.home, "id")
	if err := command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", identity); err != nil {
		b.Fatal(err)
	}
	public, err := os.ReadFile(identity + ".pub")
	if err != nil {
		b.Fatal(err)
	}
	known := ""
	for range fleetSize {
		d := newDevice(b)
		d.connect(b, string(public))
		devices = append(devices, d)
		known += d.addr + " " + d.hostKey + "\n"
	}
	if err := os.MkdirAll(filepath.Join(s.home, ".ssh"), 0o700); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.home, ".ssh", "known_hosts"), []byte(known), 0o600); err != nil {
		b.Fatal(err)
	}
	return devices, identity
}

// proven reads a batch of which each run must have changed its machine and
// have both proofs, and gives what each waited for the cloud.
func proven(b *testing.B, r result) (waits []time.Duration) {
	b.Helper()
	text := strings.TrimSpace(r.out)
	var batch struct {
		Succeeded, Failed int
		Runs              []struct {
			outcome
			Device string
			Wait   time.Duration `json:"cloud_wait_ns"`
		}
	}
	if err := json.Unmarshal([]byte(text[strings.LastIndexByte(text, '\n')+1:]), &batch); err != nil {
		b.Fatalf("code %d: %v\n%s\n%s", r.code, err, r.out, r.errOut)
	}
	for _, run := range batch.Runs {
		if run.Outcome != "succeeded" || !run.Changed || !run.Proof.Device || !run.Proof.Cloud || run.Proof.How != "runtime" {
			b.Errorf("%s: %+v, error %+v", run.Device, run.outcome, run.Error)
		}
		waits = append(waits, run.Wait)
	}
	if r.code != 0 || batch.Succeeded != fleetSize || len(waits) != fleetSize {
		b.Fatalf("code %d, %d succeeded, %d failed", r.code, batch.Succeeded, batch.Failed)
	}
	return waits
}

// applyShare is how much of the time of all runs of a batch they spent in their
// step that applies: 0 to 1.
func applyShare(b *testing.B, r result) float64 {
	b.Helper()
	type moments struct{ first, last, applyBegun, applyEnded time.Time }
	runs := map[string]*moments{}
	for line := range strings.Lines(r.out) {
		var e struct {
			Event, Run, Step, State string
			Time                    time.Time
		}
		if json.Unmarshal([]byte(line), &e) != nil || e.Event != "step" {
			continue
		}
		m := runs[e.Run]
		if m == nil {
			m = &moments{first: e.Time}
			runs[e.Run] = m
		}
		m.last = e.Time
		if e.Step == "apply" && e.State == "acting" {
			m.applyBegun = e.Time
		}
		if e.Step == "apply" && e.State == "done" {
			m.applyEnded = e.Time
		}
	}
	var whole, apply time.Duration
	for name, m := range runs {
		if m.applyBegun.IsZero() || m.applyEnded.IsZero() {
			b.Fatalf("run %s tells of no apply", name)
		}
		whole += m.last.Sub(m.first)
		apply += m.applyEnded.Sub(m.applyBegun)
	}
	if whole == 0 {
		b.Fatal("no events")
	}
	return apply.Seconds() / whole.Seconds()
}
