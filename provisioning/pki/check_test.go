package pki

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/finding"
)

func TestVerify(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	middle, root := a.intermediate.Certificate, a.root.Certificate
	roots := []*x509.Certificate{root}
	identity, _ := a.leaf("device identity", "d1")
	server, _ := a.leaf("server", "gw.example")
	edge, _ := a.leaf("Edge CA", "d1.ca")
	selfSigned, _ := a.leaf("self-signed device identity", "d1")
	for name, c := range map[string]struct {
		purpose Purpose
		chain   []*x509.Certificate
		now     time.Time
		says    string // "" for nothing found
	}{
		"identity":            {ForIdentity, []*x509.Certificate{identity, middle}, testNow, ""},
		"with root":           {ForIdentity, []*x509.Certificate{identity, middle, root}, testNow, ""},
		"self-signed":         {ForIdentity, []*x509.Certificate{selfSigned}, testNow, ""},
		"server":              {ForServer, []*x509.Certificate{server, middle}, testNow, ""},
		"edge CA":             {ForEdgeCA, []*x509.Certificate{edge, middle}, testNow, ""},
		"nothing":             {ForIdentity, nil, testNow, "no certificate"},
		"server as identity":  {ForIdentity, []*x509.Certificate{server, middle}, testNow, "clientAuth"},
		"identity as server":  {ForServer, []*x509.Certificate{identity, middle}, testNow, "serverAuth"},
		"identity as edge CA": {ForEdgeCA, []*x509.Certificate{identity, middle}, testNow, "no CA"},
		"edge CA as identity": {ForIdentity, []*x509.Certificate{edge, middle}, testNow, "CA certificate"},
		"order":               {ForIdentity, []*x509.Certificate{identity, root, middle}, testNow, "wrong order"},
		"gap":                 {ForIdentity, []*x509.Certificate{identity}, testNow, "issuer Line 7 issuing of d1 is missing"},
		"stranger":            {ForIdentity, []*x509.Certificate{identity, stranger.intermediate.Certificate}, testNow, "has not signed"},
		"ended":               {ForIdentity, []*x509.Certificate{identity, middle}, testNow.AddDate(1, 0, 1), "ended on"},
		"not yet":             {ForIdentity, []*x509.Certificate{identity, middle}, testNow.AddDate(0, 0, -2), "begins on"},
		"soon":                {ForIdentity, []*x509.Certificate{identity, middle}, testNow.AddDate(0, 0, 340), "ends on"},
	} {
		found := Verify(c.purpose, c.chain, roots, c.now)
		if c.says == "" && len(found) > 0 || c.says != "" && !slices.ContainsFunc(found, func(f finding.Finding) bool { return strings.Contains(f.Problem, c.says) }) {
			t.Errorf("%s: %+v", name, found)
		}
	}
	if found := Verify(ForIdentity, []*x509.Certificate{identity, middle}, []*x509.Certificate{stranger.root.Certificate}, testNow); !found.Errors() {
		t.Error("another root of the same name is taken")
	}
}

func TestAssembleSorts(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	leaf, _ := a.leaf("device identity", "d1")
	pool := []*x509.Certificate{a.root.Certificate, stranger.root.Certificate, leaf, a.intermediate.Certificate}
	chain, others := Assemble(leaf, pool)
	if len(chain) != 3 || !chain[1].Equal(a.intermediate.Certificate) || !chain[2].Equal(a.root.Certificate) || len(others) != 1 {
		t.Errorf("%d in the chain, %d others", len(chain), len(others))
	}
	if forDevice := ForDevice(chain); len(forDevice) != 2 {
		t.Errorf("%d for the device", len(forDevice))
	}
	if leaves := Leaves(pool); len(leaves) != 2 {
		t.Errorf("%d leaves", len(leaves))
	}
}

func TestStates(t *testing.T) {
	a := newAuthority(t)
	leaf, _ := a.leaf("device identity", "d1")
	short := a.issue(a.intermediate, Order{Profile: profile(t, "verification"), Subject: pkix.Name{CommonName: "code"}, Public: key(t, P256).Public()})
	for _, c := range []struct {
		cert *x509.Certificate
		days int
		want State
	}{{leaf, -1, StateNotYet}, {leaf, 0, StateGood}, {leaf, 290, StateGood}, {leaf, 293, StateRenewSoon}, {leaf, 359, StateEnding}, {leaf, 365, StateEnded},
		{short, 0, StateGood}, {short, 6, StateRenewSoon}, {short, 7, StateEnded}} {
		if got := StateAt(c.cert, testNow.AddDate(0, 0, c.days)); got != c.want {
			t.Errorf("%s after %d days: %s, want %s", c.cert.Subject.CommonName, c.days, got, c.want)
		}
	}
	if at := RenewAt(leaf); StateAt(leaf, at) != StateRenewSoon || StateAt(leaf, at.Add(-time.Second)) != StateGood {
		t.Errorf("renew at %s", at)
	}
}

func TestRevocationList(t *testing.T) {
	a := newAuthority(t)
	leaf, _ := a.leaf("device identity", "d1")
	der, err := NewCRL(rand.Reader, testNow, a.intermediate, 3, []Revoked{{Serial: leaf.SerialNumber, At: testNow, Reason: "keyCompromise"}})
	if err != nil {
		t.Fatal(err)
	}
	out := string(openssl(t, CRLPEM(der), "crl", "-noout", "-text"))
	for _, want := range []string{"Key Compromise", "CN = Line 7 issuing", strings.ToUpper(leaf.SerialNumber.Text(16))} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if _, err := NewCRL(rand.Reader, testNow, a.intermediate, 4, []Revoked{{Serial: leaf.SerialNumber, At: testNow, Reason: "bad mood"}}); err == nil {
		t.Error("an unknown reason")
	}
}
