package app

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// certificates fits catalog and vault to the port of the domain. The keys of a
// run lie sealed in the vault until they lie on the device.
type certificates struct {
	app       *App
	practice  bool
	deviceID  string
	bundleKey BundleKey
}

func (c certificates) kind() vault.Kind {
	if c.practice {
		return vault.Practice
	}
	return vault.User
}

// ca finds the row of the CA that a plan names.
func (c certificates) ca(ctx context.Context, name string) (catalog.Certificate, error) {
	if name == "" && c.practice {
		name = practiceIssuingCA
	}
	return c.app.findCA(ctx, name)
}

func (c certificates) Authority(ctx context.Context, name string) (provisioning.Authority, error) {
	row, err := c.ca(ctx, name)
	if err != nil {
		return provisioning.Authority{}, err
	}
	chain, err := c.app.chainOf(ctx, row)
	return provisioning.Authority{Name: row.Subject, Chain: chain}, err
}

func (c certificates) IssuerOf(ctx context.Context, cert *x509.Certificate) (provisioning.Authority, error) {
	id, err := c.app.issuerID(ctx, cert)
	if err != nil {
		return provisioning.Authority{}, err
	}
	if id == "" {
		return provisioning.Authority{}, fmt.Errorf("the CA above %s: %w", cert.Subject.CommonName, provisioning.ErrNotFound)
	}
	return c.Authority(ctx, id)
}

func (c certificates) Prove(ctx context.Context, runID, ca, code string) (*x509.Certificate, error) {
	row, err := c.ca(ctx, ca)
	if err != nil {
		return nil, err
	}
	return c.app.proveCA(ctx, row, code, runID)
}

func (c certificates) Ready(ctx context.Context, name string, open bool) error {
	row, err := c.ca(ctx, name)
	if errors.Is(err, provisioning.ErrNotFound) && name == "" && c.practice {
		return nil
	}
	if err != nil {
		return err
	}
	if !canSign(row) {
		return noKeyHere(row)
	}
	if open {
		_, err = c.app.issuerOf(ctx, row)
	}
	return err
}

// noKeyHere says what to do where the key of a CA is with somebody else.
func noKeyHere(ca catalog.Certificate) error {
	return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The key of the CA " + ca.Subject + " is not here, so it cannot sign here.",
		Hint: "Write a request with `edgewright cert new --ca \"" + ca.Subject + "\" --out REQUEST`, have it signed by the owner of that CA, import the answer, and give the pair to the plan as files; or choose another CA."}
}

// made finds the rows of a run, all roles if role is empty.
func (c certificates) made(ctx context.Context, runID string, role provisioning.CertificateRole) ([]catalog.Certificate, error) {
	rows, err := c.app.catalog.Certificates(ctx, catalog.CertificateQuery{Run: runID})
	if err != nil {
		return nil, translate(err)
	}
	var found []catalog.Certificate
	for _, row := range rows {
		if role == "" || row.RunRole == string(role) {
			found = append(found, row)
		}
	}
	return found, nil
}

func (c certificates) Made(ctx context.Context, runID string, role provisioning.CertificateRole) (provisioning.Pair, error) {
	pair, _, err := c.valid(ctx, runID, role)
	return pair, err
}

// valid finds what a run has made for a role and what still holds.
func (c certificates) valid(ctx context.Context, runID string, role provisioning.CertificateRole) (provisioning.Pair, catalog.Certificate, error) {
	rows, err := c.made(ctx, runID, role)
	if err != nil {
		return provisioning.Pair{}, catalog.Certificate{}, err
	}
	at := slices.IndexFunc(rows, func(row catalog.Certificate) bool { return row.State == catalog.CertificateValid })
	if at < 0 {
		return provisioning.Pair{}, catalog.Certificate{}, fmt.Errorf("certificate of run %s: %w", runID, provisioning.ErrNotFound)
	}
	row := rows[at]
	pair, err := c.app.pairOf(ctx, row)
	return pair, row, err
}

// roleProfiles are the profiles of the roles.
var roleProfiles = map[provisioning.CertificateRole]string{provisioning.RoleIdentity: "device identity",
	provisioning.RoleSpare: "device identity", provisioning.RoleEdgeCA: "Edge CA", provisioning.RoleLocalCA: "device CA"}

