package app

import (
	"context"
	"encoding/base64"
	"encoding/pem"

	"edgewright/provisioning/practice"
)

// PracticeCA is a CA certificate that was uploaded to the practice DPS or to a
// practice hub.
type PracticeCA = practice.CAView

// PracticeDPS owns CA certificates where a hub's label would name the hub.
const PracticeDPS = practice.CAOwnerDPS

// PracticeCAs lists the CA certificates of an owner, or of DPS and all hubs.
func (a *App) PracticeCAs(ctx context.Context, owner string) ([]PracticeCA, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) ([]PracticeCA, error) { return m.CAs(ctx, owner) })
}

// UploadPracticeCA uploads a certificate from a file, PEM or DER. Nobody may
// use it before VerifyPracticeCA. replace takes the place of one of that name.
func (a *App) UploadPracticeCA(ctx context.Context, owner, name, file string, replace bool) (PracticeCA, error) {
	certificate, err := readCertificate(file)
	if err != nil {
		return PracticeCA{}, err
	}
	etag := ""
	if replace {
		etag = "*"
	}
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeCA, error) {
		return m.UploadCA(ctx, owner, name, certificate, etag)
	})
}

// PracticeCACode makes the code that has to be the common name of a
// certificate that the CA issues, as proof of its possession.
func (a *App) PracticeCACode(ctx context.Context, owner, name string) (PracticeCA, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeCA, error) {
		return m.VerificationCode(ctx, owner, name, "")
	})
}

// VerifyPracticeCA shows the certificate with the code, from a file.
func (a *App) VerifyPracticeCA(ctx context.Context, owner, name, file string) (PracticeCA, error) {
	certificate, err := readCertificate(file)
	if err != nil {
		return PracticeCA{}, err
	}
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeCA, error) {
		return m.VerifyCA(ctx, owner, name, certificate, "")
	})
}

// RemovePracticeCA removes a CA certificate that no enrollment group needs.
func (a *App) RemovePracticeCA(ctx context.Context, owner, name string) error {
	return a.practice.do(ctx, func(ctx context.Context, m *practice.Manager) error { return m.RemoveCA(ctx, owner, name, "") })
}

// mostCertificate is how large a certificate's file may be, in bytes.
const mostCertificate = 64 << 10

// readCertificate reads a certificate as PEM, or as the base64 of DER.
func readCertificate(file string) (string, error) {
	raw, err := ReadFile(file, mostCertificate)
	if err != nil {
		return "", err
	}
	if block, _ := pem.Decode(raw); block != nil {
		return string(raw), nil
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}
