package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/pki/token"
)

// NewCertificate is what a form or command asks for.
type NewCertificate struct {
	Profile    string
	CommonName string
	// Organization and Names are optional; Names are DNS names and addresses.
	Organization string
	Names        []string
	// CA is the name, ID or thumbprint of the issuer; a self-signed profile
	// needs none.
	CA string
	// Key is where the new key goes: "" and "vault", or "token:" and an address.
	Key       string
	Algorithm pki.Algorithm // "" is the profile's
	Days      int           // 0 is the profile's
}

// MakeCertificate makes a key, which stays in the vault or in a token, and its
// certificate.
func (a *App) MakeCertificate(ctx context.Context, n NewCertificate) (CertificateView, error) {
	profile, err := a.profile(ctx, n.Profile)
	if err != nil {
		return CertificateView{}, err
	}
	key, err := a.makeKey(ctx, n.Key, n.algorithm(profile), n.Algorithm != "", n.CommonName)
	if err != nil {
		return CertificateView{}, err
	}
	order := pki.Order{Profile: profile, Subject: n.subject(), Names: n.Names, Public: key.signer.Public(), Key: key.signer, Days: n.Days}
	return a.issue(ctx, order, n.CA, key, "")
}

func (n NewCertificate) algorithm(profile pki.Profile) pki.Algorithm {
	if n.Algorithm == "" {
		return profile.Algorithm
	}
	return n.Algorithm
}

func (n NewCertificate) subject() pkix.Name {
	name := pkix.Name{CommonName: n.CommonName}
	if n.Organization != "" {
		name.Organization = []string{n.Organization}
	}
	return name
}

// SignRequest certifies the key of a request that came from elsewhere. Subject
// and names are those of the request.
func (a *App) SignRequest(ctx context.Context, file string, n NewCertificate) (CertificateView, error) {
	profile, err := a.profile(ctx, n.Profile)
	if err != nil {
		return CertificateView{}, err
	}
	if profile.SelfSigned {
		return CertificateView{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "A request cannot be signed by itself.", Hint: "Choose a profile with an issuer."}
	}
	request, err := readRequest(file)
	if err != nil {
		return CertificateView{}, err
	}
	order := pki.OrderFor(request, profile)
	order.Days = n.Days
	return a.issue(ctx, order, n.CA, certificateKey{}, "")
}

// issue signs an order by a CA of the catalog, or by itself, and keeps the
// certificate with where its key is, if that is known, and as what took the place
// of another one, if replaces names that.
func (a *App) issue(ctx context.Context, order pki.Order, caName string, key certificateKey, replaces string) (CertificateView, error) {
	row := catalog.Certificate{Profile: order.Profile.Name, Role: string(order.Profile.Role), KeyPlace: key.place}
	var issuer pki.Issuer
	if !order.Profile.SelfSigned {
		if caName == "" {
			return CertificateView{}, noIssuer()
		}
		ca, err := a.findCA(ctx, caName)
		if err != nil {
			return CertificateView{}, err
		}
		row.IssuerID = ca.ID
		if issuer, err = a.issuerOf(ctx, ca); err != nil {
			return CertificateView{}, err
		}
	}
	cert, err := pki.Issue(rand.Reader, a.now(), issuer, order)
	if err != nil {
		return CertificateView{}, translate(err)
	}
	row, err = a.addCertificate(ctx, row, cert, key.text, vault.User, replaces)
	if err != nil {
		return CertificateView{}, err
	}
	return a.certificateView(row)
}

// RenewCertificate makes a certificate like another one: the same subject,
// profile and issuer, with its key or a new one. The old one counts as
// superseded. An issuer that was renewed itself signs as what took its place.
func (a *App) RenewCertificate(ctx context.Context, id string, newKey bool) (CertificateView, error) {
	row, err := a.toRenew(ctx, id, newKey)
	if err != nil {
		return CertificateView{}, err
	}
	old, err := x509.ParseCertificate(row.DER)
	if err != nil {
		return CertificateView{}, fmt.Errorf("read certificate %s of the catalog: %w", row.ID, err)
	}
	profile, err := a.profile(ctx, row.Profile)
	if errors.Is(err, provisioning.ErrInvalid) {
		return CertificateView{}, &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "The certificate was not made here by a profile that is still there, so it cannot be made again.", Hint: "Ask its issuer for a new one and import that."}
	}
	if err != nil {
		return CertificateView{}, err
	}
	order := pki.Order{Profile: profile, Subject: old.Subject, Names: old.DNSNames, Public: old.PublicKey}
	for _, ip := range old.IPAddresses {
		order.Names = append(order.Names, ip.String())
	}
	issuer, err := a.newest(ctx, row.IssuerID)
	if err != nil {
		return CertificateView{}, err
	}
	key, err := a.renewalKey(ctx, row, newKey || profile.SelfSigned && !canSign(row), &order)
	if err != nil {
		return CertificateView{}, err
	}
	return a.issue(ctx, order, issuer, key, row.ID)
}

