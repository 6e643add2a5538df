package command

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	outcomeKeys = "outcome changed proof run device batch error left? notes? cloud_wait_ns?"
	proofKeys   = "device cloud how rehearsal reason"
	errorKeys   = "kind message hint correlation_id detail?"
	eventKeys   = "event run step state time text"
	batchKeys   = "outcome batch succeeded failed runs"
)

// proven checks an outcome against the contract and that both ends agreed.
func proven(t *testing.T, out map[string]any, changed bool) {
	t.Helper()
	has(t, "the outcome", out, outcomeKeys)
	has(t, "the proof", out["proof"], proofKeys)
	proof, _ := out["proof"].(map[string]any)
	if out["outcome"] != "succeeded" || out["changed"] != changed || out["error"] != nil || proof["device"] != true || proof["cloud"] != true ||
		proof["how"] != "played" || proof["rehearsal"] != true {
		t.Errorf("outcome %v, want proven, changed %t", out, changed)
	}
}

func TestProvisionAndUndo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	plan, target := d.write("plan.toml", manualPlan), d.folder("device")
	before := content(t, d.path("device"))

	first := d.run("provision", "--plan", plan, "--target", target, "--yes", "--json").exits(ExitOK)
	lines := strings.Split(strings.TrimSpace(first.out), "\n")
	for _, line := range lines[:len(lines)-1] {
		var event map[string]any
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		has(t, "the event", event, eventKeys)
	}
	if len(lines) < 8 {
		t.Errorf("only %d lines: %s", len(lines), first.out)
	}
	proven(t, first.object(), true)
	if !strings.Contains(first.err, "key file") {
		t.Errorf("the key file of practice secrets is not mentioned: %q", first.err)
	}
	placed := content(t, d.path("device"))

	again := d.run("provision", "--plan", plan, "--target", target, "--yes", "--json").exits(ExitOK)
	proven(t, again.object(), false)
	if content(t, d.path("device")) != placed {
		t.Error("the second run changed the device")
	}
	d.run("provision", "--plan", plan, "--target", target, "--yes").exits(ExitOK).says("nothing had to change", "rehearsed")

	var list []map[string]any
	d.run("runs", "list", "--json").exits(ExitOK).decode(&list)
	if len(list) != 3 {
		t.Fatalf("%d runs, want 3", len(list))
	}
	for _, run := range list {
		has(t, "the run", run, "run batch device target cloud state started ended outcome live")
	}
	id, _ := list[2]["run"].(string)
	shown := d.run("runs", "show", id, "--json").exits(ExitOK).object()
	has(t, "the run", shown, "run batch device target cloud state started ended outcome live plan steps log")
	if steps, _ := shown["steps"].([]any); len(steps) != 4 {
		t.Errorf("steps %v", shown["steps"])
	}
	d.run("runs", "list").exits(ExitOK).says(id, "succeeded")
	d.run("runs", "show", id).exits(ExitOK).says("identity", "files", "proof")

	d.run("runs", "undo", id).exits(ExitUsage).says("--yes")
	undone := d.run("runs", "undo", id, "--yes", "--json").exits(ExitOK).object()
	has(t, "the outcome", undone, outcomeKeys)
	if undone["outcome"] != "undone" || undone["changed"] != true {
		t.Errorf("undo: %v", undone)
	}
	if after := content(t, d.path("device")); after != before {
		t.Errorf("undo left\n%s\nwant\n%s", after, before)
	}
	var devices []any
	d.run("devices", "list", "--json").exits(ExitOK).decode(&devices)
	if len(devices) != 0 {
		t.Errorf("devices %v", devices)
	}
	if out := d.run("runs", "undo", id, "--yes", "--json").exits(ExitOK).object(); out["outcome"] != "undone" || out["changed"] != false {
		t.Errorf("undo again: %v", out)
	}
}

// TestPreviewWritesNothing compares device, practice cloud and catalog before
// and after, byte for byte.
func TestPreviewWritesNothing(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"manual": manualPlan, "group": groupPlan} {
		d := newDesk(t)
		plan, target := d.write("plan.toml", text), d.folder("device")
		d.run("preview", "--plan", plan, "--target", target).exits(ExitOK) // the data folder has everything that opening makes
		before := content(t, d.path("device"), d.path("data"))
		shown := d.run("preview", "--plan", plan, "--target", target, "--json").exits(ExitOK).object()
		has(t, "the preview", shown, "target facts passed findings cloud files actions plan changed refused")
		if shown["changed"] != true || shown["refused"] != false {
			t.Errorf("%s: %v", name, shown)
		}
		d.run("preview", "--plan", plan, "--target", target).exits(ExitOK).says("make", "/etc/aziot/config.toml", "***", `UpstreamProtocol = "Mqtt"`)
		if after := content(t, d.path("device"), d.path("data")); after != before {
			t.Errorf("%s: the preview wrote something:\n%s\nbefore:\n%s", name, after, before)
		}
		var list []any
		d.run("runs", "list", "--json").exits(ExitOK).decode(&list)
		if len(list) != 0 {
			t.Errorf("%s: runs %v", name, list)
		}
	}
}

func TestPlansAreRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	target := d.folder("device")
	for name, c := range map[string]struct{ plan, field, says string }{
		"unknown key":     {manualPlan + "colour = \"red\"\n", "cell.colour", "unknown key cell.colour in line 10"},
		"unknown table":   {manualPlan + "[colours]\nwall = 1\n", "colours", "colours"},
		"key in the plan": {manualPlan + "[symmetric_key]\nkey = \"c2VjcmV0\"\n", "symmetric_key.key", "vault:NAME"},
		"table of TPMs":   {manualPlan + "[tpm]\nat = \"target\"\n", "tpm", "TPM cell"},
		"later cell":      {strings.Replace(manualPlan, "linux", "eflow", 1), "cell", "later"},
		"group of TPMs":   {strings.Replace(groupPlan, "symmetric-key", "tpm", 1), "cloud.enrollment", "no groups"},
		"tpm by hand":     {strings.Replace(manualPlan, "symmetric-key", "tpm", 1), "cell.authentication", "Device Provisioning Service"},
		"bad ID":          {strings.Replace(groupPlan, "line-7-0042", "Line 7", 1), "device.id", "lower-case"},
		"no ID":           {strings.Replace(manualPlan, "line-7-0042", "", 1), "device.id", "empty"},
		"newer plan":      {strings.Replace(manualPlan, "version = 1", "version = 2", 1), "version", "version 1"},
		"no group":        {strings.Replace(groupPlan, `group = "line-7"`, "", 1), "cloud.group", "group"},
		"group by hand":   {strings.Replace(groupPlan, `"dps"`, `"manual"`, 1), "cloud.enrollment", "DPS"},
		"old runtime":     {manualPlan + "[runtime]\nversion = \"1.1\"\n", "runtime.version", "1.2 to 1.6"},
	} {
		plan := d.write("plan.toml", c.plan)
		d.run("provision", "--plan", plan, "--target", target, "--yes").exits(ExitUsage).says(c.field, c.says)
		for _, verb := range []string{"provision", "preview"} {
			out := d.run(verb, "--plan", plan, "--target", target, "--json").exits(ExitUsage).object()
			found := false
			findings, _ := out["findings"].([]any)
			for _, finding := range findings {
				has(t, "the finding", finding, "field level problem fix")
				found = found || finding.(map[string]any)["field"] == c.field
			}
			if !found {
				t.Errorf("%s: %s does not name %s: %v", name, verb, c.field, out)
			}
		}
	}
	for name, c := range map[string]struct{ plan, says string }{
		"garbage":    {"\x00\x01{]", "line 1"},
		"wrong type": {strings.Replace(manualPlan, `"line-7-0042"`, "42", 1), "line 3"},
		"a key pair": {manualPlan + "[[[", "line 10"},
	} {
		plan := d.write("plan.toml", c.plan)
		r := d.run("provision", "--plan", plan, "--target", target, "--yes", "--json").exits(ExitUsage).says(c.says)
		if e, _ := r.object()["error"].(map[string]any); e["kind"] != "invalid" || e["hint"] == "" {
			t.Errorf("%s: %s", name, r.out)
		}
	}
	if names, err := os.ReadDir(d.path("device")); err != nil || len(names) != 0 {
		t.Errorf("the device was touched: %v %v", names, err)
	}
	d.run("provision", "--plan", d.write("plan.toml", strings.Replace(manualPlan, "[cell]", "[cloud]\nname = \"plant\"\n[cell]", 1)), "--target", target, "--yes").
		exits(ExitUsage).says("plant", "edgewright clouds add")
}

// TestExistingIsRefusedOrAdopted meets a device of the same ID with other tags.
func TestExistingIsRefusedOrAdopted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := d.write("first.toml", manualPlan)
	d.run("provision", "--plan", first, "--target", d.folder("first"), "--yes").exits(ExitOK)

	other := strings.Replace(manualPlan, "line = 7", "line = 8", 1)
	second, target := d.write("second.toml", other), d.folder("second")
	refused := d.run("provision", "--plan", second, "--target", target, "--yes", "--json").exits(ExitUsage)
	out := refused.object()
	has(t, "the outcome", out, outcomeKeys)
	has(t, "the error", out["error"], errorKeys)
	if e := out["error"].(map[string]any); e["kind"] != "conflict" || out["changed"] != false || !strings.Contains(e["message"].(string), "tags differ") {
		t.Errorf("refused: %v", out)
	}
	if _, err := os.Stat(filepath.Join(d.path("second"), "etc")); err == nil {
		t.Error("the device was touched")
	}
	if shown := d.run("preview", "--plan", second, "--target", target, "--json").exits(ExitUsage).object(); shown["refused"] != true {
		t.Errorf("preview: %v", shown)
	}

	adopting := d.write("second.toml", strings.Replace(other, "[cell]", "[cloud]\nexisting = \"adopt\"\n[cell]", 1))
	adopted := d.run("provision", "--plan", adopting, "--target", target, "--yes", "--json").exits(ExitOK).object()
	proven(t, adopted, true)
	run, _ := adopted["run"].(string)
	d.run("runs", "undo", run, "--yes").exits(ExitOK)
	// The first device still has its identity, and is still in order.
	proven(t, d.run("provision", "--plan", first, "--target", d.folder("first"), "--yes", "--json").exits(ExitOK).object(), false)
}
