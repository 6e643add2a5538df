package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"

	"edgewright/provisioning/secret"
)

// PEM writes certificates one after the other.
func PEM(chain ...*x509.Certificate) []byte {
	var out bytes.Buffer
	for _, cert := range chain {
		out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	}
	return out.Bytes()
}

// RequestPEM writes a request.
func RequestPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// DeviceKeyPEM writes a key as the runtime reads it: PKCS #8, PEM, unencrypted.
// It is for the file on the device alone, and never for an export.
func DeviceKeyPEM(key crypto.Signer) (secret.Value, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return secret.Value{}, errors.New("write key: it does not leave the place where it is")
	}
	defer clear(der)
	return secret.New(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// MinPassphrase is the shortest passphrase under which a key leaves, in bytes.
const MinPassphrase = 8

// keyEncryption is PBES2 with AES-256 and PBKDF2 over HMAC-SHA-256 (RFC 8018);
// the rounds are those that OWASP advised in 2023.
var keyEncryption = &pkcs8.Opts{Cipher: pkcs8.AES256CBC,
	KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: 600_000, HMACHash: crypto.SHA256}}

// EncryptedKeyPEM writes a key as PKCS #8 under a passphrase.
func EncryptedKeyPEM(key crypto.Signer, passphrase secret.Value) ([]byte, error) {
	if err := checkPassphrase(passphrase); err != nil {
		return nil, err
	}
	der, err := pkcs8.MarshalPrivateKey(key, passphrase.Reveal(), keyEncryption)
	if err != nil {
		return nil, errors.New("write key: it does not leave the place where it is")
	}
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), nil
}

func checkPassphrase(passphrase secret.Value) error {
	if len(passphrase.Reveal()) < MinPassphrase {
		return fmt.Errorf("%w: an exported key is always encrypted; give a passphrase of %d characters or more", ErrPassphrase, MinPassphrase)
	}
	return nil
}

func checkExport(key crypto.Signer, chain []*x509.Certificate, passphrase secret.Value) error {
	if len(chain) == 0 || !SamePublicKey(key.Public(), chain[0].PublicKey) {
		return errors.New("write key and chain: the key is not that of the first certificate")
	}
	return checkPassphrase(passphrase)
}
