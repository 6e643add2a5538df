package catalog

import (
	"errors"
	"path/filepath"
	"testing"
)

// A disk without room is told apart, and what was written before stays.
func TestCatalogWithoutRoom(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "c.db"))
	if err := c.Vault().Save(t.Context(), "first", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	// SQLite says the same as where the disk ends.
	if _, err := c.write.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	if err := c.Vault().Save(t.Context(), "second", make([]byte, 1<<20)); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if kept, found, err := c.Vault().Load(t.Context(), "first"); err != nil || !found || string(kept) != "kept" {
		t.Errorf("%q %v %v", kept, found, err)
	}
}
