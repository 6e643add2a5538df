package catalog

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, path string) *Catalog {
	t.Helper()
	c, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func fresh(t *testing.T) *Catalog {
	t.Helper()
	// A name with all characters that a careless data source name cuts off.
	return open(t, filepath.Join(t.TempDir(), "a#b?c%20 d ü.db"))
}

func device(id string) Device {
	return Device{HubHost: "hub.example.test", DeviceID: id, State: "proven", Platform: "linux", Provisioning: "dps", Authentication: "symmetric-key", Cloud: "practice"}
}

func put(t *testing.T, c *Catalog, d Device) Device {
	t.Helper()
	d, err := c.PutDevice(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFileIsPrivateAndWhereItWasNamed(t *testing.T) {
	c := fresh(t)
	info, err := os.Stat(c.Path())
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
		t.Errorf("%v %v", info, err)
	}
}

func TestPutDeviceIsOnePerHubAndID(t *testing.T) {
	c := fresh(t)
	first := put(t, c, device("line-7"))
	again := device("line-7")
	again.HubHost, again.State = "HUB.example.test", "failed"
	second := put(t, c, again)
	if first.UUID != second.UUID || second.State != "failed" {
		t.Errorf("%+v\n%+v", first, second)
	}
	other := device("line-7")
	other.HubHost = "other.example.test"
	put(t, c, other)
	if _, err := c.Device(t.Context(), "line-7"); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("two hubs: %v", err)
	}
	found, err := c.Device(t.Context(), first.UUID[:8])
	if err != nil || found.UUID != first.UUID {
		t.Errorf("by UUID prefix: %+v %v", found, err)
	}
	if _, err := c.Device(t.Context(), "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestMachineProvisionedAnewMarksTheOldRow(t *testing.T) {
	c := fresh(t)
	old := device("old")
	old.MachineKey = "machine-id:1"
	old = put(t, c, old)
	renewed := device("new")
	renewed.MachineKey = "machine-id:1"
	put(t, c, renewed)
	found, err := c.Device(t.Context(), old.UUID)
	if err != nil || found.State != stateReplaced {
		t.Errorf("%+v %v", found, err)
	}
}

func TestSearch(t *testing.T) {
	c := fresh(t)
	for i := range 30 {
		d := device(fmt.Sprintf("line-%02d", i))
		d.HostName = fmt.Sprintf("press%d.plant.example", i)
		if i%10 == 0 {
			d.State = "failed"
		}
		put(t, c, d)
	}
	odd := device(`we"ird-*OR*`)
	put(t, c, odd)
	for _, row := range []struct {
		q    Query
		want int
	}{
		{Query{}, 31}, {Query{Text: "li"}, 30}, {Query{Text: "LINE-1"}, 10}, {Query{Text: "ress2"}, 11}, {Query{Text: `e"i`}, 1}, {Query{Text: "*OR*"}, 1},
		{Query{Text: "-- ; DROP"}, 0}, {Query{NeedsCare: true}, 3}, {Query{NeedsCare: true, Text: "line-2"}, 1}, {Query{Cloud: "none"}, 0}, {Query{Limit: 5}, 5},
	} {
		list, err := c.Search(t.Context(), row.q)
		if err != nil || len(list) != row.want {
			t.Errorf("%+v: %d devices, want %d, %v", row.q, len(list), row.want, err)
		}
	}
	for column := range sortColumns {
		for _, text := range []string{"", "line"} {
			up, err := c.Search(t.Context(), Query{SortBy: column, Text: text})
			if err != nil || len(up) < 30 {
				t.Errorf("sort by %s: %d %v", column, len(up), err)
			}
		}
	}
	n, err := c.Count(t.Context())
	if err != nil || n.Devices != 31 || n.NeedCare != 3 {
		t.Errorf("%+v %v", n, err)
	}
}

func TestForeignNewerAndDamagedFilesAreLeftAlone(t *testing.T) {
	make := func(name string, do func(db *sql.DB)) string {
		path := filepath.Join(t.TempDir(), name)
		db, err := sql.Open("sqlite3", path)
		if err != nil {
			t.Fatal(err)
		}
		do(db)
		_ = db.Close()
		return path
	}
	exec := func(db *sql.DB, text string) {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	foreign := make("foreign.db", func(db *sql.DB) { exec(db, "CREATE TABLE theirs (a)") })
	newer := make("newer.db", func(db *sql.DB) {
		exec(db, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 999; CREATE TABLE device (a)", applicationID))
	})
	text := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(text, bytes.Repeat([]byte("not a database\n"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{foreign: ErrForeign, newer: ErrNewer, text: ErrForeign} {
		before, _ := os.ReadFile(path)
		c, err := Open(t.Context(), path)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", filepath.Base(path), err, want)
		}
		if err == nil {
			_ = c.Close()
		}
		if after, _ := os.ReadFile(path); path == text && !bytes.Equal(before, after) {
			t.Errorf("%s was changed", filepath.Base(path))
		}
	}
}

func TestRunsAndStepsComeBack(t *testing.T) {
	c := fresh(t)
	now := time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	run, err := c.NewRun(t.Context(), Run{Batch: "b-1", Kind: "provision", DeviceID: "line-7", Target: "local:", Cloud: "practice", Plan: "version = 1", State: "running", Started: now, Holder: ThisProcess()})
	if err != nil || run.ID != "0001" {
		t.Fatal(run, err)
	}
	step := Step{RunID: run.ID, Seq: 1, Name: "identity", State: "acting", Acted: true, Started: now, Undo: `{"a":1}`, Waited: 3 * time.Second}
	for _, state := range []string{"acting", "done"} {
		step.State = state
		if err := c.PutStep(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	steps, err := c.Steps(t.Context(), run.ID)
	if err != nil || len(steps) != 1 || steps[0].State != "done" || !steps[0].Acted || steps[0].Undo != `{"a":1}` || !steps[0].Started.Equal(now) || steps[0].Waited != 3*time.Second {
		t.Errorf("%+v %v", steps, err)
	}
	run.State, run.Ended, run.Outcome = "succeeded", &now, "{}"
	if err := c.UpdateRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	got, err := c.Run(t.Context(), "1")
	if err != nil || got.State != "succeeded" || !got.Ended.Equal(now) || got.Holder != ThisProcess() {
		t.Errorf("%+v %v", got, err)
	}
	if list, err := c.Runs(t.Context(), RunQuery{Batch: "b-1"}); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if _, err := c.Run(t.Context(), "9999"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown run: %v", err)
	}
	if err := c.TakeOver(t.Context(), run.ID, "somebody else 1 1", ThisProcess()); !errors.Is(err, ErrLocked) {
		t.Errorf("take over from the wrong holder: %v", err)
	}
}

func TestLocks(t *testing.T) {
	c := fresh(t)
	later := time.Now().Add(time.Hour)
	if err := c.Acquire(t.Context(), "hub/a", "0001", later); err != nil {
		t.Fatal(err)
	}
	if err := c.Acquire(t.Context(), "hub/a", "0001", later); err != nil {
		t.Errorf("the same run again: %v", err)
	}
	var locked *LockedError
	if err := c.Acquire(t.Context(), "hub/a", "0002", later); !errors.As(err, &locked) || locked.Run != "0001" {
		t.Errorf("another run: %v", err)
	}
	if err := c.Release(t.Context(), "hub/a", "0002"); err != nil {
		t.Error(err)
	}
	if err := c.Acquire(t.Context(), "hub/a", "0002", later); !errors.Is(err, ErrLocked) {
		t.Errorf("released by somebody else: %v", err)
	}
	if _, err := c.write.Exec("UPDATE lock SET holder = 'x' || holder WHERE 0; UPDATE lock SET holder = ?", strings.Replace(ThisProcess(), fmt.Sprint(os.Getpid()), "999999", 1)); err != nil {
		t.Fatal(err)
	}
	if err := c.Acquire(t.Context(), "hub/a", "0002", later); err != nil {
		t.Errorf("a dead holder's lock: %v", err)
	}
}

func TestExportAndImportGiveTheSame(t *testing.T) {
	c := fresh(t)
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	d := device("=cmd()")
	d.Note, d.Tags, d.Plan, d.LastProof = "'quoted, \"and\"\nmore", `{"line":7}`, "version = 1\n", &at
	put(t, c, d)
	put(t, c, device("plain"))
	exports := map[string]struct {
		write func(context.Context, io.Writer) error
		read  func(*Catalog, context.Context, io.Reader) (ImportResult, error)
	}{"csv": {c.ExportCSV, (*Catalog).ImportCSV}, "json": {c.ExportJSON, (*Catalog).ImportJSON}}
	for name, way := range exports {
		var out bytes.Buffer
		if err := way.write(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if name == "csv" && strings.Contains(out.String(), "\r\n=cmd") {
			t.Error("a formula stands at the beginning of a cell")
		}
		other := fresh(t)
		result, err := way.read(other, t.Context(), &out)
		if err != nil || result.Added != 2 || len(result.Findings) > 0 {
			t.Fatalf("%s: %+v %v", name, result, err)
		}
		got, err := other.Device(t.Context(), "=cmd()")
		if err != nil || got.Note != d.Note || got.Tags != d.Tags || got.Plan != d.Plan || !got.LastProof.Equal(at) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

func TestImportNamesWhatItLeavesOut(t *testing.T) {
	c := fresh(t)
	result, err := c.ImportCSV(t.Context(), strings.NewReader("device_id,colour,last_proof,tags\na,red,2026-11-24T12:00:00Z,{}\n,red,,\nb,red,yesterday,\nc,red,,{\nd\n"))
	if err != nil || result.Added != 2 || len(result.Findings) != 4 {
		t.Errorf("%+v %v", result, err)
	}
}

func TestBackupAndRestore(t *testing.T) {
	c := fresh(t)
	put(t, c, device("kept"))
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := c.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if err := c.Backup(t.Context(), file); !errors.Is(err, ErrExists) {
		t.Errorf("over an existing file: %v", err)
	}
	put(t, c, device("later"))
	kept, err := c.Restore(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Search(t.Context(), Query{})
	if err != nil || len(list) != 1 || list[0].DeviceID != "kept" {
		t.Errorf("restored: %+v %v", list, err)
	}
	if before := open(t, kept); before != nil {
		if list, err := before.Search(t.Context(), Query{}); err != nil || len(list) != 2 {
			t.Errorf("kept: %+v %v", list, err)
		}
	}
	if err := os.WriteFile(file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Restore(t.Context(), file); err == nil {
		t.Error("nonsense was restored")
	}
}

// TestStepsSurviveKill writes steps in a child process that is killed, and
// expects every acknowledged one.
func TestStepsSurviveKill(t *testing.T) {
	if path := os.Getenv("EDGEWRIGHT_TEST_CATALOG"); path != "" {
		c, err := Open(context.Background(), path)
		if err != nil {
			os.Exit(9)
		}
		run, _ := c.NewRun(context.Background(), Run{Kind: "provision", State: "running", Started: time.Now()})
		for i := 0; ; i++ {
			if err := c.PutStep(context.Background(), Step{RunID: run.ID, Seq: i, Name: fmt.Sprint("s", i), Started: time.Now()}); err != nil {
				os.Exit(9)
			}
			fmt.Println(i)
		}
	}
	path := filepath.Join(t.TempDir(), "catalog.db")
	child := exec.Command(os.Args[0], "-test.run", "^TestStepsSurviveKill$")
	child.Env = append(os.Environ(), "EDGEWRIGHT_TEST_CATALOG="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := -1
	for acknowledged < 40 {
		if _, err := fmt.Fscanln(out, &acknowledged); err != nil {
			t.Fatal(err)
		}
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	c := open(t, path)
	steps, err := c.Steps(t.Context(), "1")
	if err != nil || len(steps) < acknowledged+1 {
		t.Errorf("%d steps, %d were acknowledged, %v", len(steps), acknowledged+1, err)
	}
	run, err := c.Run(t.Context(), "1")
	if err != nil || HolderAlive(run.Holder) {
		t.Errorf("%+v %v", run, err)
	}
}

func FuzzImportCSV(f *testing.F) {
	f.Add("device_id,tags\na,{}\n")
	f.Add("device_id,note\r\n\"a\",\"'=1\"\r\n")
	c, err := Open(context.Background(), filepath.Join(f.TempDir(), "c.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		result, err := c.ImportCSV(context.Background(), strings.NewReader(text))
		if err == nil && result.Added+result.Updated > 0 {
			var out bytes.Buffer
			if err := c.ExportCSV(context.Background(), &out); err != nil {
				t.Fatal(err)
			}
			again, err := c.ImportCSV(context.Background(), &out)
			if err != nil || again.Added != 0 || len(again.Findings) > 0 {
				t.Fatalf("own export is refused: %+v %v", again, err)
			}
		}
	})
}

func BenchmarkSearch100000(b *testing.B) {
	c, err := Open(context.Background(), filepath.Join(b.TempDir(), "c.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	err = c.transact(context.Background(), DevicesChanged, "fill", func(tx *sql.Tx) error {
		for i := range 100000 {
			d := device(fmt.Sprintf("line-%d-%06d", i%97, i))
			d.HostName, d.Target = fmt.Sprintf("host%06d.plant.example", i), fmt.Sprintf("ssh://pi@10.%d.%d.%d", i/65536, i/256%256, i%256)
			if _, _, err := putDevice(context.Background(), tx, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, text := range []string{"l", "li", "line-4", "host0421", "nowhere"} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Search(context.Background(), Query{Text: text, Limit: 200}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
