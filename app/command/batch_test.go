package command

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestBatch provisions a list through one group, with one row that cannot
// succeed, mends it, resumes and undoes the batch.
func TestBatch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	plan := d.write("plan.toml", groupPlan)
	var list strings.Builder
	list.WriteString("target,id\n")
	for i := range 5 {
		fmt.Fprintf(&list, "%s,line-7-%04d\n", d.folder(fmt.Sprintf("devices/%d", i)), i)
	}
	// The last one is not plugged in yet.
	if err := os.Remove(d.path("devices/4")); err != nil {
		t.Fatal(err)
	}
	// A file where a folder has to be stops the third row.
	blocked := d.write("devices/2/etc", "not a folder")
	lines := d.write("targets.csv", list.String())

	first := d.run("provision", "--plan", plan, "--targets", lines, "--parallel", "4", "--yes", "--json").exits(ExitFailed).object()
	has(t, "the batch", first, batchKeys)
	runs, _ := first["runs"].([]any)
	if len(runs) != 5 || first["outcome"] != "failed" || first["succeeded"] != 3.0 || first["failed"] != 2.0 {
		t.Fatalf("batch: %v", first)
	}
	batch, _ := first["batch"].(string)
	for i, run := range runs {
		out := run.(map[string]any)
		if out["batch"] != batch || batch == "" || out["run"] == "" {
			t.Errorf("run %v is not of batch %q", out, batch)
		}
		if i == 2 || i == 4 {
			has(t, "the outcome", out, outcomeKeys)
			has(t, "the error", out["error"], errorKeys)
			continue
		}
		proven(t, out, true)
	}

	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	d.folder("devices/4")
	before := content(t, d.path("devices/0"))
	firstRun, _ := runs[0].(map[string]any)["run"].(string)
	log := d.run("runs", "show", firstRun).exits(ExitOK).out
	resumed := d.run("runs", "resume", batch, "--json").exits(ExitOK).object()
	has(t, "the batch", resumed, batchKeys)
	if resumed["succeeded"] != 5.0 || resumed["batch"] != batch {
		t.Errorf("resumed: %v", resumed)
	}
	if content(t, d.path("devices/0")) != before {
		t.Error("resume changed a device that was in order")
	}
	if d.run("runs", "show", firstRun).exits(ExitOK).out != log {
		t.Error("resume took up a run that had succeeded")
	}
	var devices []any
	d.run("devices", "list", "--json").exits(ExitOK).decode(&devices)
	if len(devices) != 5 {
		t.Errorf("%d devices, want 5", len(devices))
	}

	undone := d.run("runs", "undo", batch, "--yes", "--json").exits(ExitOK).object()
	has(t, "the batch", undone, batchKeys)
	if undone["succeeded"] != 5.0 || undone["failed"] != 0.0 {
		t.Errorf("undone: %v", undone)
	}
	for i := range 5 {
		if names, err := os.ReadDir(d.path(fmt.Sprintf("devices/%d", i))); err != nil || len(names) != 0 {
			t.Errorf("device %d keeps %v %v", i, names, err)
		}
	}
	d.run("devices", "list", "--json").exits(ExitOK).decode(&devices)
	if len(devices) != 0 {
		t.Errorf("devices are left: %v", devices)
	}
	// The group is gone too: one of the same name is made again.
	shown := d.run("preview", "--plan", plan, "--target", d.folder("devices/0"), "--json").exits(ExitOK).object()
	if text := fmt.Sprint(shown["cloud"]); !strings.Contains(text, "action:make") || strings.Contains(text, "action:keep") {
		t.Errorf("the cloud keeps %s", text)
	}
	d.run("runs", "resume", firstRun).exits(ExitUsage).says("put back")
}

// TestUndoOfABatchGoesOn has one target that is gone for good.
func TestUndoOfABatchGoesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	lines := d.write("targets.csv", "target,id\n"+d.folder("a")+",line-a\n"+d.folder("b")+",line-b\n"+d.path("nowhere")+",line-c\n")
	plan := d.write("plan.toml", manualPlan)
	d.run("provision", "--plan", plan, "--targets", lines, "--yes").exits(ExitUsage).says("line 4 target")
	lines = d.write("targets.csv", "target,id\n"+d.folder("a")+",line-a\n"+d.folder("b")+",line-b\nrootfs://"+d.path("nowhere")+",line-c\n")
	batch, _ := d.run("provision", "--plan", plan, "--targets", lines, "--yes", "--json").exits(ExitFailed).object()["batch"].(string)
	if err := os.Rename(d.path("b"), d.path("b-unplugged")); err != nil {
		t.Fatal(err)
	}
	d.run("runs", "resume", batch).exits(ExitFailed).says("no folder " + d.path("nowhere"))
	undone := d.run("runs", "undo", batch, "--yes", "--json").exits(ExitFailed).object()
	if undone["succeeded"] != 2.0 || undone["failed"] != 1.0 {
		t.Errorf("undone: %v", undone)
	}
	if names, err := os.ReadDir(d.path("a")); err != nil || len(names) != 0 {
		t.Errorf("a keeps %v %v", names, err)
	}
	if err := os.Rename(d.path("b-unplugged"), d.path("b")); err != nil {
		t.Fatal(err)
	}
	d.run("runs", "undo", batch, "--yes", "--json").exits(ExitOK)
	if names, err := os.ReadDir(d.path("b")); err != nil || len(names) != 0 {
		t.Errorf("b keeps %v %v", names, err)
	}
}

