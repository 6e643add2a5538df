package pki

import (
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/finding"
)

// Each rule has a profile that breaks it and nothing else, and the words that
// say so.
func TestEveryRuleOfProfiles(t *testing.T) {
	for _, c := range []struct {
		base         string
		change       func(*Profile)
		field, words string
		level        finding.Level
	}{
		{"server", func(p *Profile) { p.Name = "  " }, "name", "no name", finding.Error},
		{"server", func(p *Profile) { p.Name = strings.Repeat("a", 65) }, "name", "1 to 64", finding.Error},
		{"server", func(p *Profile) { p.Name = "line\x1b[31m" }, "name", "does not print", finding.Error},
		{"server", func(p *Profile) { p.Name = "line\u202e7" }, "name", "does not print", finding.Error},
		{"server", func(p *Profile) { p.Name = " line" }, "name", "blank at an end", finding.Error},
		{"server", func(p *Profile) { p.Role = "printer" }, "role", "unknown", finding.Error},
		{"Edge CA", func(p *Profile) { p.CA, p.Usages = false, []Usage{DigitalSignature} }, "ca", "is a CA", finding.Error},
		{"root CA", func(p *Profile) { p.SelfSigned = false }, "self_signed", "signed by itself", finding.Error},
		{"intermediate CA", func(p *Profile) { p.SelfSigned = true }, "self_signed", "is a root", finding.Error},
		{"server", func(p *Profile) { p.Usages = append(p.Usages, "codeSigning") }, "usages", "unknown", finding.Error},
		{"server", func(p *Profile) { p.Usages = append(p.Usages, ServerAuth) }, "usages", "named twice", finding.Error},
		{"root CA", func(p *Profile) { p.Usages = []Usage{CRLSign} }, "usages", "4.2.1.3", finding.Error},
		{"server", func(p *Profile) { p.Usages = append(p.Usages, KeyCertSign) }, "usages", "for CAs", finding.Error},
		{"server", func(p *Profile) { p.Usages = append(p.Usages, CRLSign) }, "usages", "for CAs", finding.Error},
		{"server", func(p *Profile) { p.Usages = []Usage{KeyEncipherment, ServerAuth} }, "usages", "digitalSignature", finding.Error},
		{"intermediate CA", func(p *Profile) { p.Usages = append(p.Usages, ClientAuth) }, "usages", "limits all below", finding.Error},
		{"root CA", func(p *Profile) { p.Usages = append(p.Usages, ServerAuth) }, "usages", "limits all below", finding.Error},
		{"server", func(p *Profile) { p.PathLength = 1 }, "path_length", "Only a CA", finding.Error},
		{"root CA", func(p *Profile) { p.PathLength = -2 }, "path_length", "-1 (any) to 8", finding.Error},
		{"root CA", func(p *Profile) { p.PathLength = 9 }, "path_length", "-1 (any) to 8", finding.Error},
		{"Edge CA", func(p *Profile) { p.PathLength = 1 }, "path_length", "leaves only", finding.Error},
		{"intermediate CA", func(p *Profile) { p.PathLength = 0 }, "path_length", "No Edge CA", finding.Care},
		{"device identity", func(p *Profile) { p.Usages = append(p.Usages, KeyEncipherment) }, "usages", "4.2.1.12", finding.Error},
		{"device identity", func(p *Profile) { p.Usages = []Usage{DigitalSignature} }, "usages", "needs clientAuth", finding.Error},
		{"verification", func(p *Profile) { p.Usages = []Usage{DigitalSignature} }, "usages", "needs clientAuth", finding.Error},
		{"EST bootstrap", func(p *Profile) { p.Usages = []Usage{DigitalSignature} }, "usages", "needs clientAuth", finding.Error},
		{"server", func(p *Profile) { p.Usages = []Usage{DigitalSignature} }, "usages", "needs serverAuth", finding.Error},
		{"server", func(p *Profile) { p.Days = 0 }, "days", "1 to 10950", finding.Error},
		{"root CA", func(p *Profile) { p.Days = 10951 }, "days", "1 to 10950", finding.Error},
		{"device identity", func(p *Profile) { p.Days = 6 * 365 }, "days", "hard to call back", finding.Care},
		{"verification", func(p *Profile) { p.Days = 31 }, "days", "used once", finding.Care},
		{"server", func(p *Profile) { p.Algorithm = "dsa" }, "algorithm", "unknown", finding.Error},
		{"server", func(p *Profile) { p.OnDevice, p.Algorithm = true, P384 }, "algorithm", "reads no EC P-384", finding.Error},
		{"device identity", func(p *Profile) { p.OnDevice, p.Algorithm = false, P384 }, "algorithm", "reads no EC P-384", finding.Error},
		{"verification", func(p *Profile) { p.Algorithm = P384 }, "algorithm", "reads no EC P-384", finding.Error},
		{"EST bootstrap", func(p *Profile) { p.OnDevice, p.Algorithm = false, P384 }, "algorithm", "reads no EC P-384", finding.Error},
		{"Edge CA", func(p *Profile) { p.OnDevice, p.Algorithm = false, P384 }, "algorithm", "reads no EC P-384", finding.Error},
	} {
		p := profile(t, c.base)
		c.change(&p)
		found := p.Check()
		if len(found) != 1 || found[0].Field != c.field || found[0].Level != c.level || !strings.Contains(found[0].Problem+found[0].Fix, c.words) {
			t.Errorf("%s, %s %q: %+v", c.base, c.field, c.words, found)
		}
		if found.Errors() != (c.level == finding.Error) {
			t.Errorf("%s, %s: errors is %v", c.base, c.field, found.Errors())
		}
	}
}

