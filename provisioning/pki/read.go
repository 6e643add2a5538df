package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"

	"edgewright/provisioning/secret"
)

// Content is what a file holds, in its order.
type Content struct {
	Kind         Kind
	Certificates []*x509.Certificate
	Keys         []crypto.Signer
	Requests     []*x509.CertificateRequest
	CRLs         []*x509.RevocationList
	// Locked is how many keys are encrypted and were not opened for want of a
	// passphrase.
	Locked int
	// Passed is how many PEM blocks of other kinds were passed over, such as
	// EC PARAMETERS.
	Passed int
}

// Kind is the form of a file.
type Kind string

// The forms that Read knows.
const (
	KindPEM   Kind = "pem"
	KindDER   Kind = "der"
	KindPFX   Kind = "pfx"
	KindPKCS7 Kind = "pkcs7"
)

// MaxFile is how many bytes Read takes; chains of certificates are far below.
const MaxFile = 4 << 20

// What Read can wrap.
var (
	// ErrUnreadable is data that is no certificate, key or request at all, or
	// damaged.
	ErrUnreadable = errors.New("not readable")
	// ErrPassphrase is a passphrase that is missing or wrong.
	ErrPassphrase = errors.New("passphrase missing or wrong")
)

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnreadable}, args...)...)
}

// ReadFrom reads to the end, but no more than a file may have, and takes what
// Read takes.
func ReadFrom(r io.Reader, passphrase secret.Value) (Content, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return Content{}, err
	}
	return Read(data, passphrase)
}

// Read takes PEM with any mixture of certificates, keys, requests and CRLs,
// DER of one of them, PKCS #7 with certificates and PFX. The passphrase, which
// may be empty, opens encrypted keys; without it PEM keys count as Locked and a
// PFX file gives ErrPassphrase. Errors never hold what was read.
func Read(data []byte, passphrase secret.Value) (Content, error) {
	if len(data) > MaxFile {
		return Content{}, unreadable("the file has more than %d bytes", MaxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // as some editors begin a text
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return readPEM(data, passphrase)
	}
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 {
		return Content{}, unreadable("the file is empty")
	}
	if trimmed[0] != 0x30 { // SEQUENCE, with which all the DER forms begin
		return Content{}, unreadable("it is neither PEM nor DER")
	}
	return readDER(data, passphrase)
}

func readPEM(data []byte, passphrase secret.Value) (Content, error) {
	content := Content{Kind: KindPEM}
	for count := 1; ; count++ {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		if err := content.take(block, passphrase); err != nil {
			return Content{}, fmt.Errorf("PEM block %d, %s: %w", count, printable(block.Type), err)
		}
		data = rest
	}
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		return Content{}, unreadable("a PEM block has no end or is damaged; it may have been cut off while copying")
	}
	if content.IsEmpty() && content.Passed == 0 {
		return Content{}, unreadable("there is no certificate, key or request in it")
	}
	return content, nil
}

// IsEmpty tells content without anything usable.
func (c Content) IsEmpty() bool {
	return len(c.Certificates)+len(c.Keys)+len(c.Requests)+len(c.CRLs)+c.Locked == 0
}

func (c *Content) take(block *pem.Block, passphrase secret.Value) error {
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		return c.takeCertificate(block.Bytes)
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		request, err := ParseRequest(block.Bytes)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		c.Requests = append(c.Requests, request)
	case "X509 CRL":
		return c.takeCRL(block.Bytes)
	case "PKCS7", "CMS":
		return c.takePKCS7(block.Bytes)
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY":
		return c.takeKey(block, passphrase)
	default:
		c.Passed++
	}
	return nil
}

func (c *Content) takeKey(block *pem.Block, passphrase secret.Value) error {
	key, err := parseKeyBlock(block, passphrase)
	if errors.Is(err, ErrPassphrase) && passphrase.IsEmpty() {
		c.Locked++
		return nil
	}
	if err != nil {
		return err
	}
	c.Keys = append(c.Keys, key)
	return nil
}

func (c *Content) takeCertificate(der []byte) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return unreadable("the certificate is damaged or breaks RFC 5280: %s", err)
	}
	c.Certificates = append(c.Certificates, cert)
	return nil
}

func (c *Content) takeCRL(der []byte) error {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return unreadable("the revocation list is damaged: %s", err)
	}
	c.CRLs = append(c.CRLs, crl)
	return nil
}

// readDER tries the forms in turn: nothing but the structure tells them apart.
// If none fits, it tells what is wrong with the form that it looks like.
func readDER(der []byte, passphrase secret.Value) (Content, error) {
	// In the order of the shapes.
	attempts := []struct {
		kind Kind
		take func(*Content) error
	}{
		{KindDER, func(c *Content) error { return c.takeCertificate(der) }},
		{KindDER, func(c *Content) error {
			return c.takeKey(&pem.Block{Type: "PRIVATE KEY", Bytes: der}, passphrase)
		}},
		{KindDER, func(c *Content) error {
			request, err := ParseRequest(der)
			if err != nil {
				return fmt.Errorf("%w: %w", ErrUnreadable, err)
			}
			c.Requests = append(c.Requests, request)
			return nil
		}},
		{KindDER, func(c *Content) error { return c.takeCRL(der) }},
		{KindPKCS7, func(c *Content) error { return c.takePKCS7(der) }},
		{KindDER, func(c *Content) error {
			return c.takeKey(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}, passphrase)
		}},
		{KindPFX, func(c *Content) error { return c.takePFX(der, passphrase) }},
	}
	if err := checkWhole(der); err != nil {
		return Content{}, err
	}
	looksLike := shapeOf(der)
	told := unreadable("it is no certificate, key, request, revocation list, PKCS #7 or PFX file, or it is damaged")
	for i, attempt := range attempts {
		content := Content{Kind: attempt.kind}
		err := attempt.take(&content)
		if err == nil {
			return content, nil
		}
		if errors.Is(err, ErrPassphrase) {
			return Content{}, err
		}
		if i == looksLike {
			told = err
		}
	}
	return Content{}, told
}

// Chain gives the certificates with the one of the key first, if there is one
// key and it is among them.
func (c Content) Chain() []*x509.Certificate {
	chain := slices.Clone(c.Certificates)
	if len(c.Keys) != 1 {
		return chain
	}
	at := slices.IndexFunc(chain, func(cert *x509.Certificate) bool { return SamePublicKey(c.Keys[0].Public(), cert.PublicKey) })
	if at > 0 {
		leaf := chain[at]
		chain = slices.Insert(slices.Delete(chain, at, at+1), 0, leaf)
	}
	return chain
}

// printable keeps a label of outside input to letters, digits and spaces.
func printable(text string) string {
	kept := make([]rune, 0, len(text))
	for _, c := range text {
		if c < 0x20 || c > 0x7e || len(kept) == 40 {
			break
		}
		kept = append(kept, c)
	}
	return string(kept)
}