// toRenew finds a certificate that may be renewed: once, and a revoked one under
// another key only.
func (a *App) toRenew(ctx context.Context, id string, newKey bool) (catalog.Certificate, error) {
	row, err := a.catalog.Certificate(ctx, id)
	switch {
	case err != nil:
		return row, translate(err)
	case row.State == catalog.CertificateSuperseded:
		return row, renewedAlready(row)
	case row.State == catalog.CertificateRevoked && !newKey:
		return row, &provisioning.Error{Kind: provisioning.ErrRefused, Message: row.Subject + " is revoked, so its key is not certified again.", Hint: "Renew it with a new key."}
	}
	return row, nil
}

// newest follows a certificate, by its ID, to the one that took its place last.
func (a *App) newest(ctx context.Context, id string) (string, error) {
	for seen := map[string]bool{}; id != "" && !seen[id]; {
		seen[id] = true
		row, err := a.catalog.Certificate(ctx, id)
		if errors.Is(err, catalog.ErrNotFound) || err == nil && row.Superseded == "" {
			return id, nil
		}
		if err != nil {
			return "", translate(err)
		}
		id = row.Superseded
	}
	return id, nil
}

// renewalKey is the key of the new certificate: the same one, or a new one in the
// same place.
func (a *App) renewalKey(ctx context.Context, row catalog.Certificate, newKey bool, order *pki.Order) (key certificateKey, err error) {
	switch {
	case !newKey && !canSign(row):
		return key, nil // the key is elsewhere and stays there
	case !newKey:
		key, err = a.signerOf(ctx, row)
	case inToken(row):
		var old token.URI
		if old, err = token.ParseURI(strings.TrimPrefix(row.KeyPlace, keyInToken)); err != nil {
			return key, translate(err)
		}
		key, err = a.makeKey(ctx, keyInToken+old.OfToken().String(), pki.Algorithm(row.Algorithm), true, a.renewalName(row))
	default:
		key, err = a.makeKey(ctx, keyInVault, pki.Algorithm(row.Algorithm), true, row.Subject)
	}
	if err != nil {
		return key, err
	}
	order.Key, order.Public = key.signer, key.signer.Public()
	return key, nil
}

// Revocation is a revoked certificate with the newest list of its CA.
type Revocation struct {
	CertificateView
	CRL    string `json:"crl"` // PEM
	Number int64  `json:"number"`
}

// RevokeCertificate marks a certificate as revoked and writes the next list of
// its CA, if its key is here. Azure reads no revocation lists: what is still to
// be disabled there is the caller's to say.
func (a *App) RevokeCertificate(ctx context.Context, id string, reason pki.Reason) (Revocation, error) {
	if !reason.Valid() {
		return Revocation{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The reason %q is unknown.", reason),
			Hint: "Use unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation or privilegeWithdrawn."}
	}
	row, err := a.catalog.Certificate(ctx, id)
	if err != nil {
		return Revocation{}, translate(err)
	}
	issuer, lists, err := a.listIssuer(ctx, row.IssuerID)
	if err != nil {
		return Revocation{}, err
	}
	if err := a.catalog.RevokeCertificate(ctx, row.ID, string(reason), a.now()); err != nil {
		return Revocation{}, translate(err)
	}
	view, err := a.Certificate(ctx, row.ID)
	if err != nil || !lists {
		return Revocation{CertificateView: view}, err
	}
	number, der, err := a.nextCRL(ctx, row.IssuerID, issuer)
	return Revocation{CertificateView: view, CRL: string(pki.CRLPEM(der)), Number: number}, err
}

// listIssuer opens the CA that writes a revocation list, before anything is
// marked; lists is false where its key is elsewhere.
func (a *App) listIssuer(ctx context.Context, caID string) (issuer pki.Issuer, lists bool, err error) {
	ca, err := a.catalog.Certificate(ctx, caID)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && !canSign(ca) {
		return issuer, false, nil
	}
	if err != nil {
		return issuer, false, translate(err)
	}
	issuer, err = a.issuerOf(ctx, ca)
	return issuer, true, err
}

func (a *App) nextCRL(ctx context.Context, caID string, issuer pki.Issuer) (number int64, der []byte, err error) {
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Issuer: caID, State: catalog.CertificateRevoked, Limit: 1 << 20})
	if err != nil {
		return 0, nil, translate(err)
	}
	var revoked []pki.Revoked
	for _, row := range rows {
		cert, err := x509.ParseCertificate(row.DER)
		if err != nil {
			return 0, nil, fmt.Errorf("read certificate %s of the catalog: %w", row.ID, err)
		}
		if cert.NotAfter.After(a.now()) { // RFC 5280, 3.3: ended ones may go
			revoked = append(revoked, pki.Revoked{Serial: cert.SerialNumber, At: *row.Revoked, Reason: pki.Reason(row.Reason)})
		}
	}
	number, der, err = a.catalog.NextRevocationList(ctx, caID, a.now(), func(number int64) ([]byte, error) {
		return pki.NewCRL(rand.Reader, a.now(), issuer, number, revoked)
	})
	return number, der, translate(err)
}
