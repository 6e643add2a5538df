package target

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"edgewright/provisioning/secret"
)

// brittle is a layer that ends for good before its n-th operation, as a killed
// process does: what should clean up afterwards fails as well.
type brittle struct {
	layer
	left int
	kill bool // really
}

var errKilled = errors.New("killed")

func (b *brittle) do(ctx context.Context, ops []op) error {
	for i, o := range ops {
		if b.left == 0 {
			if b.kill {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
			return &opError{op: o, done: i, err: errKilled}
		}
		b.left--
		if err := b.layer.do(ctx, []op{o}); err != nil {
			return err
		}
	}
	return nil
}

func brittleRoot(t testing.TB, folder string, left int, kill bool) *engine {
	t.Helper()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return newEngine(&brittle{layer: newDirLayer(root, false), left: left, kill: kill}, time.Now)
}

// killSubject prepares the state before: one file that is replaced, one that
// is removed, two that are new, one folder that is made.
func killSubject(t *testing.T, d *device) (subject, FileSet) {
	s := subject{folder: d.root, setOwner: true}
	s.clear(t)
	s.put(t, "/etc/aziot/config.toml", 0o640, 991, 982, "before")
	s.put(t, "/etc/aziot/extra.toml", 0o604, 0, 0, "extra")
	set := fullSet("run-1", "new")
	set.Files = append(set.Files, File{Path: "/etc/aziot/extra.toml", Remove: true},
		File{Path: "/etc/hosts", Data: secret.FromString("127.0.0.1 localhost device\n# more\n"), Owner: "root", Group: "root", Mode: 0o644})
	return s, set
}

// whole fails if a file is neither as before nor as placed, or, at its place,
// has ever another owner or mode.
func whole(t *testing.T, s subject, before, after []string) {
	t.Helper()
	for _, line := range snapshot(t, s.folder) {
		name, _, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(name, "etc/") && !strings.HasPrefix(name, "var/aziot") || strings.Contains(name, tempPrefix) || !strings.Contains(line, " -r") {
			continue
		}
		// The last word is the time, which differs from run to run.
		cut := func(l string) string { return l[:strings.LastIndex(l, " ")] }
		found := false
		for _, l := range append(append([]string(nil), before...), after...) {
			found = found || strings.Contains(l, " -r") && cut(l) == cut(line)
		}
		if !found {
			t.Fatalf("half a file: %s", line)
		}
	}
}

func TestKilledAtEveryOperation(t *testing.T) {
	d := newDevice(t, "dash", false)
	ctx := t.Context()
	s, set := killSubject(t, d)
	before := snapshot(t, d.root)
	r := brittleRoot(t, d.root, -1, false)
	if _, err := r.Place(ctx, set); err != nil {
		t.Fatal(err)
	}
	after := snapshot(t, d.root)
	if err := r.PutBack(ctx, "run-1"); err != nil {
		t.Fatal(err)
	}
	reset := func() {
		s, set = killSubject(t, d)
		d.write(t, "etc/hosts", 0o644, "127.0.0.1 localhost device\n")
		old := time.Unix(1700000000, 123456789)
		if err := os.Chtimes(d.path("etc/hosts"), old, old); err != nil {
			t.Fatal(err)
		}
		before = snapshot(t, d.root)
	}
	for n := 0; ; n++ {
		// killed in Place, completed by Place; then killed in PutBack,
		// completed by PutBack
		reset()
		_, err := brittleRoot(t, d.root, n, false).Place(ctx, set)
		done := err == nil
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatalf("at %d: %v", n, err)
		}
		whole(t, s, before, after)
		whole2, err := brittleRoot(t, d.root, -1, false).Place(ctx, set)
		if err != nil {
			t.Fatalf("killed at %d, Place again: %v", n, err)
		}
		if done && whole2.Changed {
			t.Fatalf("a complete Place at %d was not complete", n)
		}
		s.checkFile(t, "/etc/aziot/config.toml", "config new", 0o600, 0, 0)
		s.checkFile(t, "/var/aziot/secrets/id.key", "key new", 0o600, 991, 981)
		noLeftovers(t, d.root)
		for k := range 100 {
			err := brittleRoot(t, d.root, k, false).PutBack(ctx, "run-1")
			whole(t, s, before, after)
			if err == nil {
				break
			}
		}
		sameSnapshot(t, fmt.Sprintf("killed at %d, Place, PutBack killed at each", n), before, snapshot(t, d.root))

		// killed in Place, taken back
		reset()
		if _, err := brittleRoot(t, d.root, n, false).Place(ctx, set); err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if err := brittleRoot(t, d.root, -1, false).PutBack(ctx, "run-1"); err != nil {
			t.Fatalf("killed at %d, PutBack: %v", n, err)
		}
		sameSnapshot(t, fmt.Sprintf("killed at %d, PutBack", n), before, snapshot(t, d.root))
		if done {
			if n < 20 {
				t.Fatalf("only %d operations: the test is blind", n)
			}
			return
		}
	}
}

