package practice

import (
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/wire"
)

var (
	invalidCertificate = &refusal{dpsBadCertificate, "Invalid certificate."}
	authorityNotFound  = &refusal{dpsBadCertificate, "CA certificate not found."}
)

// certificateFor gives the leaf of a chain whose common name is the
// registration ID; the handshake has proved that the device has its key.
func certificateFor(a applicant) (*x509.Certificate, *refusal) {
	switch {
	case len(a.shown.chain) == 0:
		return nil, unauthorized
	case !strings.EqualFold(a.shown.chain[0].Subject.CommonName, a.id):
		return nil, invalidCertificate
	}
	return a.shown.chain[0], nil
}

// byLeaf makes the claim's identity. DPS writes the leaf's thumbprint into both
// slots of a selfSigned identity, for groups, too: a renewed leaf is refused by
// the hub until the device registers again.
//
// https://learn.microsoft.com/azure/iot-dps/how-to-roll-certificates; issues
// azure-docs 70976 and 108289
func (by *claim) byLeaf(leaf, signer *x509.Certificate) {
	_, long := thumbprints(leaf)
	by.Authentication = &wire.Authentication{Type: wire.AuthSelfSigned, X509Thumbprint: &wire.X509Thumbprint{PrimaryThumbprint: long, SecondaryThumbprint: long}}
	by.X509 = &wire.X509RegistrationResult{CertificateInfo: certificateInfo(leaf), EnrollmentGroupID: by.Group}
	if signer != nil {
		by.X509.SigningCertificateInfo = certificateInfo(signer)
	}
}

// byCertificate proves an individual enrollment: the leaf is one of its client
// certificates, and valid by the cloud's clock.
func (by *attested) byCertificate(a applicant, enrolled *wire.X509Certificates, now time.Time) *refusal {
	leaf, bad := certificateFor(a)
	if bad != nil {
		return bad
	}
	_, long := thumbprints(leaf)
	for _, slot := range []*wire.X509CertificateWithInfo{enrolled.Primary, enrolled.Secondary} {
		if slot != nil && slot.Info.SHA256Thumbprint == long && checkLeaf(leaf, now) == nil {
			by.byLeaf(leaf, nil)
			return nil
		}
	}
	return invalidCertificate
}

// attestByGroupCA looks for the group whose certificate is the nearest above
// the leaf; it counts also when it is disabled.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-x509-attestation
func (t *transaction) attestByGroupCA(a applicant) (attested, *refusal) {
	leaf, bad := certificateFor(a)
	if bad != nil {
		return attested{}, bad
	}
	var nearest *wire.EnrollmentGroup
	var signer *x509.Certificate
	shortest := maxPathLength
	for _, name := range slices.Sorted(maps.Keys(t.c.state.groups)) {
		g := t.c.state.groups[name]
		for _, trusted := range t.signers(g) {
			if !leadsTo(a.shown.chain, trusted) {
				continue
			}
			if depth, err := verifyChain(leaf, a.shown.chain[1:], trusted, t.now); err == nil && depth < shortest {
				nearest, signer, shortest = g, trusted, depth
			}
		}
	}
	switch {
	case nearest == nil:
		return attested{}, authorityNotFound
	case nearest.ProvisioningStatus == wire.StatusDisabled:
		return attested{}, unauthorized
	}
	found := attested{enrollment: group(nearest), claim: claim{DeviceID: a.id, Group: nearest.EnrollmentGroupID}}
	found.byLeaf(leaf, signer)
	return found, nil
}

// signers are the certificates that a group trusts: its own, or those of
// uploaded CAs as long as they are verified.
func (t *transaction) signers(g *wire.EnrollmentGroup) []*x509.Certificate {
	var all []*x509.Certificate
	x := g.Attestation.X509
	switch {
	case g.Attestation.Type != wire.AttestationX509:
	case x.SigningCertificates != nil:
		for _, slot := range []*wire.X509CertificateWithInfo{x.SigningCertificates.Primary, x.SigningCertificates.Secondary} {
			if slot == nil {
				continue
			}
			if cert := t.c.state.parsed(slot); cert != nil {
				all = append(all, cert)
			}
		}
	case x.CAReferences != nil:
		for _, name := range []string{x.CAReferences.Primary, x.CAReferences.Secondary} {
			if ca := t.c.state.ca(caOwnerDPS, name); ca != nil && ca.Verified {
				all = append(all, ca.cert)
			}
		}
	}
	return all
}

// parsed gives the certificate of a slot, which was checked when it was written;
// nil if it does not read now.
func (s *state) parsed(slot *wire.X509CertificateWithInfo) *x509.Certificate {
	known := s.certificates[slot.Info.SHA256Thumbprint]
	if known == nil {
		known, _ = decodeCertificate(slot.Certificate)
		s.certificates[slot.Info.SHA256Thumbprint] = known
	}
	return known
}
