package practice

import (
	"crypto/sha1" // #nosec G505: DPS and IoT Hub show SHA-1 thumbprints
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"edgewright/provisioning/wire"
)

// maxCertificate bounds the text of a certificate, in bytes.
const maxCertificate = 64 << 10

// decodeCertificate reads one certificate as clients write it: PEM, the base64
// of DER, or the base64 of PEM.
func decodeCertificate(text string) (*x509.Certificate, error) {
	if len(text) > maxCertificate {
		return nil, errors.New("the certificate is too long")
	}
	raw := []byte(text)
	if !strings.Contains(text, "-----BEGIN") {
		decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, errors.New("the certificate is neither PEM nor base64")
		}
		raw = decoded
	}
	if strings.Contains(string(raw), "-----BEGIN") {
		block, rest := pem.Decode(raw)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("the PEM text has no certificate at its beginning")
		}
		if next, _ := pem.Decode(rest); next != nil {
			return nil, errors.New("the PEM text has more than one certificate")
		}
		raw = block.Bytes
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("the certificate does not read: %s", strings.TrimSuffix(wire.CleanMessage(err.Error()), "."))
	}
	return cert, nil
}

// thumbprints are the hashes of a certificate's DER in capital hexadecimal, as
// DPS and the hub show them.
func thumbprints(cert *x509.Certificate) (short, long string) {
	sum1, sum256 := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw) // #nosec G401
	return strings.ToUpper(hex.EncodeToString(sum1[:])), strings.ToUpper(hex.EncodeToString(sum256[:]))
}

// certificateInfo is what DPS says of a certificate. Assumed: the spelling of
// names (RFC 2253) and of the serial number (capital hexadecimal).
func certificateInfo(cert *x509.Certificate) *wire.X509CertificateInfo {
	short, long := thumbprints(cert)
	return &wire.X509CertificateInfo{SubjectName: cert.Subject.String(), SHA1Thumbprint: short, SHA256Thumbprint: long,
		IssuerName: cert.Issuer.String(), NotBeforeUTC: wire.At(cert.NotBefore), NotAfterUTC: wire.At(cert.NotAfter),
		SerialNumber: fmt.Sprintf("%X", cert.SerialNumber), Version: cert.Version}
}
