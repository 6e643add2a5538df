package target

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// snapshot is everything below the writable folders of a device: kind, mode,
// owner, time and bytes of files; kind, mode and owner of folders.
func snapshot(t testing.TB, root string) []string {
	t.Helper()
	var all []string
	for _, top := range []string{"etc/aziot", "etc/hosts", "var", "local/share"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(p string, entry fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			} else if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			uid, gid := ownerOf(info)
			rel, _ := filepath.Rel(root, p)
			if strings.HasPrefix(rel, "var/log") || strings.HasPrefix(rel, "var/lib/sudo") || strings.HasPrefix(rel, "var/lib/systemd") {
				return nil // what logins write
			}
			line := fmt.Sprintf("%s %s %d:%d", rel, info.Mode(), uid, gid)
			if info.Mode().IsRegular() {
				text, err := os.ReadFile(p)
				if err != nil {
					return err
				}
				line += fmt.Sprintf(" %x %d", sha256.Sum256(text), info.ModTime().UnixNano())
			} else if info.Mode()&fs.ModeSymlink != 0 {
				link, _ := os.Readlink(p)
				line += " -> " + link
			}
			all = append(all, line)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func sameSnapshot(t testing.TB, what string, want, got []string) {
	t.Helper()
	var diff []string
	for _, line := range want {
		if !slices.Contains(got, line) {
			diff = append(diff, "- "+line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			diff = append(diff, "+ "+line)
		}
	}
	if len(diff) > 0 {
		t.Fatalf("%s: the device differs\n%s", what, strings.Join(diff, "\n"))
	}
}

// noLeftovers fails on temporary names outside our own folder.
func noLeftovers(t testing.TB, root string) {
	t.Helper()
	for _, line := range snapshot(t, root) {
		if strings.Contains(line, "/"+tempPrefix) {
			t.Fatalf("left behind: %s", line)
		}
	}
}
