package pki

import (
	"crypto/x509"
	"slices"
)

// RoleOf guesses the role of a certificate that was made elsewhere by what it
// may do: a CA for leaves only counts as an Edge CA unless it is a root.
func RoleOf(cert *x509.Certificate) Role {
	limit, limited := pathLength(cert)
	switch {
	case cert.IsCA && IsSelfSigned(cert):
		return RoleRoot
	case cert.IsCA && limited && limit == 0 && cert.KeyUsage&x509.KeyUsageCRLSign == 0:
		return RoleEdgeCA
	case cert.IsCA:
		return RoleIntermediate
	case slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return RoleServer
	}
	return RoleIdentity
}
