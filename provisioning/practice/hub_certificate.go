package practice

import (
	"crypto/sha1" // #nosec G505: IoT Hub knows SHA-1 thumbprints
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"

	"edgewright/provisioning/wire"
)

// certified tells whether a chain that the caller holds the key of proves an
// identity of that authentication: the leaf has one of its thumbprints.
func (t *transaction) certified(chain []*x509.Certificate, by *wire.Authentication) bool {
	if len(chain) == 0 || by.Type != wire.AuthSelfSigned || by.X509Thumbprint == nil {
		return false
	}
	return hasThumbprint(chain[0], by.X509Thumbprint.PrimaryThumbprint) || hasThumbprint(chain[0], by.X509Thumbprint.SecondaryThumbprint)
}

// hasThumbprint compares with the SHA-1 and the SHA-256 of the certificate's
// DER, in any letter case. An empty thumbprint is nobody's.
func hasThumbprint(cert *x509.Certificate, given string) bool {
	short, long := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw) // #nosec G401
	return strings.EqualFold(given, hex.EncodeToString(short[:])) || strings.EqualFold(given, hex.EncodeToString(long[:]))
}
