//go:build !windows

package vault

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAPassphraseFromADescriptor(t *testing.T) {
	store := memory{}
	for range 2 {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := write.WriteString("words\r\n"); err != nil {
			t.Fatal(err)
		}
		_ = write.Close()
		fd, err := dup(read)
		if err != nil {
			t.Fatal(err)
		}
		v, err := Open(t.Context(), Options{Store: store, Keyring: ring(nil), StateDir: t.TempDir(), PassphraseFD: fd})
		if err != nil {
			t.Fatal(err)
		}
		if err := v.Put(t.Context(), "a", User, hush); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Store: store, Keyring: ring(nil), PassphraseFile: file(t, "words", 0o600)}
	if got, err := openVault(t, o).Get(t.Context(), "a"); err != nil || !got.Equal(hush) {
		t.Errorf("the same words from a file: %v", err)
	}
	if _, err := Open(t.Context(), Options{Store: store, Keyring: ring(nil), PassphraseFD: 1000000}); !errors.Is(err, ErrPassphraseFile) {
		t.Errorf("a descriptor that is not open: %v", err)
	}
}

func TestARefusedFileSaysWhatToDo(t *testing.T) {
	name := file(t, "hush hush", 0o640)
	_, err := Open(t.Context(), Options{Store: memory{}, Keyring: ring(nil), PassphraseFile: name})
	if err == nil || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), "hush hush") {
		t.Errorf("%v", err)
	}
	if _, err := Open(t.Context(), Options{Store: memory{}, Keyring: ring(nil), PassphraseFile: t.TempDir()}); !errors.Is(err, ErrPassphraseFile) {
		t.Errorf("a folder: %v", err)
	}
}

// dup gives a descriptor that no *os.File of the test closes as well.
func dup(file *os.File) (int, error) {
	defer func() { _ = file.Close() }()
	return unix.Dup(int(file.Fd()))
}
