package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"edgewright/provisioning/secret"
)

func TestKeysThatAreNone(t *testing.T) {
	for _, text := range []string{"", "age1nothing", "ssh-dss AAAA", "ssh-ed25519 AAAA", "bench-1"} {
		if _, err := ParseRecipient(text); !errors.Is(err, ErrRecipientText) {
			t.Errorf("recipient %q: %v", text, err)
		}
	}
	for _, text := range []string{"", "AGE-SECRET-KEY-1MINE", "-----BEGIN OPENSSH PRIVATE KEY-----\nbWluZQ==\n-----END OPENSSH PRIVATE KEY-----\n"} {
		_, err := ParseIdentity(secret.FromString(text), secret.Value{})
		if !errors.Is(err, ErrIdentityText) || strings.Contains(err.Error(), "MINE") || strings.Contains(err.Error(), "bWluZQ") {
			t.Errorf("identity %q: %v", text, err)
		}
	}
	identity, recipient, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := RecipientOf(identity); err != nil || again != recipient {
		t.Errorf("%s %v", again, err)
	}
}

// An identity that is encrypted opens with its passphrase and with no other.
func TestEncryptedIdentitiesOpen(t *testing.T) {
	texts := map[string]secret.Value{}
	plain, _, err := NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, armored := range []bool{false, true} {
		to, err := age.NewScryptRecipient("a passphrase")
		if err != nil {
			t.Fatal(err)
		}
		to.SetWorkFactor(10)
		var out bytes.Buffer
		var into io.WriteCloser = nopCloser{&out}
		if armored {
			into = armor.NewWriter(&out)
		}
		w, err := age.Encrypt(into, to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain.Reveal()); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Close(), into.Close()); err != nil {
			t.Fatal(err)
		}
		texts[fmt.Sprint("age, armored ", armored)] = secret.New(out.Bytes())
	}
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh-keygen")
	}
	for _, kind := range []string{"ed25519", "rsa"} {
		file := filepath.Join(t.TempDir(), kind)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "a passphrase", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%s %v", out, err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts["ssh "+kind] = secret.New(text)
	}
	for name, text := range texts {
		for passphrase, opens := range map[string]bool{"": false, "another": false, "a passphrase": true} {
			with, err := ParseIdentity(text, secret.FromString(passphrase))
			if opens && (err != nil || len(with) != 1) || !opens && !errors.Is(err, ErrPassphrase) {
				t.Errorf("%s with %q: %v", name, passphrase, err)
			}
		}
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