func (c certificates) Make(ctx context.Context, runID string, o provisioning.CertificateOrder) (provisioning.Pair, error) {
	name := roleProfiles[o.Role]
	if o.SelfSigned {
		name = "self-signed " + name
	}
	profile, _ := pki.ProfileByName(name)
	pair, before, err := c.valid(ctx, runID, o.Role)
	found := err == nil
	switch {
	case err != nil && !errors.Is(err, provisioning.ErrNotFound):
		return pair, err
	case found && (o.Signer == nil && !pair.Key.IsEmpty() || o.Signer != nil && pki.SamePublicKey(o.Signer.Public(), pair.Leaf().PublicKey)):
		return pair, nil
	}
	order, text, err := c.orderOf(o, profile)
	if err != nil {
		return provisioning.Pair{}, err
	}
	row := catalog.Certificate{Profile: profile.Name, Role: string(profile.Role), Run: runID, RunRole: string(o.Role), DeviceID: c.deviceID}
	if text.IsEmpty() {
		row.KeyPlace = keyOnDevice + c.deviceID
	}
	var issuer pki.Issuer
	if !o.SelfSigned {
		ca, err := c.ca(ctx, o.CA)
		if errors.Is(err, provisioning.ErrNotFound) && o.CA == "" && c.practice {
			ca, err = c.app.practiceCA(ctx)
		}
		if err != nil {
			return provisioning.Pair{}, err
		}
		row.IssuerID = ca.ID
		if issuer, err = c.app.issuerOf(ctx, ca); err != nil {
			return provisioning.Pair{}, err
		}
	}
	cert, err := pki.Issue(rand.Reader, c.app.now(), issuer, order)
	if err != nil {
		return provisioning.Pair{}, translate(err)
	}
	// The key of one that was found is lost; else before is empty.
	if row, err = c.app.addCertificate(ctx, row, cert, text, c.kind(), before.ID); err != nil {
		return provisioning.Pair{}, err
	}
	chain, err := c.app.chainOf(ctx, row)
	return provisioning.Pair{Chain: pki.ForDevice(chain), Key: text}, err
}

// orderedKey is the key that an order brings, or a new one.
func orderedKey(o provisioning.CertificateOrder) (crypto.Signer, error) {
	if o.Key.IsEmpty() {
		return pki.GenerateKey(rand.Reader, o.Algorithm)
	}
	key, err := pki.ParseKey(o.Key.Reveal(), secret.Value{})
	return key, translate(err)
}

// orderOf is what to certify: the key of a device, by its request unless it
// signs for itself, or a new one, whose text it gives.
func (c certificates) orderOf(o provisioning.CertificateOrder, profile pki.Profile) (order pki.Order, text secret.Value, err error) {
	order = pki.Order{Profile: profile, Subject: pkix.Name{CommonName: o.CommonName}, Key: o.Signer, Days: o.Days}
	switch {
	case o.Signer == nil:
		key, err := orderedKey(o)
		if err != nil {
			return order, text, err
		}
		order.Key, order.Public = key, key.Public()
		text, err = pki.DeviceKeyPEM(key)
		return order, text, err
	case o.SelfSigned:
		order.Public = o.Signer.Public()
		return order, text, nil
	}
	request, err := pki.ParseRequest(o.Request)
	if err != nil {
		return order, text, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The request of the device cannot be used: " + err.Error() + ".", Hint: "Look whether its openssl works, and try again."}
	}
	if request.Subject.CommonName != o.CommonName {
		return order, text, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The request of the device is for %q, not for %s.", request.Subject.CommonName, o.CommonName), Hint: "Try again."}
	}
	order.Public = request.PublicKey
	return order, text, nil
}

func (c certificates) FromFiles(ctx context.Context, files provisioning.CertificateFiles) (provisioning.Pair, error) {
	if strings.HasPrefix(files.Certificate, bundleScheme) {
		return c.fromBundle(ctx, files)
	}
	cert, err := readCertificateFile(files.Certificate, secret.Value{})
	if err != nil {
		return provisioning.Pair{}, err
	}
	key, err := readCertificateFile(files.Key, secret.Value{})
	if err != nil {
		return provisioning.Pair{}, err
	}
	refuse := func(message, hint string) (provisioning.Pair, error) {
		return provisioning.Pair{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: message, Hint: hint}
	}
	switch {
	case len(cert.Certificates) == 0:
		return refuse("There is no certificate in "+files.Certificate+".", "Name the file with the certificate of the device.")
	case key.Locked > 0:
		return refuse("The key in "+files.Key+" is encrypted, and a run has no passphrase for it.", "Import the pair into the catalog, or decrypt the key.")
	case len(key.Keys) != 1:
		return refuse(fmt.Sprintf("There are %d keys in %s.", len(key.Keys), files.Key), "Name a file with one private key.")
	}
	leaf := cert.Certificates[0]
	for _, candidate := range cert.Certificates {
		if pki.SamePublicKey(key.Keys[0].Public(), candidate.PublicKey) {
			leaf = candidate
		}
	}
	if !pki.SamePublicKey(key.Keys[0].Public(), leaf.PublicKey) {
		return refuse("The key in "+files.Key+" does not belong to the certificate in "+files.Certificate+".", "Choose files that belong together.")
	}
	text, err := pki.DeviceKeyPEM(key.Keys[0])
	if err != nil {
		return provisioning.Pair{}, err
	}
	chain, _ := pki.Assemble(leaf, cert.Certificates)
	return provisioning.Pair{Chain: pki.ForDevice(chain), Key: text}, nil
}

