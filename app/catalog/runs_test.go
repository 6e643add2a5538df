package catalog

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func newRun(t *testing.T, c *Catalog, r Run) Run {
	t.Helper()
	r.Kind, r.Started = "provision", time.Now()
	if r.State == "" {
		r.State = "running"
	}
	r, err := c.NewRun(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnOvertakenHolderWritesNoMore(t *testing.T) {
	c := fresh(t)
	run := newRun(t, c, Run{Holder: ThisProcess()})
	if err := c.PutStep(t.Context(), Step{RunID: run.ID, Name: "look"}); err != nil {
		t.Fatal(err)
	}
	if err := c.TakeOver(t.Context(), run.ID, ThisProcess(), "elsewhere 1 1"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"step":   c.PutStep(t.Context(), Step{RunID: run.ID, Name: "files"}),
		"end":    c.UpdateRun(t.Context(), Run{ID: run.ID, State: "succeeded"}),
		"device": c.SetRunDevice(t.Context(), run.ID, "u"),
		"beat":   c.Beat(t.Context(), run.ID),
	} {
		if !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got, err := c.Run(t.Context(), run.ID); err != nil || got.State != "running" {
		t.Errorf("%+v %v", got, err)
	}
	if steps, err := c.Steps(t.Context(), run.ID); err != nil || len(steps) != 1 {
		t.Errorf("%v %v", steps, err)
	}
	if err := c.PutStep(t.Context(), Step{RunID: "0815", Name: "look"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a step of no run: %v", err)
	}
}

func TestOnlyOneTakesOver(t *testing.T) {
	c := fresh(t)
	run := newRun(t, c, Run{Holder: "dead 1 1"})
	won := 0
	results := make(chan error)
	for _, to := range []string{"a 1 1", "b 1 1", "c 1 1", "d 1 1"} {
		go func() { results <- c.TakeOver(t.Context(), run.ID, "dead 1 1", to) }()
	}
	for range 4 {
		if err := <-results; err == nil {
			won++
		} else if !errors.Is(err, ErrLocked) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d took over", won)
	}
}

func TestAbandonedRuns(t *testing.T) {
	child := exec.Command("true")
	if err := child.Start(); err != nil {
		t.Skip("needs true")
	}
	// Dead, and not yet waited for: a zombie still has its process ID.
	zombie := strings.Join([]string{thisHost(), "PID", processStart(child.Process.Pid)}, " ")
	zombie = strings.Replace(zombie, "PID", itoa(child.Process.Pid), 1)
	for processAlive(child.Process.Pid) {
		time.Sleep(time.Millisecond)
	}
	now := time.Now()
	long, short := now.Add(-2*silence), now.Add(-silence/2)
	for name, row := range map[string]struct {
		run  Run
		want bool
	}{
		"this process":                 {Run{Holder: ThisProcess()}, false},
		"this process, long silent":    {Run{Holder: ThisProcess(), HolderSeen: &long}, false},
		"reused process ID":            {Run{Holder: ThisProcess() + "1"}, true},
		"zombie":                       {Run{Holder: zombie}, true},
		"nobody":                       {Run{}, true},
		"another computer":             {Run{Holder: "elsewhere 1 1", HolderSeen: &short}, false},
		"another computer, silent":     {Run{Holder: "elsewhere 1 1", HolderSeen: &long}, true},
		"another computer, never seen": {Run{Holder: "elsewhere 1 1"}, true},
		"ended":                        {Run{Ended: &now}, false},
	} {
		if got := row.run.Abandoned(now); got != row.want {
			t.Errorf("%s: abandoned %v", name, got)
		}
	}
	_ = child.Wait()
}

func itoa(n int) string { return strings.TrimLeft(runID(int64(n)), "0") }

func TestRunsAreNarrowedAndPaged(t *testing.T) {
	c := fresh(t)
	now := time.Now()
	for i := range 9 {
		run := newRun(t, c, Run{DeviceID: "d", DeviceUUID: []string{"u1", "u2"}[i%2], Batch: []string{"", "b", ""}[i%3], Holder: ThisProcess()})
		if i%2 == 0 {
			run.State, run.Ended = "succeeded", &now
			if err := c.UpdateRun(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, row := range []struct {
		q    RunQuery
		want []string
	}{
		{RunQuery{Limit: 3}, []string{"0009", "0008", "0007"}},
		{RunQuery{Limit: 3, Before: "0007"}, []string{"0006", "0005", "0004"}},
		{RunQuery{Unfinished: true}, []string{"0008", "0006", "0004", "0002"}},
		{RunQuery{Batch: "b"}, []string{"0008", "0005", "0002"}},
		{RunQuery{DeviceUUID: "u2", Unfinished: true, Batch: "b"}, []string{"0008", "0002"}},
	} {
		list, err := c.Runs(t.Context(), row.q)
		var got []string
		for _, run := range list {
			got = append(got, run.ID)
		}
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%+v: %v, want %v, %v", row.q, got, row.want, err)
		}
	}
	run, err := c.Run(t.Context(), "3")
	if err != nil {
		t.Fatal(err)
	}
	byUID, err := c.Run(t.Context(), strings.ToUpper(run.UID))
	if err != nil || byUID.ID != "0003" {
		t.Errorf("by UID: %+v %v", byUID, err)
	}
	for _, id := range []string{"", "0", "-1", "x", "0x1", run.UID[:15] + "!"} {
		if _, err := c.Run(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("run %q: %v", id, err)
		}
	}
}

func TestLogKeepsItsOrder(t *testing.T) {
	c := fresh(t)
	run := newRun(t, c, Run{})
	at := time.Now()
	for _, text := range []string{"b", "a", "c"} {
		if err := c.AppendLog(t.Context(), LogLine{RunID: run.ID, Time: at, Step: "look", Level: "info", Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := c.Log(t.Context(), run.ID)
	if err != nil || len(lines) != 3 || lines[0].Text+lines[1].Text+lines[2].Text != "bac" || !lines[0].Time.Equal(at) {
		t.Errorf("%+v %v", lines, err)
	}
}
