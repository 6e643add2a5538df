package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"

	"edgewright/provisioning/secret"
)

// ParseKey reads one private key, PEM or DER: PKCS #8 plain or encrypted, PKCS
// #1 or SEC 1. An encrypted one without or with the wrong passphrase wraps
// ErrPassphrase.
func ParseKey(data []byte, passphrase secret.Value) (crypto.Signer, error) {
	content, err := Read(data, passphrase)
	switch {
	case err != nil:
		return nil, err
	case content.Locked > 0:
		return nil, fmt.Errorf("%w: the key is encrypted", ErrPassphrase)
	case len(content.Keys) != 1:
		return nil, unreadable("there are %d private keys in it, not one", len(content.Keys))
	}
	return content.Keys[0], nil
}

func parseKeyBlock(block *pem.Block, passphrase secret.Value) (crypto.Signer, error) {
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return parseEncryptedKey(block.Bytes, passphrase)
	case block.Headers["DEK-Info"] != "":
		return parseOldEncryptedKey(block, passphrase)
	}
	return parsePlainKey(block.Bytes)
}

// parsePlainKey reads the three forms, which their structure tells apart.
func parsePlainKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return asSigner(key)
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return asSigner(key)
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return asSigner(key)
	}
	// The parsers' own errors may quote from the key.
	return nil, unreadable("it is no PKCS #8, PKCS #1 or SEC 1 private key, or it is damaged")
}

func asSigner(key any) (crypto.Signer, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, unreadable("the key cannot sign")
	}
	return signer, nil
}

// maxIterations bounds what a file may cost to open; OpenSSL 3 writes 2048,
// careful programs a million.
const maxIterations = 10_000_000

// parseEncryptedKey opens PKCS #8 with PBES2 (RFC 8018, 6.2).
func parseEncryptedKey(der []byte, passphrase secret.Value) (crypto.Signer, error) {
	var info struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters struct {
				KDF struct {
					OID    asn1.ObjectIdentifier
					Values asn1.RawValue
				}
				Cipher asn1.RawValue
			} `asn1:"optional"`
		}
		Data []byte
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, unreadable("it is no encrypted PKCS #8 key, or its encryption is older than PBES2")
	}
	if !info.Algorithm.OID.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}) {
		return nil, unreadable("its encryption %s is not PBES2; convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc", info.Algorithm.OID)
	}
	if err := boundKDF(info.Algorithm.Parameters.KDF.OID, info.Algorithm.Parameters.KDF.Values.FullBytes); err != nil {
		return nil, err
	}
	if passphrase.IsEmpty() {
		return nil, fmt.Errorf("%w: the key is encrypted", ErrPassphrase)
	}
	key, _, err := pkcs8.ParsePrivateKey(der, passphrase.Reveal())
	if err != nil {
		// The library cannot tell a wrong passphrase from damage.
		return nil, fmt.Errorf("%w: the passphrase does not open the key, or the key is damaged", ErrPassphrase)
	}
	return asSigner(key)
}

// boundKDF refuses key derivations that would take hours or gigabytes.
func boundKDF(oid asn1.ObjectIdentifier, parameters []byte) error {
	var pbkdf2 struct {
		Salt       asn1.RawValue
		Iterations int
		Rest       asn1.RawValue `asn1:"optional"`
		PRF        asn1.RawValue `asn1:"optional"`
	}
	var scrypt struct {
		Salt    []byte
		N, R, P int
		Length  int `asn1:"optional"`
	}
	switch oid.String() {
	case "1.2.840.113549.1.5.12":
		if _, err := asn1.Unmarshal(parameters, &pbkdf2); err != nil || pbkdf2.Iterations < 1 || pbkdf2.Iterations > maxIterations {
			return unreadable("its key derivation asks for an impossible number of rounds")
		}
	case "1.3.6.1.4.1.11591.4.11":
		_, err := asn1.Unmarshal(parameters, &scrypt)
		if err != nil || scrypt.N < 2 || scrypt.R < 1 || scrypt.P < 1 || scrypt.N > 1<<20 || scrypt.R > 16 || scrypt.P > 16 {
			return unreadable("its key derivation asks for an impossible amount of memory")
		}
	default:
		return unreadable("its key derivation %s is unknown", oid)
	}
	return nil
}

// parseOldEncryptedKey opens PEM with a DEK-Info header (RFC 1423), which is
// read and never written.
func parseOldEncryptedKey(block *pem.Block, passphrase secret.Value) (crypto.Signer, error) {
	if passphrase.IsEmpty() {
		return nil, fmt.Errorf("%w: the key is encrypted", ErrPassphrase)
	}
	//lint:ignore SA1019 old files are only read
	der, err := x509.DecryptPEMBlock(block, passphrase.Reveal())
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, fmt.Errorf("%w: the passphrase does not open the key", ErrPassphrase)
	}
	if err != nil {
		return nil, unreadable("its encryption is unknown or damaged")
	}
	key, err := parsePlainKey(der)
	if err != nil {
		// One in 256 wrong passphrases passes the check of the padding.
		return nil, fmt.Errorf("%w: the passphrase does not open the key", ErrPassphrase)
	}
	return key, nil
}
