package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// Where the key of a certificate can be.
const (
	keyInVault  = "vault"
	keyInToken  = "token:" // and an address by RFC 7512
	keyOnDevice = "device:"
	keyNowhere  = "none"
)

// maxChain is how many certificates a chain has at most.
const maxChain = 10

func certificateSecret(id string) string { return "certificate/" + id }

// addCertificate writes a certificate, its key first: a key without a row is
// found by nobody, a row without its key would promise what is not there. key
// may be empty; kind says whose it is. A row that says where its key is says so
// only of keys elsewhere. replaces is the ID of the certificate whose place it
// takes, "" for none.
func (a *App) addCertificate(ctx context.Context, row catalog.Certificate, cert *x509.Certificate, key secret.Value, kind vault.Kind, replaces string) (catalog.Certificate, error) {
	row = a.certificateRow(cert, row)
	if !key.IsEmpty() {
		v, err := a.openVault(ctx)
		if err != nil {
			return row, err
		}
		if err := v.Put(ctx, certificateSecret(row.ID), kind, key); err != nil {
			return row, translate(err)
		}
		row.KeyPlace = keyInVault
	}
	if replaces == "" {
		return row, translate(a.catalog.AddCertificate(ctx, row))
	}
	err := a.catalog.ReplaceCertificate(ctx, row, replaces)
	if errors.Is(err, catalog.ErrExists) {
		old, err := a.catalog.Certificate(ctx, replaces)
		return row, errors.Join(renewedAlready(old), translate(err))
	}
	return row, translate(err)
}

// renewedAlready refuses to put a second certificate in the place of one.
func renewedAlready(old catalog.Certificate) error {
	return &provisioning.Error{Kind: provisioning.ErrRefused, Message: old.Subject + " was renewed already, by " + old.Superseded + ".", Hint: "Renew that one."}
}

// certificateRow completes the row of a certificate, under a new ID, by what the
// certificate says. A row that does not say where its key is has it nowhere.
func (a *App) certificateRow(cert *x509.Certificate, row catalog.Certificate) catalog.Certificate {
	row.ID = uuid.NewString()
	row.Subject, row.Serial, row.SHA1, row.SHA256 = cert.Subject.CommonName, pki.Serial(cert), pki.SHA1(cert), pki.SHA256(cert)
	row.NotBefore, row.NotAfter, row.DER, row.Created = cert.NotBefore, cert.NotAfter, cert.Raw, a.now()
	row.CareFrom = pki.RenewAt(cert)
	row.Algorithm, row.State = string(pki.AlgorithmOf(cert.PublicKey)), catalog.CertificateValid
	if row.KeyPlace == "" {
		row.KeyPlace = keyNowhere
	}
	return row
}

// keyOf opens the key of a certificate that lies in the vault.
func (a *App) keyOf(ctx context.Context, row catalog.Certificate) (secret.Value, error) {
	if inToken(row) {
		return secret.Value{}, &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "The key of " + row.Subject + " lies in a token and cannot be taken out.",
			Hint: "Leave it there; Edgewright asks the token to sign."}
	}
	if row.KeyPlace != keyInVault {
		return secret.Value{}, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The key of " + row.Subject + " is not in the vault.",
			Hint: "Use a certificate whose key is here."}
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	key, err := v.Get(ctx, certificateSecret(row.ID))
	return key, translate(err)
}

// forgetKey takes the key of a certificate out of the vault and says where it
// is instead.
func (a *App) forgetKey(ctx context.Context, row catalog.Certificate, place, deviceID string) error {
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	if err := v.Delete(ctx, certificateSecret(row.ID)); err != nil && !errors.Is(err, vault.ErrNotFound) {
		return translate(err)
	}
	return translate(a.catalog.PlaceKey(ctx, row.ID, place, deviceID))
}

// chainOf is a certificate with those above it, as far as the catalog has them.
func (a *App) chainOf(ctx context.Context, row catalog.Certificate) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		cert, err := x509.ParseCertificate(row.DER)
		if err != nil {
			return nil, fmt.Errorf("read certificate %s of the catalog: %w", row.ID, err)
		}
		if chain = append(chain, cert); row.IssuerID == "" || len(chain) == maxChain {
			return chain, nil
		}
		row, err = a.catalog.Certificate(ctx, row.IssuerID)
		if errors.Is(err, catalog.ErrNotFound) {
			return chain, nil
		}
		if err != nil {
			return nil, translate(err)
		}
	}
}

// caRoles are the roles of certificates that sign others on this side.
var caRoles = []string{string(pki.RoleRoot), string(pki.RoleIntermediate)}

