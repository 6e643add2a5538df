package practice

import (
	"encoding/pem"
	"fmt"
	"strings"

	"edgewright/provisioning/wire"
)

// completeAttestation checks and settles the attestation that a caller wrote.
// there is that of the enrollment it replaces, or nil: whoever writes back what
// it read, which has neither keys nor certificates, means no change.
func (c *Cloud) completeAttestation(e enrollment, there *wire.AttestationMechanism) *refusal {
	given := *e.attestation
	if given == nil || given.Type == "" {
		return badRequest("attestation is missing.")
	}
	var bad *refusal
	made := &wire.AttestationMechanism{Type: given.Type}
	switch given.Type {
	case wire.AttestationSymmetricKey:
		made.SymmetricKey, bad = c.completeKeys(given.SymmetricKey, there)
	case wire.AttestationX509:
		var before *wire.X509Attestation
		if there != nil {
			before = there.X509
		}
		made.X509, bad = c.completeX509(given.X509, before, e.group)
	case wire.AttestationTPM:
		made.TPM, bad = completeTPM(given.TPM, e.group)
	default:
		bad = badRequest(fmt.Sprintf("attestation.type %q is not symmetricKey, x509 or tpm.", wire.CleanMessage(given.Type)))
	}
	if bad != nil {
		return bad
	}
	*e.attestation = made
	return nil
}

// completeKeys takes both keys, keeps those that are there, or makes them.
func (c *Cloud) completeKeys(given *wire.SymmetricKey, there *wire.AttestationMechanism) (*wire.SymmetricKey, *refusal) {
	if err := checkKeys(given); err != nil {
		return nil, badRequest("attestation.symmetricKey: " + err.Error() + ".")
	}
	switch {
	case given != nil && !given.PrimaryKey.IsEmpty():
		return given, nil
	case there != nil && there.SymmetricKey != nil:
		return there.SymmetricKey, nil
	}
	keys := c.newKeys(enrollmentKeyLength)
	return &keys, nil
}

// completeTPM demands a key that a challenge can be sealed for.
func completeTPM(given *wire.TPMAttestation, group bool) (*wire.TPMAttestation, *refusal) {
	switch {
	case group:
		return nil, badRequest("attestation.type tpm is for individual enrollments; a group is by x509 or symmetricKey.")
	case given == nil || given.EndorsementKey == "":
		return nil, badRequest("attestation.tpm.endorsementKey is missing.")
	}
	if _, err := tpmKey(given.EndorsementKey); err != nil {
		return nil, badRequest("attestation.tpm.endorsementKey: " + err.Error() + ".")
	}
	if given.StorageRootKey != "" {
		if _, err := tpmKey(given.StorageRootKey); err != nil {
			return nil, badRequest("attestation.tpm.storageRootKey: " + err.Error() + ".")
		}
	}
	return &wire.TPMAttestation{EndorsementKey: given.EndorsementKey, StorageRootKey: given.StorageRootKey}, nil
}

// completeX509 settles exactly one kind of certificates. The schema allows
// caReferences for individual enrollments, but every document has them with
// groups only: they are refused there. Assumed.
func (c *Cloud) completeX509(given, there *wire.X509Attestation, group bool) (*wire.X509Attestation, *refusal) {
	if given == nil {
		given = &wire.X509Attestation{}
	}
	if there == nil {
		there = &wire.X509Attestation{}
	}
	kinds := 0
	for _, present := range []bool{given.ClientCertificates != nil, given.SigningCertificates != nil, given.CAReferences != nil} {
		if present {
			kinds++
		}
	}
	switch {
	case !group && (kinds != 1 || given.ClientCertificates == nil):
		return nil, badRequest("attestation.x509 of an individual enrollment has clientCertificates and nothing else.")
	case group && (kinds != 1 || given.ClientCertificates != nil):
		return nil, badRequest("attestation.x509 of a group has either signingCertificates or caReferences.")
	case given.CAReferences != nil:
		return c.completeReferences(given.CAReferences)
	case group:
		made, bad := completeCertificates("attestation.x509.signingCertificates", given.SigningCertificates, there.SigningCertificates, true)
		return &wire.X509Attestation{SigningCertificates: made}, bad
	}
	made, bad := completeCertificates("attestation.x509.clientCertificates", given.ClientCertificates, there.ClientCertificates, false)
	return &wire.X509Attestation{ClientCertificates: made}, bad
}

