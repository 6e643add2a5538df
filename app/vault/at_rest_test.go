//go:build cgo && sqlite_fts5

package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning/secret"
)

const (
	passphraseText = "a passphrase that nobody else would ever type"
	secretText     = "HostName=hub.example.test;SharedAccessKey=b3VyIG93biBzZWNyZXQgZm9yIHRoaXMgdGVzdA=="
)

// TestNothingAtRestShowsASecret looks for the secrets in every file of the data
// folder while the catalog is open, with its write-ahead log, after the
// process that wrote them was killed, and in a backup.
func TestNothingAtRestShowsASecret(t *testing.T) {
	if dir := os.Getenv("EDGEWRIGHT_TEST_AT_REST"); dir != "" {
		write(t, dir)
		_, _ = os.Stdout.WriteString("written\n")
		select {} // until killed
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run", "^TestNothingAtRestShowsASecret$")
	child.Env = append(os.Environ(), "EDGEWRIGHT_TEST_AT_REST="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, len("written"))
	if n, err := out.Read(said); err != nil || string(said[:n]) != "written" {
		t.Fatalf("the child said %q, %v", said[:n], err)
	}
	if wal, err := os.Stat(filepath.Join(dir, "data", "catalog.db-wal")); err != nil || wal.Size() == 0 {
		t.Fatalf("there is no write-ahead log to look into: %v", err)
	}
	scan(t, "while open", dir)
	_ = child.Process.Kill()
	_ = child.Wait()
	scan(t, "after the kill", dir)

	book, v := openBoth(t, dir)
	if got, err := v.Get(t.Context(), "plant/hub"); err != nil || got.RevealString() != secretText {
		t.Errorf("the secret: %v", err)
	}
	if err := book.Backup(t.Context(), filepath.Join(dir, "data", "backup.db")); err != nil {
		t.Fatal(err)
	}
	scan(t, "in the backup", dir)
	// The scan itself finds what is there.
	if err := os.WriteFile(filepath.Join(dir, "data", "leak"), []byte("x"+base64.StdEncoding.EncodeToString([]byte("ab"+secretText))), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := search(t, dir); len(found) != 1 {
		t.Errorf("a leak in base64 was found %d times", len(found))
	}
}

func openBoth(t *testing.T, dir string) (*catalog.Catalog, *vault.Vault) {
	t.Helper()
	book, err := catalog.Open(t.Context(), filepath.Join(dir, "data", "catalog.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	words := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(words, []byte(passphraseText), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), vault.Options{Store: book.Vault(), StateDir: filepath.Join(dir, "state"), DataDir: dir, PassphraseFile: words})
	if err != nil {
		t.Fatal(err)
	}
	return book, v
}

func write(t *testing.T, dir string) {
	_, v := openBoth(t, dir)
	for _, name := range []string{"plant/hub", "plant/dps"} {
		if err := v.Put(t.Context(), name, vault.User, secret.FromString(secretText)); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.SetPassphrase(t.Context(), secret.FromString(passphraseText)); err != nil {
		t.Fatal(err)
	}
	if err := v.Delete(t.Context(), "plant/dps"); err != nil {
		t.Fatal(err)
	}
	sealed, err := v.Sealer("practice", vault.Practice).Seal("state", []byte(secretText))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "state"), sealed, 0o600); err != nil {
		t.Fatal(err)
	}
}

func scan(t *testing.T, when, dir string) {
	t.Helper()
	for _, name := range search(t, dir) {
		t.Errorf("%s: %s shows a secret", when, name)
	}
}

// search gives the files under dir that hold a secret raw, in hexadecimal, or
// in base64 at any of its three alignments.
func search(t *testing.T, dir string) (found []string) {
	t.Helper()
	var marks [][]byte
	for _, text := range []string{passphraseText, secretText} {
		raw := []byte(text)
		marks = append(marks, raw, []byte(hex.EncodeToString(raw)), []byte(strings.ToUpper(hex.EncodeToString(raw))))
		for shift := range 3 {
			for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
				// Whole groups only: those at the ends mix with what stands beside.
				whole := raw[shift : len(raw)-(len(raw)-shift)%3]
				marks = append(marks, []byte(encoding.EncodeToString(whole)))
			}
		}
	}
	files := 0
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(name)
		for _, mark := range marks {
			if bytes.Contains(data, mark) {
				found = append(found, name)
				break
			}
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
	return found
}
