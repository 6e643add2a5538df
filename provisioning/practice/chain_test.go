package practice

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// party is a certificate with its key.
type party struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (p party) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}))
}

// shows is the party as a TLS client with what else it presents.
func (p party) shows(others ...party) *tls.Certificate {
	shown := &tls.Certificate{Certificate: [][]byte{p.cert.Raw}, PrivateKey: p.key}
	for _, other := range others {
		shown.Certificate = append(shown.Certificate, other.cert.Raw)
	}
	return shown
}

// chain is the party's chain as a handshake gives it.
func (p party) chain(others ...party) []*x509.Certificate {
	chain := []*x509.Certificate{p.cert}
	for _, other := range others {
		chain = append(chain, other.cert)
	}
	return chain
}

var lastSerial = big.NewInt(1000)

// issue makes a certificate; a nil issuer signs itself. change alters the template.
func issue(t testing.TB, name string, issuer *party, ca bool, change func(*x509.Certificate)) party {
	t.Helper()
	lastSerial = new(big.Int).Add(lastSerial, big.NewInt(1))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	begin := newClock().now
	template := &x509.Certificate{SerialNumber: lastSerial, Subject: pkix.Name{CommonName: name}, NotBefore: begin.AddDate(-1, 0, 0), NotAfter: begin.AddDate(5, 0, 0),
		BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: []byte(name)}
	if ca {
		template.KeyUsage, template.MaxPathLen = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, -1
	} else {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, crypto.Signer(key)
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return party{cert, key}
}

// TestChainsAgreeWithOpenSSL holds every row against verifyChain and against
// openssl verify.
func TestChainsAgreeWithOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("needs openssl")
	}
	now := newClock().now
	root := issue(t, "root", nil, true, nil)
	upper := issue(t, "upper", &root, true, nil)
	lower := issue(t, "lower", &upper, true, nil)
	leaf := issue(t, "dev-1", &lower, false, nil)
	direct := issue(t, "dev-1", &root, false, nil)
	otherRoot := issue(t, "root", nil, true, func(c *x509.Certificate) { c.SubjectKeyId = []byte("other") })
	sameKeyID := issue(t, "root", nil, true, nil)
	narrow := issue(t, "narrow", &root, true, func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	underNarrow := issue(t, "under", &narrow, true, nil)
	selfIssued := issue(t, "narrow", &narrow, true, func(c *x509.Certificate) { c.SubjectKeyId, c.AuthorityKeyId = []byte("again"), []byte("narrow") })
	notCA := issue(t, "no ca", &root, false, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCertSign })
	noSign := issue(t, "no sign", &root, true, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	oldCA := issue(t, "old", &root, true, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) })
	serverCA := issue(t, "server only", &root, true, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	clientCA := issue(t, "clients only", &root, true, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	constrained := issue(t, "constrained", &root, true, func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"practice.test"}
	})
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}
	// Two CAs that certified each other.
	ring1 := issue(t, "ring 1", nil, true, nil)
	ring2 := issue(t, "ring 2", &ring1, true, nil)
	cross := ring1
	{
		template := *ring1.cert
		template.SerialNumber = big.NewInt(77)
		der, err := x509.CreateCertificate(rand.Reader, &template, ring2.cert, ring1.key.Public(), ring2.key)
		if err != nil {
			t.Fatal(err)
		}
		if cross.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
	}
	ringLeaf := issue(t, "dev-1", &cross, false, nil)
	tampered := func(p party) party {
		raw := slices.Clone(p.cert.Raw)
		raw[len(raw)-1] ^= 1
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		return party{cert, p.key}
	}
	under := func(ca party, change func(*x509.Certificate)) party { return issue(t, "dev-1", &ca, false, change) }
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaRoot := party{issue(t, "rsa", nil, true, nil).cert, rsaKey}
	{
		template := *rsaRoot.cert
		template.SignatureAlgorithm, template.PublicKey = x509.SHA256WithRSA, rsaKey.Public()
		der, err := x509.CreateCertificate(rand.Reader, &template, &template, rsaKey.Public(), rsaKey)
		if err != nil {
			t.Fatal(err)
		}
		if rsaRoot.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
	}

	for _, test := range []struct {
		name      string
		leaf      party
		presented []party
		trusted   party
		depth     int // 0 means refused
	}{
		{"below the root", direct, nil, root, 1},
		{"root presented, too", direct, []party{root}, root, 1},
		{"whole chain", leaf, []party{lower, upper}, root, 3},
		{"in another order", leaf, []party{upper, root, lower}, root, 3},
		{"doubled", leaf, []party{lower, lower, upper, upper}, root, 3},
		{"to an intermediate", leaf, []party{lower}, upper, 2},
		{"to the issuer", leaf, nil, lower, 1},
		{"RSA", under(rsaRoot, nil), nil, rsaRoot, 1},
		{"intermediate missing", leaf, []party{upper}, root, 0},
		{"other root of the name", leaf, []party{lower, upper}, otherRoot, 0},
		{"other root of name and key ID", leaf, []party{lower, upper}, sameKeyID, 0},
		{"signature broken", tampered(direct), nil, root, 0},
		{"signature of the CA broken", under(lower, nil), []party{tampered(lower), upper}, root, 0},
		{"expired", under(root, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), nil, root, 0},
		{"not yet valid", under(root, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) }), nil, root, 0},
		{"expired CA", under(oldCA, nil), []party{oldCA}, root, 0},
		{"expired anchor", under(oldCA, nil), nil, oldCA, 0},
		{"path length kept", under(narrow, nil), []party{narrow}, root, 2},
		{"path too long", under(underNarrow, nil), []party{underNarrow, narrow}, root, 0},
		{"self-issued does not count", under(selfIssued, nil), []party{selfIssued, narrow}, root, 3},
		{"issuer is no CA", under(notCA, nil), []party{notCA}, root, 0},
		{"anchor is no CA", under(notCA, nil), nil, notCA, 0},
		{"issuer may not sign", under(noSign, nil), []party{noSign}, root, 0},
		{"CA for servers", under(serverCA, nil), []party{serverCA}, root, 0},
		{"CA for clients", under(clientCA, nil), []party{clientCA}, root, 2},
		{"leaf for servers", under(root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), nil, root, 0},
		{"leaf for both", under(root, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		}), nil, root, 1},
		{"leaf without extended key usage", under(root, func(c *x509.Certificate) { c.ExtKeyUsage = nil }), nil, root, 1},
		{"leaf without key usage", under(root, func(c *x509.Certificate) { c.KeyUsage = 0 }), nil, root, 1},
		{"leaf may encipher only", under(root, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), nil, root, 0},
		{"leaf with an unknown critical extension", under(root, func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{unknown} }), nil, root, 0},
		{"CA with an unknown critical extension", under(issue(t, "odd", &root, true, func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{unknown} }), nil), nil, root, 0},
		{"name allowed", under(constrained, func(c *x509.Certificate) { c.DNSNames = []string{"a.practice.test"} }), []party{constrained}, root, 2},
		{"name not allowed", under(constrained, func(c *x509.Certificate) { c.DNSNames = []string{"example.com"} }), []party{constrained}, root, 0},
		{"ring to its anchor", ringLeaf, []party{cross, ring2}, ring2, 2},
		{"ring to nowhere", ringLeaf, []party{cross, ring2}, root, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			depth, err := verifyChain(test.leaf.cert, test.leaf.chain(test.presented...)[1:], test.trusted.cert, now)
			if (err == nil) != (test.depth > 0) || depth != test.depth {
				t.Errorf("depth %d, %v; want %d", depth, err, test.depth)
			}
			dir := t.TempDir()
			args := []string{"verify", "-no-CApath", "-no-CAstore", "-no-CAfile", "-partial_chain", "-purpose", "sslclient", "-attime", strconv.FormatInt(now.Unix(), 10), "-trusted", filepath.Join(dir, "trusted")}
			files := map[string]string{"trusted": test.trusted.pem(), "leaf": test.leaf.pem()}
			for _, p := range test.presented {
				files["presented"] += p.pem()
			}
			if files["presented"] != "" {
				args = append(args, "-untrusted", filepath.Join(dir, "presented"))
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := exec.CommandContext(t.Context(), openssl, append(args, filepath.Join(dir, "leaf"))...).CombinedOutput()
			if (err == nil) != (test.depth > 0) {
				t.Errorf("openssl differs: %v %s", err, out)
			}
		})
	}
}

