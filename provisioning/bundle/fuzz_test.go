package bundle

import (
	"bytes"
	"errors"
	"testing"

	"edgewright/provisioning/secret"
)

// FuzzUnpack gives Open's inside anything: what it takes must be whole and must
// pack to something that it takes again.
func FuzzUnpack(f *testing.F) {
	for _, edgeCA := range []bool{false, true} {
		plain, err := pack(example(f, edgeCA))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain)
		f.Add(plain[:len(plain)/2])
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		b, err := unpack(bytes.Clone(plain))
		switch {
		case err != nil && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrVersion):
			t.Errorf("an error of another kind: %v", err)
		case err != nil && b.Device != "":
			t.Errorf("an error and a bundle: %v", err)
		case err == nil && (len(b.Identity.Chain) == 0 || b.Identity.Key.IsEmpty() || !bytes.Contains(plain, b.Identity.Key.Reveal())):
			t.Error("half a bundle is taken")
		}
	})
}

// FuzzOpen gives Open files that are no age files, or nearly.
func FuzzOpen(f *testing.F) {
	to := bench(f)
	good, err := Seal(example(f, false), to.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("age-encryption.org/v1\n-> X25519 aaaa\n\n--- \n"))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := Open(sealed, to); err == nil && !bytes.Equal(sealed, good) {
			t.Error("a file that nobody sealed opens")
		}
	})
}

// FuzzKeys reads recipients and identities.
func FuzzKeys(f *testing.F) {
	identity, recipient, err := NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(recipient)
	f.Add(identity.RevealString())
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ2u8OyD5Yw1oyR5wWzGm2f0yJm6B0a5L2v1m4w9m0aF x")
	f.Fuzz(func(t *testing.T, text string) {
		if to, err := ParseRecipient(text); (err == nil) != (to != nil) {
			t.Errorf("%v %v", to, err)
		}
		if with, err := ParseIdentity(secret.FromString(text), secret.Value{}); err == nil && len(with) == 0 {
			t.Error("no identity and no error")
		}
	})
}