// TestKilledChild really kills a process with -9, at some of the places.
func TestKilledChild(t *testing.T) {
	if at := os.Getenv("EDGEWRIGHT_TEST_KILL_AT"); at != "" {
		n, _ := strconv.Atoi(at)
		_, err := brittleRoot(t, os.Getenv("EDGEWRIGHT_TEST_ROOT"), n, true).Place(t.Context(), fullSet("run-1", "new"))
		t.Fatalf("it lives: %v", err)
	}
	d := newDevice(t, "dash", false)
	s := subject{folder: d.root, setOwner: true}
	for _, n := range []int{2, 9, 14, 18, 20, 21, 22} {
		s.clear(t)
		s.put(t, "/etc/aziot/config.toml", 0o640, 991, 982, "before")
		before := snapshot(t, d.root)
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestKilledChild$")
		cmd.Env = append(os.Environ(), "EDGEWRIGHT_TEST_KILL_AT="+strconv.Itoa(n), "EDGEWRIGHT_TEST_ROOT="+d.root)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("at %d: %v\n%s", n, err, out)
		}
		r := rootOf(t, d.root)
		if _, err := r.Place(t.Context(), fullSet("run-1", "new")); err != nil {
			t.Fatal(err)
		}
		s.checkFile(t, "/etc/aziot/config.toml", "config new", 0o600, 0, 0)
		noLeftovers(t, d.root)
		if err := r.PutBack(t.Context(), "run-1"); err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, fmt.Sprintf("killed at %d", n), before, snapshot(t, d.root))
	}
}

// TestKilledRemoteShell kills the root shell on the device with -9 in the
// middle of its work: the n-th call of a tool kills its parent.
func TestKilledRemoteShell(t *testing.T) {
	d := newDevice(t, "dash", false)
	for _, tool := range []string{"chown", "mv", "sync", "mkdir", "touch"} {
		d.write(t, "local/sbin/"+tool, 0o755, `#!/bin/sh
if [ -f /tmp/kill-at ]; then
  read -r n </tmp/kill-at; n=$((n-1)); echo $n >/tmp/kill-at
  if [ $n = 0 ]; then kill -9 $PPID; sleep 1; exit 1; fi
fi
exec /usr/bin/`+tool+` "$@"
`)
	}
	s := d.serve(t, "")
	target := s.open(t, "root", s.options(t))
	sub := subject{folder: d.root, setOwner: true}
	root := func() Root {
		r, err := target.Root(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	killed := 0
	for n := 1; n <= 40; n += 3 {
		sub.clear(t)
		sub.put(t, "/etc/aziot/config.toml", 0o640, 991, 982, "before")
		before := snapshot(t, d.root)
		d.write(t, "tmp/kill-at", 0o666, strconv.Itoa(n)+"\n")
		r := root()
		_, err := r.Place(t.Context(), fullSet("run-1", "new"))
		_ = r.Close()
		if err == nil {
			break
		}
		if !errors.Is(err, ErrUnknownResult) {
			t.Fatalf("killed at %d: %v", n, err)
		}
		killed++
		if err := os.Remove(d.path("tmp/kill-at")); err != nil {
			t.Fatal(err)
		}
		r = root()
		if n%2 == 0 {
			if _, err := r.Place(t.Context(), fullSet("run-1", "new")); err != nil {
				t.Fatalf("killed at %d, Place again: %v", n, err)
			}
			sub.checkFile(t, "/var/aziot/secrets/id.key", "key new", 0o600, 991, 981)
			sub.checkFile(t, "/etc/aziot/config.toml", "config new", 0o600, 0, 0)
			noLeftovers(t, d.root)
		}
		if err := r.PutBack(t.Context(), "run-1"); err != nil {
			t.Fatalf("killed at %d, PutBack: %v", n, err)
		}
		_ = r.Close()
		sameSnapshot(t, fmt.Sprintf("killed at %d", n), before, snapshot(t, d.root))
	}
	if killed < 6 {
		t.Fatalf("only %d kills: the test is blind", killed)
	}
}

// TestDiskFull fills a small file system under /var/aziot; the set fails and
// nothing is left of it.
func TestDiskFull(t *testing.T) {
	big := fullSet("run-1", "new")
	big.Files[2].Data = secret.New(make([]byte, 200<<10))
	check := func(t *testing.T, s subject, r Root, see func() []string) {
		before := see()
		_, err := r.Place(t.Context(), big)
		if err == nil {
			t.Fatal("200 KB on a disk of 64 KB")
		}
		sameSnapshot(t, "disk full", before, see())
		if _, err := r.Place(t.Context(), fullSet("run-1", "small")); err != nil {
			t.Fatalf("afterwards: %v", err)
		}
		if err := r.PutBack(t.Context(), "run-1"); err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, "disk full, small set put back", before, see())
	}
	t.Run("ssh", func(t *testing.T) {
		d := newDevice(t, "dash", false)
		d.mkdir(t, "var/aziot", 0o755)
		s := d.serve(t, `mount -t tmpfs -o size=64k,mode=755 none "$R/var/aziot"`)
		target := s.open(t, "root", s.options(t))
		r, err := target.Root(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		check(t, subject{}, r, func() []string {
			out, _, err := target.Output(t.Context(), "sh", "-c", "ls -lRA /var/aziot; cat /var/aziot/*/* 2>/dev/null")
			if err != nil {
				t.Fatal(err)
			}
			return append(snapshot(t, d.root), strings.Split(string(out), "\n")...)
		})
	})
	t.Run("folder", func(t *testing.T) {
		d := newDevice(t, "dash", false)
		d.mkdir(t, "var/aziot", 0o755)
		if err := syscall.Mount("none", d.path("var/aziot"), "tmpfs", 0, "size=64k,mode=755"); err != nil {
			t.Skip("needs mounts: ", err)
		}
		defer func() { _ = syscall.Unmount(d.path("var/aziot"), 0) }()
		check(t, subject{}, rootOf(t, d.root), func() []string { return snapshot(t, d.root) })
	})
}
