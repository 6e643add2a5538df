package vault

import (
	"os"
	"os/exec"
	"testing"
)

// TestSecretService runs the vault against a real Secret Service, on a session
// bus and with a home of its own.
func TestSecretService(t *testing.T) {
	if os.Getenv("EDGEWRIGHT_TEST_KEYRING") != "" {
		store := memory{}
		v := openVault(t, Options{Store: store})
		if v.PracticeOnly() {
			t.Fatal("the Secret Service does not answer")
		}
		roundTrip(t, v, openVault(t, Options{Store: store}), User)
		return
	}
	for _, tool := range []string{"dbus-run-session", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s", tool)
		}
	}
	child := exec.Command("dbus-run-session", "--", "sh", "-c",
		`printf '\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null; sleep 0.5; exec "$0" -test.run '^TestSecretService$'`, os.Args[0])
	home := t.TempDir()
	child.Env = append(os.Environ(), "EDGEWRIGHT_TEST_KEYRING=1", "HOME="+home, "XDG_RUNTIME_DIR="+home, "XDG_DATA_HOME="+home)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
