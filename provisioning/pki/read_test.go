package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edgewright/provisioning/secret"
)

var passphrase = secret.FromString("pässword 1")

func TestOpenSSLReadsWhatIsWritten(t *testing.T) {
	a := newAuthority(t)
	leaf, k := a.leaf("device identity", "line-7-0042")
	chain := []*x509.Certificate{leaf, a.intermediate.Certificate, a.root.Certificate}
	encrypted, err := EncryptedKeyPEM(k, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := DeviceKeyPEM(k)
	if err != nil {
		t.Fatal(err)
	}
	pass := []string{"-passin", "pass:" + passphrase.RevealString()}
	if out := openssl(t, encrypted, append([]string{"pkey", "-pubout"}, pass...)...); !bytes.Equal(out, openssl(t, plain.Reveal(), "pkey", "-pubout")) {
		t.Errorf("another key: %s", out)
	}
	for _, form := range []PFXForm{PFXModern, PFXOld} {
		data, err := PFX(form, k, chain, passphrase)
		if err != nil {
			t.Fatal(err)
		}
		out := openssl(t, data, append([]string{"pkcs12", "-nodes"}, pass...)...)
		content, err := Read(out, secret.Value{})
		if err != nil || len(content.Certificates) != 3 || len(content.Keys) != 1 {
			t.Errorf("%s: %+v, %v", form, content, err)
		}
	}
}

func TestReadTakesWhatOpenSSLWrites(t *testing.T) {
	a := newAuthority(t)
	leaf, k := a.leaf("device identity", "line-7-0042")
	plain, _ := DeviceKeyPEM(k)
	password := "pass:" + passphrase.RevealString()
	both := append(bytes.Clone(plain.Reveal()), PEM(leaf, a.intermediate.Certificate)...)
	rsaPlain, _ := DeviceKeyPEM(keyOf(t, RSA2048))
	for name, c := range map[string]struct {
		data        []byte
		certs, keys int
	}{
		"sec1":           {openssl(t, plain.Reveal(), "ec"), 0, 1},
		"sec1 encrypted": {openssl(t, plain.Reveal(), "ec", "-aes128", "-passout", password), 0, 1},
		"pkcs1":          {openssl(t, rsaPlain.Reveal(), "rsa", "-traditional"), 0, 1},
		"pkcs1 der":      {openssl(t, rsaPlain.Reveal(), "rsa", "-traditional", "-outform", "DER"), 0, 1},
		"pkcs8 3des":     {openssl(t, plain.Reveal(), "pkcs8", "-topk8", "-v2", "des3", "-passout", password), 0, 1},
		"pkcs8 scrypt":   {openssl(t, plain.Reveal(), "pkcs8", "-topk8", "-scrypt", "-passout", password), 0, 1},
		"pkcs8 der":      {openssl(t, plain.Reveal(), "pkcs8", "-topk8", "-outform", "DER", "-passout", password), 0, 1},
		"pkcs8 der open": {openssl(t, plain.Reveal(), "pkcs8", "-topk8", "-nocrypt", "-outform", "DER"), 0, 1},
		"cert der":       {openssl(t, PEM(leaf), "x509", "-outform", "DER"), 1, 0},
		"cert with text": {openssl(t, PEM(leaf), "x509", "-text"), 1, 0},
		"pfx":            {openssl(t, both, "pkcs12", "-export", "-passout", password), 2, 1},
		"pfx old":        {openssl(t, both, "pkcs12", "-export", "-legacy", "-passout", password), 2, 1},
		"key and chain":  {both, 2, 1},
		"windows lines":  {bytes.ReplaceAll(both, []byte("\n"), []byte("\r\n")), 2, 1},
		"byte order":     {append([]byte("\xef\xbb\xbf"), both...), 2, 1},
	} {
		content, err := Read(c.data, passphrase)
		if err != nil || len(content.Certificates) != c.certs || len(content.Keys) != c.keys {
			t.Errorf("%s: %d certificates, %d keys, %v", name, len(content.Certificates), len(content.Keys), err)
			continue
		}
		if c.certs > 0 && !content.Chain()[0].Equal(leaf) {
			t.Errorf("%s: the chain begins with %s", name, content.Chain()[0].Subject.CommonName)
		}
	}
	if content, err := Read(PEM(leaf), secret.Value{}); err != nil || content.Kind != KindPEM {
		t.Errorf("%+v, %v", content, err)
	}
}

// openssl runs OpenSSL on a file, which is its -in.
func openssl(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	return opensslFile(t, in, append(slices.Clone(args), "-in")...)
}

// opensslFile runs OpenSSL on a file, whose name is its last argument.
func opensslFile(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	path := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(path, in, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("openssl", append(args, path)...)
	var problems bytes.Buffer
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", args[0], err, problems.String())
	}
	return out
}

func TestReadRefuses(t *testing.T) {
	a := newAuthority(t)
	leaf, k := a.leaf("device identity", "line-7-0042")
	cert := PEM(leaf)
	encrypted, _ := EncryptedKeyPEM(k, passphrase)
	pfx, _ := PFX(PFXModern, k, []*x509.Certificate{leaf}, passphrase)
	request, _ := NewRequest(rand.Reader, pkix.Name{CommonName: "d"}, k)
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	flipped := func(der []byte, at int) []byte { out := bytes.Clone(der); out[at] ^= 0xff; return out }
	for name, c := range map[string]struct {
		data []byte
		pass secret.Value
		kind error
		says string
	}{
		"nothing":            {nil, passphrase, ErrUnreadable, "empty"},
		"spaces":             {[]byte(" \n\t "), passphrase, ErrUnreadable, "empty"},
		"words":              {[]byte("certificate"), passphrase, ErrUnreadable, "neither PEM nor DER"},
		"large":              {make([]byte, MaxFile+1), passphrase, ErrUnreadable, "more than"},
		"half a block":       {cert[:len(cert)/2], passphrase, ErrUnreadable, "cut off"},
		"half a second":      {append(bytes.Clone(cert), cert[:100]...), passphrase, ErrUnreadable, "cut off"},
		"bad base64":         {bytes.Replace(cert, []byte("MII"), []byte("M!!"), 1), passphrase, ErrUnreadable, ""},
		"damaged":            {block("CERTIFICATE", leaf.Raw[:len(leaf.Raw)-5]), passphrase, ErrUnreadable, "damaged"},
		"more behind":        {block("CERTIFICATE", append(bytes.Clone(leaf.Raw), 0)), passphrase, ErrUnreadable, "damaged"},
		"key as certificate": {block("CERTIFICATE", []byte("MIIx")), passphrase, ErrUnreadable, "damaged"},
		"empty key":          {block("PRIVATE KEY", nil), passphrase, ErrUnreadable, "PKCS #8"},
		"certificate as key": {block("PRIVATE KEY", leaf.Raw), passphrase, ErrUnreadable, "PKCS #8"},
		"request, signature": {block("CERTIFICATE REQUEST", flipped(request, len(request)-3)), passphrase, ErrUnreadable, ""},
		"CRL":                {block("X509 CRL", leaf.Raw), passphrase, ErrUnreadable, "revocation list"},
		"PKCS #7":            {block("PKCS7", leaf.Raw), passphrase, ErrUnreadable, "PKCS #7"},
		"PFX, passphrase":    {pfx, secret.FromString("wrong one"), ErrPassphrase, "PFX"},
		"PFX, none":          {pfx, secret.Value{}, ErrPassphrase, "PFX"},
		"PFX, cut":           {pfx[:len(pfx)/2], passphrase, ErrUnreadable, ""},
		"PFX, not UTF-8":     {pfx, secret.New([]byte{0xff}), ErrPassphrase, "UTF-8"},
		"key, passphrase":    {encrypted, secret.FromString("wrong one"), ErrPassphrase, "does not open"},
		"DER cut":            {leaf.Raw[:50], passphrase, ErrUnreadable, ""},
		"only parameters":    {append(block("EC PARAMETERS", []byte{6, 8}), []byte("-----BEGIN X")...), passphrase, ErrUnreadable, ""},
	} {
		_, err := Read(c.data, c.pass)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if content, err := Read(encrypted, secret.Value{}); err != nil || content.Locked != 1 {
		t.Errorf("a locked key: %+v, %v", content, err)
	}
}

func TestExportRefusesWeakPassphrases(t *testing.T) {
	a := newAuthority(t)
	leaf, k := a.leaf("device identity", "d")
	other := key(t, P256)
	if _, err := EncryptedKeyPEM(k, secret.FromString("short")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("short: %v", err)
	}
	if _, err := PFX(PFXModern, other, []*x509.Certificate{leaf}, passphrase); err == nil {
		t.Error("a stranger's key")
	}
}
