package est

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/smallstep/pkcs7"
)

// CACerts asks for the CA certificates of the server (RFC 7030, 4.1), in the
// order of the answer, which means nothing.
func (c *Client) CACerts(ctx context.Context) ([]*x509.Certificate, error) {
	const operation = "cacerts"
	body, err := c.call(ctx, operation, nil)
	if err != nil {
		return nil, err
	}
	certs, err := parseCertificates(body)
	if err != nil {
		return nil, c.unusable(operation, err)
	}
	for _, cert := range certs {
		if !cert.IsCA {
			return nil, c.unusable(operation, fmt.Errorf("%s is no CA", printable(cert.Subject.CommonName)))
		}
	}
	return certs, nil
}

// SimpleEnroll asks for a certificate (RFC 7030, 4.2). request is a PKCS #10,
// DER. The certificate for its key comes first in the answer; CAs may follow.
func (c *Client) SimpleEnroll(ctx context.Context, request []byte) ([]*x509.Certificate, error) {
	return c.enroll(ctx, "simpleenroll", request)
}

// SimpleReenroll renews the certificate that the client shows in the handshake
// (RFC 7030, 4.2.2); the request has its subject and names, and its key or a new
// one.
func (c *Client) SimpleReenroll(ctx context.Context, request []byte) ([]*x509.Certificate, error) {
	return c.enroll(ctx, "simplereenroll", request)
}

func (c *Client) enroll(ctx context.Context, operation string, request []byte) ([]*x509.Certificate, error) {
	asked, err := x509.ParseCertificateRequest(request)
	if err != nil {
		return nil, fmt.Errorf("EST %s: read the request: %w", operation, err)
	}
	body, err := c.call(ctx, operation, request)
	if err != nil {
		return nil, err
	}
	certs, err := parseCertificates(body)
	if err != nil {
		return nil, c.unusable(operation, err)
	}
	certs, err = leafFirst(certs, asked)
	if err != nil {
		return nil, c.unusable(operation, err)
	}
	return certs, nil
}

func (c *Client) unusable(operation string, err error) error {
	return &Error{Operation: operation, Host: c.base.Host, Status: 200, Kind: ErrAnswer, Problem: "the answer cannot be used: " + err.Error()}
}

// parseCertificates reads the body of an answer: base64, lines of any length, of
// a degenerate SignedData (RFC 5652, 5) that carries certificates only. Raw DER
// is refused, because the runtime refuses it.
func parseCertificates(body []byte) ([]*x509.Certificate, error) {
	text := bytes.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, body)
	if len(text) == 0 {
		return nil, errors.New("it is empty")
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(der, text)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	bag, err := pkcs7.Parse(der[:n])
	if err != nil {
		return nil, errors.New("it is no PKCS #7 with certificates")
	}
	if len(bag.Certificates) == 0 {
		return nil, errors.New("there is no certificate in it")
	}
	return bag.Certificates, nil
}

// leafFirst brings the certificate for the key of the request to the front and
// refuses an answer that has none, or one of somebody else.
func leafFirst(certs []*x509.Certificate, asked *x509.CertificateRequest) ([]*x509.Certificate, error) {
	for i, cert := range certs {
		if !bytes.Equal(cert.RawSubjectPublicKeyInfo, asked.RawSubjectPublicKeyInfo) {
			continue
		}
		if name := asked.Subject.CommonName; cert.Subject.CommonName != name {
			return nil, fmt.Errorf("the certificate is for %q, and %q was asked for", printable(cert.Subject.CommonName), name)
		}
		ordered := append([]*x509.Certificate{cert}, certs[:i]...)
		return append(ordered, certs[i+1:]...), nil
	}
	return nil, errors.New("none of its certificates is for the key of the request")
}
