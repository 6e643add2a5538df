package catalog

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixture is a catalog of an earlier schema: the statements of
// testdata/schema-N.sql, made from a file that schema N wrote.
func fixture(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "catalog.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(string(text)); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEveryReleasedSchemaOpens(t *testing.T) {
	names, err := filepath.Glob("testdata/schema-*.sql")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := embeddedMigrations()
	if err != nil || len(names) < len(schema)-1 {
		t.Fatalf("%d fixtures for %d schemas, %v", len(names), len(schema), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			path := fixture(t, filepath.Base(name))
			c := open(t, path)
			d, err := c.Device(t.Context(), "line-7-0042")
			if err != nil || d.UUID != "6f1c9d52-3a3e-4a55-9d0f-2f0f5f3d7a11" || d.Note != "bench 3" || d.LastProof == nil {
				t.Errorf("%+v %v", d, err)
			}
			if list, err := c.Search(t.Context(), Query{Text: "press7"}); err != nil || len(list) != 1 {
				t.Errorf("search: %v %v", list, err)
			}
			run, err := c.Run(t.Context(), "0007")
			if err != nil || run.DeviceID != "line-7-0042" || len(run.UID) != uidLength {
				t.Errorf("%+v %v", run, err)
			}
			if steps, err := c.Steps(t.Context(), run.ID); err != nil || len(steps) != 1 || steps[0].Undo != `{"made":true}` {
				t.Errorf("%+v %v", steps, err)
			}
			if cloud, err := c.Cloud(t.Context(), "PLANT"); err != nil || cloud.IDScope != "0ne00AAAAAA" {
				t.Errorf("%+v %v", cloud, err)
			}
			if data, found, err := c.Vault().Load(t.Context(), "header"); err != nil || !found || string(data) != "sealed" {
				t.Errorf("%q %v %v", data, found, err)
			}
			if err := c.Check(t.Context()); err != nil {
				t.Error(err)
			}
			copies, err := Backups(path)
			if err != nil || len(copies) != 1 || !strings.Contains(copies[0], "before-schema-") {
				t.Fatalf("copies: %v %v", copies, err)
			}
			db, err := sql.Open("sqlite3", copies[0])
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			var version, devices int
			if err := db.QueryRow("SELECT user_version, (SELECT count(*) FROM device) FROM pragma_user_version").Scan(&version, &devices); err != nil || version >= len(schema) || devices != 1 {
				t.Errorf("the copy has schema %d and %d devices, %v", version, devices, err)
			}
		})
	}
}

func TestAFailedMigrationChangesNothing(t *testing.T) {
	schema, err := embeddedMigrations()
	if err != nil {
		t.Fatal(err)
	}
	for name, next := range map[string]string{
		"wrong statement":  "CREATE TABLE extra (a); INSERT INTO nowhere VALUES (1)",
		"broken reference": "CREATE TABLE extra (a); INSERT INTO step SELECT 4711, 's', 1, 'done', 1, '', '', NULL, '', '', '', 0",
	} {
		c := fresh(t)
		put(t, c, device("a"))
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if broken, err := openWith(t.Context(), c.Path(), append(schema, next)); err == nil {
			_ = broken.Close()
			t.Errorf("%s: went through", name)
		}
		c = open(t, c.Path())
		var extra int
		if err := c.read.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").Scan(&extra); err != nil || extra != 0 {
			t.Errorf("%s: half of it stayed, %v", name, err)
		}
		if list, err := c.Search(t.Context(), Query{}); err != nil || len(list) != 1 {
			t.Errorf("%s: %v %v", name, list, err)
		}
	}
}

func TestANewSchemaComesInOneStepAndOnce(t *testing.T) {
	schema, err := embeddedMigrations()
	if err != nil {
		t.Fatal(err)
	}
	c := fresh(t)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	later := append(schema, "CREATE TABLE one (a)", "CREATE TABLE two (a)")
	for range 2 {
		c, err := openWith(t.Context(), c.Path(), later)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkPragmas(t.Context(), c.write, map[string]string{"foreign_keys": "1"}); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if copies, err := Backups(c.Path()); err != nil || len(copies) != 1 {
		t.Errorf("copies: %v %v", copies, err)
	}
	if _, err := Open(t.Context(), c.Path()); !errors.Is(err, ErrNewer) {
		t.Errorf("the program from before: %v", err)
	}
}
