package vault

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"edgewright/provisioning/secret"
)

// memory is a store of records in memory.
type memory map[string][]byte

func (m memory) Load(_ context.Context, name string) ([]byte, bool, error) {
	data, ok := m[name]
	return data, ok, nil
}
func (m memory) Save(_ context.Context, name string, data []byte) error {
	m[name] = bytes.Clone(data)
	return nil
}
func (m memory) Swap(_ context.Context, name string, before, after []byte) (bool, error) {
	if now, ok := m[name]; ok != (before != nil) || !bytes.Equal(now, before) {
		return false, nil
	}
	m[name] = bytes.Clone(after)
	return true, nil
}
func (m memory) Delete(_ context.Context, name string) (bool, error) {
	_, ok := m[name]
	delete(m, name)
	return ok, nil
}
func (m memory) Names(context.Context) ([]string, error) {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names, nil
}

// ring is a credential store in memory; a nil one does not answer.
type ring map[string]secret.Value

func (r ring) Get(_ context.Context, id string) (secret.Value, error) {
	if key, ok := r[id]; ok {
		return secret.New(bytes.Clone(key.Reveal())), nil
	}
	if r == nil {
		return secret.Value{}, errNoStore
	}
	return secret.Value{}, errNoKey
}
func (r ring) Delete(_ context.Context, id string) error {
	delete(r, id)
	return nil
}
func (r ring) Set(_ context.Context, id string, key secret.Value) error {
	if r == nil {
		return errNoStore
	}
	r[id] = secret.New(bytes.Clone(key.Reveal()))
	return nil
}

func file(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return name
}

func openVault(t *testing.T, o Options) *Vault {
	t.Helper()
	if o.StateDir == "" {
		o.StateDir = t.TempDir()
	}
	v, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var hush = secret.FromString("correct horse battery")

func roundTrip(t *testing.T, v, later *Vault, kind Kind) {
	t.Helper()
	if err := v.Put(t.Context(), "a", kind, hush); err != nil {
		t.Fatal(err)
	}
	got, err := later.Get(t.Context(), "a")
	if err != nil || !got.Equal(hush) {
		t.Errorf("got %d bytes, %v", len(got.Reveal()), err)
	}
}

func TestPassphraseOpensTheVault(t *testing.T) {
	store := memory{}
	o := Options{Store: store, Keyring: ring(nil), PassphraseFile: file(t, "open sesame\n", 0o600)}
	roundTrip(t, openVault(t, o), openVault(t, o), User)

	o.PassphraseFile = file(t, "open barley", 0o600)
	if _, err := Open(t.Context(), o); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	o.PassphraseFile = ""
	v := openVault(t, o)
	if _, err := v.Get(t.Context(), "a"); !errors.Is(err, ErrLocked) || !v.PracticeOnly() {
		t.Errorf("without passphrase: %v", err)
	}
	names, err := v.Names(t.Context())
	if err != nil || len(names) != 1 || names[0] != "a" {
		t.Errorf("names while locked: %v %v", names, err)
	}
}

func TestPassphraseChanges(t *testing.T) {
	store := memory{}
	first := Options{Store: store, Keyring: ring(nil), PassphraseFile: file(t, "one", 0o600)}
	v := openVault(t, first)
	if err := v.Put(t.Context(), "a", User, hush); err != nil {
		t.Fatal(err)
	}
	sealed := bytes.Clone(store[recordPrefix+"user/a"])
	if err := v.SetPassphrase(t.Context(), secret.FromString("two")); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sealed, store[recordPrefix+"user/a"]) {
		t.Error("changing the passphrase rewrote a secret")
	}
	if _, err := Open(t.Context(), first); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("the old passphrase: %v", err)
	}
	second := first
	second.PassphraseFile = file(t, "two", 0o600)
	if got, err := openVault(t, second).Get(t.Context(), "a"); err != nil || !got.Equal(hush) {
		t.Errorf("the new passphrase: %v", err)
	}
}

func TestKeyringOpensTheVault(t *testing.T) {
	store, keys := memory{}, ring{}
	o := Options{Store: store, Keyring: keys}
	v := openVault(t, o)
	if v.PracticeOnly() {
		t.Fatal("the store answers, and yet the vault is locked")
	}
	roundTrip(t, v, openVault(t, o), User)
	// A passphrase on top opens the same vault where the store is missing.
	o.PassphraseFile = file(t, "spare", 0o600)
	openVault(t, o)
	o.Keyring = ring(nil)
	if got, err := openVault(t, o).Get(t.Context(), "a"); err != nil || !got.Equal(hush) {
		t.Errorf("by passphrase: %v", err)
	}
}

func TestPracticeSecretsNeedNobody(t *testing.T) {
	store := memory{}
	o := Options{Store: store, Keyring: ring(nil), StateDir: t.TempDir(), DataDir: "/data"}
	v := openVault(t, o)
	if err := v.Put(t.Context(), "mine", User, hush); !errors.Is(err, ErrLocked) || len(store) != 0 {
		t.Errorf("a user's secret: %v, %d records", err, len(store))
	}
	roundTrip(t, v, openVault(t, o), Practice)
	entries, err := os.ReadDir(o.StateDir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	if info, _ := entries[0].Info(); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("key file has mode %v", info.Mode())
	}
	// Later there is a passphrase: what was sealed before still opens.
	o.PassphraseFile = file(t, "now", 0o600)
	later := openVault(t, o)
	if got, err := later.Get(t.Context(), "a"); err != nil || !got.Equal(hush) || later.PracticeOnly() {
		t.Errorf("after a passphrase was set: %v", err)
	}
}

func TestAPersonIsAskedOnlyWhenNeeded(t *testing.T) {
	asked := 0
	o := Options{Store: memory{}, Keyring: ring(nil), StateDir: t.TempDir(), Ask: func(_ context.Context, isNew bool) (secret.Value, error) {
		asked++
		if !isNew {
			t.Error("the first passphrase is a new one")
		}
		return secret.FromString("typed"), nil
	}}
	v := openVault(t, o)
	roundTrip(t, v, v, Practice)
	if asked != 0 {
		t.Error("a practice secret asked for a passphrase")
	}
	roundTrip(t, v, v, User)
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestRecordsCannotBeSwapped(t *testing.T) {
	store := memory{}
	v := openVault(t, Options{Store: store, Keyring: ring{}})
	for _, name := range []string{"a", "b"} {
		if err := v.Put(t.Context(), name, User, secret.FromString("of "+name)); err != nil {
			t.Fatal(err)
		}
	}
	a, b := recordPrefix+"user/a", recordPrefix+"user/b"
	store[a], store[b] = store[b], store[a]
	if _, err := v.Get(t.Context(), "a"); !errors.Is(err, ErrDamaged) {
		t.Errorf("swapped: %v", err)
	}
	store[a], store[b] = store[b], store[a]
	store[a][len(store[a])-1] ^= 1
	if _, err := v.Get(t.Context(), "a"); !errors.Is(err, ErrDamaged) {
		t.Errorf("one bit changed: %v", err)
	}
	if _, err := v.Get(t.Context(), "c"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestPassphraseFilesThatAreRefused(t *testing.T) {
	names := []string{file(t, "", 0o600), filepath.Join(t.TempDir(), "none")}
	if runtime.GOOS != "windows" {
		names = append(names, file(t, "words", 0o644))
	}
	for _, name := range names {
		if _, err := Open(t.Context(), Options{Store: memory{}, Keyring: ring(nil), StateDir: t.TempDir(), PassphraseFile: name}); !errors.Is(err, ErrPassphraseFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
