package command

import (
	"path/filepath"
	"testing"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm/softtpm"
)

// softTPM runs a software TPM for a test.
func softTPM(t *testing.T) *softtpm.Process {
	t.Helper()
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	process, err := softtpm.Start(t.Context(), filepath.Join(t.TempDir(), "state"), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Close() })
	return process
}

const keyKeys = "id device target tpm manufacturer firmware ek ek_certificate srk registration_ids station taken origin signer replaced_by change"

func TestTPMsAreCollectedAndListed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	one, two := softTPM(t), softTPM(t)
	places := []string{"--target", "local:", "--target", "rootfs://" + t.TempDir(), "--tpm", one.Address, "--tpm", two.Address}
	events := d.run(append([]string{"tpm", "collect", "--json", "--id", "press-01", "--id", "press-02"}, places...)...).exits(ExitOK).events()
	out := events[len(events)-1]
	has(t, "collect", out, "outcome collected failed keys")
	has(t, "event", events[0], "event index of target tpm state id problem time")
	keys := out["keys"].([]any)
	has(t, "result", keys[0], "target tpm device state key")
	has(t, "key", keys[0].(map[string]any)["key"], keyKeys)
	if out["outcome"] != "succeeded" || out["collected"] != 2.0 || len(events) != 5 {
		t.Errorf("%v", events)
	}
	id := keys[0].(map[string]any)["key"].(map[string]any)["id"].(string)
	d.run("tpm", "collect", "--target", "local:", "--target", "local:", "--tpm", one.Address, "--tpm", "unix:/nowhere/s").exits(ExitFailed).
		says("1 collected, 1 failed", "No software TPM answers", "Start swtpm")
	d.run("tpm", "list").exits(ExitOK).says(id[:shortKey], "press-01", "press-02", "tcg-l1")
	var list []map[string]any
	d.run("tpm", "list", "--json", "--search", "press-02").exits(ExitOK).decode(&list)
	if len(list) != 1 || list[0]["device"] != "press-02" {
		t.Errorf("%v", list)
	}
	has(t, "list", list[0], keyKeys)
	first := d.run("tpm", "list", "--limit", "1").exits(ExitOK).says("1 of 2", "--after")
	if second := d.run("tpm", "list", "--limit", "1", "--after", id); second.code != ExitOK || second.out == first.out {
		t.Errorf("the second page is the first:\n%s%s", second.out, second.err)
	}
	d.run("tpm", "show", id[:10]).exits(ExitOK).says("press-01", "TCG template L-1", "the TPM itself")
	has(t, "show", d.run("tpm", "show", id, "--json").exits(ExitOK).object(), keyKeys)
	d.run("tpm", "forget", id[:10]).exits(ExitOK)
	for _, wrong := range []struct{ says, args []string }{
		{[]string{"--target"}, []string{"collect"}},
		{[]string{"as often"}, []string{"collect", "--target", "local:", "--tpm", "a", "--tpm", "b"}},
		{[]string{"as often"}, []string{"collect", "--target", "local:", "--target", "ssh://a", "--id", "a"}},
		{[]string{"named twice"}, []string{"collect", "--target", "local:", "--target", "local:"}},
		{[]string{"has no endorsement key"}, []string{"show", id}},
		{[]string{"has no endorsement key"}, []string{"forget", id}},
		{[]string{"does not go with"}, []string{"list", "--target", "local:"}},
		{[]string{"takes several"}, []string{"show", "--target", "local:", "--target", "ssh://a"}},
	} {
		d.run(append([]string{"tpm"}, wrong.args...)...).exits(ExitUsage).says(wrong.says...)
	}
}

func TestListsOfKeysAreExportedAndImported(t *testing.T) {
	t.Parallel()
	d, other := newDesk(t), newDesk(t)
	passphrase := d.write("passphrase", "correct horse battery staple\n")
	d.run("tpm", "collect", "--target", "local:", "--tpm", softTPM(t).Address, "--id", "press-01").exits(ExitOK)
	d.run("tpm", "export", d.path("keys.csv"), "--format", "csv", "--sign").exits(ExitLocked)
	d.run("tpm", "export", d.path("plain.csv"), "--format", "csv").exits(ExitOK).says("1 keys", "not signed")
	out := d.run("tpm", "export", d.path("keys.json"), "--format", "json", "--sign", "--json", "--passphrase-file", passphrase).exits(ExitOK).object()
	has(t, "export", out, "file signature keys station")
	has(t, "station", out["station"], "station fingerprint")
	fingerprint := out["station"].(map[string]any)["fingerprint"].(string)
	d.run("tpm", "station", "--passphrase-file", passphrase).exits(ExitOK).says(fingerprint)
	d.run("tpm", "export", d.path("keys.csv"), "--format", "csv", "--sign", "--passphrase-file", passphrase).exits(ExitOK).says(fingerprint, "keys.csv.sig")
	d.run("tpm", "export", d.path("keys.csv"), "--format", "csv").exits(ExitUsage).says("existing files are not replaced")
	other.run("tpm", "import", d.path("keys.json")).exits(ExitUsage).says(fingerprint, "--station-key")
	in := other.run("tpm", "import", d.path("keys.json"), "--json", "--station-key", fingerprint).exits(ExitOK).object()
	has(t, "import", in, "added known refused station")
	other.run("tpm", "import", d.path("keys.csv")).exits(ExitOK).says("0 keys came in, 1 were known already", fingerprint)
	other.run("tpm", "list").exits(ExitOK).says("press-01", "signed")
	bad := other.write("bad.csv", "registration_id,endorsement_key\nline-1,AAAA\n")
	other.run("tpm", "import", bad).exits(ExitFailed).says("line 2, endorsement_key", "tpm ek")
	for _, wrong := range []struct{ says, args []string }{
		{[]string{"one file"}, []string{"export", "--format", "csv"}},
		{[]string{"csv or json"}, []string{"export", "x", "--format", "xml"}},
		{[]string{"one list"}, []string{"import"}},
		{[]string{"does not read"}, []string{"import", other.path("none.csv")}},
		{[]string{"no endorsement key to export"}, []string{"export", other.path("none.csv"), "--format", "csv", "--search", "nothing"}},
	} {
		other.run(append([]string{"tpm"}, wrong.args...)...).exits(ExitUsage).says(wrong.says...)
	}
}

