package provisioning

import (
	"fmt"
	"strings"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// X509Plan says where the identity certificate of a device comes from.
type X509Plan struct {
	Source string `toml:"source,omitempty"` // issue | self-signed | files | est | local-ca
	CA     string `toml:"ca,omitempty"`     // name or SHA-256 of a CA of the catalog
	// Key is where its key is made; empty is the device where it can.
	Key       string `toml:"key,omitempty"` // device | workstation
	Algorithm string `toml:"algorithm,omitempty"`
	Days      int    `toml:"days,omitempty"`
	// Anchor is what a group knows of its CA: the certificate itself, or the
	// name under which it was uploaded. A hub that knows devices by their CA has
	// it uploaded.
	Anchor   string `toml:"anchor,omitempty"` // intermediate | uploaded
	Uploaded string `toml:"uploaded,omitempty"`
	// Onboard has the run upload and verify that CA.
	Onboard bool `toml:"onboard,omitempty"`
	// Thumbprint is the hash by which a hub knows a self-signed certificate.
	Thumbprint string `toml:"thumbprint,omitempty"` // sha256 | sha1
	// Secondary asks for a spare pair; nil means yes.
	Secondary *bool            `toml:"secondary,omitempty"`
	Files     CertificateFiles `toml:"files,omitempty"`
	// EST is the server that source "est" asks, here or for the Edge CA.
	EST ESTPlan `toml:"est,omitempty"`
	// AutoRenew is for what the device obtains itself; nil for no renewal.
	AutoRenew *AutoRenewPlan `toml:"auto_renew,omitempty"`
}

// CertificateFiles are files on this computer.
type CertificateFiles struct {
	Certificate string `toml:"certificate,omitempty"`
	Key         string `toml:"key,omitempty"`
}

// EdgeCAPlan says where the Edge CA of a device comes from; without one the
// runtime makes its own quickstart certificate.
type EdgeCAPlan struct {
	Source     string           `toml:"source,omitempty"` // issue | files | est
	CA         string           `toml:"ca,omitempty"`
	CommonName string           `toml:"common_name,omitempty"`
	Files      CertificateFiles `toml:"files,omitempty"`
}

// TrustBundlePlan names the roots that modules are to trust.
type TrustBundlePlan struct {
	Certificates []string `toml:"certificates,omitempty"`
}

// The words of X509Plan and EdgeCAPlan.
const (
	SourceIssue      = "issue"
	SourceSelfSigned = "self-signed"
	SourceFiles      = "files"

	AnchorIntermediate = "intermediate"
	AnchorUploaded     = "uploaded"

	KeyOnDevice      = "device"
	KeyOnWorkstation = "workstation"

	ThumbprintSHA256 = "sha256"
	ThumbprintSHA1   = "sha1"
)

// defaultIdentityDays is the life of an identity certificate.
const defaultIdentityDays = 365

// withX509Defaults fills what was left out of the tables of certificates.
func (p Plan) withX509Defaults() Plan {
	if p.EdgeCA != nil {
		ca := *p.EdgeCA
		setDefault(&ca.Source, SourceIssue)
		p.EdgeCA = &ca
	}
	if p.Cell.Authentication != X509 {
		return p
	}
	x := &p.X509
	if p.Cell.Provisioning == DPS {
		setDefault(&x.Source, SourceIssue)
	} else {
		setDefault(&x.Source, SourceSelfSigned)
		setDefault(&x.Thumbprint, ThumbprintSHA256)
	}
	if x.Source != SourceEST {
		setDefault(&x.Algorithm, string(pki.P256))
		if x.Days == 0 {
			x.Days = defaultIdentityDays
		}
	}
	if p.ByGroup() {
		setDefault(&x.Anchor, AnchorIntermediate)
	}
	return p.withIssuedDefaults()
}

// HasSpare tells whether the device gets a second pair: only a hub that knows
// thumbprints can take either.
func (p Plan) HasSpare() bool {
	return p.Cell.Provisioning == Manual && p.X509.Source == SourceSelfSigned && (p.X509.Secondary == nil || *p.X509.Secondary)
}

// edgeCAName is the common name of the Edge CA: unlike those of the device and
// its host, so that chains below it are told apart.
func (p Plan) edgeCAName() string {
	if p.EdgeCA.CommonName != "" {
		return p.EdgeCA.CommonName
	}
	return p.Device.ID + ".ca"
}

func (p Plan) checkX509(f *finding.List) {
	p.checkEdgeCA(f)
	p.checkIssued(f)
	for _, name := range p.TrustBundle.Certificates {
		if strings.TrimSpace(name) == "" {
			f.Add(finding.Error, "trust_bundle.certificates", "A name of the trust bundle is empty.", "Name certificates of the catalog.")
		}
	}
	if p.Cell.Authentication != X509 {
		if p.X509 != (X509Plan{EST: p.X509.EST}) || p.X509 != (X509Plan{}) && !p.UsesEST() {
			f.Add(finding.Error, "x509", "The table x509 belongs to X.509 cells.", `Remove it, or write authentication = "x509".`)
		}
		return
	}
	x := p.X509
	checkWord(f, "x509.source", x.Source, "issue self-signed files est local-ca")
	p.checkDeviceKey(f)
	switch {
	case (x.Source == SourceIssue || x.Source == SourceLocalCA) && x.CA == "" && p.Cloud.Name != practiceCloud:
		f.Add(finding.Error, "x509.ca", "No CA is named that issues the certificate.", "Name a CA of the catalog.")
	case x.Source != SourceIssue && x.Source != SourceLocalCA && x.Source != SourceEST && x.CA != "":
		f.Add(finding.Error, "x509.ca", "A CA is named, but the certificate is not issued by it.", `Write source = "issue", or remove ca.`)
	}
	if files := x.Files != (CertificateFiles{}); files != (x.Source == SourceFiles) {
		f.Add(finding.Error, "x509.files", "Files go with the source files, and only with it.", `Write source = "files" and both files, or remove the table.`)
	} else if files && (x.Files.Certificate == "" || x.Files.Key == "") {
		f.Add(finding.Error, "x509.files", "It takes a certificate and a key.", "Name both files.")
	}
	p.checkAnchor(f)
	p.checkThumbprints(f)
}

// checkThumbprints looks at what only a hub knows that has the thumbprints of a
// device.
func (p Plan) checkThumbprints(f *finding.List) {
	x, byHand := p.X509, p.Cell.Provisioning == Manual
	switch {
	case byHand:
		checkWord(f, "x509.thumbprint", x.Thumbprint, "sha256 sha1")
	case x.Thumbprint != "":
		f.Add(finding.Error, "x509.thumbprint", "Thumbprints belong to manual provisioning.", "Remove thumbprint.")
	}
	switch {
	case !byHand && x.Secondary != nil:
		f.Add(finding.Error, "x509.secondary", "Spare pairs belong to manual provisioning.", "Remove secondary.")
	case byHand && x.Secondary != nil && *x.Secondary && !p.HasSpare():
		f.Add(finding.Care, "x509.secondary", "A spare pair is made beside a self-signed certificate only.", `Write source = "self-signed", or remove secondary.`)
	}
}

// checkDeviceKey looks at what is said of a key that Edgewright has made; those
// that the runtime makes are its own business.
func (p Plan) checkDeviceKey(f *finding.List) {
	x := p.X509
	if x.Source == SourceEST {
		return
	}
	if x.Key != "" {
		checkWord(f, "x509.key", x.Key, "device workstation")
	}
	if x.Key != "" && x.Source == SourceFiles {
		f.Add(finding.Error, "x509.key", "The key comes from a file, so it is made nowhere.", "Remove key, or choose another source.")
	}
	if a := pki.Algorithm(x.Algorithm); !a.Valid() || !a.OnDevice() {
		f.Add(finding.Error, "x509.algorithm", fmt.Sprintf("The runtime reads no keys of the kind %q.", x.Algorithm), "Write p256, rsa2048, rsa3072 or rsa4096.")
	}
	if x.Days < 1 || x.Days > 3650 {
		f.Add(finding.Error, "x509.days", fmt.Sprintf("A life of %d days cannot be.", x.Days), "Write 1 to 3650.")
	}
}

// practiceCloud is the name of the cloud that Edgewright carries itself.
const practiceCloud = "practice"

func (p Plan) checkEdgeCA(f *finding.List) {
	ca := p.EdgeCA
	if ca == nil {
		return
	}
	checkWord(f, "edge_ca.source", ca.Source, "issue files est")
	switch name := p.edgeCAName(); {
	case name == p.Device.ID || name == p.Device.Hostname && name != "":
		f.Add(finding.Error, "edge_ca.common_name", "The Edge CA has the name of the device or its host; TLS below it would fail.", "Choose another, such as "+p.Device.ID+".ca.")
	case name == "" || len([]rune(name)) > 64:
		f.Add(finding.Error, "edge_ca.common_name", "The common name has 1 to 64 characters.", "Choose another.")
	}
	if ca.Source == SourceIssue && ca.CA == "" && p.Cloud.Name != practiceCloud {
		f.Add(finding.Error, "edge_ca.ca", "No CA is named that issues the Edge CA.", "Name a CA of the catalog.")
	}
	if ca.Source == SourceEST && ca.CA != "" {
		f.Add(finding.Error, "edge_ca.ca", "A CA is named, but the EST server issues the Edge CA.", "Remove ca.")
	}
	if ca.Source == SourceFiles && ca.CA != "" {
		f.Add(finding.Error, "edge_ca.ca", "A CA is named, but the Edge CA comes from files.", `Write source = "issue", or remove ca.`)
	}
	if ca.Source == SourceFiles && ca.CommonName != "" {
		f.Add(finding.Care, "edge_ca.common_name", "The name of an Edge CA from files stands in its certificate.", "Remove common_name.")
	}
	if files := ca.Files != (CertificateFiles{}); files != (ca.Source == SourceFiles) {
		f.Add(finding.Error, "edge_ca.files", "Files go with the source files, and only with it.", `Write source = "files" and both files, or remove the table.`)
	} else if files && (ca.Files.Certificate == "" || ca.Files.Key == "") {
		f.Add(finding.Error, "edge_ca.files", "It takes a certificate and a key.", "Name both files.")
	}
}
