package vault

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

func TestAVaultThatOpensMakesNoKeyFile(t *testing.T) {
	o := Options{Store: memory{}, Keyring: ring(nil), StateDir: t.TempDir(), PassphraseFile: file(t, "words", 0o600)}
	roundTrip(t, openVault(t, o), openVault(t, o), Practice)
	if entries, err := os.ReadDir(o.StateDir); err != nil || len(entries) != 0 {
		t.Errorf("%v %v", entries, err)
	}
	o.PassphraseFile = ""
	if _, err := openVault(t, o).Get(t.Context(), "a"); !errors.Is(err, ErrLocked) {
		t.Errorf("without the passphrase: %v", err)
	}
}

func TestAPracticeCloudThatBeganWithAKeyFileStaysReachable(t *testing.T) {
	without := Options{Store: memory{}, Keyring: ring(nil), StateDir: t.TempDir(), DataDir: "/data"}
	with := without
	with.PassphraseFile = file(t, "words", 0o600)
	first := openVault(t, without).Sealer("practice", Practice)
	if _, err := first.Seal("state", hush.Reveal()); err != nil {
		t.Fatal(err)
	}
	v := openVault(t, with)
	if err := v.Put(t.Context(), "mine", User, hush); err != nil {
		t.Fatal(err)
	}
	sealed, err := v.Sealer("practice", Practice).Seal("state", hush.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := openVault(t, without).Sealer("practice", Practice).Open("state", sealed); err != nil || string(plain) != hush.RevealString() {
		t.Errorf("a later session without the passphrase: %v", err)
	}
	if _, err := openVault(t, without).Get(t.Context(), "mine"); !errors.Is(err, ErrLocked) {
		t.Errorf("a user's secret there: %v", err)
	}
}

func TestAPracticeRecordIsNoUsersRecord(t *testing.T) {
	v := openVault(t, Options{Store: memory{}, Keyring: ring(nil), StateDir: t.TempDir()})
	sealed, err := v.Sealer("s", Practice).Seal("r", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []struct {
		sealer Sealer
		record string
	}{{v.Sealer("s", User), "r"}, {v.Sealer("t", Practice), "r"}, {v.Sealer("s", Practice), "q"}} {
		if _, err := other.sealer.Open(other.record, sealed); !errors.Is(err, ErrDamaged) {
			t.Errorf("%+v: %v", other.record, err)
		}
	}
}

func TestKeyFilesThatAreRefused(t *testing.T) {
	for name, row := range map[string]struct {
		do   func(string) error
		want error
	}{
		"lost":           {os.Remove, ErrLocked},
		"short":          {func(name string) error { return os.WriteFile(name, []byte("x"), 0o600) }, ErrDamaged},
		"another key":    {func(name string) error { return os.WriteFile(name, newKey().Reveal(), 0o600) }, ErrDamaged},
		"open to others": {func(name string) error { return os.Chmod(name, 0o640) }, ErrLocked},
	} {
		if name == "open to others" && runtime.GOOS == "windows" {
			continue
		}
		o := Options{Store: memory{}, Keyring: ring(nil), StateDir: t.TempDir(), DataDir: "/data"}
		if err := openVault(t, o).Put(t.Context(), "a", Practice, hush); err != nil {
			t.Fatal(err)
		}
		if err := row.do(o.keyFile()); err != nil {
			t.Fatal(err)
		}
		if _, err := openVault(t, o).Get(t.Context(), "a"); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	one, two := Options{StateDir: "/s", DataDir: "/a"}, Options{StateDir: "/s", DataDir: "/b"}
	if one.keyFile() == two.keyFile() || filepath.Dir(one.keyFile()) != filepath.Clean("/s") {
		t.Errorf("%s and %s", one.keyFile(), two.keyFile())
	}
}

func TestSeveralMakeOneKeyFile(t *testing.T) {
	o := Options{Store: &shared{m: memory{}}, Keyring: ring(nil), StateDir: filepath.Join(t.TempDir(), "new")}
	var vaults []*Vault
	for range 8 {
		vaults = append(vaults, openVault(t, o))
	}
	var all sync.WaitGroup
	for i, v := range vaults {
		all.Go(func() {
			if err := v.Put(t.Context(), string(rune('a'+i)), Practice, hush); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range vaults {
		if got, err := openVault(t, o).Get(t.Context(), string(rune('a'+i))); err != nil || !got.Equal(hush) {
			t.Errorf("secret %d: %v", i, err)
		}
	}
	if entries, err := os.ReadDir(o.StateDir); err != nil || len(entries) != 1 {
		t.Errorf("%v %v", entries, err)
	}
}
