package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/finding"
)

// refused is one input that must not pass: what is said about it, and the words
// that have to be in that.
type refused struct {
	name, said, want string
}

// TestAHundredInputsAreRefused is the table of malformed, expired, mismatched,
// truncated, encrypted, reordered and hostile inputs.
func TestAHundredInputsAreRefused(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	all := append(append(append(refusedPEM(f), refusedDER(f)...), refusedKeys(f)...), refusedChains(f)...)
	seen := map[string]bool{}
	for _, c := range all {
		if seen[c.name] {
			t.Errorf("%s stands there twice", c.name)
		}
		seen[c.name] = true
		if c.said == "" || !strings.Contains(c.said, c.want) {
			t.Errorf("%s: says %q, want %q", c.name, c.said, c.want)
		}
	}
	t.Logf("%d inputs", len(seen))
	if len(seen) < 100 {
		t.Errorf("the table has %d inputs", len(seen))
	}
}

// forge makes certificates that Issue never would.
type forge struct {
	authority
	leafCert *x509.Certificate
	leafKey  crypto.Signer
	other    authority // of the same names, with other keys
}

func newForge(t *testing.T) forge {
	f := forge{authority: newAuthority(t), other: newAuthority(t)}
	f.leafCert, f.leafKey = f.leaf("device identity", "line-7-0042")
	return f
}

// cert makes a certificate like a device identity of the intermediate, but for
// one change. by is nil for a self-signed one.
func (f forge) cert(by *Issuer, public crypto.PublicKey, change func(*x509.Certificate)) *x509.Certificate {
	f.t.Helper()
	return f.signed(by, public, f.leafKey, change)
}

func (f forge) signed(by *Issuer, public crypto.PublicKey, own crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	f.t.Helper()
	if public == nil {
		public = own.Public()
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(4711), Subject: pkix.Name{CommonName: "line-7-0042"}, SubjectKeyId: []byte{1, 2, 3},
		NotBefore: testNow.Add(-time.Hour), NotAfter: testNow.AddDate(0, 6, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	if change != nil {
		change(template)
	}
	parent, signer := template, own
	if by != nil {
		parent, signer = by.Certificate, by.Signer
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		f.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		f.t.Fatal(err)
	}
	return cert
}

// ca makes an intermediate CA below the root that Issue never would.
func (f forge) ca(name string, change func(*x509.Certificate)) Issuer {
	f.t.Helper()
	k := key(f.t, P256)
	cert := f.signed(&f.root, k.Public(), k, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage, c.ExtKeyUsage = name, true, x509.KeyUsageCertSign, nil
		c.NotAfter = testNow.AddDate(4, 0, 0)
		if change != nil {
			change(c)
		}
	})
	return Issuer{Certificate: cert, Chain: []*x509.Certificate{f.root.Certificate}, Signer: k}
}

// oldKeys are kinds of keys that no device of today has.
func oldKeys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"p224": p224, "p521": p521, "rsa1024": short, "ed25519": edwards}
}

// problems are the errors of a list in one text.
func problems(list finding.List) string {
	var text []string
	for _, f := range list {
		if f.Level == finding.Error {
			text = append(text, f.Problem+" "+f.Fix)
		}
	}
	return strings.Join(text, " ")
}

