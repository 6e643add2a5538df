package app

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// RequestView is a request that waits for a CA whose key is elsewhere.
type RequestView struct {
	ID      string    `json:"id"`
	Profile string    `json:"profile"`
	Subject string    `json:"subject"`
	CA      string    `json:"ca"` // its name, "" if it is not in the catalog
	Key     KeyView   `json:"key"`
	Created time.Time `json:"created"`
	// PEM is the request itself, PKCS #10 (RFC 2986).
	PEM []byte `json:"-"`
}

func requestSecret(id string) string { return "request/" + id }

// RequestCertificate makes a key, which stays in the vault or in a token, and a
// request for an outside CA. When the certificate is imported it is known by
// its key and gets profile and key place of the request.
func (a *App) RequestCertificate(ctx context.Context, n NewCertificate) (RequestView, error) {
	profile, err := a.profile(ctx, n.Profile)
	if err != nil {
		return RequestView{}, err
	}
	if profile.SelfSigned {
		return RequestView{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "A certificate of the profile " + profile.Name + " is signed by itself, so nobody else can sign it.",
			Hint: "Choose a profile with an issuer."}
	}
	row := catalog.Request{ID: uuid.NewString(), Profile: profile.Name, Role: string(profile.Role), Subject: n.CommonName, Created: a.now()}
	if n.CA != "" {
		ca, err := a.findCA(ctx, n.CA)
		if err != nil {
			return RequestView{}, err
		}
		if canSign(ca) {
			return RequestView{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The CA " + ca.Subject + " signs here, so no request is needed.", Hint: "Make the certificate without naming a file for the request."}
		}
		row.IssuerID = ca.ID
	}
	algorithm := n.Algorithm
	if algorithm == "" {
		algorithm = profile.Algorithm
	}
	key, err := a.makeKey(ctx, n.Key, algorithm, n.Algorithm != "", n.CommonName)
	if err != nil {
		return RequestView{}, err
	}
	order := pki.Order{Profile: profile, Subject: n.subject(), Names: n.Names, Public: key.signer.Public()}
	if row.DER, err = pki.RequestFor(rand.Reader, order, key.signer); err != nil {
		return RequestView{}, translate(err)
	}
	row.Algorithm, row.KeyPlace = string(pki.AlgorithmOf(key.signer.Public())), key.place
	if row.KeySHA256, err = keySHA256(key.signer.Public()); err != nil {
		return RequestView{}, err
	}
	if !key.text.IsEmpty() { // before the row, which would promise it
		v, err := a.openVault(ctx)
		if err != nil {
			return RequestView{}, err
		}
		if err := v.Put(ctx, requestSecret(row.ID), vault.User, key.text); err != nil {
			return RequestView{}, translate(err)
		}
	}
	if err := a.catalog.AddRequest(ctx, row); err != nil {
		return RequestView{}, translate(err)
	}
	return a.requestView(ctx, row)
}

// keySHA256 names a public key in the catalog.
func keySHA256(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("read public key: %w", err)
	}
	return fmt.Sprintf("%X", sha256.Sum256(der)), nil
}

func (a *App) requestView(ctx context.Context, row catalog.Request) (RequestView, error) {
	view := RequestView{ID: row.ID, Profile: row.Profile, Subject: row.Subject, Key: KeyView{Algorithm: row.Algorithm, Place: row.KeyPlace}, Created: row.Created,
		PEM: pki.RequestPEM(row.DER)}
	if row.IssuerID == "" {
		return view, nil
	}
	ca, err := a.catalog.Certificate(ctx, row.IssuerID)
	if errors.Is(err, catalog.ErrNotFound) {
		return view, nil
	}
	view.CA = ca.Subject
	return view, translate(err)
}

