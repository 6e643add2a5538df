package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"os/exec"
	"strings"
	"testing"

	"edgewright/provisioning/secret"
)

// sameKey compares private keys.
func sameKey(a, b crypto.Signer) bool {
	key, ok := a.(interface{ Equal(crypto.PrivateKey) bool })
	return ok && key.Equal(b)
}

// info is what OpenSSL tells of a PFX file.
func info(t *testing.T, pfx []byte, pass string) (string, error) {
	t.Helper()
	command := exec.Command("openssl", "pkcs12", "-info", "-noout", "-passin", pass)
	command.Stdin = bytes.NewReader(pfx)
	out, err := command.CombinedOutput()
	return string(out), err
}

// TestKeysGoRoundThroughOpenSSL writes keys, has OpenSSL write them in each form
// that it knows, and reads them back.
func TestKeysGoRoundThroughOpenSSL(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	pass := "pass:" + passphrase.RevealString()
	for _, algorithm := range []Algorithm{P256, P384, RSA2048} {
		k := key(t, algorithm)
		cert := a.issue(a.intermediate, Order{Profile: profile(t, "server"), Subject: pkix.Name{CommonName: "gw.plant.example"}, Public: k.Public()})
		chain := []*x509.Certificate{cert, a.intermediate.Certificate, a.root.Certificate}
		plain, err := DeviceKeyPEM(k)
		if err != nil {
			t.Fatal(err)
		}
		locked, err := EncryptedKeyPEM(k, passphrase)
		if err != nil {
			t.Fatal(err)
		}
		old := []string{"rsa", "-traditional"} // PKCS #1
		if algorithm != RSA2048 {
			old = []string{"ec"} // SEC 1
		}
		both := append(bytes.Clone(plain.Reveal()), PEM(chain...)...)
		forms := map[string][]byte{
			"PKCS #8":               openssl(t, plain.Reveal(), "pkey"),
			"PKCS #8 DER":           openssl(t, plain.Reveal(), "pkey", "-outform", "DER"),
			"PKCS #8 opened":        openssl(t, locked, "pkey", "-passin", pass),
			"PKCS #8 AES":           openssl(t, locked, "pkcs8", "-topk8", "-passin", pass, "-v2", "aes-256-cbc", "-passout", pass),
			"PKCS #8 AES, SHA-1":    openssl(t, plain.Reveal(), "pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1", "-passout", pass),
			"PKCS #8 3DES, DER":     openssl(t, plain.Reveal(), "pkcs8", "-topk8", "-v2", "des3", "-outform", "DER", "-passout", pass),
			"traditional":           openssl(t, plain.Reveal(), old...),
			"traditional DER":       openssl(t, plain.Reveal(), append(old, "-outform", "DER")...),
			"traditional encrypted": openssl(t, plain.Reveal(), append(old, "-aes256", "-passout", pass)...),
			"traditional 3DES":      openssl(t, plain.Reveal(), append(old, "-des3", "-passout", pass)...),
			"PFX new":               openssl(t, both, "pkcs12", "-export", "-passout", pass),
			"PFX old":               openssl(t, both, "pkcs12", "-export", "-legacy", "-passout", pass),
			"PFX SHA-512":           openssl(t, both, "pkcs12", "-export", "-macalg", "sha512", "-passout", pass),
		}
		for _, form := range []PFXForm{PFXModern, PFXOld} {
			data, err := PFX(form, k, chain, passphrase)
			if err != nil {
				t.Fatal(err)
			}
			rounds := map[PFXForm]string{PFXModern: "100000", PFXOld: "2048"}[form]
			told, err := info(t, data, pass)
			if n := strings.Count(told, "Iteration "+rounds); err != nil || n < 3 { // of the MAC, the certificates and the key
				t.Errorf("%s has %s rounds %d times (%v):\n%s", form, rounds, n, err, told)
			}
			forms["own PFX "+string(form)] = data
			forms["own PFX opened "+string(form)] = openssl(t, data, "pkcs12", "-nodes", "-passin", pass)
		}
		for name, data := range forms {
			content, err := Read(data, passphrase)
			if err != nil || len(content.Keys) != 1 || !sameKey(content.Keys[0], k) {
				t.Errorf("%s, %s: %d keys, %v", algorithm, name, len(content.Keys), err)
				continue
			}
			if n := len(content.Certificates); n > 0 && (n != 3 || !content.Chain()[0].Equal(cert)) {
				t.Errorf("%s, %s: %d certificates, first %s", algorithm, name, n, content.Chain()[0].Subject.CommonName)
			}
		}
	}
}

// TestCertificatesGoRoundThroughOpenSSL does the same with certificates alone.
func TestCertificatesGoRoundThroughOpenSSL(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	leaf, _ := a.leaf("device identity", "line-7-0042")
	for name, data := range map[string][]byte{
		"PEM":         openssl(t, PEM(leaf), "x509"),
		"DER":         openssl(t, PEM(leaf), "x509", "-outform", "DER"),
		"from DER":    openssl(t, leaf.Raw, "x509", "-inform", "DER"),
		"with text":   openssl(t, PEM(leaf), "x509", "-text"),
		"trusted":     openssl(t, PEM(leaf), "x509", "-trustout"),
		"PKCS #7":     opensslFile(t, PEM(leaf), "crl2pkcs7", "-nocrl", "-certfile"),
		"PKCS #7 DER": opensslFile(t, PEM(leaf), "crl2pkcs7", "-nocrl", "-outform", "DER", "-certfile"),
	} {
		content, err := Read(data, secret.Value{})
		if err != nil || len(content.Certificates) != 1 || !content.Certificates[0].Equal(leaf) {
			t.Errorf("%s: %d certificates, %v", name, len(content.Certificates), err)
		}
	}
}

// TestEveryProfileIsGoodForItsPurpose holds the certificates of the profiles
// against the rules of the runtime, and those that nobody else signs against
// OpenSSL.
func TestEveryProfileIsGoodForItsPurpose(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	purposes := map[Role]Purpose{RoleRoot: ForCA, RoleIntermediate: ForCA, RoleIdentity: ForIdentity, RoleEdgeCA: ForEdgeCA, RoleServer: ForServer,
		RoleVerification: ForIdentity, RoleESTBootstrap: ForIdentity}
	for _, p := range Profiles() {
		name, purpose := p.Name, purposes[p.Role]
		chain := []*x509.Certificate{a.root.Certificate}
		switch name {
		case "root CA":
		case "intermediate CA":
			chain = []*x509.Certificate{a.intermediate.Certificate, a.root.Certificate}
		default:
			leaf, _ := a.leaf(name, "line-7-0042.x")
			chain = []*x509.Certificate{leaf, a.intermediate.Certificate, a.root.Certificate}
			if p.SelfSigned {
				chain = chain[:1]
				opensslVerify(t, "sslclient", leaf, chain, leaf)
			}
		}
		if found := Verify(purpose, chain, []*x509.Certificate{a.root.Certificate}, testNow); len(found) > 0 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
