package catalog

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestAnyPathIsTheOneThatIsOpened(t *testing.T) {
	for _, name := range []string{"a#b.db", "a?b=c.db", "100%.db", "50%20.db", "with space.db", "ü&;=+.db"} {
		if runtime.GOOS == "windows" && name == "a?b=c.db" {
			continue // no legal name there
		}
		dir := filepath.Join(t.TempDir(), "data "+name)
		c := open(t, filepath.Join(dir, name))
		put(t, c, device("a"))
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if entry.Name() != name && entry.Name() != name+"-wal" && entry.Name() != name+"-shm" {
				t.Errorf("%s made %s", name, entry.Name())
			}
			if info, err := entry.Info(); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v, %v", entry.Name(), info.Mode(), err)
			}
		}
		if info, err := os.Stat(dir); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Errorf("folder of %s has mode %v, %v", name, info.Mode(), err)
		}
		list, err := open(t, c.Path()).Search(t.Context(), Query{})
		if err != nil || len(list) != 1 {
			t.Errorf("%s opened again: %v %v", name, list, err)
		}
	}
}

func TestRefusedFilesKeepTheirBytes(t *testing.T) {
	database := func(text string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			db, err := sql.Open("sqlite3", path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	written := func(data []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, row := range map[string]struct {
		make func(*testing.T, string)
		want error
	}{
		"without an application ID": {database("CREATE TABLE theirs (a)"), ErrForeign},
		"of another program":        {database("PRAGMA application_id = 7"), ErrForeign},
		"from the future":           {database(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 999", applicationID)), ErrNewer},
		"text":                      {written(bytes.Repeat([]byte("not a database\n"), 100)), ErrForeign},
		"short":                     {written([]byte("x")), ErrForeign},
		"zeros":                     {written(make([]byte, 8192)), ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "catalog.db")
			row.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := Open(t.Context(), path); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
				if err == nil {
					_ = c.Close()
				}
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed, %v", err)
			}
		})
	}
}

// damage overwrites a page in the middle of a closed catalog.
func damage(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	// Page 2 is the root of the first table or index of the schema.
	for page := int64(1); page < 12; page++ {
		if _, err := file.WriteAt(bytes.Repeat([]byte{0xa5}, 4096), page*4096); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamageIsNamedAndAnOlderCopyTakesItsPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data [1]", "catalog.db")
	c := open(t, path)
	put(t, c, device("kept"))
	if err := c.Check(t.Context()); err != nil {
		t.Errorf("a sound catalog: %v", err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := c.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	if _, err := Replace(t.Context(), path, backup); !errors.Is(err, ErrBusy) {
		t.Errorf("replaced under a process that has it open: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	damage(t, path)
	if c, err := Open(t.Context(), path); err == nil {
		if err := c.Check(t.Context()); !errors.Is(err, ErrDamaged) {
			t.Errorf("check: %v", err)
		}
		if _, err := c.Search(t.Context(), Query{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("search: %v", err)
		}
		_ = c.Close()
	} else if !errors.Is(err, ErrDamaged) {
		t.Errorf("open: %v", err)
	}
	broken, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := Replace(t.Context(), path, backup)
	if err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(kept); err != nil || !bytes.Equal(broken, after) {
		t.Errorf("the damaged file was not kept: %v", err)
	}
	if list, err := open(t, path).Search(t.Context(), Query{}); err != nil || len(list) != 1 {
		t.Errorf("replaced: %v %v", list, err)
	}
	if names, err := Backups(path); err != nil || len(names) != 1 || names[0] != kept {
		t.Errorf("backups: %v %v", names, err)
	}
}

func TestPragmasThatDidNotTakeAreNoticed(t *testing.T) {
	c := fresh(t)
	if err := checkPragmas(t.Context(), c.read, map[string]string{"query_only": "0"}); err == nil {
		t.Error("query_only is on, and off was believed")
	}
	if _, err := c.read.Exec("DELETE FROM device"); err == nil {
		t.Error("the readers can write")
	}
}
