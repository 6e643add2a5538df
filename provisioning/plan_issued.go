package provisioning

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"edgewright/provisioning/finding"
)

// ESTPlan names the server that issues certificates to the device.
type ESTPlan struct {
	URL string `toml:"url,omitempty"` // https://host[:port]/.well-known/est[/label]
	// Bootstrap is how the device shows itself at first: the name, ID or SHA-256
	// of a certificate of the catalog whose key is in the vault, or "vault:NAME"
	// for a secret "user:password"; empty where the server asks for nothing.
	Bootstrap string `toml:"bootstrap,omitempty"`
	// Trust is the name or SHA-256 of the CA of the catalog that vouches for the
	// server; empty for the roots of the system.
	Trust string `toml:"trust,omitempty"`
}

// AutoRenewPlan says when the runtime renews what it has issued to itself.
type AutoRenewPlan struct {
	// RotateKey asks for a new key each time; nil means yes.
	RotateKey *bool `toml:"rotate_key,omitempty"`
	// Threshold is when it begins, Retry how often it tries again: "80%" of the
	// life, or "10day" or "60min" before its end.
	Threshold string `toml:"threshold,omitempty"`
	Retry     string `toml:"retry,omitempty"`
}

// The sources of certificates that the device obtains itself.
const (
	SourceEST     = "est"
	SourceLocalCA = "local-ca"
)

// The defaults of the runtime for automatic renewal.
const (
	defaultThreshold = "80%"
	defaultRetry     = "4%"
)

// renewalPoint is the runtime's: a share from 1 to 99 %, or a time before the
// end. IIS cert/cert-renewal/src/policy.rs
var renewalPoint = regexp.MustCompile(`^(?:[1-9][0-9]?%|[1-9][0-9]*(?:min|day))$`)

// IssuedOnDevice tells whether the device obtains its identity itself.
func (p Plan) IssuedOnDevice() bool {
	return p.Cell.Authentication == X509 && (p.X509.Source == SourceEST || p.X509.Source == SourceLocalCA)
}

// UsesEST tells whether the device obtains anything from an EST server.
func (p Plan) UsesEST() bool { return p.identityByEST() || p.edgeCAByEST() }

func (p Plan) identityByEST() bool {
	return p.Cell.Authentication == X509 && p.X509.Source == SourceEST
}

func (p Plan) edgeCAByEST() bool { return p.EdgeCA != nil && p.EdgeCA.Source == SourceEST }

func (p Plan) localCA() bool {
	return p.Cell.Authentication == X509 && p.X509.Source == SourceLocalCA
}

// localCAName is the common name of the device's own CA.
func (p Plan) localCAName() string { return p.Device.ID + ".issuing" }

// renews tells whether the runtime knows automatic renewal.
func (p Plan) renews() bool { return p.runtimeMinor() >= 3 }

// runtimeMinor is the second number of the runtime's version, 0 for one that
// does not read.
func (p Plan) runtimeMinor() int {
	minor, err := strconv.Atoi(strings.TrimPrefix(p.Runtime.Version, "1."))
	if err != nil {
		return 0
	}
	return minor
}

// withIssuedDefaults fills what was left out of renewal.
func (p Plan) withIssuedDefaults() Plan {
	renew := AutoRenewPlan{}
	switch {
	case p.X509.AutoRenew != nil:
		renew = *p.X509.AutoRenew
	case !p.IssuedOnDevice() || !p.ByGroup() || !p.renews():
		return p
	}
	if renew.RotateKey == nil {
		yes := true
		renew.RotateKey = &yes
	}
	setDefault(&renew.Threshold, defaultThreshold)
	setDefault(&renew.Retry, defaultRetry)
	p.X509.AutoRenew = &renew
	return p
}

