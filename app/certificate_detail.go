package app

import (
	"context"
	"crypto/x509"
	"errors"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
)

// CertificateDetail is everything that is known of one certificate.
type CertificateDetail struct {
	CertificateView
	// SubjectName and IssuerName are the whole names, as RFC 4514 writes them.
	SubjectName, IssuerName string
	// Names are the host names and addresses that it holds for.
	Names []string
	// Usages are key usages and extended key usages by the names of RFC 5280.
	Usages []string
	// CA tells a CA; PathLength is how many CAs may follow, -1 for any number.
	CA         bool
	PathLength int
	SelfSigned bool
	// Above are those above it, the nearest first.
	Above []CertificateView
	// Replaces took its place from it, ReplacedBy is what took its own; nil for
	// none.
	Replaces, ReplacedBy *CertificateView
	// Issued is how many certificates it has signed.
	Issued int
	// DeviceUUID finds its device, "" where it belongs to none of the catalog.
	DeviceUUID string
	// Reason is why it was revoked.
	Reason string
	// Renewable tells that the program can make it again: it was made here by a
	// profile that is still there, and its issuer's key is at hand.
	Renewable bool
}

// CertificateDetail gives one certificate with all that is to be said about it.
func (a *App) CertificateDetail(ctx context.Context, id string) (CertificateDetail, error) {
	view, err := a.Certificate(ctx, id)
	if err != nil {
		return CertificateDetail{}, err
	}
	row, err := a.catalog.Certificate(ctx, view.ID)
	if err != nil {
		return CertificateDetail{}, translate(err)
	}
	cert, err := x509.ParseCertificate(row.DER)
	if err != nil {
		return CertificateDetail{}, err
	}
	d := CertificateDetail{CertificateView: view, Reason: row.Reason}
	d.describe(cert)
	issued, err := a.catalog.Issued(ctx, []string{row.ID})
	if err != nil {
		return d, translate(err)
	}
	d.Issued = issued[row.ID]
	if err := a.neighbours(ctx, row, &d); err != nil {
		return d, err
	}
	if row.DeviceID != "" {
		if device, err := a.catalog.Device(ctx, row.DeviceID); err == nil {
			d.DeviceUUID = device.UUID
		}
	}
	d.Renewable, err = a.renewable(ctx, row)
	return d, err
}

// describe reads what stands in the certificate.
func (d *CertificateDetail) describe(cert *x509.Certificate) {
	d.SubjectName, d.IssuerName = cert.Subject.String(), cert.Issuer.String()
	d.Names = append(d.Names, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		d.Names = append(d.Names, ip.String())
	}
	for _, usage := range pki.UsagesOf(cert) {
		d.Usages = append(d.Usages, string(usage))
	}
	d.CA, d.SelfSigned, d.PathLength = cert.IsCA, pki.IsSelfSigned(cert), pki.AnyDepth
	if cert.MaxPathLen > 0 || cert.MaxPathLenZero {
		d.PathLength = cert.MaxPathLen
	}
}

// neighbours finds those above it, and what came before and after it.
func (a *App) neighbours(ctx context.Context, row catalog.Certificate, d *CertificateDetail) error {
	for above := row.IssuerID; above != "" && len(d.Above) < maxChain; {
		ca, err := a.catalog.Certificate(ctx, above)
		if errors.Is(err, catalog.ErrNotFound) {
			break
		}
		if err != nil {
			return translate(err)
		}
		view, err := a.certificateView(ca)
		if err != nil {
			return err
		}
		d.Above, above = append(d.Above, view), ca.IssuerID
	}
	if row.Superseded != "" {
		next, err := a.catalog.Certificate(ctx, row.Superseded)
		if err != nil && !errors.Is(err, catalog.ErrNotFound) {
			return translate(err)
		}
		if err == nil {
			view, err := a.certificateView(next)
			if err != nil {
				return err
			}
			d.ReplacedBy = &view
		}
	}
	before, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{SupersededBy: row.ID, Limit: 1})
	if err != nil || len(before) == 0 {
		return translate(err)
	}
	view, err := a.certificateView(before[0])
	d.Replaces = &view
	return err
}

// renewable tells whether RenewCertificate can make it again.
func (a *App) renewable(ctx context.Context, row catalog.Certificate) (bool, error) {
	if row.State != catalog.CertificateValid {
		return false, nil
	}
	profile, err := a.profile(ctx, row.Profile)
	if errors.Is(err, provisioning.ErrInvalid) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if profile.SelfSigned {
		return true, nil
	}
	issuer, err := a.newest(ctx, row.IssuerID)
	if err != nil {
		return false, err
	}
	ca, err := a.catalog.Certificate(ctx, issuer)
	if errors.Is(err, catalog.ErrNotFound) {
		return false, nil
	}
	return canSign(ca) && mayIssue(ca) == nil, translate(err)
}
