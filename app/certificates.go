package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// CertificateView is a certificate as lists and commands show it. Hexadecimal
// is capital and without separators.
type CertificateView struct {
	ID        string       `json:"id"`
	Profile   string       `json:"profile"`
	Role      string       `json:"role"`
	Subject   string       `json:"subject"`
	IssuerID  string       `json:"issuer_id"`
	Serial    string       `json:"serial"`
	NotBefore time.Time    `json:"not_before"`
	NotAfter  time.Time    `json:"not_after"`
	SHA1      string       `json:"sha1"`
	SHA256    string       `json:"sha256"`
	Key       KeyView      `json:"key"`
	State     string       `json:"state"`
	Findings  finding.List `json:"findings"`
	// Device is the device that it was made for, "" for none.
	Device string `json:"-"`
}

// KeyView is what is known of a certificate's key.
type KeyView struct {
	Algorithm string `json:"algorithm"`
	Place     string `json:"place"` // vault | token:… | device:… | none
}

// certificateState is a certificate's state in one word: revoked and superseded stay,
// else it is what its dates say.
func certificateState(row catalog.Certificate, cert *x509.Certificate, now time.Time) string {
	if row.State != catalog.CertificateValid {
		return row.State
	}
	return string(pki.StateAt(cert, now))
}

func (a *App) certificateView(row catalog.Certificate) (CertificateView, error) {
	cert, err := x509.ParseCertificate(row.DER)
	if err != nil {
		return CertificateView{}, fmt.Errorf("read certificate %s of the catalog: %w", row.ID, err)
	}
	return CertificateView{ID: row.ID, Profile: row.Profile, Role: row.Role, Subject: row.Subject, IssuerID: row.IssuerID, Serial: row.Serial,
		NotBefore: row.NotBefore, NotAfter: row.NotAfter, SHA1: row.SHA1, SHA256: row.SHA256,
		Key: KeyView{Algorithm: row.Algorithm, Place: row.KeyPlace}, State: certificateState(row, cert, a.now()), Device: row.DeviceID,
		Findings: finding.List{}}, nil
}

// Certificates lists the certificates that fit a text, by subject.
func (a *App) Certificates(ctx context.Context, search string) ([]CertificateView, error) {
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Text: search, Limit: maxListed})
	if err != nil {
		return nil, translate(err)
	}
	return a.certificateViews(rows)
}

// maxListed is how many certificates a list shows at most.
const maxListed = 1000

