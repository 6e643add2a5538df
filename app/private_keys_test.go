package app

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"edgewright/provisioning"
)

// TestPrivateKeysStayInside kills a run that makes keys on this computer before
// each of its effects, keeps what lies in the folders of the program at that moment,
// lets the run go on, and looks there for the keys that the device has in the end:
// their scalars, as bytes and in every text that holds them, DER and PEM included.
func TestPrivateKeysStayInside(t *testing.T) {
	for cut := 1; ; cut++ {
		if !keysStayInside(t, cut) {
			if cut < 10 {
				t.Errorf("the run has only %d effects", cut)
			}
			return
		}
	}
}

// keysStayInside is one round; it gives false when the run has no such effect.
func keysStayInside(t *testing.T, cut int) bool {
	dir := t.TempDir()
	b, err := newBench(dir, "manual x509", false)
	if err != nil {
		t.Fatal(err)
	}
	_, killed, err := job{Bench: b, Cut: cut}.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := filepath.Join(dir, "when-killed")
	for name, folder := range map[string]string{"data": b.data(), "state": b.state()} {
		if err := os.CopyFS(filepath.Join(before, name), os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
	}
	var output bytes.Buffer
	a, err := b.openLogged(t.Context(), &output)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if killed {
		finish(t, a, b, &output)
	}
	hunt := &secretHunt{}
	files, err := filepath.Glob(filepath.Join(b.folder(), "var/aziot/secrets/*.pem"))
	if err != nil || len(files) != 3 {
		t.Fatalf("cut %d: the device has the keys %q, want those of two identities and an Edge CA (%v)", cut, files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = hunt.AddKey(filepath.Base(file), text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.MakeBackup(t.Context(), filepath.Join(b.data(), "backup.db")); err != nil {
		t.Fatal(err)
	}
	when := fmt.Sprintf("cut %d", cut)
	for _, folder := range []string{before, b.data(), b.state()} {
		hunt.below(t, when, folder)
	}
	if found := hunt.In(output.Bytes()); len(found) > 0 {
		t.Errorf("%s: what was printed and logged holds %q", when, found)
	}
	return killed
}

// finish resumes the run, or begins it where nothing was written yet.
func finish(t *testing.T, a *App, b bench, output *bytes.Buffer) {
	t.Helper()
	emit := func(e provisioning.Event) { fmt.Fprintf(output, "%+v\n", e) }
	runs, err := a.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(runs) == 0 {
		if out := a.Provision(context.WithoutCancel(t.Context()), b.request(), emit); out.Outcome != provisioning.RunSucceeded {
			t.Fatalf("%+v", out.Error)
		}
		return
	}
	outs, _, err := a.Resume(t.Context(), runs[0].ID, Access{}, emit)
	if err != nil || outs[0].Outcome != provisioning.RunSucceeded {
		t.Fatalf("%+v, %v", outs, err)
	}
}
