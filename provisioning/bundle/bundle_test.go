package bundle

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"edgewright/provisioning/secret"
)

// made is when the certificates of the tests begin.
var made = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// pair makes a self-signed certificate and its key.
func pair(t testing.TB, name string) Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotBefore: made, NotAfter: made.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Pair{Chain: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key: secret.New(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))}
}

func example(t testing.TB, edgeCA bool) Bundle {
	t.Helper()
	b := Bundle{Batch: "m-1", Device: "line-7-0001", Made: made, Plan: []byte("version = 1\n"), Identity: pair(t, "line-7-0001")}
	if edgeCA {
		edge := pair(t, "line-7-0001.ca")
		root := pair(t, "root")
		b.EdgeCA, b.Trust = &edge, root.Chain
	}
	return b
}

func bench(t testing.TB) *age.X25519Identity {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func TestSealAndOpen(t *testing.T) {
	for _, edgeCA := range []bool{false, true} {
		to := bench(t)
		b := example(t, edgeCA)
		sealed, err := Seal(b, to.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range [][]byte{b.Identity.Key.Reveal(), []byte("line-7-0001"), []byte("PRIVATE")} {
			if bytes.Contains(sealed, hidden) {
				t.Errorf("the sealed bundle shows %q", hidden[:7])
			}
		}
		got, err := Open(sealed, bench(t), to)
		if err != nil {
			t.Fatal(err)
		}
		if got.Batch != b.Batch || got.Device != b.Device || !got.Made.Equal(b.Made) || !bytes.Equal(got.Plan, b.Plan) || !bytes.Equal(got.Identity.Chain, b.Identity.Chain) ||
			!got.Identity.Key.Equal(b.Identity.Key) || (got.EdgeCA != nil) != edgeCA || !bytes.Equal(got.Trust, b.Trust) {
			t.Errorf("%+v", got)
		}
		if edgeCA && (!got.EdgeCA.Key.Equal(b.EdgeCA.Key) || !bytes.Equal(got.EdgeCA.Chain, b.EdgeCA.Chain)) {
			t.Errorf("Edge CA: %+v", got.EdgeCA)
		}
	}
}

// TestSealedForAnAgeRecipient wraps for recipients by their text; age's own
// identities open it, and nobody else's.
func TestSealedForAnAgeRecipient(t *testing.T) {
	for range 20 {
		identity := bench(t)
		to, err := ParseRecipient(identity.Recipient().String())
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := Seal(example(t, false), to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(sealed, bench(t), identity); err != nil {
			t.Error(err)
		}
		if _, err := Open(sealed, bench(t)); !errors.Is(err, ErrRecipient) {
			t.Errorf("a stranger: %v", err)
		}
	}
	weak := x25519Recipient{} // a point that leads everybody to the same key
	if _, err := Seal(example(t, false), weak); err == nil {
		t.Error("sealed for a point of low order")
	}
}

// TestAgeOpensIt shows that the format is the documented one: the tools of others
// open it.
func TestAgeOpensIt(t *testing.T) {
	if _, err := exec.LookPath("age"); err != nil {
		t.Skip("needs age")
	}
	dir := t.TempDir()
	to := bench(t)
	recipient, err := ParseRecipient(to.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := Seal(example(t, true), recipient)
	if err != nil {
		t.Fatal(err)
	}
	identity, file := filepath.Join(dir, "identity"), filepath.Join(dir, "b"+Extension)
	if err := errors.Join(os.WriteFile(identity, []byte(to.String()), 0o600), os.WriteFile(file, sealed, 0o600)); err != nil {
		t.Fatal(err)
	}
	plain, err := exec.Command("age", "--decrypt", "--identity", identity, file).Output()
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("tar", "--list")
	list.Stdin = bytes.NewReader(plain)
	names, err := list.Output()
	if want := strings.Join(orders[3], "\n") + "\n"; err != nil || string(names) != want {
		t.Errorf("tar lists %q, %v", names, err)
	}
}

// TestSealedForAnSSHHostKey uses keys that ssh-keygen made, and lets the age
// tool open one.
func TestSealedForAnSSHHostKey(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("needs ssh-keygen")
	}
	for _, kind := range []string{"ed25519", "rsa"} {
		t.Run(kind, func(t *testing.T) {
			key := filepath.Join(t.TempDir(), "ssh_host_key")
			if out, err := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", key).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			public, err := os.ReadFile(key + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			private, err := os.ReadFile(key)
			if err != nil {
				t.Fatal(err)
			}
			to, err := ParseRecipient(string(public))
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := Seal(example(t, true), to)
			if err != nil {
				t.Fatal(err)
			}
			with, err := ParseIdentity(secret.New(private), secret.Value{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Open(sealed, with...); err != nil {
				t.Error(err)
			}
			if _, err := Open(sealed, bench(t)); !errors.Is(err, ErrRecipient) {
				t.Errorf("a stranger: %v", err)
			}
			if _, err := exec.LookPath("age"); err != nil {
				t.Skip("needs age")
			}
			decrypt := exec.Command("age", "--decrypt", "--identity", key)
			decrypt.Stdin = bytes.NewReader(sealed)
			if plain, err := decrypt.Output(); err != nil || !bytes.Contains(plain, []byte("line-7-0001")) {
				t.Errorf("age: %v", err)
			}
		})
	}
}
