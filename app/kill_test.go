package app

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/tpm/softtpm"
)

// killParallel is how many benches are under way at once; what they wait for is
// the disk.
const killParallel = 8

// killWays are the plans whose effects are cut one by one.
var killWays = []struct {
	way     string
	runtime bool
}{{"manual", false}, {"manual x509", false}, {"individual", false}, {"group", false}, {"manual uploaded", false}, {"group uploaded", false}, {"group est", false}, {"group local-ca", false}, {"tpm", false}, {"manual", true}, {"manual x509", true}, {"group", true}}

// TestKilledProvisionResumes kills a real process just before and just after
// each outside effect of a run, the practice cloud served in it, and expects of
// a fresh process that takes the run up the end of an unbroken one. Then the
// run is undone, which leaves nothing.
func TestKilledProvisionResumes(t *testing.T) {
	eachKillWay(t, func(t *testing.T, way string, runtime bool) {
		var before picture
		cutEverywhere(t, way, runtime, job{}, func(begin, want picture) {
			if before = begin; want.Devices != 1 || len(want.Cloud) == 0 {
				t.Fatalf("the unbroken run ends in %s", want)
			}
		}, bench.resume, func(b bench, ctx context.Context) error {
			if err := b.undo(ctx); err != nil {
				return err
			}
			if got := b.picture(t); !got.sameOutside(before) {
				return fmt.Errorf("undone it differs:\n%s", got.against(before))
			}
			return nil
		})
	})
}

// TestKilledUndoResumes does the same with the undo of a run.
func TestKilledUndoResumes(t *testing.T) {
	eachKillWay(t, func(t *testing.T, way string, runtime bool) {
		cutEverywhere(t, way, runtime, job{Undo: true}, func(before, want picture) {
			if !want.sameOutside(before) {
				t.Fatalf("the unbroken undo leaves:\n%s", want.against(before))
			}
		}, bench.undo, nil)
	})
}

// eachKillWay calls a test for each of the plans.
func eachKillWay(t *testing.T, test func(t *testing.T, way string, runtime bool)) {
	serveEST(t)
	for _, w := range killWays {
		t.Run(fmt.Sprintf("%s/runtime=%t", w.way, w.runtime), func(t *testing.T) {
			t.Parallel()
			if w.way == "tpm" && softtpm.Available() != nil {
				t.Skip("needs swtpm")
			}
			test(t, w.way, w.runtime)
		})
	}
}

// cutEverywhere has a child do a job whole, which sound judges by the pictures
// before and after, and then cuts it before each of its effects, each time on a
// bench of its own: takeUp has to bring that to the same end, and then, nil for
// nothing, goes on there.
func cutEverywhere(t *testing.T, way string, runtime bool, j job, sound func(before, want picture), takeUp, then func(bench, context.Context) error) {
	t.Helper()
	j.Bench, j.Cut = mustBench(t, way, runtime), -1
	before := j.Bench.picture(t)
	effects, _, err := j.start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := j.Bench.picture(t)
	sound(before, want)
	cutEach(t, effects, func(ctx context.Context, dir string, cut int) error {
		b, err := newBench(dir, way, runtime)
		if err != nil {
			return err
		}
		j := j
		j.Bench, j.Cut = b, cut
		if _, killed, err := j.start(ctx); err != nil || !killed {
			return fmt.Errorf("killed = %t, %w", killed, err)
		}
		if err := takeUp(b, ctx); err != nil {
			return err
		}
		if got := b.picture(t); got.String() != want.String() {
			return fmt.Errorf("the end differs:\n%s", got.against(want))
		}
		if then == nil {
			return nil
		}
		return then(b, ctx)
	})
}

