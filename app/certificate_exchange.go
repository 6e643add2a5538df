package app

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// Imported is what came of an import.
type Imported struct {
	// Added are new ones, and known ones whose key came now.
	Added []CertificateView `json:"added"`
	// Known is how many were there already.
	Known   int           `json:"known"`
	Refused []RefusedFile `json:"refused"`
}

// RefusedFile is a file that could not be imported, or not all of it, and why.
type RefusedFile struct {
	File    string `json:"file"`
	Problem string `json:"problem"`
}

// ImportCertificates takes certificates, with the keys that belong to them,
// from files in any order; issuers are found among them and in the catalog. A
// file that does not read is named and does not stop the others.
func (a *App) ImportCertificates(ctx context.Context, files []string, passphrase secret.Value) (Imported, error) {
	result := Imported{Added: []CertificateView{}, Refused: []RefusedFile{}}
	var certs []*x509.Certificate
	var keys []crypto.Signer
	keyFiles := map[crypto.Signer]string{}
	refuse := func(name, format string, values ...any) {
		result.Refused = append(result.Refused, RefusedFile{name, fmt.Sprintf(format, values...)})
	}
	for _, name := range files {
		content, err := readCertificateFile(name, passphrase)
		switch {
		case err != nil:
			refuse(name, "%s", provisioning.View(err).Message)
		case content.Locked > 0:
			refuse(name, "A key in the file %s is encrypted and no passphrase was given.", name)
		case len(content.Certificates)+len(content.Keys) == 0:
			refuse(name, "There is no certificate in the file %s.", name)
		default:
			certs, keys = append(certs, content.Certificates...), append(keys, content.Keys...)
			for _, key := range content.Keys {
				keyFiles[key] = name
			}
		}
	}
	for _, key := range keys {
		if !slices.ContainsFunc(certs, func(cert *x509.Certificate) bool { return pki.SamePublicKey(key.Public(), cert.PublicKey) }) {
			refuse(keyFiles[key], "The key in the file %s belongs to none of the certificates; give it together with its own.", keyFiles[key])
		}
	}
	for _, cert := range issuersFirst(certs) {
		view, known, err := a.importOne(ctx, cert, keyFor(cert, keys))
		if err != nil {
			return result, err
		}
		if known {
			result.Known++
		} else {
			result.Added = append(result.Added, view)
		}
	}
	return result, nil
}

// issuersFirst puts each certificate behind those that signed it.
func issuersFirst(certs []*x509.Certificate) []*x509.Certificate {
	var sorted []*x509.Certificate
	seen := map[string]bool{}
	for _, cert := range certs {
		chain, _ := pki.Assemble(cert, certs)
		for i := len(chain) - 1; i >= 0; i-- {
			if raw := string(chain[i].Raw); !seen[raw] {
				seen[raw] = true
				sorted = append(sorted, chain[i])
			}
		}
	}
	return sorted
}

func keyFor(cert *x509.Certificate, keys []crypto.Signer) crypto.Signer {
	for _, key := range keys {
		if pki.SamePublicKey(key.Public(), cert.PublicKey) {
			return key
		}
	}
	return nil
}

func (a *App) importOne(ctx context.Context, cert *x509.Certificate, key crypto.Signer) (view CertificateView, known bool, err error) {
	request, waiting, err := a.answered(ctx, cert)
	if err != nil {
		return view, false, err
	}
	held, err := a.catalog.Certificate(ctx, pki.SHA256(cert))
	switch {
	case err != nil && !errors.Is(err, catalog.ErrNotFound):
		return view, false, translate(err)
	case err == nil:
		if request.ID != "" && held.Created.After(request.Created) {
			if err := a.dropRequest(ctx, request); err != nil { // an import before this one was cut short
				return view, true, err
			}
		}
		if key == nil || held.KeyPlace != keyNowhere {
			return view, true, nil
		}
		view, err = a.addKey(ctx, held, key)
		return view, false, err
	}
	row := catalog.Certificate{Profile: "imported", Role: string(pki.RoleOf(cert))}
	if request.Role == row.Role { // else the outside CA made something else of it
		row.Profile = request.Profile
	}
	if row.IssuerID, err = a.issuerID(ctx, cert); err != nil {
		return view, false, err
	}
	text := waiting
	if request.KeyPlace != keyInVault {
		row.KeyPlace = request.KeyPlace
	}
	if key != nil && text.IsEmpty() {
		if text, err = pki.DeviceKeyPEM(key); err != nil {
			return view, false, err
		}
	}
	if row, err = a.addCertificate(ctx, row, cert, text, vault.User, ""); err != nil {
		return view, false, err
	}
	if err := a.adopt(ctx, row.ID, cert); err != nil {
		return view, false, err
	}
	if request.ID != "" {
		if err := a.dropRequest(ctx, request); err != nil {
			return view, false, err
		}
	}
	view, err = a.certificateView(row)
	return view, false, err
}