// CertificateRequests lists the requests that wait for their certificates,
// oldest first.
func (a *App) CertificateRequests(ctx context.Context) ([]RequestView, error) {
	rows, err := a.catalog.Requests(ctx)
	if err != nil {
		return nil, translate(err)
	}
	views := make([]RequestView, 0, len(rows))
	for _, row := range rows {
		view, err := a.requestView(ctx, row)
		if err != nil {
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}

// ForgetRequest gives a request up, with its key if that lies in the vault. A
// certificate that comes in later has no key here.
func (a *App) ForgetRequest(ctx context.Context, id string) (RequestView, error) {
	row, err := a.catalog.Request(ctx, id)
	if err != nil {
		return RequestView{}, translate(err)
	}
	view, err := a.requestView(ctx, row)
	if err != nil {
		return view, err
	}
	return view, a.dropRequest(ctx, row)
}

// dropRequest removes the row last: a key without a row is found by nobody.
func (a *App) dropRequest(ctx context.Context, row catalog.Request) error {
	if row.KeyPlace == keyInVault {
		v, err := a.openVault(ctx)
		if err != nil {
			return err
		}
		if err := v.Delete(ctx, requestSecret(row.ID)); err != nil && !errors.Is(err, vault.ErrNotFound) {
			return translate(err)
		}
	}
	return translate(a.catalog.RemoveRequest(ctx, row.ID))
}

// answered finds the request that a certificate answers, and its key if that
// lies in the vault. The row is empty if nobody waited for the certificate.
func (a *App) answered(ctx context.Context, cert *x509.Certificate) (catalog.Request, secret.Value, error) {
	name, err := keySHA256(cert.PublicKey)
	if err != nil {
		return catalog.Request{}, secret.Value{}, nil // of a kind that is never made here
	}
	row, err := a.catalog.RequestForKey(ctx, name)
	if errors.Is(err, catalog.ErrNotFound) {
		return catalog.Request{}, secret.Value{}, nil
	}
	if err != nil || row.KeyPlace != keyInVault {
		return row, secret.Value{}, translate(err)
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return row, secret.Value{}, err
	}
	key, err := v.Get(ctx, requestSecret(row.ID))
	return row, key, translate(err)
}

// ForeignCA adds a CA whose key is nowhere here, from a file with its
// certificate: what it signs goes out as requests and comes back by import.
func (a *App) ForeignCA(ctx context.Context, file string, n NewCertificate) (CertificateView, error) {
	refuse := func(message, hint string) (CertificateView, error) {
		return CertificateView{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: message, Hint: hint}
	}
	profile, err := a.profile(ctx, n.Profile)
	if err != nil {
		return CertificateView{}, err
	}
	if file == "" {
		return refuse("A certificate whose key is nowhere here is made by somebody else.", "Give the file with it by --from, or use `edgewright cert import`; `--ca` with `--out` writes a request for an outside CA.")
	}
	if profile.Role != pki.RoleRoot && profile.Role != pki.RoleIntermediate {
		return refuse("Only a CA is of use here without its key.", "Choose the profile root CA or intermediate CA, or keep the key in the vault or a token.")
	}
	content, err := readCertificateFile(file, secret.Value{})
	if err != nil {
		return CertificateView{}, err
	}
	var found *x509.Certificate
	for _, cert := range content.Certificates {
		if cert.Subject.CommonName == n.CommonName {
			found = cert
		}
	}
	switch {
	case len(content.Keys)+content.Locked > 0:
		return refuse("There is a private key in "+file+".", "Take the key out of the file, or import it with `edgewright cert import` to sign with it.")
	case found == nil:
		return refuse(fmt.Sprintf("There is no certificate of %q in %s.", n.CommonName, file), "Name the CA as its certificate does; `edgewright cert inspect` shows it.")
	case pki.RoleOf(found) != profile.Role:
		return refuse(fmt.Sprintf("The certificate of %s is one of the role %s, not %s.", n.CommonName, pki.RoleOf(found), profile.Role), "Choose the other profile.")
	}
	view, known, err := a.importOne(ctx, found, nil)
	if known {
		return refuse("The catalog has that certificate already.", "Use it: `edgewright cert list` shows it.")
	}
	return view, err
}