// cutEach calls check for each effect, several at once, each in a folder of
// its own.
func cutEach(t *testing.T, effects []string, check func(ctx context.Context, dir string, cut int) error) {
	t.Helper()
	if len(effects) < 10 {
		t.Fatalf("only these effects: %q", effects)
	}
	root := t.TempDir()
	group := errgroup.Group{}
	group.SetLimit(killParallel)
	for cut, effect := range effects {
		group.Go(func() error {
			dir := filepath.Join(root, fmt.Sprint(cut))
			if err := check(t.Context(), dir, cut); err != nil {
				t.Errorf("cut %d, before %s: %v", cut, effect, err)
			}
			return os.RemoveAll(dir)
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// resume takes up the run of a killed process, or begins it where not even its
// row was written.
func (b bench) resume(ctx context.Context) error {
	a, err := b.open(ctx, nil)
	if err != nil {
		return err
	}
	outs, _, err := a.Resume(ctx, "0001", Access{}, nil)
	if errors.Is(err, provisioning.ErrNotFound) {
		outs, err = []provisioning.Outcome{a.Provision(ctx, b.request(), nil)}, nil
	}
	if err == nil {
		err = wanted(outs, b.ends())
	}
	return errors.Join(err, a.Close())
}

func (b bench) undo(ctx context.Context) error {
	a, err := b.open(ctx, nil)
	if err != nil {
		return err
	}
	outs, _, err := a.Undo(ctx, "0001", Access{}, nil)
	if err == nil {
		err = wanted(outs, provisioning.RunUndone)
	}
	return errors.Join(err, a.Close())
}

// ends is how an unbroken run ends: nobody can play a device that signs its
// identity itself.
func (b bench) ends() provisioning.RunState {
	if b.Way == "group local-ca" {
		return provisioning.RunConfigured
	}
	return provisioning.RunSucceeded
}

func wanted(outs []provisioning.Outcome, state provisioning.RunState) error {
	if len(outs) != 1 || outs[0].Outcome != state || outs[0].Error != nil || len(outs[0].Left) > 0 {
		text, err := json.Marshal(outs)
		return errors.Join(fmt.Errorf("outcome %s, want %s", text, state), err)
	}
	if proof := outs[0].Proof; state == provisioning.RunSucceeded && !(proof.Device && proof.Cloud) {
		return fmt.Errorf("proof %+v", proof)
	}
	return nil
}

// picture is the state of everything that a run touches, without what differs
// from run to run: times, keys and generated IDs.
type picture struct {
	Folder string   // every path beside and below the device's disk
	Cloud  []string // every object of the practice cloud
	Identity, Enrollment,
	Keys string // whether the device's key is the cloud's
	Devices int
	Rows    []string
	Runs    []string
	Locks   int
}

func (p picture) String() string {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(text), `\n`, "\n    ")
}

// against lists the lines in which two pictures differ.
func (p picture) against(want picture) string {
	var lines []string
	for _, line := range edgeconfig.Diff([]byte(want.String()), []byte(p.String())) {
		if line.Op != ' ' {
			lines = append(lines, fmt.Sprintf("%c %s", line.Op, line.Text))
		}
	}
	return strings.Join(lines, "\n")
}

// sameOutside tells whether device, cloud and list of devices are the same;
// the history of runs is not compared.
func (p picture) sameOutside(other picture) bool {
	p.Runs, other.Runs = nil, nil
	return p.String() == other.String()
}

// picture looks at a bench that nobody uses.
func (b bench) picture(t *testing.T) picture {
	t.Helper()
	p, err := b.look(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (b bench) look(ctx context.Context) (p picture, err error) {
	key, err := b.heldKey()
	if err != nil {
		return p, err
	}
	station, err := column(ctx, filepath.Join(b.data(), "catalog.db"), "SELECT value FROM setting WHERE key = 'station'")
	if err != nil {
		return p, err
	}
	if p.Folder, err = listFolder(filepath.Dir(b.folder()), key); err != nil {
		return p, err
	}
	for _, name := range station {
		p.Folder = strings.ReplaceAll(p.Folder, name, "STATION")
	}
	if p.Cloud, err = column(ctx, filepath.Join(b.data(), "practice", "practice.db"), "SELECT kind || ' ' || id FROM object WHERE kind <> 'settings' ORDER BY 1"); err != nil {
		return p, err
	}
	locks, err := column(ctx, filepath.Join(b.data(), "catalog.db"), "SELECT name || ' ' || run FROM lock")
	if err != nil {
		return p, err
	}
	p.Locks = len(locks)
	a, err := b.open(ctx, nil)
	if err != nil {
		return p, err
	}
	err = errors.Join(p.lookUp(ctx, a, b), p.lookInCloud(ctx, a, b, key))
	return p, errors.Join(err, a.Close())
}

// heldKey is the key in the device's configuration, base64, "" for none.
func (b bench) heldKey() (string, error) {
	text, err := os.ReadFile(filepath.Join(b.folder(), "etc/aziot/config.toml"))
	if errors.Is(err, fs.ErrNotExist) || string(text) == earlierConfig {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	config, err := edgeconfig.Read(text)
	if err != nil {
		return "", err
	}
	if config.Provisioning.Source == "dps" {
		return config.Provisioning.Attestation.SymmetricKey.RevealBase64(), nil
	}
	return config.Provisioning.DeviceKey.RevealBase64(), nil
}

// listFolder describes a tree: path, mode, and content with the key masked.
func listFolder(root, key string) (string, error) {
	var lines []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasSuffix(name, ".tpm") {
			return fs.SkipDir // the state of a TPM, which counts its starts
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s %s", info.Mode(), relative)
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if key != "" {
				text = []byte(strings.ReplaceAll(string(text), key, "KEY"))
			}
			if filepath.Base(name) == "journal.json" {
				text = nil // names temporary files
			}
			if bytes.HasPrefix(text, []byte("-----BEGIN ")) {
				text = nil // a new key and signature each time
			}
			line += " " + base64.StdEncoding.EncodeToString(text)
		}
		lines = append(lines, line)
		return nil
	})
	return strings.Join(lines, "\n"), err
}

// column reads one column of text from an SQLite file that nobody has open.
func column(ctx context.Context, file, query string) (list []string, err error) {
	db, err := sql.Open("sqlite3", (&fileURI{file}).String())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

type fileURI struct{ path string }

func (u *fileURI) String() string { return "file:" + filepath.ToSlash(u.path) }

// lookUp reads devices and runs of the catalog.
func (p *picture) lookUp(ctx context.Context, a *App, b bench) error {
	devices, err := a.Devices(ctx, DeviceQuery{})
	if err != nil {
		return err
	}
	p.Devices = len(devices)
	for _, d := range devices {
		p.Rows = append(p.Rows, strings.Join([]string{d.HubHost, d.DeviceID, d.State, d.Provisioning, d.Enrollment, d.Group, d.RegistrationID, d.Cloud,
			d.Tags, d.Plan, strings.TrimPrefix(d.Target, FolderTarget(b.Dir)), fmt.Sprint(d.LastProof != nil)}, "|"))
	}
	runs, err := a.catalog.Runs(ctx, catalog.RunQuery{})
	if err != nil {
		return err
	}
	for _, row := range runs {
		detail, err := a.Run(ctx, row.ID)
		if err != nil {
			return err
		}
		if provisioning.RunState(row.State).Ended() != (row.Ended != nil) {
			return fmt.Errorf("run %s is %s and ended %v", row.ID, row.State, row.Ended)
		}
		text := fmt.Sprintf("%s %s %s device=%t", row.ID, row.State, row.HubHost, row.DeviceUUID != "")
		for _, step := range detail.Steps {
			text += fmt.Sprintf("; %s %s acted=%t error=%t", step.Name, step.State, step.Acted, step.Error != nil)
		}
		p.Runs = append(p.Runs, text)
	}
	sort.Strings(p.Runs)
	return nil
}

// lookInCloud asks the practice cloud through the clients.
func (p *picture) lookInCloud(ctx context.Context, a *App, b bench, key string) error {
	cloud, release, err := a.cloudOf(ctx, b.request().Plan, nil)
	if err != nil {
		return err
	}
	defer release()
	plan := b.request().Plan
	held := "of nobody"
	identity, err := cloud.Hub.Identity(ctx, plan.Device.ID)
	switch {
	case err == nil:
		p.Identity = fmt.Sprintf("edge=%t enabled=%t %s %v", identity.Edge, identity.Enabled, identity.Authentication, identity.Tags)
		if identity.Primary.RevealBase64() == key {
			held = "of the device"
		}
	case !errors.Is(err, provisioning.ErrNotFound):
		return err
	}
	if b.Way != "manual" {
		enrollment, err := cloud.DPS.Enrollment(ctx, plan.ByGroup(), plan.EnrollmentName())
		switch {
		case err == nil:
			p.Enrollment = fmt.Sprintf("edge=%t enabled=%t %s %v", enrollment.Edge, enrollment.Enabled, enrollment.Authentication, enrollment.Tags)
			if enrollment.Authentication != provisioning.SymmetricKey {
				break // it knows a CA, or a TPM
			}
			enrolled, err := cloud.DPS.DeviceKey(ctx, plan.ByGroup(), plan.EnrollmentName(), plan.RegistrationID())
			if err != nil {
				return err
			}
			if enrolled.RevealBase64() == key {
				held = "of the enrollment"
			}
		case !errors.Is(err, provisioning.ErrNotFound):
			return err
		}
	}
	p.Keys = held
	return nil
}
