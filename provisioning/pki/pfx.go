package pki

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/smallstep/pkcs7"
	"software.sslmate.com/src/go-pkcs12"

	"edgewright/provisioning/secret"
)

// PFXForm is how a PFX file is encrypted.
type PFXForm string

// The forms of PFX files that are written.
const (
	// PFXModern is AES-256 with an HMAC of SHA-256: Windows 10 1709, Windows
	// Server 2019 and OpenSSL 1.1 and later read it.
	PFXModern PFXForm = "modern"
	// PFXOld is 3DES with an HMAC of SHA-1, for older systems.
	PFXOld PFXForm = "old"
)

// The rounds that a passphrase goes through. Windows and .NET refuse files with
// several hundred thousand, and systems of before 2018 are used to 2,000.
var pfxEncoders = map[PFXForm]*pkcs12.Encoder{PFXModern: pkcs12.Modern2023.WithIterations(100_000), PFXOld: pkcs12.LegacyDES.WithIterations(2048)}

// PFX writes a key with its chain, leaf first, under a passphrase (RFC 7292).
func PFX(form PFXForm, key crypto.Signer, chain []*x509.Certificate, passphrase secret.Value) ([]byte, error) {
	if err := checkExport(key, chain, passphrase); err != nil {
		return nil, err
	}
	data, err := pfxEncoders[form].Encode(key, chain[0], chain[1:], passphrase.RevealString())
	if err != nil {
		return nil, fmt.Errorf("write PFX: %w", err)
	}
	return data, nil
}

func (c *Content) takePFX(der []byte, passphrase secret.Value) error {
	if !utf8.Valid(passphrase.Reveal()) {
		return fmt.Errorf("%w: it is not UTF-8", ErrPassphrase)
	}
	if err := boundRounds(der, 0); err != nil {
		return err
	}
	key, leaf, more, err := pkcs12.DecodeChain(der, passphrase.RevealString())
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword):
		return fmt.Errorf("%w: the passphrase does not open the PFX file", ErrPassphrase)
	case err != nil:
		return unreadable("the PFX file %s", pfxProblem(err))
	}
	signer, err := asSigner(key)
	if err != nil {
		return err
	}
	c.Keys = append(c.Keys, signer)
	c.Certificates = append(append(c.Certificates, leaf), more...)
	return nil
}

// pfxProblem says what is wrong with a PFX file, by the texts of the library,
// which has no values for them and quotes no content in these.
func pfxProblem(err error) string {
	for part, problem := range map[string]string{
		"no MAC":              "has no MAC, so its passphrase cannot be checked; export it again with one",
		"certificate missing": "holds no certificate",
		"private key missing": "holds no private key; give the certificates as PEM instead",
		"exactly one key bag": "holds several private keys; export each pair by itself",
		"iteration":           "asks for an impossible number of rounds",
		"unknown algorithm":   "is encrypted in an unknown way",
		"digest algorithm":    "has a MAC of an unknown kind",
		"encrypted with":      "is encrypted in an unknown way",
		"unsupported":         "is encrypted in an unknown way",
	} {
		if strings.Contains(err.Error(), part) {
			return problem
		}
	}
	return "is damaged"
}

// takePKCS7 reads the certificates of a PKCS #7 bag (RFC 2315, 9.1), such as an
// EST server or Windows writes. Signatures in it are not looked at.
func (c *Content) takePKCS7(der []byte) error {
	bag, err := pkcs7.Parse(der)
	if err != nil || len(bag.Certificates) == 0 {
		return unreadable("there are no certificates in the PKCS #7 file, or it is damaged")
	}
	c.Certificates = append(c.Certificates, bag.Certificates...)
	return nil
}
