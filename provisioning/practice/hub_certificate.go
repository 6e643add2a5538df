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
// identity of that authentication. selfSigned: the leaf has one of its
// thumbprints; nothing else of the certificate counts, dates neither (assumed).
// certificateAuthority: the leaf's common name is the device ID, or
// DEVICE/MODULE, and it leads to a verified CA certificate of the hub.
//
// https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-x509
func (t *transaction) certified(chain []*x509.Certificate, by *wire.Authentication, commonName string) bool {
	if len(chain) == 0 {
		return false
	}
	switch by.Type {
	case wire.AuthSelfSigned:
		return by.X509Thumbprint != nil &&
			(hasThumbprint(chain[0], by.X509Thumbprint.PrimaryThumbprint) || hasThumbprint(chain[0], by.X509Thumbprint.SecondaryThumbprint))
	case wire.AuthCertificateAuthority:
		if chain[0].Subject.CommonName != commonName {
			return false
		}
		for _, ca := range t.c.state.casOf(t.hub.label) {
			if !ca.Verified || !leadsTo(chain, ca.cert) {
				continue
			}
			if _, err := verifyChain(chain[0], chain[1:], ca.cert, t.now); err == nil {
				return true
			}
		}
	}
	return false
}

// hasThumbprint compares with the SHA-1 and the SHA-256 of the certificate's
// DER, in any letter case. An empty thumbprint is nobody's.
func hasThumbprint(cert *x509.Certificate, given string) bool {
	short, long := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw) // #nosec G401
	return strings.EqualFold(given, hex.EncodeToString(short[:])) || strings.EqualFold(given, hex.EncodeToString(long[:]))
}

// strangerText is why the hub refuses a certificate for an identity that proves
// itself by one, or empty: error 401003, whose text prints both hashes of what
// was presented. Assumed: the other words.
//
// https://learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes
func strangerText(chain []*x509.Certificate, by *wire.Authentication) string {
	if len(chain) == 0 {
		return ""
	}
	short, long := thumbprints(chain[0])
	presented := " Presented certificate: SHA1Thumbprint=" + short + ", SHA256Thumbprint=" + long
	switch by.Type {
	case wire.AuthSelfSigned:
		return "Unauthorized: the thumbprint of the client certificate is not the identity's." + presented
	case wire.AuthCertificateAuthority:
		return "Unauthorized: the client certificate is not valid for the identity, or not issued by a verified CA of the hub." + presented
	}
	return ""
}