const enrollKeys = "outcome run enrolled skipped failed"

func TestKeysAreEnrolledByTargetAndByList(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	one, two := softTPM(t), softTPM(t)
	at := []string{"tpm", "enroll", "--target", "local:", "--tpm", one.Address, "--id", "press-01", "--cloud", "practice", "--json"}
	events := d.run(at...).exits(ExitOK).events()
	out := events[len(events)-1]
	has(t, "enroll", out, enrollKeys)
	has(t, "event", events[0], "event run row of id state problem time")
	if out["outcome"] != "succeeded" || out["enrolled"] != 1.0 || out["skipped"] != 0.0 {
		t.Errorf("%v", out)
	}
	first := out["run"].(string)
	if again := d.run(at...).exits(ExitOK).object(); again["enrolled"] != 0.0 || again["skipped"] != 1.0 {
		t.Errorf("%v", again)
	}
	// Another TPM under the same ID is refused by name, and so is the list that has it.
	d.run("tpm", "enroll", "--target", "local:", "--tpm", two.Address, "--id", "press-01", "--cloud", "practice").exits(ExitFailed).says("press-01", "with another endorsement key")
	d.run("tpm", "forget", d.collectedID("press-01", one.Address)).exits(ExitOK)
	list := d.path("keys.csv")
	d.run("tpm", "collect", "--target", "local:", "--tpm", two.Address, "--id", "press-02").exits(ExitOK)
	d.run("tpm", "export", list, "--format", "csv").exits(ExitOK)
	enrolled := d.run("tpm", "enroll", "--list", list, "--cloud", "practice", "--json").exits(ExitOK).object()
	has(t, "enroll list", enrolled, enrollKeys)
	run := enrolled["run"].(string)
	if enrolled["enrolled"] != 1.0 {
		t.Errorf("%v", enrolled)
	}
	d.run("tpm", "enroll", "--list", list, "--cloud", "practice", "--resume", run).exits(ExitOK)
	d.run("tpm", "enroll", "--resume", run).exits(ExitOK).says("1 enrolled")
	d.run("runs", "show", run).exits(ExitOK).says("succeeded")
	d.run("tpm", "runs").exits(ExitOK).says(first, run)
	d.run("runs", "undo", run).exits(ExitUsage).says("--yes")
	undone := d.run("runs", "undo", run, "--yes", "--json").exits(ExitOK).object()
	has(t, "undo", undone, "outcome run removed left")
	if undone["outcome"] != "undone" || undone["removed"] != 1.0 {
		t.Errorf("%v", undone)
	}
	d.run("runs", "resume", run).exits(ExitUsage).says("put back")
	bad := d.write("bad.csv", "registration_id,endorsement_key\nline-1,AAAA\n")
	d.run("tpm", "enroll", "--list", bad, "--cloud", "practice").exits(ExitUsage).says("line 2, endorsement_key", "nothing was made")
	for _, wrong := range []struct{ says, args []string }{
		{[]string{"--cloud"}, []string{"enroll", "--list", list}},
		{[]string{"--target T, or --list F"}, []string{"enroll", "--cloud", "practice"}},
		{[]string{"its own"}, []string{"enroll", "--cloud", "practice", "--list", list, "--id", "a"}},
		{[]string{"nowhere"}, []string{"enroll", "--cloud", "nowhere", "--list", list}},
		{[]string{"e-none"}, []string{"enroll", "--resume", "e-none"}},
		{[]string{"No software TPM answers"}, []string{"enroll", "--cloud", "practice", "--target", "local:", "--tpm", "unix:/nowhere/s"}},
	} {
		d.run(append([]string{"tpm"}, wrong.args...)...).exits(ExitUsage).says(wrong.says...)
	}
}

// collectedID is the ID of the key that a device has in the catalog, read at an address.
func (d *desk) collectedID(device, address string) string {
	d.t.Helper()
	var list []map[string]any
	d.run("tpm", "list", "--json", "--search", device).exits(ExitOK).decode(&list)
	for _, key := range list {
		if key["tpm"] == address {
			return key["id"].(string)
		}
	}
	d.t.Fatalf("no key of %s at %s: %v", device, address, list)
	return ""
}
