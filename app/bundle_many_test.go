package app

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"edgewright/provisioning"
)

// A folder stands for the bundles that lie in it, and for nothing else.
func TestBundlesOfAFolder(t *testing.T) {
	folder := t.TempDir()
	if _, err := BundlesIn(folder); !errors.Is(err, provisioning.ErrNotFound) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := BundlesIn(filepath.Join(folder, "missing")); !errors.Is(err, provisioning.ErrInvalid) {
		t.Errorf("no folder: %v", err)
	}
	for _, name := range []string{"b.edgewright", "a.EDGEWRIGHT", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "c.edgewright"), 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := BundlesIn(folder)
	if want := []string{filepath.Join(folder, "a.EDGEWRIGHT"), filepath.Join(folder, "b.edgewright")}; err != nil || !slices.Equal(files, want) {
		t.Errorf("%v %v, want %v", files, err, want)
	}
	if !AreBundles(files) || AreBundles(append(files, "notes.txt")) || AreBundles(nil) {
		t.Error("bundles are not told from other files")
	}
}