func (a *App) certificateViews(rows []catalog.Certificate) ([]CertificateView, error) {
	views := make([]CertificateView, 0, len(rows))
	for _, row := range rows {
		view, err := a.certificateView(row)
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}

// Certificate gives one certificate with what is to be said about it.
func (a *App) Certificate(ctx context.Context, id string) (CertificateView, error) {
	row, err := a.catalog.Certificate(ctx, id)
	if err != nil {
		return CertificateView{}, translate(err)
	}
	view, err := a.certificateView(row)
	if err != nil {
		return view, err
	}
	chain, err := a.chainOf(ctx, row)
	if err != nil {
		return view, err
	}
	view.Findings = append(view.Findings, pki.Verify(purposeOf(pki.Role(row.Role)), chain, nil, a.now())...)
	return view, nil
}

// purposeOf is what a certificate of a role has to be good for.
func purposeOf(role pki.Role) pki.Purpose {
	switch role {
	case pki.RoleRoot, pki.RoleIntermediate:
		return pki.ForCA
	case pki.RoleEdgeCA:
		return pki.ForEdgeCA
	case pki.RoleServer:
		return pki.ForServer
	}
	return pki.ForIdentity
}

// Inspected is what a file holds.
type Inspected struct {
	Kind         string            `json:"kind"`
	Certificates []CertificateView `json:"certificates"`
	// KeyMatches tells whether the one key in the file is that of one of its
	// certificates; it is nil where there is no key or no certificate.
	KeyMatches *bool    `json:"key_matches"`
	Keys       int      `json:"-"`
	Locked     int      `json:"-"`
	Requests   []string `json:"requests,omitempty"`
	// Lists are the revocation lists in it.
	Lists []InspectedList `json:"revocation_lists,omitempty"`
}

// InspectedList is a revocation list in a file.
type InspectedList struct {
	Issuer  string    `json:"issuer"`
	Number  string    `json:"number"`
	Revoked int       `json:"revoked"`
	Next    time.Time `json:"next_update"`
}

// InspectFile says what a file is, what it is good for and what is wrong with
// it. Nothing is kept.
func (a *App) InspectFile(name string, passphrase secret.Value) (Inspected, error) {
	content, err := readCertificateFile(name, passphrase)
	if err != nil {
		return Inspected{}, err
	}
	seen := Inspected{Kind: string(content.Kind), Certificates: []CertificateView{}, Keys: len(content.Keys), Locked: content.Locked, Requests: []string{}}
	for _, request := range content.Requests {
		seen.Requests = append(seen.Requests, request.Subject.CommonName)
	}
	for _, list := range content.CRLs {
		number := ""
		if list.Number != nil {
			number = list.Number.String()
		}
		seen.Lists = append(seen.Lists, InspectedList{list.Issuer.CommonName, number, len(list.RevokedCertificateEntries), list.NextUpdate})
	}
	for _, cert := range content.Chain() {
		seen.Certificates = append(seen.Certificates, a.foreignView(cert, content.Certificates))
	}
	if len(content.Keys) == 1 && len(content.Certificates) > 0 {
		matches := pki.SamePublicKey(content.Keys[0].Public(), content.Chain()[0].PublicKey)
		seen.KeyMatches = &matches
	}
	return seen, nil
}

// foreignView shows a certificate that is not in the catalog.
func (a *App) foreignView(cert *x509.Certificate, beside []*x509.Certificate) CertificateView {
	role := pki.RoleOf(cert)
	chain, _ := pki.Assemble(cert, beside)
	findings := append(finding.List{}, pki.Verify(purposeOf(role), chain, nil, a.now())...)
	return CertificateView{Role: string(role), Subject: cert.Subject.CommonName, Serial: pki.Serial(cert), NotBefore: cert.NotBefore, NotAfter: cert.NotAfter,
		SHA1: pki.SHA1(cert), SHA256: pki.SHA256(cert), Key: KeyView{Algorithm: string(pki.AlgorithmOf(cert.PublicKey)), Place: keyNowhere},
		State: string(pki.StateAt(cert, a.now())), Findings: findings}
}

// readCertificateFile reads a file of this computer; its errors name it.
func readCertificateFile(name string, passphrase secret.Value) (pki.Content, error) {
	file, err := os.Open(name)
	if err == nil {
		defer func() { _ = file.Close() }()
		var content pki.Content
		if content, err = pki.ReadFrom(file, passphrase); err == nil {
			return content, nil
		}
	}
	made := &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The file %s cannot be used: %s.", name, err),
		Hint: "Choose a PEM, DER, PKCS #7 or PFX file.", Err: err}
	if errors.Is(err, pki.ErrPassphrase) {
		made.Hint = "Give the passphrase of the file."
	}
	return pki.Content{}, made
}

// Verdict says whether a chain is good for a purpose.
type Verdict struct {
	OK bool `json:"ok"`
	// Chain has the subjects, leaf first.
	Chain    []string     `json:"chain"`
	Findings finding.List `json:"findings"`
}

// VerifyFiles looks whether the chain in files is good for a purpose. Roots are
// those among the files and in the catalog. The passphrase opens PFX files.
func (a *App) VerifyFiles(ctx context.Context, files []string, purpose pki.Purpose, passphrase secret.Value) (Verdict, error) {
	if !slices.Contains(pki.Purposes, purpose) {
		return Verdict{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The purpose %q is unknown.", purpose), Hint: "Use identity, edge-ca, server or ca."}
	}
	var certs []*x509.Certificate
	for _, name := range files {
		content, err := readCertificateFile(name, passphrase)
		if err != nil {
			return Verdict{}, err
		}
		certs = append(certs, content.Chain()...)
	}
	if len(certs) == 0 {
		return Verdict{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "There is no certificate in the files.", Hint: "Name the file with the certificate."}
	}
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Roles: []string{string(pki.RoleRoot)}, State: catalog.CertificateValid, Limit: maxListed})
	if err != nil {
		return Verdict{}, translate(err)
	}
	var roots []*x509.Certificate
	for _, cert := range certs {
		if cert.IsCA && pki.IsSelfSigned(cert) {
			roots = append(roots, cert)
		}
	}
	for _, row := range rows {
		if root, err := x509.ParseCertificate(row.DER); err == nil {
			roots = append(roots, root)
		}
	}
	verdict := Verdict{Chain: []string{}, Findings: append(finding.List{}, pki.Verify(purpose, certs, roots, a.now())...)}
	for _, cert := range certs {
		verdict.Chain = append(verdict.Chain, cert.Subject.CommonName)
	}
	verdict.OK = !verdict.Findings.Errors()
	return verdict, nil
}