// refusedChains are certificates and chains that read, and are not good for
// what they are to do.
func refusedChains(f forge) []refused {
	roots := []*x509.Certificate{f.root.Certificate}
	middle, root := f.intermediate.Certificate, f.root.Certificate
	verify := func(name string, purpose Purpose, want string, chain ...*x509.Certificate) refused {
		return refused{name, problems(Verify(purpose, chain, roots, testNow)), want}
	}
	identity := func(name, want string, change func(*x509.Certificate)) refused {
		return verify(name, ForIdentity, want, f.cert(&f.intermediate, nil, change), middle)
	}
	below := func(name, want string, by Issuer) refused {
		return verify(name, ForIdentity, want, f.cert(&by, nil, nil), by.Certificate)
	}
	at := func(name, want string, now time.Time, chain ...*x509.Certificate) refused {
		return refused{name, problems(Verify(ForIdentity, chain, roots, now)), want}
	}
	edge, edgeKey := f.leaf("Edge CA", "line-7-0042.ca")
	server, _ := f.leaf("server", "gw.plant.example")
	selfSigned, _ := f.leaf("self-signed device identity", "line-7-0042")
	unnamed := f.cert(&f.intermediate, nil, func(c *x509.Certificate) { c.Subject.CommonName = "" })
	tampered := *f.leafCert
	tampered.Signature = append([]byte{}, f.leafCert.Signature...)
	tampered.Signature[len(tampered.Signature)-1] ^= 1
	sibling := f.ca("Line 8 issuing", nil)
	deep := f.ca("Deep", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	underKey := key(f.t, P256)
	under := Issuer{Signer: underKey, Certificate: f.signed(&deep, nil, underKey, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage, c.ExtKeyUsage = "Under", true, x509.KeyUsageCertSign, nil
	})}
	all := []refused{
		verify("no certificate", ForIdentity, "There is no certificate"),
		identity("ended yesterday", "ended on 2026-11-27", func(c *x509.Certificate) { c.NotAfter = testNow.AddDate(0, 0, -1) }),
		identity("ends this second", "ended on 2026-11-28", func(c *x509.Certificate) { c.NotAfter = testNow }),
		identity("begins tomorrow", "begins on 2026-11-29", func(c *x509.Certificate) { c.NotBefore = testNow.AddDate(0, 0, 1) }),
		identity("ends before it begins", "ended on", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = testNow.AddDate(0, 0, -2), testNow.AddDate(0, 0, -3)
		}),
		at("ended with its issuer", "ended on", testNow.AddDate(6, 0, 0), f.leafCert, middle),
		at("clock before the CA", "begins on", testNow.AddDate(-1, 0, 0), f.leafCert, middle),
		below("issuer ended", "Old ended on", f.ca("Old", func(c *x509.Certificate) { c.NotAfter = testNow.AddDate(0, 0, -1) })),
		below("issuer begins later", "Young begins on", f.ca("Young", func(c *x509.Certificate) { c.NotBefore = testNow.AddDate(0, 0, 1) })),
		identity("no clientAuth", "clientAuth is missing", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		identity("code signing only", "clientAuth is missing", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }),
		identity("usage of nobody", "clientAuth is missing", func(c *x509.Certificate) { c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1OID{{1, 2, 3, 4}} }),
		identity("no digitalSignature", "digitalSignature is missing", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }),
		identity("key agreement only", "digitalSignature is missing", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }),
		verify("no common name", ForIdentity, "no common name", unnamed, middle),
		verify("Edge CA as identity", ForIdentity, "is a CA certificate", edge, middle),
		verify("root as identity", ForIdentity, "is a CA certificate", root),
		verify("server as identity", ForIdentity, "clientAuth is missing", server, middle),
		verify("identity as server", ForServer, "serverAuth is missing", f.leafCert, middle),
		verify("identity as server has no name", ForServer, "names no host", f.leafCert, middle),
		verify("server without names", ForServer, "names no host", f.cert(&f.intermediate, nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), middle),
		verify("Edge CA as server", ForServer, "is a CA certificate", edge, middle),
		verify("identity as Edge CA", ForEdgeCA, "is no CA certificate", f.leafCert, middle),
		verify("identity as CA", ForCA, "is no CA certificate", f.leafCert, middle),
		verify("self-signed identity as CA", ForCA, "is no CA certificate", selfSigned),
		verify("Edge CA that may not sign", ForEdgeCA, "keyCertSign is missing", f.ca("Mute", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }).Certificate),
		verify("Edge CA on P-384", ForEdgeCA, "reads no keys of the kind EC P-384", f.cert(&f.intermediate, key(f.t, P384).Public(), func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		}), middle),
		verify("identity on P-384", ForIdentity, "reads no keys of the kind EC P-384", f.cert(&f.intermediate, key(f.t, P384).Public(), nil), middle),
		below("issuer is no CA", "is no CA certificate", f.ca("Plain", func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature })),
		below("issuer without basic constraints", "is no CA certificate", f.ca("Bare", func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid, c.KeyUsage = false, false, 0 })),
		below("issuer may not sign", "keyCertSign is missing", f.ca("Lists", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })),
		verify("path length spent", ForIdentity, "Deep allows 0 CAs below it, and there are 1", f.cert(&under, nil, nil), under.Certificate, deep.Certificate),
		verify("Edge CA below an Edge CA", ForEdgeCA, "allows 0 CAs below it", f.signed(&Issuer{Certificate: edge, Signer: edgeKey}, nil, key(f.t, P256), func(c *x509.Certificate) {
			c.Subject.CommonName, c.IsCA, c.KeyUsage, c.ExtKeyUsage = "below.ca", true, x509.KeyUsageCertSign, nil
		}), edge, middle),
		verify("chain reordered", ForIdentity, "wrong order", f.leafCert, root, middle),
		verify("chain upside down", ForIdentity, "CA certificate", root, middle, f.leafCert),
		verify("issuer missing", ForIdentity, "issuer Line 7 issuing of line-7-0042 is missing", f.leafCert),
		verify("root instead of the intermediate", ForIdentity, "has not signed", f.leafCert, root),
		verify("intermediate of another plant", ForIdentity, "has not signed", f.leafCert, f.other.intermediate.Certificate),
		verify("sibling CA", ForIdentity, "Line 8 issuing has not signed", f.leafCert, sibling.Certificate),
		verify("stranger in the chain", ForIdentity, "has not signed", f.leafCert, sibling.Certificate, middle),
		verify("intermediate twice", ForIdentity, "has not signed", f.leafCert, middle, middle),
		verify("leaf twice", ForIdentity, "has not signed", f.leafCert, f.leafCert, middle),
		verify("signature tampered with", ForIdentity, "has not signed", &tampered, middle),
		{"root of the same name", problems(Verify(ForIdentity, []*x509.Certificate{f.leafCert, middle}, []*x509.Certificate{f.other.root.Certificate}, testNow)), "is missing"},
		{"root that is not trusted", problems(Verify(ForIdentity, []*x509.Certificate{f.leafCert, middle, root}, []*x509.Certificate{f.other.root.Certificate}, testNow)), "not trusted here"},
		identity("critical extension of nobody", "critical extension 1.2.3.4", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1OID{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}),
		below("CA with a critical extension of nobody", "critical extension 1.2.3.5", f.ca("Odd", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1OID{1, 2, 3, 5}, Critical: true, Value: []byte{5, 0}}}
		})),
	}
	for kind, k := range oldKeys(f.t) {
		all = append(all, verify("identity on "+kind, ForIdentity, kind, f.signed(&f.intermediate, k.Public(), f.leafKey, nil), middle))
	}
	constrained := f.ca("Constrained", func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"plant.example"}
	})
	all = append(all, verify("name outside the constraints", ForServer, "does not hold", f.cert(&constrained, nil, func(c *x509.Certificate) {
		c.ExtKeyUsage, c.DNSNames = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, []string{"evil.example"}
	}), constrained.Certificate))
	return append(all, refusedPairs(f)...)
}
