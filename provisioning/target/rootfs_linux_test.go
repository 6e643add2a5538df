package target

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgewright/provisioning/secret"
)

func folderWith(t *testing.T, files map[string]string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "disk")
	for p, text := range files {
		file := filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if link, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(link, file)
		} else {
			err = os.WriteFile(file, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestRootfsLinks(t *testing.T) {
	secretFile := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(secretFile, []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	root := folderWith(t, map[string]string{
		"usr/lib/os-release": "ID=debian\n",
		"etc/os-release":     "-> ../usr/lib/os-release",
		"etc/absolute":       "-> /usr/lib/os-release",
		"etc/up":             "-> ../../../../../../usr/lib/os-release",
		"etc/loop":           "-> loop",
		"etc/outside":        "-> " + secretFile,
		"etc/escape":         "-> ../../outside",
		"lib":                "-> usr/lib",
		"data":               "-> /mnt/data",
		"etc/passwd":         "root:x:0:0::/:/\n",
	})
	target, err := Open(t.Context(), Spec{Kind: KindRootfs, Path: root}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	for _, p := range []string{"/etc/os-release", "/etc/absolute", "/etc/up", "/lib/os-release"} {
		if text, err := target.ReadFile(t.Context(), p); err != nil || string(text) != "ID=debian\n" {
			t.Errorf("%s = %q, %v", p, text, err)
		}
	}
	for _, p := range []string{"/etc/loop", "/etc/outside", "/etc/escape", "/data/x"} {
		if text, err := target.ReadFile(t.Context(), p); err == nil || strings.Contains(string(text), "outside") {
			t.Errorf("%s = %q, %v", p, text, err)
		}
	}
	if _, err := target.ReadFile(t.Context(), "/data/x"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "not mounted") {
		t.Errorf("a missing partition: %v", err)
	}
	if _, err := target.ReadFile(t.Context(), "/etc/none"); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), root) {
		t.Errorf("nothing there: %v", err)
	}
	if names, err := target.ReadDir(t.Context(), "/"); err != nil || strings.Join(names, " ") != "data etc lib usr" {
		t.Errorf("names = %v, %v", names, err)
	}
	if info, err := target.Stat(t.Context(), "/lib"); err != nil || !info.IsDir {
		t.Errorf("stat = %+v, %v", info, err)
	}
	if _, _, err := target.Output(t.Context(), "id"); !errors.Is(err, ErrCannotRun) || target.CanRun() {
		t.Errorf("a folder runs commands: %v", err)
	}
	if key := target.MachineKey(t.Context()); key != "folder:"+root {
		t.Errorf("machine key = %q", key)
	}
}

func TestRootfsRefuses(t *testing.T) {
	for _, p := range []string{"/", "/../", "/proc/self/root"} {
		if _, err := Open(t.Context(), Spec{Kind: KindRootfs, Path: p}, Options{}); err == nil || !strings.Contains(err.Error(), "local:") {
			t.Errorf("%s: %v", p, err)
		}
	}
	root := folderWith(t, map[string]string{"etc/passwd": "-> ../../../../../etc/passwd"})
	if _, err := Open(t.Context(), Spec{Kind: KindRootfs, Path: root}, Options{}); err == nil || !strings.Contains(err.Error(), "leads out") {
		t.Errorf("passwd outside: %v", err)
	}
	if _, err := Open(t.Context(), Spec{Kind: KindRootfs, Path: root + "-none"}, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// A bare folder has no users: owners are recorded, for root as well, and
// undoing leaves neither the manifest nor a folder.
func TestRootfsBareFolder(t *testing.T) {
	root := filepath.Join(t.TempDir(), "practice-1")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	r := rootOf(t, root)
	placed, err := r.Place(t.Context(), fullSet("run-1", "a"))
	if err != nil || !placed.Changed || !placed.OwnersRecorded {
		t.Fatalf("%+v, %v", placed, err)
	}
	text, err := os.ReadFile(ManifestFile(root))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := parseManifest(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if e := entries["/var/aziot/secrets/id.key"]; e.owner != "aziotks" || e.group != "aziotks" || e.mode != 0o600 {
		t.Errorf("key = %+v", e)
	}
	if e := entries["/var/aziot/secrets"]; e.owner != "aziotks" || e.mode != 0o700 {
		t.Errorf("folder = %+v", e)
	}
	for p := range entries {
		if strings.Contains(p, tempPrefix) || strings.HasPrefix(p, stateDir) {
			t.Errorf("the manifest lists %s", p)
		}
	}
	if placed, err = rootOf(t, root).Place(t.Context(), fullSet("run-1", "a")); err != nil || placed.Changed {
		t.Fatalf("again: %+v, %v", placed, err)
	}
	if err := r.PutBack(t.Context(), "run-1"); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(root)
	if err != nil || len(left) != 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	if _, err := os.Stat(ManifestFile(root)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the manifest stays: %v", err)
	}
}

// Somebody else's folder is not written without rights.
func TestRootfsOfAnother(t *testing.T) {
	newDevice(t, "dash", false).inside(t, "plain", "TestInsideForeignRootfs")
}

func TestInsideForeignRootfs(t *testing.T) {
	if !isInside() {
		return
	}
	target, err := Open(t.Context(), Spec{Kind: KindRootfs, Path: "/home/admin"}, Options{SudoPassword: secret.FromString(devicePassword)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Root(t.Context()); !errors.Is(err, ErrNoElevation) {
		t.Fatal(err)
	}
}

// A user with sudo places into it through the helper.
func TestRootfsOfAnotherBySudo(t *testing.T) {
	d := newDevice(t, "dash", false)
	for _, p := range []string{"etc/passwd", "etc/group"} {
		text, err := os.ReadFile(d.path(p))
		if err != nil {
			t.Fatal(err)
		}
		d.write(t, "srv/card/"+p, 0o644, string(text))
	}
	d.inside(t, "admin", "TestInsideForeignRootfsSudo")
	info, err := os.Stat(d.path("srv/card/var/aziot/secrets/id.key"))
	if err != nil {
		t.Fatal(err)
	}
	if uid, gid := ownerOf(info); uid != 991 || gid != 981 || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %d:%d %v", uid, gid, info.Mode())
	}
}

func TestInsideForeignRootfsSudo(t *testing.T) {
	if !isInside() {
		return
	}
	target, err := Open(t.Context(), Spec{Kind: KindRootfs, Path: "/srv/card"}, Options{SudoPassword: secret.FromString(devicePassword)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := target.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if placed, err := r.Place(t.Context(), fullSet("run-1", "a")); err != nil || placed.OwnersRecorded {
		t.Fatalf("%+v, %v", placed, err)
	}
	if _, err := r.Act(t.Context(), ConfigApply, nil); !errors.Is(err, ErrCannotRun) {
		t.Fatal(err)
	}
}

// A practice device is the folder of its name, in the data folder and nowhere
// else, and never asks for rights.
func TestPracticeDevice(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "press-2", "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	options := Options{PracticeDir: dir, HelperCommand: []string{"/nowhere/helper"}}
	opened, err := Open(t.Context(), Spec{Kind: KindPractice, Name: "press-2"}, options)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if opened.Kind() != KindPractice || opened.CanRun() || opened.Spec().String() != "practice:press-2" {
		t.Errorf("%+v, runs %v", opened.Spec(), opened.CanRun())
	}
	root, err := opened.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if placed, err := root.Place(t.Context(), fullSet("run-1", "a")); err != nil || !placed.OwnersRecorded {
		t.Errorf("%+v, %v", placed, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "press-2.edgewright-owners.toml")); err != nil {
		t.Error(err)
	}
	if _, err := Open(t.Context(), Spec{Kind: KindPractice, Name: "press-3"}, options); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a device that is not made: %v", err)
	}
}
