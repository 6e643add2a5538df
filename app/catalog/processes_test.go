package catalog

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

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

// TestTwoProcessesShareTheFile lets both make the file and write to it at the
// same time.
func TestTwoProcessesShareTheFile(t *testing.T) {
	const each = 60
	if path := os.Getenv("EDGEWRIGHT_TEST_SHARED"); path != "" {
		if err := writeDevices(path, "theirs", each); err != nil {
			fmt.Println(err)
			os.Exit(9)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "catalog.db")
	child := exec.Command(os.Args[0], "-test.run", "^TestTwoProcessesShareTheFile$")
	child.Env = append(os.Environ(), "EDGEWRIGHT_TEST_SHARED="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if err := writeDevices(path, "ours", each); err != nil {
		t.Error(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if err := child.Wait(); err != nil {
		t.Errorf("the other process: %v %s", err, line)
	}
	c := open(t, path)
	if n, err := c.Count(t.Context()); err != nil || n.Devices != 2*each {
		t.Errorf("%+v %v", n, err)
	}
	if err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// writeDevices reads in between, as steps do.
func writeDevices(path, name string, n int) error {
	ctx := context.Background()
	c, err := Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	for i := range n {
		if _, err := c.PutDevice(ctx, device(fmt.Sprintf("%s-%d", name, i))); err != nil {
			return err
		}
		if _, err := c.Search(ctx, Query{Text: name}); err != nil {
			return err
		}
	}
	return nil
}

// TestARestoreReachesOtherConnections restores under a second open catalog.
func TestARestoreReachesOtherConnections(t *testing.T) {
	c := fresh(t)
	put(t, c, device("kept"))
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := c.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	put(t, c, device("later"))
	other := open(t, c.Path())
	heard := []Change{}
	defer c.Watch(func(change Change) { heard = append(heard, change) })()
	if _, err := c.Restore(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	for name, catalog := range map[string]*Catalog{"own": c, "other": other} {
		if found := ids(t, catalog, Query{Text: "kept"}); len(found) != 1 {
			t.Errorf("%s: %v", name, found)
		}
		if n, err := catalog.Count(t.Context()); err != nil || n.Devices != 1 {
			t.Errorf("%s: %+v %v", name, n, err)
		}
	}
	put(t, other, device("after"))
	if n, err := c.Count(t.Context()); err != nil || n.Devices != 2 {
		t.Errorf("a write after the restore: %+v %v", n, err)
	}
	if err := checkPragmas(t.Context(), c.write, map[string]string{"journal_mode": "wal"}); err != nil {
		t.Error(err)
	}
	if len(heard) != 1 || heard[0] != EverythingChanged {
		t.Errorf("heard %v", heard)
	}
	old := fixture(t, "schema-0001.sql")
	if _, err := c.Restore(t.Context(), old); err != nil {
		t.Fatalf("a backup of an older schema: %v", err)
	}
	if found := ids(t, c, Query{Text: "press7"}); len(found) != 1 {
		t.Errorf("a backup of an older schema: %v", found)
	}
}
