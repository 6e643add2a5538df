package tpm

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// EKCertificateIndex is where the certificate of the RSA endorsement key of
// the low range lies (TCG EK Credential Profile, 2.2.1.4).
const EKCertificateIndex = 0x01c00002

// ChainState says what a certificate is worth.
type ChainState string

// The states of an EK certificate.
const (
	ChainNone      ChainState = "none"       // the TPM stores none
	ChainUnread    ChainState = "unreadable" // what is stored is no certificate
	ChainOtherKey  ChainState = "other-key"  // it is not for this endorsement key
	ChainUnchecked ChainState = "unchecked"  // no roots were given
	ChainUntrusted ChainState = "untrusted"  // no way to a given root, or not in time, or not for an EK
	ChainTrusted   ChainState = "trusted"
)

// EKCertificate is the certificate that the TPM's maker stored.
type EKCertificate struct {
	State ChainState
	// Certificate is nil for ChainNone and ChainUnread.
	Certificate *x509.Certificate
	// Chain leads from it to a given root, for ChainTrusted only.
	Chain []*x509.Certificate
	// Problem says why, for a person; empty where all is well.
	Problem string
}

// Roots are certificates of TPM makers that the user supplies: roots, and
// issuers between.
type Roots struct{ Roots, Issuers []*x509.Certificate }

// EKCertificate reads the certificate and judges it. It is never fetched from
// anywhere.
func (t *TPM) EKCertificate(ctx context.Context, ek Key, roots Roots, now time.Time) (EKCertificate, error) {
	var area []byte
	err := t.use(ctx, "read the EK certificate", func(s sender) (err error) {
		area, err = readNV(s, EKCertificateIndex)
		return err
	})
	if err != nil {
		return EKCertificate{}, err
	}
	return Judge(area, ek, roots, now), nil
}

// readNV reads an NV index with the index's own authorisation; nil if there is
// none.
func readNV(s sender, index uint32) ([]byte, error) {
	handle := tpm2.TPMHandle(index)
	found, err := tpm2.NVReadPublic{NVIndex: handle}.Execute(s)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	public, err := found.NVPublic.Contents()
	if err != nil {
		return nil, err
	}
	piece, err := property1(s, tpm2.TPMPTNVBufferMax)
	if err != nil {
		return nil, err
	}
	if piece == 0 {
		piece = 512
	}
	size := int(public.DataSize)
	var data []byte
	for len(data) < size {
		part, err := tpm2.NVRead{AuthHandle: tpm2.AuthHandle{Handle: handle, Name: found.NVName, Auth: tpm2.PasswordAuth(nil)},
			NVIndex: tpm2.NamedHandle{Handle: handle, Name: found.NVName},
			Size:    uint16(min(int(piece), size-len(data))), Offset: uint16(len(data))}.Execute(s)
		if err != nil {
			return nil, err
		}
		if len(part.Data.Buffer) == 0 {
			return nil, errors.New("the TPM stops in the middle of the certificate")
		}
		data = append(data, part.Data.Buffer...)
	}
	return data, nil
}

// ParseEKCertificate reads a certificate from an NV area, which may be longer
// than the certificate.
func ParseEKCertificate(area []byte) (*x509.Certificate, error) {
	var whole asn1.RawValue
	if _, err := asn1.Unmarshal(area, &whole); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(whole.FullBytes)
}

// oidEKCertificate is tcg-kp-EKCertificate, the extended key usage of an EK
// certificate (TCG EK Credential Profile, 3.2.16).
var oidEKCertificate = asn1.ObjectIdentifier{2, 23, 133, 8, 1}

// oidSubjectAltName is critical and holds only a directory name where the
// subject is empty, which crypto/x509 does not handle.
var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// Judge says what an NV area, or a certificate that came from elsewhere, is worth for
// an endorsement key; nil is no certificate.
func Judge(area []byte, ek Key, roots Roots, now time.Time) EKCertificate {
	if area == nil {
		return EKCertificate{State: ChainNone, Problem: "The TPM stores no EK certificate; some makers publish it by the hash of the key."}
	}
	cert, err := ParseEKCertificate(area)
	if err != nil {
		return EKCertificate{State: ChainUnread, Problem: fmt.Sprintf("What the TPM stores as EK certificate does not read: %v.", err)}
	}
	found := EKCertificate{Certificate: cert}
	say := func(state ChainState, format string, args ...any) EKCertificate {
		found.State, found.Problem = state, fmt.Sprintf(format, args...)
		return found
	}
	if !sameKey(cert, ek.Public) {
		if made, ok := ek.Variants[TemplateStandard]; ok && sameKey(cert, made) {
			return say(ChainOtherKey, "The certificate is for the key of the standard template, and the TPM keeps another one (%s).", ek.Template)
		}
		return say(ChainOtherKey, "The certificate is for another key: the TPM was cleared, or the certificate belongs to another one.")
	}
	if len(roots.Roots) == 0 {
		return say(ChainUnchecked, "")
	}
	if found.Chain, err = verify(cert, roots, now); err != nil {
		return say(ChainUntrusted, "The certificate leads to none of the given roots: %v.", err)
	}
	return say(ChainTrusted, "")
}

func verify(cert *x509.Certificate, roots Roots, now time.Time) ([]*x509.Certificate, error) {
	if !slices.ContainsFunc(cert.UnknownExtKeyUsage, oidEKCertificate.Equal) {
		return nil, errors.New("it is not made for an endorsement key")
	}
	checked := *cert
	checked.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(cert.UnhandledCriticalExtensions), oidSubjectAltName.Equal)
	pools := [2]*x509.CertPool{x509.NewCertPool(), x509.NewCertPool()}
	for i, list := range [][]*x509.Certificate{roots.Roots, roots.Issuers} {
		for _, issuer := range list {
			pools[i].AddCert(issuer)
		}
	}
	chains, err := checked.Verify(x509.VerifyOptions{Roots: pools[0], Intermediates: pools[1], CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return nil, err
	}
	return chains[0], nil
}

// sameKey ties a certificate to a key of the TPM.
func sameKey(cert *x509.Certificate, public []byte) bool {
	key, err := publicKey(public)
	if err != nil {
		return false
	}
	held, ok := key.(*rsa.PublicKey)
	return ok && held.Equal(cert.PublicKey)
}
