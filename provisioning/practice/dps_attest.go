package practice

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"edgewright/provisioning/wire"
)

// applicant is a device that calls the device plane, over HTTPS or MQTT.
type applicant struct {
	scope string
	id    string // registration ID; letter case does not count
	shown credential
	// https tells that a TPM's challenge can be answered, as it cannot over MQTT.
	https bool
}

// claim is what a device has proved and what its identity at the hub shall be.
// It is stored while a webhook is asked.
type claim struct {
	DeviceID string
	Group    string `json:",omitempty"` // of a device that came by a group
	// Authentication is missing for a TPM, whose key is made with the identity.
	Authentication *wire.Authentication         `json:",omitempty"`
	X509           *wire.X509RegistrationResult `json:",omitempty"`
	TPM            *wire.TPMAttestation         `json:",omitempty"`
	Payload        json.RawMessage              `json:",omitempty"` // of the register call
}

// attested is a device that has proved itself by an enrollment.
type attested struct {
	claim
	enrollment enrollment
}

// registrant checks scope, ID and proof of a call. The ID comes back in lower
// case.
func (t *transaction) registrant(a applicant) (string, attested, *answer) {
	id := strings.ToLower(a.id)
	refused := func(r *refusal) (string, attested, *answer) {
		answered := t.refuse(r)
		return id, attested{}, &answered
	}
	if !strings.EqualFold(a.scope, t.c.settings().IDScope) {
		return refused(&refusal{dpsScopeNotFound, "The ID scope does not exist."})
	}
	if err := wire.ValidateRegistrationID(id); err != nil {
		return refused(badRequest(err.Error() + "."))
	}
	a.id = id
	by, bad := t.attest(a)
	if bad != nil {
		return refused(bad)
	}
	return id, by, nil
}

// attest finds the enrollment for an applicant and checks its proof. An
// individual enrollment beats all groups, also when it is disabled.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-service
func (t *transaction) attest(a applicant) (attested, *refusal) {
	e := t.c.state.enrollments[a.id]
	switch {
	case e == nil && a.shown.given:
		return t.attestByGroupKey(a)
	case e == nil:
		return t.attestByGroupCA(a)
	case e.ProvisioningStatus == wire.StatusDisabled:
		return attested{}, unauthorized
	}
	found := attested{enrollment: individual(e), claim: claim{DeviceID: cmp.Or(e.DeviceID, a.id)}}
	switch e.Attestation.Type {
	case wire.AttestationX509:
		return found, found.byCertificate(a, e.Attestation.X509.ClientCertificates, t.now)
	case wire.AttestationTPM:
		return found, t.byTPM(a, &found)
	}
	if !t.ownRegistration(a) || !a.shown.signedBy(e.Attestation.SymmetricKey) {
		return attested{}, unauthorized
	}
	found.Authentication = &wire.Authentication{Type: wire.AuthSAS, SymmetricKey: e.Attestation.SymmetricKey}
	return found, nil
}

// ownRegistration tells a token for this registration only.
func (t *transaction) ownRegistration(a applicant) bool {
	parent := t.c.settings().IDScope + "/registrations"
	return a.shown.signed && a.shown.token.Policy == "registration" && a.shown.token.Covers(parent+"/"+a.id) && !a.shown.token.Covers(parent)
}

// attestByGroupKey looks for the group whose key the applicant's is derived
// from. The derivation is of the lower-case ID, so that a device that derives
// from another spelling fails.
func (t *transaction) attestByGroupKey(a applicant) (attested, *refusal) {
	if !t.ownRegistration(a) {
		return attested{}, unauthorized
	}
	for _, name := range slices.Sorted(maps.Keys(t.c.state.groups)) {
		g := t.c.state.groups[name]
		if g.Attestation.Type != wire.AttestationSymmetricKey {
			continue
		}
		derived := wire.SymmetricKey{
			PrimaryKey:   wire.NewKey(wire.DeriveDeviceKey(g.Attestation.SymmetricKey.PrimaryKey.Secret(), a.id)),
			SecondaryKey: wire.NewKey(wire.DeriveDeviceKey(g.Attestation.SymmetricKey.SecondaryKey.Secret(), a.id)),
		}
		if !a.shown.signedBy(&derived) {
			continue
		}
		if g.ProvisioningStatus == wire.StatusDisabled {
			break
		}
		return attested{enrollment: group(g), claim: claim{DeviceID: a.id, Group: g.EnrollmentGroupID,
			Authentication: &wire.Authentication{Type: wire.AuthSAS, SymmetricKey: &derived}}}, nil
	}
	return attested{}, unauthorized
}

// enrollmentOf finds the enrollment of a claim again; false if it is gone or
// disabled.
func (t *transaction) enrollmentOf(id string, by claim) (enrollment, bool) {
	if by.Group == "" {
		e := t.c.state.enrollments[id]
		if e == nil {
			return enrollment{}, false
		}
		return individual(e), e.ProvisioningStatus == wire.StatusEnabled
	}
	g := t.c.state.groups[strings.ToLower(by.Group)]
	if g == nil {
		return enrollment{}, false
	}
	return group(g), g.ProvisioningStatus == wire.StatusEnabled
}
