package provisioning

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"edgewright/provisioning/pki"
)

// UploadedCA is a CA certificate that an IoT Hub or a DPS was given. Nobody may
// use it before it is verified.
type UploadedCA struct {
	Name string
	// ETag changes with each write; a change names the last one.
	ETag     string
	Verified bool
	// Code is to be the common name of the proof of possession. Only the answer
	// that made it has it.
	Code string
	// Certificate is nil where the cloud does not show it; SHA1 is its
	// thumbprint, hexadecimal.
	Certificate *x509.Certificate
	SHA1        string
}

// Is tells whether cert is the one that was uploaded.
func (u UploadedCA) Is(cert *x509.Certificate) bool {
	if u.Certificate != nil {
		return u.Certificate.Equal(cert)
	}
	return u.SHA1 != "" && strings.EqualFold(u.SHA1, pki.SHA1(cert))
}

// Onboarder keeps the CA certificates of one IoT Hub or DPS. Errors are of the
// kinds of errors.go; a changed etag is ErrConflict.
type Onboarder interface {
	// Title names the service to a person and to locks, such as "DPS dps-7".
	Title() string
	CAs(ctx context.Context) ([]UploadedCA, error)
	CA(ctx context.Context, name string) (UploadedCA, error)
	// UploadCA is ErrConflict if one of that name exists.
	UploadCA(ctx context.Context, name string, cert *x509.Certificate) (UploadedCA, error)
	// CACode makes a new verification code; an earlier one is void then.
	CACode(ctx context.Context, name, etag string) (UploadedCA, error)
	// VerifyCA shows the proof, a certificate below the CA with the code as its
	// common name.
	VerifyCA(ctx context.Context, name, etag string, proof *x509.Certificate) (UploadedCA, error)
	// DeleteCA of one that is not there is no error.
	DeleteCA(ctx context.Context, name, etag string) error
	// UserOfCA names something that needs the CA certificate, or may, "" for
	// nothing.
	UserOfCA(ctx context.Context, name string) (string, error)
}

var uploadedName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,256}$`)

// CheckUploadedName says what keeps name from being that of a CA certificate in
// the cloud.
//
// https://learn.microsoft.com/azure/iot-dps/how-to-verify-certificates
func CheckUploadedName(name string) error {
	if !uploadedName.MatchString(name) {
		return fmt.Errorf("the name %q of the CA in the cloud does not have 1 to 256 letters, digits, dashes, dots and underscores", name)
	}
	return nil
}

// UploadCA makes sure that cert is in the cloud under name, and gives it with a
// code unless it is verified already. Another certificate of that name is
// ErrConflict; it is never replaced.
func UploadCA(ctx context.Context, at Onboarder, name string, cert *x509.Certificate) (UploadedCA, error) {
	there, err := at.CA(ctx, name)
	if errors.Is(err, ErrNotFound) {
		there, err = at.UploadCA(ctx, name, cert)
	}
	if err != nil {
		return UploadedCA{}, fmt.Errorf("upload CA certificate %s: %w", name, err)
	}
	if !there.Is(cert) {
		return UploadedCA{}, otherCA(at, name)
	}
	if there.Verified {
		return there, nil
	}
	coded, err := at.CACode(ctx, name, there.ETag)
	if err != nil {
		return UploadedCA{}, fmt.Errorf("make a verification code for %s: %w", name, err)
	}
	return coded, nil
}

func otherCA(at Onboarder, name string) error {
	return &Error{Kind: ErrConflict, Field: "x509.uploaded", Message: fmt.Sprintf("Another CA certificate is called %s in %s.", name, at.Title()),
		Hint: "Choose another name, or remove that one there if nothing needs it."}
}

// VerifyCA proves the possession of an uploaded CA, by a certificate that prove
// makes for its code. Where the code is not known a new one is made.
func VerifyCA(ctx context.Context, at Onboarder, ca UploadedCA, prove func(code string) (*x509.Certificate, error)) (UploadedCA, error) {
	if ca.Verified {
		return ca, nil
	}
	var err error
	if ca.Code == "" {
		if ca, err = at.CACode(ctx, ca.Name, ca.ETag); err != nil {
			return UploadedCA{}, fmt.Errorf("make a verification code for %s: %w", ca.Name, err)
		}
	}
	proof, err := prove(ca.Code)
	if err != nil {
		return UploadedCA{}, fmt.Errorf("make the verification certificate: %w", err)
	}
	verified, err := at.VerifyCA(ctx, ca.Name, ca.ETag, proof)
	if err != nil {
		return UploadedCA{}, fmt.Errorf("verify CA certificate %s: %w", ca.Name, err)
	}
	return verified, nil
}