// checkIssued looks at what the device is to obtain itself, and at the rules
// that keep such a device in its cloud.
func (p Plan) checkIssued(f *finding.List) {
	p.checkEST(f)
	p.checkAutoRenew(f)
	x := p.X509
	if !p.IssuedOnDevice() {
		return
	}
	if p.Cell.Provisioning == DPS && !p.ByGroup() {
		f.Add(finding.Error, "x509.source", "An individual enrollment knows one certificate, and the device would obtain another one each time.",
			`Write enrollment = "group", or source = "issue".`)
	}
	if p.Cell.Provisioning == Manual {
		f.Add(finding.Care, "x509.source", "The runtime never renews the identity of a device that is provisioned by hand; it ends with its first certificate.",
			"Use DPS with a group for a device that stays, and see that the hub knows the CA.")
	}
	if p.localCA() {
		f.Add(finding.Care, "x509.source", "A CA on the device can sign any name: whoever takes over this device can pass for every other one that its issuer vouches for.",
			"Give the group a CA of its own, or let an EST server issue identities.")
		if len(p.localCAName()) > 64 {
			f.Add(finding.Error, "device.id", "The name of the device's own CA, "+p.localCAName()+", has more than 64 characters.", "Choose a device ID of at most 56.")
		}
		return
	}
	for _, row := range []struct{ field, value string }{{"x509.key", x.Key}, {"x509.algorithm", x.Algorithm}, {"x509.days", days(x.Days)}} {
		if row.value != "" {
			f.Add(finding.Error, row.field, "The runtime makes the key of this identity, and the EST server says how long it holds.", "Remove it.")
		}
	}
	if x.CA != "" && (!p.ByGroup() || x.Anchor == AnchorUploaded) {
		f.Add(finding.Error, "x509.ca", "With an EST server a CA is named for a group that knows the CA's certificate, and only there.", "Remove it.")
	}
}

func days(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (p Plan) checkEST(f *finding.List) {
	est := p.X509.EST
	if !p.UsesEST() {
		if est != (ESTPlan{}) {
			f.Add(finding.Error, "x509.est", "An EST server is named, but nothing comes from it.", `Write source = "est" in x509 or edge_ca, or remove the table.`)
		}
		return
	}
	if problem := estURLProblem(est.URL); problem != "" {
		f.Add(finding.Error, "x509.est.url", problem, "Write https://host/.well-known/est, with the label of the CA behind it if the server has several.")
	}
	switch {
	case est.Bootstrap == "vault:" || strings.TrimSpace(est.Bootstrap) != est.Bootstrap:
		f.Add(finding.Error, "x509.est.bootstrap", "The bootstrap certificate or login has no name.", "Name a certificate of the catalog, or vault:NAME for a secret user:password.")
	case est.Bootstrap == "" && !p.renews():
		f.Add(finding.Error, "x509.est.bootstrap", "IoT Edge 1.2 enrols with a certificate or password only.", "Name one, or use a newer runtime.")
	case est.Bootstrap == "":
		f.Add(finding.Care, "x509.est.bootstrap", "The device shows nothing to the EST server, so whoever reaches it gets an identity.", "Name a bootstrap certificate.")
	}
	if est.Trust == "" {
		f.Add(finding.Note, "x509.est.trust", "The EST server is trusted by the system's certificates, on the device and here.", "Name its CA to trust no other.")
	} else if strings.TrimSpace(est.Trust) != est.Trust {
		f.Add(finding.Error, "x509.est.trust", "The name of the CA has spaces around it.", "Name a CA of the catalog.")
	}
}

// estURLProblem says what keeps a text from being the address of an EST server
// (RFC 7030, 3.2.2), or "".
func estURLProblem(text string) string {
	address, err := url.Parse(text)
	switch {
	case text == "":
		return "No EST server is named."
	case err != nil || address.Host == "" || address.Opaque != "":
		return "The address of the EST server is no URL."
	case address.Scheme != "https":
		return "The EST server has to be reached over https."
	case address.User != nil:
		return "A name or password may not stand in the address of the EST server."
	case address.RawQuery != "" || address.Fragment != "":
		return "The address of the EST server has more than host and path."
	case !strings.HasPrefix(address.Path, "/.well-known/est"):
		return "The path of the EST server's address is not /.well-known/est."
	}
	return ""
}

func (p Plan) checkAutoRenew(f *finding.List) {
	renew := p.X509.AutoRenew
	if renew == nil {
		return
	}
	const field = "x509.auto_renew"
	switch {
	case !p.IssuedOnDevice():
		f.Add(finding.Error, field, "The runtime renews only what it obtained itself.", `Write source = "est" or "local-ca", or remove auto_renew.`)
	case !p.ByGroup():
		f.Add(finding.Error, field, "A renewed identity is known to a DPS group only; the device would be locked out.", `Write enrollment = "group", or remove auto_renew.`)
	case !p.renews():
		f.Add(finding.Error, field, fmt.Sprintf("IoT Edge %s does not renew identities.", p.Runtime.Version), "Remove auto_renew, or use 1.3 or later.")
	}
	for _, row := range [][2]string{{"threshold", renew.Threshold}, {"retry", renew.Retry}} {
		if !renewalPoint.MatchString(row[1]) {
			f.Add(finding.Error, field+"."+row[0], fmt.Sprintf("%q is not a point of renewal.", row[1]), `Write "80%", "60min" or "10day"; the units are exactly min and day.`)
		}
	}
}