// TestUndoOneOfABatch leaves the group to the other device and says so.
func TestUndoOneOfABatch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	lines := d.write("targets.csv", "target,id\n"+d.folder("a")+",line-a\n"+d.folder("b")+",line-b\n")
	out := d.run("provision", "--plan", d.write("plan.toml", groupPlan), "--targets", lines, "--parallel", "1", "--yes", "--json").exits(ExitOK).object()
	runs, _ := out["runs"].([]any)
	if len(runs) != 2 {
		t.Fatalf("%v", out)
	}
	first, _ := runs[0].(map[string]any)["run"].(string)
	undone := d.run("runs", "undo", first, "--yes", "--json").exits(ExitFailed).object()
	has(t, "the outcome", undone, outcomeKeys)
	if left, _ := undone["left"].([]any); undone["outcome"] != "partly-undone" || len(left) != 1 || !strings.Contains(fmt.Sprint(left), "line-7") {
		t.Errorf("undone: %v", undone)
	}
	proven(t, d.run("provision", "--plan", d.write("b.toml", strings.Replace(groupPlan, "line-7-0042", "line-b", 1)), "--target", d.folder("b"), "--yes", "--json").exits(ExitOK).object(), false)
	second, _ := runs[1].(map[string]any)["run"].(string)
	d.run("runs", "undo", second, "--yes").exits(ExitOK)
	if out := d.run("runs", "undo", first, "--yes", "--json").exits(ExitOK).object(); out["outcome"] != "undone" || out["changed"] != true {
		t.Errorf("undone when nobody uses the group: %v", out)
	}
}

// TestUndoIsInOrder keeps an older run from taking away what a later one made
// of the device.
func TestUndoIsInOrder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	target := d.folder("device")
	before := content(t, d.path("device"))
	run := func(id string) string {
		plan := d.write(id+".toml", strings.Replace(manualPlan, "line-7-0042", id, 1))
		out := d.run("provision", "--plan", plan, "--target", target, "--yes", "--json").exits(ExitOK).object()
		proven(t, out, true)
		name, _ := out["run"].(string)
		return name
	}
	first := run("line-a")
	between := content(t, d.path("device/etc"))
	second := run("line-b")
	after := content(t, d.path("device"))
	d.run("runs", "undo", first, "--yes").exits(ExitUsage).says("Run "+second+" has changed", "runs undo "+second)
	if content(t, d.path("device")) != after {
		t.Error("the refused undo changed the device")
	}
	d.run("runs", "undo", second, "--yes").exits(ExitOK)
	if content(t, d.path("device/etc")) != between {
		t.Error("the files of the first run are not back")
	}
	d.run("runs", "undo", first, "--yes").exits(ExitOK)
	if content(t, d.path("device")) != before {
		t.Error("the device is not as it was")
	}
}

// TestListsAreRefused looks at lists that do not read, before anything is
// touched.
func TestListsAreRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	plan, target := d.write("plan.toml", manualPlan), d.folder("device")
	for name, c := range map[string]struct{ list, says string }{
		"empty":          {"", "empty"},
		"no target":      {"id\na\n", "column target"},
		"unknown column": {"target,colour\n" + target + ",red\n", "colour"},
		"twice":          {"target,id\n" + target + ",a\n" + target + "/x,a\n", "line 3"},
		"bad ID":         {"target,id\n" + target + ",a b\n", "line 2 device.id"},
		"missing target": {"target,id\n,a\n", "line 2 target"},
		"too many cells": {"target,id\n" + target + ",a,b\n", "more cells"},
		"open quote":     {"target,id\n\"" + target + ",a\n", "does not read"},
		"garbage":        {"\x00\xff\n\xfe", "target"},
		"bad key":        {"target,id,key\n" + target + ",a,c2VjcmV0\n", "vault:NAME"},
		"same target":    {"target,id\n" + target + ",a\n" + target + ",b\n", "line 3"},
	} {
		lines := d.write("targets.csv", c.list)
		r := d.run("provision", "--plan", plan, "--targets", lines, "--yes").exits(ExitUsage).says(c.says)
		if r.out == "" && r.err == "" {
			t.Errorf("%s: nothing is said", name)
		}
	}
	if names, err := os.ReadDir(d.path("device")); err != nil || len(names) != 0 {
		t.Errorf("the device was touched: %v %v", names, err)
	}
}

// TestHugeList is refused line by line in bounded time and output.
func TestHugeList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var list strings.Builder
	list.WriteString("target,id\n")
	for i := range 100_000 {
		fmt.Fprintf(&list, "rootfs:///srv/%d,UPPER CASE %d\n", i, i)
	}
	r := d.run("provision", "--plan", d.write("plan.toml", groupPlan), "--targets", d.write("targets.csv", list.String()), "--yes").exits(ExitUsage).says("line 2 device.id", "99")
	if len(r.out)+len(r.err) > 1<<20 {
		t.Errorf("%d bytes of findings", len(r.out)+len(r.err))
	}
}
