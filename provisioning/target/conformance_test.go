//go:build unix

package target

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/secret"
)

// subject is one kind of Root to hold against the suite.
type subject struct {
	folder   string // the device's root, seen from this process
	open     func(t *testing.T) Root
	runs     bool // actions run
	recorded bool // owners go to the manifest
	setOwner bool // this process may change owners in folder
}

func (s subject) path(p string) string { return filepath.Join(s.folder, p) }

func (s subject) put(t *testing.T, p string, mode os.FileMode, uid, gid int, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(p)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(p), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if s.setOwner {
		if err := os.Chown(s.path(p), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(s.path(p), mode); err != nil {
		t.Fatal(err)
	}
	old := time.Unix(1700000000, 123456789)
	if err := os.Chtimes(s.path(p), old, old); err != nil {
		t.Fatal(err)
	}
}

func (s subject) clear(t *testing.T) {
	t.Helper()
	for _, p := range []string{"etc/aziot", "var/aziot", "var/secrets", "var/lib/aziot", "var/lib/edgewright"} {
		if err := os.RemoveAll(s.path(p)); err != nil {
			t.Fatal(err)
		}
	}
}

// fullSet is a set of the X.509 kind.
func fullSet(run, body string) FileSet {
	return FileSet{RunID: run,
		Dirs: []Dir{
			{Path: "/var/aziot/certs", Owner: "aziotcs", Group: "aziotcs", Mode: 0o755},
			{Path: "/var/aziot/secrets", Owner: "aziotks", Group: "aziotks", Mode: 0o700},
		},
		Files: []File{
			{Path: "/etc/aziot/config.toml", Data: secret.FromString("config " + body), Owner: "root", Group: "root", Mode: 0o600},
			{Path: "/var/aziot/certs/id.pem", Data: secret.FromString("cert " + body), Owner: "aziotcs", Group: "aziotcs", Mode: 0o644},
			{Path: "/var/aziot/secrets/id.key", Data: secret.FromString("key " + body), Owner: "aziotks", Group: "aziotks", Mode: 0o600},
		}}
}

func (s subject) checkFile(t *testing.T, p, text string, mode os.FileMode, uid, gid int) {
	t.Helper()
	got, err := os.ReadFile(s.path(p))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(s.path(p))
	if err != nil {
		t.Fatal(err)
	}
	u, g := ownerOf(info)
	if string(got) != text || info.Mode().Perm() != mode || !s.recorded && (u != uid || g != gid) {
		t.Fatalf("%s: %q %o %d:%d, want %q %o %d:%d", p, got, info.Mode().Perm(), u, g, text, mode, uid, gid)
	}
}

func conformance(t *testing.T, s subject) {
	ctx := t.Context()
	// The inspection of a device that is not ours to read goes through its root.
	run := func(name string, f func(t *testing.T, r Root)) {
		t.Run(name, func(t *testing.T) {
			s.clear(t)
			r := s.open(t)
			defer func() {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}()
			f(t, r)
		})
	}
	place := func(t *testing.T, r Root, set FileSet, changed bool) {
		t.Helper()
		placed, err := r.Place(ctx, set)
		if err != nil {
			t.Fatal(err)
		}
		if placed.Changed != changed || placed.OwnersRecorded != s.recorded {
			t.Fatalf("Placed = %+v, want changed %v, recorded %v", placed, changed, s.recorded)
		}
	}

	run("place on nothing, again, and back", func(t *testing.T, r Root) {
		before := snapshot(t, s.folder)
		if same, err := r.Same(ctx, fullSet("run-1", "a")); err != nil || same {
			t.Fatalf("Same = %v, %v before anything", same, err)
		}
		place(t, r, fullSet("run-1", "a"), true)
		s.checkFile(t, "/etc/aziot/config.toml", "config a", 0o600, 0, 0)
		s.checkFile(t, "/var/aziot/certs/id.pem", "cert a", 0o644, 992, 982)
		s.checkFile(t, "/var/aziot/secrets/id.key", "key a", 0o600, 991, 981)
		info, err := r.Stat(ctx, "/var/aziot/secrets")
		if err != nil || info.Owner != "aziotks" || info.Group != "aziotks" || info.Mode != 0o700 || !info.IsDir {
			t.Fatalf("folder = %+v, %v", info, err)
		}
		if info, err = r.Stat(ctx, "/var/aziot/secrets/id.key"); err != nil || info.Owner != "aziotks" || info.Size != 5 || info.Mode != 0o600 {
			t.Fatalf("key = %+v, %v", info, err)
		}
		noLeftovers(t, s.folder)
		placed := snapshot(t, s.folder)
		place(t, r, fullSet("run-1", "a"), false)
		place(t, r, fullSet("run-2", "a"), false)
		if same, err := r.Same(ctx, fullSet("run-1", "a")); err != nil || !same {
			t.Fatalf("Same = %v, %v after Place", same, err)
		}
		sameSnapshot(t, "a second Place", placed, snapshot(t, s.folder))
		if err := r.PutBack(ctx, "run-1"); err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, "PutBack", before, snapshot(t, s.folder))
		if err := r.PutBack(ctx, "run-1"); err != nil {
			t.Fatal(err)
		}
	})

	run("replace, remove and put back byte for byte", func(t *testing.T, r Root) {
		s.put(t, "/etc/aziot/config.toml", 0o640, 1000, 981, "old\x00\xff no line end")
		s.put(t, "/var/aziot/certs/id.pem", 0o444, 992, 982, "")
		s.put(t, "/etc/aziot/extra.toml", 0o600, 0, 0, "extra")
		before := snapshot(t, s.folder)
		set := fullSet("run-1", "b")
		set.Files = append(set.Files, File{Path: "/etc/aziot/extra.toml", Remove: true}, File{Path: "/etc/aziot/never.toml", Remove: true},
			File{Path: "/var/lib/aziot/keyd/keys/never.key", Remove: true})
		place(t, r, set, true)
		s.checkFile(t, "/etc/aziot/config.toml", "config b", 0o600, 0, 0)
		if _, err := os.Stat(s.path("/etc/aziot/extra.toml")); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("the removed file is there: %v", err)
		}
		kept, err := filepath.Glob(s.path(stateDir + "/run-1/*"))
		if err != nil || len(kept) != 4 {
			t.Fatalf("kept set = %v", kept)
		}
		for _, k := range kept {
			if info, err := os.Stat(k); err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("kept %s: %v %v", k, info.Mode(), err)
			} else if uid, _ := ownerOf(info); uid != 0 && !s.recorded {
				t.Fatalf("kept %s belongs to %d", k, uid)
			}
		}
		s.put(t, "/etc/aziot/never.toml", 0o600, 0, 0, "what a service made for itself")
		// A second set of the same run: the first state counts.
		place(t, r, fullSet("run-1", "c"), true)
		if err := r.PutBack(ctx, "run-1"); err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, "PutBack", before, snapshot(t, s.folder))
	})

	run("owner or mode alone is a difference", func(t *testing.T, r Root) {
		place(t, r, fullSet("run-1", "a"), true)
		if err := os.Chmod(s.path("/etc/aziot/config.toml"), 0o644); err != nil {
			t.Fatal(err)
		}
		place(t, r, fullSet("run-1", "a"), true)
		s.checkFile(t, "/etc/aziot/config.toml", "config a", 0o600, 0, 0)
		set := fullSet("run-1", "a")
		set.Files[0].Owner = "aziotks"
		place(t, r, set, true)
		s.checkFile(t, "/etc/aziot/config.toml", "config a", 0o600, 991, 0)
		place(t, r, set, false)
	})

	run("any bytes", func(t *testing.T, r Root) {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for i, data := range [][]byte{{}, {'\n'}, []byte("\n\n.\n"), all, bytes.Repeat([]byte("0123456789abcde\n"), 12<<10)} {
			set := FileSet{RunID: "run-1", Files: []File{{Path: "/etc/aziot/config.toml", Data: secret.New(data), Owner: "root", Group: "root", Mode: 0o600}}}
			place(t, r, set, true)
			got, err := r.ReadFile(ctx, "/etc/aziot/config.toml")
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("content %d: %d bytes came back of %d, %v", i, len(got), len(data), err)
			}
		}
	})

	run("refusals touch nothing", func(t *testing.T, r Root) {
		s.put(t, "/etc/aziot/elsewhere", 0o600, 0, 0, "elsewhere")
		if err := os.Symlink("elsewhere", s.path("/etc/aziot/link.toml")); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(s.path("/etc/aziot/folder.toml"), 0o755); err != nil {
			t.Fatal(err)
		}
		before := snapshot(t, s.folder)
		one := func(p, owner string) FileSet {
			return FileSet{RunID: "run-1", Files: []File{{Path: p, Data: secret.FromString("x"), Owner: owner, Group: "root", Mode: 0o600}}}
		}
		var missing *MissingUserError
		if _, err := r.Place(ctx, one("/etc/aziot/config.toml", "aziotid")); !errors.As(err, &missing) || missing.User != "aziotid" || missing.Package != "aziot-identity-service" {
			t.Errorf("unknown owner: %v", err)
		}
		for _, p := range []string{"/etc/passwd", "/etc/aziot/../passwd", "/etc/shadow", "etc/aziot/x", "/etc/aziot", "/root/.ssh/authorized_keys", "/etc/hostsx"} {
			if _, err := r.Place(ctx, one(p, "root")); err == nil {
				t.Errorf("%s was placed", p)
			}
		}
		for _, p := range []string{"/etc/aziot/link.toml", "/etc/aziot/folder.toml", "/etc/aziot/elsewhere/x"} {
			if _, err := r.Place(ctx, one(p, "root")); err == nil {
				t.Errorf("%s was placed", p)
			}
		}
		if _, err := r.Place(ctx, one("/etc/passwd", "root")); !errors.Is(err, ErrPath) {
			t.Errorf("outside the list: %v", err)
		}
		if _, err := r.ReadFile(ctx, "/etc/shadow"); !errors.Is(err, ErrPath) {
			t.Errorf("read outside the list: %v", err)
		}
		if _, err := r.ReadFile(ctx, "/etc/aziot/none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read nothing: %v", err)
		}
		if _, err := r.Stat(ctx, "/etc/aziot/none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat nothing: %v", err)
		}
		for _, id := range []string{"", "../x", ".hidden", "a/b", "a b"} {
			if err := r.PutBack(ctx, id); err == nil {
				t.Errorf("run ID %q was taken", id)
			}
		}
		sameSnapshot(t, "refusals", before, snapshot(t, s.folder))
	})

	run("links on the way", func(t *testing.T, r Root) {
		// /var/aziot on a data partition, by an absolute link that root made
		if err := os.MkdirAll(s.path("/var/data"), 0o755); err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(s.path("/var/data"))
		if err := os.Symlink("/var/data", s.path("/var/aziot")); err != nil {
			t.Fatal(err)
		}
		place(t, r, fullSet("run-1", "a"), true)
		s.checkFile(t, "/var/data/certs/id.pem", "cert a", 0o644, 992, 982)
		if err := r.PutBack(ctx, "run-1"); err != nil {
			t.Fatal(err)
		}
		if !s.setOwner {
			return
		}
		// the same link, made by a user of the device
		if err := os.Lchown(s.path("/var/aziot"), 991, 981); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Place(ctx, fullSet("run-1", "a")); err == nil || !strings.Contains(err.Error(), "not by root") {
			t.Fatalf("a user's link was followed: %v", err)
		}
	})

	run("lock", func(t *testing.T, r Root) {
		before := snapshot(t, s.folder)
		soon := time.Now().Add(time.Hour)
		if err := r.Lock(ctx, "run-1", soon); err != nil {
			t.Fatal(err)
		}
		var locked *LockedError
		if err := r.Lock(ctx, "run-2", soon); !errors.As(err, &locked) || locked.RunID != "run-1" || locked.Expiry.Sub(soon).Abs() > 5*time.Second {
			t.Fatalf("second lock: %v", err)
		}
		if err := r.Lock(ctx, "run-1", time.Now().Add(-time.Minute)); err != nil {
			t.Fatalf("own lock again: %v", err)
		}
		if err := r.Lock(ctx, "run-2", soon); err != nil {
			t.Fatalf("expired lock: %v", err)
		}
		if err := r.Unlock(ctx, "run-1"); err != nil {
			t.Fatal(err)
		}
		if err := r.Lock(ctx, "run-3", soon); !errors.As(err, &locked) || locked.RunID != "run-2" {
			t.Fatalf("unlock by another run: %v", err)
		}
		place(t, r, fullSet("run-2", "a"), true)
		if err := r.PutBack(ctx, "run-2"); err != nil {
			t.Fatal(err)
		}
		if err := r.Unlock(ctx, "run-2"); err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, "lock and unlock", before, snapshot(t, s.folder))
	})

	run("forget", func(t *testing.T, r Root) {
		place(t, r, fullSet("run-1", "a"), true)
		place(t, r, fullSet("run-2", "b"), true)
		if err := r.Forget(ctx, "run-2"); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(s.path(stateDir))
		if err != nil || len(entries) != 1 || entries[0].Name() != "run-2" {
			t.Fatalf("kept sets: %v %v", entries, err)
		}
		if err := r.PutBack(ctx, "run-2"); err != nil {
			t.Fatal(err)
		}
		s.checkFile(t, "/etc/aziot/config.toml", "config a", 0o600, 0, 0)
	})

	run("remove generated", func(t *testing.T, r Root) {
		s.put(t, "/etc/aziot/keyd/config.d/99-own.toml", 0o600, 991, 981, "mine")
		kept := snapshot(t, s.folder)
		s.put(t, "/etc/aziot/keyd/config.d/00-super.toml", 0o600, 991, 981, "made")
		s.put(t, "/var/secrets/aziot/keyd/device-id", 0o600, 991, 981, "made")
		if _, err := r.Act(ctx, RemoveGenerated, nil); err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, "remove generated", kept, snapshot(t, s.folder))
		if _, err := r.Act(ctx, RemoveGenerated, nil); err != nil {
			t.Fatal(err)
		}
	})

	run("keys that are made there", func(t *testing.T, r Root) { bornKeys(t, s, r) })

	run("actions", func(t *testing.T, r Root) {
		if !s.runs {
			if _, err := r.Act(ctx, ConfigApply, nil); !errors.Is(err, ErrCannotRun) {
				t.Fatalf("an action in a folder: %v", err)
			}
			return
		}
		var lines []string
		out, err := r.Act(ctx, Check, func(line string) { lines = append(lines, line) })
		if err != nil || out.Exit != 3 || out.Stdout != "args check -o json\nstdin empty\nno end" || out.Stderr != "trouble\n" {
			t.Fatalf("check = %+v, %v", out, err)
		}
		if joined := strings.Join(lines, "|"); !strings.Contains(joined, "args check -o json") || !strings.Contains(joined, "trouble") || !strings.Contains(joined, "no end") {
			t.Fatalf("lines = %q", lines)
		}
		if out, err = r.Act(ctx, RefreshTrust, nil); err != nil || out.Stdout != "trust --fresh\n" || out.Exit != 0 {
			t.Fatalf("refresh trust = %+v, %v", out, err)
		}
		// Nothing is as ca-certificates leaves it, so its own program is asked.
		if out, err = r.Act(ctx, AddTrust, nil); err != nil || out.Stdout != "trust --fresh\n" || out.Exit != 0 {
			t.Fatalf("add trust = %+v, %v", out, err)
		}
		if out, err = r.Act(ctx, Version, nil); err != nil || out.Stdout != "args --version\nstdin empty\nno end" {
			t.Fatalf("version = %+v, %v", out, err)
		}
		if _, err = r.Act(ctx, Action("rm -rf /"), nil); err == nil {
			t.Fatal("an action that is not in the list was taken")
		}
	})

	run("cancel ends the command and all it started", func(t *testing.T, r Root) {
		if !s.runs {
			return
		}
		_ = os.Remove(s.path("/tmp/alive"))
		short, stop := context.WithCancel(ctx)
		defer stop()
		started := time.Now()
		_, err := r.Act(short, ConfigApply, func(line string) {
			if line == "started" {
				stop()
			}
		})
		if !errors.Is(err, context.Canceled) || time.Since(started) > 30*time.Second {
			t.Fatalf("cancel: %v after %v", err, time.Since(started))
		}
		// The stand-in's child touches a file until it is killed.
		time.Sleep(300 * time.Millisecond)
		_ = os.Remove(s.path("/tmp/alive"))
		time.Sleep(1500 * time.Millisecond)
		if _, err := os.Stat(s.path("/tmp/alive")); err == nil {
			t.Fatal("the command's child lives on")
		}
		if _, err := r.ReadFile(ctx, "/etc/hosts"); err != nil {
			t.Fatalf("after a cancel: %v", err)
		}
	})
}

// standIns are the programs of a device that actions run.
var standIns = map[string]string{
	"iotedge": `#!/bin/bash
if [ "$1 $2" = "config apply" ]; then
  ( while :; do touch /tmp/alive; chmod 666 /tmp/alive; sleep 0.1; done ) &
  echo started; wait
fi
echo "args $*"
if read -r l; then echo "stdin $l"; else echo "stdin empty"; fi
echo trouble >&2
printf 'no end'
exit 3
`,
	"update-ca-certificates": "#!/bin/sh\necho trust \"$@\"\n",
}
