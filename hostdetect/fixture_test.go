package hostdetect

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
)

// recorded is a host that answers the script with a recorded output, whose
// mark is the word MARK. Our clock stands still while it answers.
type recorded struct{ out []byte }

func (h recorded) Output(_ context.Context, name string, args ...string) ([]byte, int, error) {
	if name != "sh" || len(args) < 4 {
		return nil, 127, nil
	}
	return bytes.ReplaceAll(h.out, []byte("MARK "), []byte(args[3]+" ")), 0, nil
}

func (recorded) ReadFile(context.Context, string) ([]byte, error)  { return nil, fs.ErrNotExist }
func (recorded) ReadDir(context.Context, string) ([]string, error) { return nil, fs.ErrNotExist }

// fixtureNow is the time at which the recorded clocks are right.
var fixtureNow = time.Unix(1795519992, 0).UTC()

func detectFixture(t *testing.T, name string) Report {
	t.Helper()
	out, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Detect(t.Context(), recorded{out}, Options{Now: func() time.Time { return fixtureNow }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func fixtureNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("recorded outputs: %v, %v", files, err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".txt")
	}
	return files
}

// rootFolder is a folder that stands for a device's disk: it runs nothing.
type rootFolder struct{ dir string }

var errNoCommands = errors.New("a mounted root runs no commands")

func (rootFolder) Output(context.Context, string, ...string) ([]byte, int, error) {
	return nil, 0, errNoCommands
}

func (h rootFolder) ReadFile(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(h.dir, path))
}

func (h rootFolder) ReadDir(_ context.Context, path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(h.dir, path))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func writeTree(t *testing.T, files map[string]string) rootFolder {
	t.Helper()
	dir := t.TempDir()
	for name, body := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return rootFolder{dir}
}

func table(t testing.TB) Table {
	t.Helper()
	text, err := os.ReadFile("../resources/support/table.toml")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseTable(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
