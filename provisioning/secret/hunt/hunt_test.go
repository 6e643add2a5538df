package hunt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeysAreFoundInEveryTextOfThem takes keys of the kinds that devices have, and
// finds them in other encodings than the one that they came in.
func TestKeysAreFoundInEveryTextOfThem(t *testing.T) {
	small, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(small)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key   any
		other pem.Block
	}{
		"P-256": {small, pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}}, "RSA": {large, pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(large)}},
	} {
		der, err := x509.MarshalPKCS8PrivateKey(c.key)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		var h Hunt
		if err := h.AddKey(name, text); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for file, held := range map[string][]byte{"pkcs8.der": der, "other.der": c.other.Bytes, "pkcs8.pem": text, "other.pem": pem.EncodeToMemory(&c.other),
			"windows.pem": []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), "public.pem": []byte("nothing in it")} {
			if err := os.WriteFile(filepath.Join(dir, file), held, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		problems, err := h.Below(dir, func(name string) bool { return name == "pkcs8.der" })
		if found := strings.Join(problems, "\n"); err != nil || len(problems) != 4 || strings.Contains(found, "public.pem") || strings.Contains(found, "pkcs8.der") {
			t.Errorf("%s: %v\n%s", name, err, found)
		}
	}
	for _, text := range []string{"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if err := new(Hunt).AddKey("none", []byte(text)); err == nil {
			t.Errorf("%q is taken as a key", text)
		}
	}
}
