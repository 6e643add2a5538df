package pki

import (
	"crypto/sha1" // #nosec G505: Azure shows and takes SHA-1 thumbprints
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
)

// SHA1 is the SHA-1 thumbprint: 40 hexadecimal digits, capital, no separators.
func SHA1(cert *x509.Certificate) string {
	sum := sha1.Sum(cert.Raw) // #nosec G401
	return upperHex(sum[:])
}

// SHA256 is the SHA-256 thumbprint: 64 hexadecimal digits, capital, no
// separators.
func SHA256(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return upperHex(sum[:])
}

// Serial is the serial number as capital hexadecimal digits, without leading
// zeros.
func Serial(cert *x509.Certificate) string { return upperHex(cert.SerialNumber.Bytes()) }

func upperHex(raw []byte) string { return strings.ToUpper(hex.EncodeToString(raw)) }