// completeReferences demands that the CAs are there and verified.
func (c *Cloud) completeReferences(given *wire.X509CAReferences) (*wire.X509Attestation, *refusal) {
	if given.Primary == "" {
		return nil, badRequest("attestation.x509.caReferences.primary is missing.")
	}
	for _, name := range []string{given.Primary, given.Secondary} {
		if name == "" {
			continue
		}
		switch ca := c.state.ca(caOwnerDPS, name); {
		case ca == nil:
			return nil, badRequest("attestation.x509.caReferences names no CA certificate of this DPS: " + wire.CleanMessage(name) + ".")
		case !ca.Verified:
			return nil, badRequest("attestation.x509.caReferences names a CA certificate that is not verified: " + wire.CleanMessage(name) + ".")
		}
	}
	return &wire.X509Attestation{CAReferences: &wire.X509CAReferences{Primary: given.Primary, Secondary: given.Secondary}}, nil
}

// completeCertificates settles a primary certificate and its spare.
func completeCertificates(where string, given, there *wire.X509Certificates, authorities bool) (*wire.X509Certificates, *refusal) {
	if there == nil {
		there = &wire.X509Certificates{}
	}
	primary, bad := completeCertificate(where+".primary", given.Primary, there, authorities)
	if bad != nil {
		return nil, bad
	}
	if primary == nil {
		return nil, badRequest(where + ".primary is missing.")
	}
	secondary, bad := completeCertificate(where+".secondary", given.Secondary, there, authorities)
	if bad != nil {
		return nil, bad
	}
	return &wire.X509Certificates{Primary: primary, Secondary: secondary}, nil
}

func completeCertificate(where string, given *wire.X509CertificateWithInfo, there *wire.X509Certificates, authority bool) (*wire.X509CertificateWithInfo, *refusal) {
	switch {
	case given == nil || given.Certificate == "" && given.Info == nil:
		return nil, nil
	case given.Certificate == "":
		for _, kept := range []*wire.X509CertificateWithInfo{there.Primary, there.Secondary} {
			if kept != nil && strings.EqualFold(kept.Info.SHA256Thumbprint, given.Info.SHA256Thumbprint) {
				return kept, nil
			}
		}
		return nil, badRequest(where + ".certificate is missing.")
	}
	cert, err := decodeCertificate(given.Certificate)
	if err == nil && authority {
		err = checkAuthority(cert)
	}
	if err != nil {
		return nil, badRequest(where + ": " + wire.CleanMessage(err.Error()) + ".")
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	return &wire.X509CertificateWithInfo{Certificate: string(text), Info: certificateInfo(cert)}, nil
}

// shownAttestation is an attestation as reads give it: symmetric keys only if
// asked (the attestationmechanism call), of certificates what is known of them.
// Assumed: their PEM text never comes back.
func shownAttestation(a *wire.AttestationMechanism, withKeys bool) *wire.AttestationMechanism {
	shown := &wire.AttestationMechanism{Type: a.Type, TPM: a.TPM}
	if withKeys {
		shown.SymmetricKey = a.SymmetricKey
	}
	if a.X509 != nil {
		shown.X509 = &wire.X509Attestation{CAReferences: a.X509.CAReferences,
			ClientCertificates: shownCertificates(a.X509.ClientCertificates), SigningCertificates: shownCertificates(a.X509.SigningCertificates)}
	}
	return shown
}

func shownCertificates(all *wire.X509Certificates) *wire.X509Certificates {
	if all == nil {
		return nil
	}
	shown := &wire.X509Certificates{Primary: &wire.X509CertificateWithInfo{Info: all.Primary.Info}}
	if all.Secondary != nil {
		shown.Secondary = &wire.X509CertificateWithInfo{Info: all.Secondary.Info}
	}
	return shown
}
