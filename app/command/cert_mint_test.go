package command

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const mintKeys = "outcome batch made skipped failed report"

// events decodes the lines of a command that prints events and its result.
func (r result) events() (list []map[string]any) {
	r.t.Helper()
	for line := range strings.Lines(r.out) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			r.t.Fatalf("%s: %v: %s", r.line, err, line)
		}
		list = append(list, one)
	}
	return list
}

// TestMintAndProvisionFromABundle goes the whole way: a bench identity, a list, a
// device from its bundle, once more without a change, and back.
func TestMintAndProvisionFromABundle(t *testing.T) {
	t.Parallel()
	d, run := newPKI(t)
	made := run("secrets", "bench", "make", "bench-1", "--json").exits(ExitOK).object()
	has(t, "bench identity", made, "name recipient")
	run("secrets", "bench", "make", "bench-1").exits(ExitUsage)
	if shown := run("secrets", "bench", "show", "bench-1").exits(ExitOK); strings.TrimSpace(shown.out) != made["recipient"] {
		t.Errorf("%s", shown.out)
	}
	if strings.Contains(run("secrets", "list").exits(ExitOK).out, "bench-1") {
		t.Error("a bench identity is listed among the secrets")
	}

	list := d.write("list.csv", "id,hostname,group,edge_ca,days\nline-7-0001,,,yes,90\nline-7-0002,,line-7,,\n")
	mint := []string{"cert", "mint", "--csv", list, "--ca", "Line 7 issuing", "--recipient", "bench-1", "--out", d.path("bundles"), "--enroll", "practice", "--json"}
	events := run(mint...).exits(ExitOK).events()
	result := events[len(events)-1]
	has(t, "mint", result, mintKeys)
	if result["outcome"] != "succeeded" || result["made"] != 2.0 || len(events) != 5 {
		t.Errorf("%v", events)
	}
	has(t, "event", events[0], "event batch row of device state problem time")
	run(mint...).exits(ExitUsage)
	batch, _ := result["batch"].(string)
	if again := run("cert", "mint", "--resume", batch, "--json").exits(ExitOK).object(); again["skipped"] != 2.0 || again["made"] != 0.0 {
		t.Errorf("resumed: %v", again)
	}
	run(append(mint, "--resume", batch)...).exits(ExitOK)
	run("cert", "mint", "--resume", batch, "--csv", list, "--ca", "Line 7 issuing", "--recipient", "bench-1", "--out", d.path("elsewhere")).exits(ExitUsage)
	run("cert", "mint", "--resume", "m-nothing").exits(ExitUsage)
	var batches []map[string]any
	run("cert", "batches", "--json").exits(ExitOK).decode(&batches)
	if len(batches) != 1 || batches[0]["finished"] != 2.0 {
		t.Errorf("%v", batches)
	}

	target := d.folder("device")
	one := filepath.Join(d.path("bundles"), "line-7-0001.edgewright")
	provision := func() map[string]any {
		events := run("provision", "--bundle", one, "--target", target, "--yes", "--json").exits(ExitOK).events()
		return events[len(events)-1]
	}
	if out := provision(); out["outcome"] != "succeeded" || out["changed"] != true {
		t.Errorf("%v", out)
	}
	for _, file := range []string{"var/aziot/secrets/line-7-0001.key.pem", "var/aziot/secrets/line-7-0001-edge-ca.key.pem", "var/aziot/certs/edgewright-trust-bundle.pem"} {
		if _, err := os.Stat(d.path("device/" + file)); err != nil {
			t.Error(err)
		}
	}
	second := provision()
	if second["outcome"] != "succeeded" || second["changed"] != false {
		t.Errorf("a second time: %v", second)
	}
	run("runs", "undo", "0001", "--yes").exits(ExitOK)
	if _, err := os.Stat(d.path("device/etc/aziot/config.toml")); !os.IsNotExist(err) {
		t.Errorf("undone, and still there: %v", err)
	}
	grouped := filepath.Join(d.path("bundles"), "line-7-0002.edgewright")
	run("provision", "--bundle", grouped, "--target", d.folder("other"), "--yes").exits(ExitOK)
}

// TestBundlesThatAreRefused stop before anything is touched.
func TestBundlesThatAreRefused(t *testing.T) {
	t.Parallel()
	d, run := newPKI(t)
	run("secrets", "bench", "make", "mine").exits(ExitOK)
	stranger := "age1" + strings.Repeat("q", 58)
	run("cert", "mint", "--range", "a-{1..2}", "--ca", "Line 7 issuing", "--recipient", stranger, "--out", d.path("x")).exits(ExitUsage)
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh-keygen")
	}
	key := d.path("ssh_host_ed25519_key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	// A host key as a connection records it.
	d.write("data/ssh/known_hosts", "a-1.plant.test "+string(public))
	refused := run("cert", "mint", "--range", "a-{1..2}", "--ca", "Line 7 issuing", "--recipient", "ssh:{id}.plant.test", "--out", d.path("x"), "--json").exits(ExitUsage)
	if !strings.Contains(refused.out, "line 2, recipient") {
		t.Errorf("%s", refused.out)
	}
	run("cert", "mint", "--range", "a-{1..1}", "--ca", "Line 7 issuing", "--recipient", "ssh:{id}.plant.test", "--out", d.path("x")).exits(ExitOK)

	file, target := filepath.Join(d.path("x"), "a-1.edgewright"), d.folder("device")
	if foreign := run("provision", "--bundle", file, "--target", target, "--yes").exits(ExitUsage); !strings.Contains(foreign.err, "another recipient") {
		t.Errorf("%s", foreign.err)
	}
	run("provision", "--bundle", file, "--bundle-identity", d.path("ssh_host_ed25519_key.pub"), "--target", target, "--yes").exits(ExitUsage)
	run("provision", "--bundle", file, "--plan", file, "--target", target, "--yes").exits(ExitUsage)
	run("provision", "--bundle", d.path("none"), "--target", target, "--yes").exits(ExitUsage)
	run("provision", "--bundle", d.path("passphrase"), "--target", target, "--yes").exits(ExitUsage)
	if entries, err := os.ReadDir(d.path("device")); err != nil || len(entries) > 0 {
		t.Errorf("something was touched: %v %v", entries, err)
	}
	run("provision", "--bundle", file, "--bundle-identity", key, "--target", target, "--yes").exits(ExitOK)
}
