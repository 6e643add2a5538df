package app

import (
	"context"
	"crypto/x509"
	"fmt"

	"edgewright/provisioning"
	"edgewright/provisioning/pki"
)

// CertificateDraft is a certificate before it is made: what the form that is
// being filled in will give. Dates, names and usages are those that it will have.
type CertificateDraft struct {
	CertificateDetail
	// Shortened tells that it ends with its issuer, before the days asked for.
	Shortened bool
}

// PreviewCertificate shows what MakeCertificate would make. No key is made and
// none is opened; what MakeCertificate would refuse is refused.
func (a *App) PreviewCertificate(ctx context.Context, n NewCertificate) (CertificateDraft, error) {
	profile, err := a.profile(ctx, n.Profile)
	if err != nil {
		return CertificateDraft{}, err
	}
	order := pki.Order{Profile: profile, Subject: n.subject(), Names: n.Names, Days: n.Days}
	return a.previewOrder(ctx, order, n.CA, n.algorithm(profile))
}

// PreviewRequest shows what SignRequest would make of a request.
func (a *App) PreviewRequest(ctx context.Context, file string, n NewCertificate) (CertificateDraft, error) {
	profile, err := a.profile(ctx, n.Profile)
	if err != nil {
		return CertificateDraft{}, err
	}
	request, err := readRequest(file)
	if err != nil {
		return CertificateDraft{}, err
	}
	order := pki.OrderFor(request, profile)
	order.Days = n.Days
	return a.previewOrder(ctx, order, n.CA, pki.AlgorithmOf(request.PublicKey))
}

func (a *App) previewOrder(ctx context.Context, order pki.Order, caName string, algorithm pki.Algorithm) (CertificateDraft, error) {
	var issuer pki.Issuer
	var draft CertificateDraft
	if !order.Profile.SelfSigned {
		if caName == "" {
			return draft, noIssuer()
		}
		ca, err := a.findCA(ctx, caName)
		if err != nil {
			return draft, err
		}
		chain, err := a.chainOf(ctx, ca)
		if err != nil {
			return draft, err
		}
		issuer = pki.Issuer{Certificate: chain[0], Chain: chain[1:]}
		view, err := a.certificateView(ca)
		if err != nil {
			return draft, err
		}
		draft.Above = []CertificateView{view}
	}
	cert, err := pki.Preview(a.now(), issuer, order, algorithm)
	if err != nil {
		return draft, translate(err)
	}
	draft.Profile, draft.Role, draft.Subject = order.Profile.Name, string(order.Profile.Role), cert.Subject.CommonName
	draft.NotBefore, draft.NotAfter, draft.Key.Algorithm = cert.NotBefore, cert.NotAfter, string(algorithm)
	draft.describe(cert)
	draft.SelfSigned = order.Profile.SelfSigned
	days := order.Days
	if days == 0 {
		days = order.Profile.Days
	}
	draft.Shortened = cert.NotAfter.Before(a.now().AddDate(0, 0, days).Add(-pki.Backdate))
	draft.Findings = order.Profile.Check()
	return draft, nil
}

func noIssuer() error {
	return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "No CA is named that signs the certificate.", Hint: "Name one, or make a root CA first."}
}

// readRequest reads a file with a PKCS #10 request; its errors name it.
func readRequest(file string) (*x509.CertificateRequest, error) {
	data, err := ReadFile(file, pki.MaxFile)
	if err != nil {
		return nil, err
	}
	request, err := pki.ParseRequest(data)
	if err != nil {
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The file %s cannot be used: %s.", file, err), Hint: "Ask for a PKCS #10 request, PEM or DER."}
	}
	return request, nil
}
