package pki

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// maxChain is how many certificates a chain has at most.
const maxChain = 10

// IsSelfSigned tells a certificate that its own key has signed.
func IsSelfSigned(cert *x509.Certificate) bool {
	return bytes.Equal(cert.RawSubject, cert.RawIssuer) && cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}

// Signed tells whether the key of ca has signed cert and the names fit. Dates,
// constraints and usages are not looked at.
func Signed(ca, cert *x509.Certificate) bool {
	return bytes.Equal(ca.RawSubject, cert.RawIssuer) && ca.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
}

// Assemble makes the chain of leaf from certificates in any order: leaf first,
// then each one's issuer as far as it is among them. Of several issuers with
// one key the one that holds longest is taken. What does not belong to the
// chain comes back apart.
func Assemble(leaf *x509.Certificate, pool []*x509.Certificate) (chain, others []*x509.Certificate) {
	chain = []*x509.Certificate{leaf}
	for len(chain) < maxChain {
		last := chain[len(chain)-1]
		if IsSelfSigned(last) {
			break
		}
		var issuer *x509.Certificate
		for _, candidate := range pool {
			if slices.ContainsFunc(chain, candidate.Equal) || !Signed(candidate, last) {
				continue
			}
			if issuer == nil || candidate.NotAfter.After(issuer.NotAfter) {
				issuer = candidate
			}
		}
		if issuer == nil {
			break
		}
		chain = append(chain, issuer)
	}
	for _, cert := range pool {
		if !slices.ContainsFunc(chain, cert.Equal) {
			others = append(others, cert)
		}
	}
	return chain, others
}

// Leaves gives those of the certificates that signed none of the others.
func Leaves(certs []*x509.Certificate) (leaves []*x509.Certificate) {
	for _, cert := range certs {
		signsOther := slices.ContainsFunc(certs, func(other *x509.Certificate) bool { return !other.Equal(cert) && Signed(cert, other) })
		if !signsOther {
			leaves = append(leaves, cert)
		}
	}
	return leaves
}

// ForDevice gives the chain as its file on the device has it: leaf and
// intermediates. The root belongs in the trust bundle only.
func ForDevice(chain []*x509.Certificate) []*x509.Certificate {
	if last := len(chain) - 1; last > 0 && IsSelfSigned(chain[last]) {
		return chain[:last]
	}
	return chain
}
