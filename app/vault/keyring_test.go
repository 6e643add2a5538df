package vault

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"
)

// withBus makes the library look reachable; its store is a mock then.
func withBus(t *testing.T) {
	t.Helper()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
}

func TestTheSystemsStore(t *testing.T) {
	withBus(t)
	keyring.MockInit()
	key := newKey()
	if _, err := (systemKeyring{}).Get(t.Context(), "id"); !errors.Is(err, errNoKey) {
		t.Errorf("no key: %v", err)
	}
	if err := (systemKeyring{}).Set(t.Context(), "id", key); err != nil {
		t.Fatal(err)
	}
	if got, err := (systemKeyring{}).Get(t.Context(), "id"); err != nil || !got.Equal(key) {
		t.Errorf("the key: %v", err)
	}
	if text, err := keyring.Get(keyringService, "id"); err != nil || len(text) > 100 {
		t.Errorf("what is stored has %d bytes; Windows takes 2560: %v", len(text), err)
	}
	if err := (systemKeyring{}).Delete(t.Context(), "id"); err != nil {
		t.Error(err)
	}
	if _, err := (systemKeyring{}).Get(t.Context(), "id"); !errors.Is(err, errNoKey) {
		t.Errorf("after its removal: %v", err)
	}
	if err := keyring.Set(keyringService, "id", "not a key"); err != nil {
		t.Fatal(err)
	}
	if _, err := (systemKeyring{}).Get(t.Context(), "id"); !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "not a key") {
		t.Errorf("something else in its place: %v", err)
	}
}

func TestAnyOtherErrorMeansNoStore(t *testing.T) {
	withBus(t)
	keyring.MockInitWithError(errors.New("failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'"))
	t.Cleanup(keyring.MockInit)
	v := openVault(t, Options{Store: memory{}})
	if !v.PracticeOnly() {
		t.Error("a store that cannot be unlocked was believed")
	}
	if err := v.Put(t.Context(), "a", User, hush); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v", err)
	}
	if err := v.Put(t.Context(), "a", Practice, hush); err != nil {
		t.Errorf("a practice secret: %v", err)
	}
}

func TestTheStoreLostTheKey(t *testing.T) {
	withBus(t)
	keyring.MockInit()
	store := memory{}
	if err := openVault(t, Options{Store: store}).Put(t.Context(), "a", User, hush); err != nil {
		t.Fatal(err)
	}
	keyring.MockInit()
	v := openVault(t, Options{Store: store})
	if _, err := v.Get(t.Context(), "a"); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "does not have its key") {
		t.Errorf("got %v", err)
	}
	if err := v.Put(t.Context(), "b", User, hush); !errors.Is(err, ErrLocked) {
		t.Errorf("a second vault was made over the first: %v", err)
	}
}

func TestAStoreThatDoesNotAnswerIsLeft(t *testing.T) {
	withBus(t)
	ctx, cancel := context.WithCancel(t.Context())
	called, release := make(chan bool), make(chan bool)
	defer close(release)
	go func() {
		<-called
		cancel()
	}()
	_, err := patiently(ctx, func() (string, error) {
		called <- true
		<-release
		return "late", nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutABusTheStoreIsNotCalled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	dir := t.TempDir()
	for name, row := range map[string]struct {
		address, runtimeDir string
		bus, want           bool
	}{
		"nothing":      {"", "", false, false},
		"address":      {"unix:path=/x", "", false, true},
		"autolaunch":   {"autolaunch:", "", false, false},
		"empty folder": {"", dir, false, false},
		"bus":          {"", dir, true, true},
	} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", row.address)
		t.Setenv("XDG_RUNTIME_DIR", row.runtimeDir)
		_ = os.Remove(filepath.Join(dir, "bus"))
		if row.bus {
			if err := os.WriteFile(filepath.Join(dir, "bus"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := storeReachable(); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestSecretService runs the vault against a real Secret Service, on a session
// bus and with a home of its own: one that is unlocked, and one that is not.
func TestSecretService(t *testing.T) {
	switch os.Getenv("EDGEWRIGHT_TEST_KEYRING") {
	case "unlocked":
		store := memory{}
		v := openVault(t, Options{Store: store})
		if v.PracticeOnly() {
			t.Fatal("the Secret Service does not answer")
		}
		roundTrip(t, v, openVault(t, Options{Store: store}), User)
		if err := (systemKeyring{}).Delete(t.Context(), v.header.ID); err != nil {
			t.Error(err)
		}
		if _, err := openVault(t, Options{Store: store}).Get(t.Context(), "a"); !errors.Is(err, ErrLocked) {
			t.Errorf("after its key was removed: %v", err)
		}
		return
	case "locked":
		v := openVault(t, Options{Store: memory{}})
		if err := v.Put(t.Context(), "a", User, hush); !errors.Is(err, ErrLocked) || !v.PracticeOnly() {
			t.Errorf("a locked Secret Service: %v", err)
		}
		return
	}
	for _, tool := range []string{"dbus-run-session", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs gnome-keyring")
		}
	}
	for state, start := range map[string]string{
		// The daemon answers on the bus when its first process has ended.
		"unlocked": `printf '\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null`,
		"locked":   `gnome-keyring-daemon --start --components=secrets >/dev/null`,
	} {
		t.Run(state, func(t *testing.T) {
			child := exec.Command("dbus-run-session", "--", "sh", "-c", start+` && exec "$0" -test.v -test.run '^TestSecretService$'`, os.Args[0])
			home := t.TempDir()
			child.Env = append(os.Environ(), "EDGEWRIGHT_TEST_KEYRING="+state, "HOME="+home, "XDG_RUNTIME_DIR="+home, "XDG_DATA_HOME="+home, "DISPLAY=")
			if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestSecretService") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
