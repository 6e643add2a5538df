package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"
)

var testNow = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// authority is a root with an intermediate, and what they issue.
type authority struct {
	t                  *testing.T
	root, intermediate Issuer
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	a := authority{t: t}
	rootKey := key(t, P384)
	a.root = Issuer{Certificate: a.issue(Issuer{}, Order{Profile: profile(t, "root CA"), Subject: pkix.Name{CommonName: "Plant Root 2026"}, Key: rootKey}), Signer: rootKey}
	middleKey := key(t, P384)
	middle := a.issue(a.root, Order{Profile: profile(t, "intermediate CA"), Subject: pkix.Name{CommonName: "Line 7 issuing"}, Public: middleKey.Public()})
	a.intermediate = Issuer{Certificate: middle, Chain: []*x509.Certificate{a.root.Certificate}, Signer: middleKey}
	return a
}

func (a authority) issue(by Issuer, o Order) *x509.Certificate {
	a.t.Helper()
	cert, err := Issue(rand.Reader, testNow, by, o)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// leaf issues a certificate of a profile with a new key.
func (a authority) leaf(name, commonName string) (*x509.Certificate, crypto.Signer) {
	a.t.Helper()
	p := profile(a.t, name)
	k := key(a.t, p.Algorithm)
	o := Order{Profile: p, Subject: pkix.Name{CommonName: commonName}, Public: k.Public(), Key: k}
	return a.issue(a.intermediate, o), k
}

func profile(t *testing.T, name string) Profile {
	t.Helper()
	p, ok := ProfileByName(name)
	if !ok {
		t.Fatalf("no profile %q", name)
	}
	return p
}

func key(t *testing.T, a Algorithm) crypto.Signer {
	t.Helper()
	k, err := GenerateKey(rand.Reader, a)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
