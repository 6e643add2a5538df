package practice

import (
	"maps"
	"slices"
	"strings"

	"edgewright/provisioning/wire"
)

// Numbers of DPS errors. The service documents that the first three digits are
// the HTTP status; of the rest 400004 to 412201 here, only 401000, 401002,
// 404201 and 404202 have been seen in public reports.
const (
	dpsBadRequest    = 400004
	dpsUnauthorized  = 401000
	dpsNotFound      = 404201
	dpsScopeNotFound = 404202
	dpsExists        = 409201
	dpsPrecondition  = 412201
)

// refusal is why DPS does not do something.
type refusal struct {
	code int
	text string
}

func badRequest(text string) *refusal { return &refusal{dpsBadRequest, text} }

func (x *exchange) refuse(r *refusal) answer { return x.dpsError(r.code, r.text) }

// allowOwner lets policy provisioningserviceowner pass, which has every right.
func (x *exchange) allowOwner() *answer {
	keys := x.c.settings().DPSKey
	token := x.shown.token
	if token.Policy == policyDPSOwner && token.Covers(dpsName+"/"+strings.Join(x.segments, "/")) && x.shown.signedBy(&keys) {
		return nil
	}
	a := x.dpsError(dpsUnauthorized, "Unauthorized")
	return &a
}

// attested is an enrollment by which a device has proved itself.
type attested struct {
	enrollment enrollment
	deviceID   string
	group      string            // of a device that came by a group
	keys       wire.SymmetricKey // of this device
}

// attest finds the enrollment for a registration ID (lower case) and checks
// the device's token against it. An individual enrollment beats all groups,
// also when it is disabled. The key of a group device is derived from the
// lower-case ID, so that a device that derives from another spelling fails.
func (x *exchange) attest(id string) (attested, *answer) {
	refused := x.dpsError(dpsUnauthorized, "Unauthorized")
	token := x.shown.token
	parent := x.c.settings().IDScope + "/registrations"
	if !x.shown.signed || token.Policy != "registration" || !token.Covers(parent+"/"+id) || token.Covers(parent) {
		return attested{}, &refused
	}
	if e := x.c.state.enrollments[id]; e != nil {
		if e.ProvisioningStatus == wire.StatusDisabled || !x.shown.signedBy(e.Attestation.SymmetricKey) {
			return attested{}, &refused
		}
		found := attested{enrollment: individual(e), deviceID: e.DeviceID, keys: *e.Attestation.SymmetricKey}
		if found.deviceID == "" {
			found.deviceID = id
		}
		return found, nil
	}
	for _, name := range slices.Sorted(maps.Keys(x.c.state.groups)) {
		g := x.c.state.groups[name]
		derived := wire.SymmetricKey{
			PrimaryKey:   wire.NewKey(wire.DeriveDeviceKey(g.Attestation.SymmetricKey.PrimaryKey.Secret(), id)),
			SecondaryKey: wire.NewKey(wire.DeriveDeviceKey(g.Attestation.SymmetricKey.SecondaryKey.Secret(), id)),
		}
		if !x.shown.signedBy(&derived) {
			continue
		}
		if g.ProvisioningStatus == wire.StatusDisabled {
			break
		}
		return attested{enrollment: group(g), deviceID: id, group: g.EnrollmentGroupID, keys: derived}, nil
	}
	return attested{}, &refused
}