func (c certificates) Settle(ctx context.Context, runID string) error {
	rows, err := c.made(ctx, runID, "")
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.KeyPlace != keyInVault {
			continue
		}
		if err := c.app.forgetKey(ctx, row, keyOnDevice+c.deviceID, c.deviceID); err != nil {
			return err
		}
	}
	return nil
}

func (c certificates) KeyOnDevice(ctx context.Context, cert *x509.Certificate, lies bool) error {
	row, err := c.app.catalog.Certificate(ctx, pki.SHA256(cert))
	if errors.Is(err, catalog.ErrNotFound) {
		return nil
	}
	place := keyOnDevice + c.deviceID
	switch {
	case err != nil:
		return translate(err)
	case lies && row.KeyPlace == keyNowhere:
		return translate(c.app.catalog.PlaceKey(ctx, row.ID, place, c.deviceID))
	case !lies && row.KeyPlace == place:
		return translate(c.app.catalog.PlaceKey(ctx, row.ID, keyNowhere, row.DeviceID))
	}
	return nil // in the vault or a token, where it stays
}

// formerAndMade are the rows of a certificate and of the one that the run made
// in its place; ok is false where the catalog lacks one of them.
func (c certificates) formerAndMade(ctx context.Context, runID string, role provisioning.CertificateRole, former *x509.Certificate) (old, made catalog.Certificate, ok bool, err error) {
	rows, err := c.made(ctx, runID, role)
	if err != nil || len(rows) == 0 {
		return old, made, false, err
	}
	old, err = c.app.catalog.Certificate(ctx, pki.SHA256(former))
	if errors.Is(err, catalog.ErrNotFound) {
		return old, made, false, nil
	}
	return old, rows[0], err == nil, translate(err)
}

func (c certificates) Supersede(ctx context.Context, runID string, role provisioning.CertificateRole, former *x509.Certificate) error {
	old, made, ok, err := c.formerAndMade(ctx, runID, role, former)
	if err != nil || !ok {
		return err
	}
	return translate(c.app.catalog.SupersedeCertificate(ctx, old.ID, made.ID))
}

func (c certificates) Reinstate(ctx context.Context, runID string, role provisioning.CertificateRole, former *x509.Certificate) error {
	old, made, ok, err := c.formerAndMade(ctx, runID, role, former)
	if err != nil || !ok {
		return err
	}
	return translate(c.app.catalog.ReinstateCertificate(ctx, old.ID, made.ID))
}

func (c certificates) Revoke(ctx context.Context, runID string) error {
	rows, err := c.made(ctx, runID, "")
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := c.app.forgetKey(ctx, row, keyNowhere, c.deviceID); err != nil {
			return err
		}
		if err := c.app.catalog.RevokeCertificate(ctx, row.ID, "cessationOfOperation", c.app.now()); err != nil {
			return translate(err)
		}
	}
	return nil
}

func (c certificates) Roots(ctx context.Context, names []string) ([]*x509.Certificate, error) {
	var roots []*x509.Certificate
	for _, name := range names {
		if member, path, ok := memberOf(name); ok && member == bundle.TrustName {
			found, err := c.trustFromBundle(ctx, path)
			if err != nil {
				return nil, err
			}
			roots = append(roots, found...)
			continue
		}
		row, err := c.app.findCA(ctx, name)
		if err != nil {
			return nil, err
		}
		cert, err := x509.ParseCertificate(row.DER)
		if err != nil {
			return nil, fmt.Errorf("read certificate %s of the catalog: %w", row.ID, err)
		}
		roots = append(roots, cert)
	}
	return roots, nil
}
