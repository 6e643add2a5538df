package catalog

import (
	"errors"
	"fmt"
	"os"
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
	t.Cleanup(func() {
		checkWords(t, c)
		_ = c.Close()
	})
	return c
}

// checkWords lets every text index compare itself with its table, whatever the test
// did (sqlite.org/fts5.html, 6.4).
func checkWords(t *testing.T, c *Catalog) {
	t.Helper()
	for _, table := range []string{"device_text", "certificate_text", "tpm_key_text"} {
		_, err := c.write.Exec("INSERT INTO " + table + " (" + table + ", rank) VALUES ('integrity-check', 1)")
		if errors.Is(known(err), ErrDamaged) {
			t.Errorf("%s is not what its table says: %v", table, err)
		}
	}
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