// findCA finds a CA that may sign, by name, ID or thumbprint. Of several
// certificates of one name and key the one that holds longest is meant; where the
// keys differ, the name says too little.
func (a *App) findCA(ctx context.Context, name string) (catalog.Certificate, error) {
	named, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Subject: name, Roles: caRoles, State: catalog.CertificateValid})
	if err != nil {
		return catalog.Certificate{}, translate(err)
	}
	if len(named) > 0 {
		if !sameKeys(named) {
			return catalog.Certificate{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The catalog has several CAs %q with keys of their own.", name),
				Hint: "Name the right one by its SHA-256 thumbprint; `edgewright cert show` has it."}
		}
		return slices.MaxFunc(named, func(x, y catalog.Certificate) int { return x.NotAfter.Compare(y.NotAfter) }), nil
	}
	row, err := a.catalog.Certificate(ctx, name)
	if errors.Is(err, catalog.ErrNotFound) || err == nil && !slices.Contains(caRoles, row.Role) {
		return row, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: fmt.Sprintf("The catalog has no CA %q.", name),
			Hint: "`edgewright cert list` names the CAs; `edgewright cert new` makes one."}
	}
	if err != nil {
		return row, translate(err)
	}
	return row, mayIssue(row)
}

// mayIssue refuses a CA that was revoked.
func mayIssue(ca catalog.Certificate) error {
	if ca.State == catalog.CertificateRevoked {
		return &provisioning.Error{Kind: provisioning.ErrRefused, Message: "The CA " + ca.Subject + " is revoked, so nothing new comes from it.", Hint: "Choose another CA, or make one."}
	}
	return nil
}

// sameKeys tells whether certificates all have the same public key.
func sameKeys(rows []catalog.Certificate) bool {
	var first *x509.Certificate
	for _, row := range rows {
		cert, err := x509.ParseCertificate(row.DER)
		if err != nil {
			return false
		}
		if first == nil {
			first = cert
		}
		if !pki.SamePublicKey(first.PublicKey, cert.PublicKey) {
			return false
		}
	}
	return true
}

// issuerOf opens a CA for signing.
func (a *App) issuerOf(ctx context.Context, row catalog.Certificate) (pki.Issuer, error) {
	chain, err := a.chainOf(ctx, row)
	if err != nil {
		return pki.Issuer{}, err
	}
	key, err := a.signerOf(ctx, row)
	if err != nil {
		return pki.Issuer{}, err
	}
	return pki.Issuer{Certificate: chain[0], Chain: chain[1:], Signer: key.signer}, nil
}

// The practice cloud's CAs, made when a practice run first needs them.
const (
	practiceRootCA    = "Practice root CA"
	practiceIssuingCA = "Practice issuing CA"
)

// practiceCA finds the practice CA, or makes it with the root above it.
func (a *App) practiceCA(ctx context.Context) (catalog.Certificate, error) {
	a.practiceCAMu.Lock()
	defer a.practiceCAMu.Unlock()
	if row, err := a.findCA(ctx, practiceIssuingCA); !errors.Is(err, provisioning.ErrNotFound) {
		return row, err
	}
	root, err := a.findCA(ctx, practiceRootCA)
	if errors.Is(err, provisioning.ErrNotFound) {
		root, err = a.makeCA(ctx, "root CA", practiceRootCA, nil, vault.Practice)
	}
	if err != nil {
		return root, err
	}
	return a.makeCA(ctx, "intermediate CA", practiceIssuingCA, &root, vault.Practice)
}

// makeCA makes a CA whose key lies in the vault; by is nil for a root.
func (a *App) makeCA(ctx context.Context, profileName, commonName string, by *catalog.Certificate, kind vault.Kind) (catalog.Certificate, error) {
	profile, _ := pki.ProfileByName(profileName)
	key, err := pki.GenerateKey(rand.Reader, profile.Algorithm)
	if err != nil {
		return catalog.Certificate{}, err
	}
	row := catalog.Certificate{Profile: profile.Name, Role: string(profile.Role)}
	var issuer pki.Issuer
	if by != nil {
		row.IssuerID = by.ID
		if issuer, err = a.issuerOf(ctx, *by); err != nil {
			return row, err
		}
	}
	cert, err := pki.Issue(rand.Reader, a.now(), issuer, pki.Order{Profile: profile, Subject: pkix.Name{CommonName: commonName}, Public: key.Public(), Key: key})
	if err != nil {
		return row, translate(err)
	}
	text, err := pki.DeviceKeyPEM(key)
	if err != nil {
		return row, err
	}
	return a.addCertificate(ctx, row, cert, text, kind, "")
}
