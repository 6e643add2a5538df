package pki

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"time"

	"edgewright/provisioning/finding"
)

// NewRequest makes a PKCS #10 request (RFC 2986), DER, for the key's public
// part. The key may be anywhere that signs.
func NewRequest(random io.Reader, subject pkix.Name, key crypto.Signer) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(random, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request for %s: %w", subject.CommonName, err)
	}
	return der, nil
}

// RequestFor makes a request for what an order asks of an outside CA: subject,
// names and key usages (RFC 5280, 4.2, as extensions by RFC 2985, 5.4.2). The
// signature is the key's own. What the caller got wrong wraps ErrRefused.
func RequestFor(random io.Reader, o Order, key crypto.Signer) ([]byte, error) {
	if found := o.Profile.Check(); found.Errors() {
		return nil, refuse("profile %s: %s", o.Profile.Name, found.First(finding.Error).Problem)
	}
	o.Profile.SelfSigned, o.Public = false, key.Public()
	template, err := o.template(random, time.Time{}) // a request has no dates
	if err != nil {
		return nil, err
	}
	wanted, err := o.Profile.extensions(AlgorithmOf(o.Public))
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificateRequest(random, &x509.CertificateRequest{Subject: o.Subject, DNSNames: template.DNSNames, IPAddresses: template.IPAddresses,
		ExtraExtensions: wanted}, key)
	if err != nil {
		return nil, fmt.Errorf("make certificate request for %s: %w", o.Subject.CommonName, err)
	}
	return der, nil
}

// ParseRequest reads a PKCS #10 request, PEM or DER, and checks that its sender
// has the key. What it asks for beyond subject, names and key is ignored: the
// profile decides.
func ParseRequest(data []byte) (*x509.CertificateRequest, error) {
	der := data
	if block, _ := pem.Decode(data); block != nil {
		if block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
			return nil, fmt.Errorf("read certificate request: the file holds a %s", block.Type)
		}
		der = block.Bytes
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("read certificate request: it is no PKCS #10 request or damaged: %w", err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("read certificate request: its signature does not fit its key: %w", err)
	}
	return request, nil
}

// OrderFor makes the order that a request stands for under a profile. Attributes
// of the subject that RFC 5280, 4.1.2.4 does not name, such as an address for
// mail, are left out.
func OrderFor(request *x509.CertificateRequest, profile Profile) Order {
	o := Order{Profile: profile, Subject: request.Subject, Public: request.PublicKey, Names: request.DNSNames}
	for _, ip := range request.IPAddresses {
		o.Names = append(o.Names, ip.String())
	}
	return o
}