func TestProfilesReadAndWriteAsTOML(t *testing.T) {
	for _, p := range Profiles() {
		text, err := p.TOML()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseProfile(text); err != nil || !reflect.DeepEqual(back, p) {
			t.Errorf("%s: %+v %v", text, back, err)
		}
	}
	for text, says := range map[string]string{"nmae = 'a'": `no member "nmae"`, "days = ": "line 1", "days = 'ten'": "days"} {
		if _, err := ParseProfile([]byte(text)); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What a preview shows is what comes out.
func TestPreviewIsWhatIsMade(t *testing.T) {
	a := newAuthority(t)
	for _, name := range []string{"root CA", "intermediate CA", "device identity", "Edge CA", "server"} {
		p := profile(t, name)
		by := a.root
		if p.SelfSigned {
			by = Issuer{}
		}
		for _, days := range []int{0, 30, maxDays} {
			key, err := GenerateKey(rand.Reader, p.Algorithm)
			if err != nil {
				t.Fatal(err)
			}
			o := Order{Profile: p, Subject: pkix.Name{CommonName: "made.plant.example"}, Public: key.Public(), Key: key, Days: days}
			made, err := Issue(rand.Reader, testNow, by, o)
			if err != nil {
				t.Fatal(err)
			}
			by.Signer = nil
			seen, err := Preview(testNow, by, o, p.Algorithm)
			if err != nil {
				t.Fatal(err)
			}
			if !seen.NotAfter.Equal(made.NotAfter) || !seen.NotBefore.Equal(made.NotBefore) || !reflect.DeepEqual(seen.DNSNames, made.DNSNames) ||
				seen.IsCA != made.IsCA || !reflect.DeepEqual(UsagesOf(seen), UsagesOf(made)) || AlgorithmOf(seen.PublicKey) != AlgorithmOf(made.PublicKey) {
				t.Errorf("%s, %d days: seen %s to %s, made %s to %s", name, days, seen.NotBefore, seen.NotAfter, made.NotBefore, made.NotAfter)
			}
			by.Signer = a.root.Signer
		}
	}
	for _, algorithm := range Algorithms {
		if _, err := Preview(testNow, a.root, Order{Profile: profile(t, "server"), Subject: pkix.Name{CommonName: "a.example"}}, algorithm); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	for says, o := range map[string]Order{
		"common name": {Profile: profile(t, "server")},
		"DNS name":    {Profile: profile(t, "server"), Subject: pkix.Name{CommonName: "a_b"}},
		"life":        {Profile: profile(t, "server"), Subject: pkix.Name{CommonName: "a"}, Days: -1},
	} {
		if _, err := Preview(testNow, a.root, o, P256); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	if _, err := Preview(a.root.Certificate.NotAfter.Add(time.Hour), a.root, Order{Profile: profile(t, "server"), Subject: pkix.Name{CommonName: "a"}}, P256); !errors.Is(err, ErrRefused) {
		t.Errorf("an issuer that has ended: %v", err)
	}
}
