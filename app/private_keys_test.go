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
	t.Parallel()
	whole := mustBench(t, "manual x509", false)
	effects, _, err := job{Bench: whole, Cut: -1}.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cutEach(t, effects, func(ctx context.Context, dir string, cut int) error { return keysStayInside(ctx, t, dir, cut) })
}

// keysStayInside is one round.
func keysStayInside(ctx context.Context, t *testing.T, dir string, cut int) error {
	b, err := newBench(dir, "manual x509", false)
	if err != nil {
		return err
	}
	if _, killed, err := (job{Bench: b, Cut: cut}).start(ctx); err != nil || !killed {
		return fmt.Errorf("killed = %t, %w", killed, err)
	}
	before := filepath.Join(dir, "when-killed")
	for name, folder := range map[string]string{"data": b.data(), "state": b.state()} {
		if err := os.CopyFS(filepath.Join(before, name), os.DirFS(folder)); err != nil {
			return err
		}
	}
	var output bytes.Buffer
	a, err := b.openLogged(ctx, &output)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	if err := finish(ctx, a, b, &output); err != nil {
		return err
	}
	hunt := &secretHunt{}
	files, err := filepath.Glob(filepath.Join(b.folder(), "var/aziot/secrets/*.pem"))
	if err != nil || len(files) != 3 {
		return fmt.Errorf("the device has the keys %q, want those of two identities and an Edge CA (%w)", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = hunt.AddKey(filepath.Base(file), text)
		}
		if err != nil {
			return err
		}
	}
	if err := a.MakeBackup(ctx, filepath.Join(b.data(), "backup.db")); err != nil {
		return err
	}
	when := fmt.Sprintf("cut %d", cut)
	for _, folder := range []string{before, b.data(), b.state()} {
		hunt.below(t, when, folder)
	}
	if found := hunt.In(output.Bytes()); len(found) > 0 {
		return fmt.Errorf("what was printed and logged holds %q", found)
	}
	return nil
}

// finish resumes the run, or begins it where nothing was written yet.
func finish(ctx context.Context, a *App, b bench, output *bytes.Buffer) error {
	emit := func(e provisioning.Event) { fmt.Fprintf(output, "%+v\n", e) }
	runs, err := a.Runs(ctx)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return wanted([]provisioning.Outcome{a.Provision(ctx, b.request(), emit)}, provisioning.RunSucceeded)
	}
	outs, _, err := a.Resume(ctx, runs[0].ID, Access{}, emit)
	if err != nil {
		return err
	}
	return wanted(outs, provisioning.RunSucceeded)
}
