package pki

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOpenSSLVerifiesBelowAnEdgeCA(t *testing.T) {
	a := newAuthority(t)
	edge, edgeKey := a.leaf("Edge CA", "line-7-0042.ca")
	by := Issuer{Certificate: edge, Chain: []*x509.Certificate{a.intermediate.Certificate, a.root.Certificate}, Signer: edgeKey}
	server := a.issue(by, Order{Profile: profile(t, "server"), Subject: pkix.Name{CommonName: "line-7-0042"}, Public: key(t, P256).Public()})
	opensslVerify(t, "sslserver", a.root.Certificate, []*x509.Certificate{a.intermediate.Certificate, edge}, server)
	if _, err := Issue(rand.Reader, testNow, by, Order{Profile: profile(t, "Edge CA"), Subject: pkix.Name{CommonName: "below.ca"}, Public: key(t, P256).Public()}); !errors.Is(err, ErrRefused) {
		t.Errorf("a CA below an Edge CA: %v", err)
	}
}

func opensslVerify(t *testing.T, purpose string, root *x509.Certificate, middle []*x509.Certificate, leaf *x509.Certificate) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	dir := t.TempDir()
	write := func(name string, certs ...*x509.Certificate) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, PEM(certs...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	command := exec.Command("openssl", "verify", "-x509_strict", "-attime", fmt.Sprint(testNow.Unix()), "-purpose", purpose,
		"-CAfile", write("root.pem", root), "-untrusted", write("middle.pem", middle...), write("leaf.pem", leaf))
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("openssl verify -purpose %s %s: %v\n%s", purpose, leaf.Subject.CommonName, err, out)
	}
}

func TestDates(t *testing.T) {
	a := newAuthority(t)
	leaf, _ := a.leaf("device identity", "d1")
	if !leaf.NotBefore.Equal(testNow.Add(-time.Hour)) || !leaf.NotAfter.Equal(testNow.AddDate(0, 0, 365)) {
		t.Errorf("%s to %s", leaf.NotBefore, leaf.NotAfter)
	}
	long := a.issue(a.intermediate, Order{Profile: profile(t, "device identity"), Subject: pkix.Name{CommonName: "d2"}, Public: key(t, P256).Public(), Days: 9999})
	if !long.NotAfter.Equal(a.intermediate.Certificate.NotAfter) {
		t.Errorf("it ends %s, its issuer %s", long.NotAfter, a.intermediate.Certificate.NotAfter)
	}
}

func TestIssueRefuses(t *testing.T) {
	a := newAuthority(t)
	identity, identityKey := a.leaf("device identity", "d1")
	public := key(t, P256).Public()
	order := func(change func(*Order)) Order {
		o := Order{Profile: profile(t, "device identity"), Subject: pkix.Name{CommonName: "d2"}, Public: public}
		change(&o)
		return o
	}
	for name, c := range map[string]struct {
		by   Issuer
		now  time.Time
		o    Order
		says string
	}{
		"no issuer":        {Issuer{}, testNow, order(func(*Order) {}), "no issuer"},
		"issuer no CA":     {Issuer{Certificate: identity, Signer: identityKey}, testNow, order(func(*Order) {}), "no CA"},
		"wrong key":        {Issuer{Certificate: a.root.Certificate, Signer: identityKey}, testNow, order(func(*Order) {}), "key is not that"},
		"issuer ended":     {a.root, testNow.AddDate(11, 0, 0), order(func(*Order) {}), "holds from"},
		"no name":          {a.root, testNow, order(func(o *Order) { o.Subject.CommonName = " " }), "common name"},
		"long name":        {a.root, testNow, order(func(o *Order) { o.Subject.CommonName = strings.Repeat("x", 65) }), "common name"},
		"issuer's name":    {a.root, testNow, order(func(o *Order) { o.Subject = a.root.Certificate.Subject }), "subject"},
		"P-384 on device":  {a.root, testNow, order(func(o *Order) { o.Public = key(t, P384).Public() }), "P-384"},
		"P-384 elsewhere":  {a.root, testNow, order(func(o *Order) { o.Profile.OnDevice, o.Public = false, key(t, P384).Public() }), "P-384"},
		"line break":       {a.root, testNow, order(func(o *Order) { o.Subject.CommonName = "d\n2" }), "does not print"},
		"escape":           {a.root, testNow, order(func(o *Order) { o.Subject.CommonName = "d\x1b[31m" }), "does not print"},
		"turned writing":   {a.root, testNow, order(func(o *Order) { o.Subject.CommonName = "d\u202e2" }), "does not print"},
		"no UTF-8":         {a.root, testNow, order(func(o *Order) { o.Subject.CommonName = "d\xff" }), "does not print"},
		"blank at the end": {a.root, testNow, order(func(o *Order) { o.Subject.CommonName = "d2 " }), "blank at an end"},
		"country":          {a.root, testNow, order(func(o *Order) { o.Subject.Country = []string{"Germany"} }), "two capital letters"},
		"organization":     {a.root, testNow, order(func(o *Order) { o.Subject.Organization = []string{strings.Repeat("x", 65)} }), "organization has 1 to 64"},
		"unit":             {a.root, testNow, order(func(o *Order) { o.Subject.OrganizationalUnit = []string{"a", strings.Repeat("x", 65)} }), "unit has 1 to 64"},
		"locality":         {a.root, testNow, order(func(o *Order) { o.Subject.Locality = []string{strings.Repeat("x", 129)} }), "locality has 1 to 128"},
		"empty attribute":  {a.root, testNow, order(func(o *Order) { o.Subject.Organization = []string{""} }), "organization has 1 to 64"},
		"life":             {a.root, testNow, order(func(o *Order) { o.Days = -1 }), "days"},
		"host name":        {a.root, testNow, order(func(o *Order) { o.Names = []string{"a_b"} }), "DNS name"},
		"profile":          {a.root, testNow, order(func(o *Order) { o.Profile.Usages = nil }), "profile"},
		"self-signed, key": {Issuer{}, testNow, order(func(o *Order) { o.Profile = profile(t, "root CA") }), "own key"},
	} {
		if _, err := Issue(rand.Reader, c.now, c.by, c.o); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProfilesAreSound(t *testing.T) {
	for _, p := range Profiles() {
		if found := p.Check(); len(found) > 0 {
			t.Errorf("%s: %+v", p.Name, found)
		}
	}
	for field, change := range map[string]func(*Profile){
		"name": func(p *Profile) { p.Name = "" }, "role": func(p *Profile) { p.Role = "x" }, "ca": func(p *Profile) { p.CA = true },
		"usages": func(p *Profile) { p.Usages = append(p.Usages, KeyCertSign) }, "path_length": func(p *Profile) { p.PathLength = 2 },
		"days": func(p *Profile) { p.Days = 0 }, "algorithm": func(p *Profile) { p.Algorithm = P384 },
	} {
		p := profile(t, "device identity")
		change(&p)
		found := p.Check()
		if !found.Errors() || found[0].Field != field {
			t.Errorf("%s: %+v", field, found)
		}
	}
}
