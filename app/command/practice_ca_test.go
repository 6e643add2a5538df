package command

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

func TestCAFromTheCommandLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Line 7"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign}
	issue := func(of *x509.Certificate) []byte {
		t.Helper()
		of.NotBefore, of.NotAfter, of.BasicConstraintsValid = time.Now().Add(-time.Hour), time.Now().Add(time.Hour), true
		der, err := x509.CreateCertificate(rand.Reader, of, ca, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	file := d.write("root.der", string(issue(ca)))
	made := d.run("practice", "ca", "upload", "line-7", file, "--json").exits(ExitOK).object()
	has(t, "a CA certificate", made, "owner name subject thumbprint expires verified code etag updated")
	d.run("practice", "ca", "upload", "line-7", file).exits(ExitUsage)
	d.run("practice", "ca", "upload", "line-7", file, "--replace").exits(ExitOK).says("unverified")
	d.run("practice", "ca", "upload", "other", file, "--hub", "hub").exits(ExitOK).says("other of hub")
	code, _ := d.run("practice", "ca", "code", "line-7", "--json").exits(ExitOK).object()["code"].(string)
	leaf := func(name string) string {
		return d.write("leaf.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issue(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}})})))
	}
	d.run("practice", "ca", "verify", "line-7", leaf("another")).exits(ExitUsage)
	d.run("practice", "ca", "list").exits(ExitOK).says("line-7", "unverified", "CN=Line 7", "other")
	d.run("practice", "ca", "verify", "line-7", leaf(code)).exits(ExitOK).says("is verified")
	d.run("practice", "ca", "remove", "none").exits(ExitUsage)
	d.run("practice", "ca", "remove", "line-7", "--json").exits(ExitOK).says(`"removed":"line-7"`)
	var left []any
	d.run("practice", "ca", "list", "--json").exits(ExitOK).decode(&left)
	if len(left) != 1 {
		t.Errorf("%v", left)
	}
}