// addKey puts the key of a certificate that came without it into the vault.
func (a *App) addKey(ctx context.Context, row catalog.Certificate, key crypto.Signer) (CertificateView, error) {
	text, err := pki.DeviceKeyPEM(key)
	if err != nil {
		return CertificateView{}, err
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return CertificateView{}, err
	}
	if err := v.Put(ctx, certificateSecret(row.ID), vault.User, text); err != nil {
		return CertificateView{}, translate(err)
	}
	if err := a.catalog.PlaceKey(ctx, row.ID, keyInVault, row.DeviceID); err != nil {
		return CertificateView{}, translate(err)
	}
	row.KeyPlace = keyInVault
	return a.certificateView(row)
}

// adopt puts certificates that were there before their CA below it.
func (a *App) adopt(ctx context.Context, caID string, ca *x509.Certificate) error {
	if !ca.IsCA {
		return nil
	}
	orphans, err := a.catalog.Orphans(ctx, ca.RawSubject)
	if err != nil {
		return translate(err)
	}
	var own []string
	for _, row := range orphans {
		cert, err := x509.ParseCertificate(row.DER)
		if err == nil && !pki.IsSelfSigned(cert) && pki.Signed(ca, cert) {
			own = append(own, row.ID)
		}
	}
	return translate(a.catalog.SetIssuer(ctx, own, caID))
}

// issuerID finds the CA of the catalog that signed a certificate.
func (a *App) issuerID(ctx context.Context, cert *x509.Certificate) (string, error) {
	if pki.IsSelfSigned(cert) {
		return "", nil
	}
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Subject: cert.Issuer.CommonName})
	if err != nil {
		return "", translate(err)
	}
	for _, row := range rows {
		if ca, err := x509.ParseCertificate(row.DER); err == nil && pki.Signed(ca, cert) {
			return row.ID, nil
		}
	}
	return "", nil
}

// The forms of ExportCertificate.
const (
	ExportPEM = "pem"
	ExportDER = "der"
	ExportPFX = "pfx"
	// ExportPFXOld is encrypted as systems before 2018 read it: 3DES and SHA-1.
	ExportPFXOld = "pfx-3des"
	ExportChain  = "chain"
)

// ExportHasKey tells whether a form always holds the key.
func ExportHasKey(format string) bool { return format == ExportPFX || format == ExportPFXOld }

// MinPassphrase is how many bytes the passphrase of an exported key has at least.
const MinPassphrase = pki.MinPassphrase

// ExportCertificate writes a certificate: alone as PEM or DER, with its chain in
// the order that a device wants, or as PFX with its key. A key is always
// encrypted under the passphrase.
func (a *App) ExportCertificate(ctx context.Context, id, format string, withKey bool, passphrase secret.Value) ([]byte, error) {
	row, err := a.catalog.Certificate(ctx, id)
	if err != nil {
		return nil, translate(err)
	}
	chain, err := a.chainOf(ctx, row)
	if err != nil {
		return nil, err
	}
	var key crypto.Signer
	if withKey || ExportHasKey(format) {
		text, err := a.keyOf(ctx, row)
		if err != nil {
			return nil, err
		}
		if key, err = pki.ParseKey(text.Reveal(), secret.Value{}); err != nil {
			return nil, translate(err)
		}
	}
	out := pki.PEM(chain[0])
	switch format {
	case ExportPEM:
	case ExportChain:
		out = pki.PEM(pki.ForDevice(chain)...)
	case ExportDER:
		if withKey {
			return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "A DER file holds one certificate and no key.", Hint: "Choose pem, chain or pfx."}
		}
		return chain[0].Raw, nil
	case ExportPFX, ExportPFXOld:
		form := pki.PFXModern
		if format == ExportPFXOld {
			form = pki.PFXOld
		}
		data, err := pki.PFX(form, key, chain, passphrase)
		return data, translate(err)
	default:
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The format %q is unknown.", format), Hint: "Use pem, der, pfx, pfx-3des or chain."}
	}
	if !withKey {
		return out, nil
	}
	encrypted, err := pki.EncryptedKeyPEM(key, passphrase)
	return append(out, encrypted...), translate(err)
}

// ExportCertificateTo writes a certificate into a new file.
func (a *App) ExportCertificateTo(ctx context.Context, id, format string, withKey bool, passphrase secret.Value, name string) error {
	data, err := a.ExportCertificate(ctx, id, format, withKey, passphrase)
	if err != nil {
		return err
	}
	return WriteNew(name, data)
}