func TestCAIsNotBelowItself(t *testing.T) {
	root := issue(t, "root", nil, true, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageDigitalSignature })
	if depth, err := verifyChain(root.cert, nil, root.cert, newClock().now); err == nil {
		t.Errorf("depth %d", depth)
	}
}

func TestHostileChainsAreBounded(t *testing.T) {
	root := issue(t, "root", nil, true, nil)
	// Sixteen CAs of one name and key: each seems to issue each.
	var ring []party
	first := issue(t, "ring", nil, true, nil)
	for i := range maxPresented {
		template := *first.cert
		template.SerialNumber = big.NewInt(int64(i + 1))
		der, err := x509.CreateCertificate(rand.Reader, &template, first.cert, first.key.Public(), first.key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		ring = append(ring, party{cert, first.key})
	}
	leaf := issue(t, "leaf", &first, false, nil)
	w := &chainWalk{now: newClock().now, trusted: root.cert, candidates: leaf.chain(ring...)[1:], signatures: maxSignatures}
	w.from([]*x509.Certificate{leaf.cert})
	if w.found != nil || w.signatures != 0 {
		t.Errorf("found %v with %d signatures left", w.found, w.signatures)
	}
	// A path may not be longer than the bound.
	long, top := []party{}, root
	for range maxPathLength {
		top = issue(t, "link", &top, true, func(c *x509.Certificate) { c.SubjectKeyId = c.SerialNumber.Bytes() })
		long = append([]party{top}, long...)
	}
	deep := issue(t, "leaf", &top, false, nil)
	if depth, err := verifyChain(deep.cert, deep.chain(long...)[1:], root.cert, newClock().now); err == nil {
		t.Errorf("a path of %d is taken", depth)
	}
}

func FuzzDecodeCertificate(f *testing.F) {
	ca := issue(f, "root", nil, true, nil)
	f.Add(ca.pem())
	f.Add("MIIB")
	f.Add("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		cert, err := decodeCertificate(text)
		if (cert == nil) != (err != nil) {
			t.Fatal("a certificate with an error, or neither")
		}
		if cert == nil {
			return
		}
		if info := certificateInfo(cert); len(info.SHA1Thumbprint) != 40 || len(info.SHA256Thumbprint) != 64 {
			t.Errorf("info %+v", info)
		}
		if _, err := verifyChain(cert, nil, ca.cert, newClock().now); err == nil {
			t.Error("a certificate that the CA never issued is below it")
		}
	})
}
