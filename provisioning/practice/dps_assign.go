package practice

import (
	"encoding/json"

	"edgewright/provisioning/wire"
)

// choice is where a device goes.
type choice struct {
	hub     string // label
	twin    *wire.InitialTwin
	payload json.RawMessage // for the device
	failed  *refusal        // instead of all that
}

// chosen decides for every allocation policy but custom.
func (t *transaction) chosen(id string, e enrollment) choice {
	return choice{hub: t.c.allocate(id, e), twin: *e.twin}
}

// beginRegistration makes the registration record of a register call; before is that of
// the call before, or nil. It is assigned at once, unless a webhook decides.
func (t *transaction) beginRegistration(id string, by attested, before *registration, operation string) *registration {
	r := &registration{Group: by.Group, Operation: operation, State: wire.DeviceRegistrationState{RegistrationID: id,
		CreatedDateTimeUTC: wire.At(t.now), LastUpdatedDateTimeUTC: wire.At(t.now), ETag: t.c.dpsETag(), Status: wire.RegistrationAssigning}}
	if before != nil {
		r.State.CreatedDateTimeUTC = before.State.CreatedDateTimeUTC
		if t.c.state.hubs[before.Hub] != nil {
			r.Hub, r.Device = before.Hub, before.Device
		}
	}
	if *by.enrollment.allocation == allocateCustom && (r.Hub == "" || by.enrollment.reprovision().UpdateHubAssignment) {
		r.Waiting = &by.claim
		return r
	}
	t.assign(r, by, t.chosen(id, by.enrollment))
	return r
}

// assign gives the device a hub, writes its identity there and completes the
// registration record, by the enrollment's policies.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-device-reprovision
func (t *transaction) assign(r *registration, by attested, to choice) {
	r.Waiting = nil
	r.State.LastUpdatedDateTimeUTC, r.State.ETag = wire.At(t.now), t.c.dpsETag()
	if to.failed != nil {
		r.fail(to.failed)
		return
	}
	policy := by.enrollment.reprovision()
	substatus := wire.SubstatusInitialAssignment
	reset := false
	if r.Hub != "" {
		substatus = wire.SubstatusReprovisionedToInitialAssignment
		switch {
		case !policy.UpdateHubAssignment:
			to.hub = r.Hub
		case !policy.MigrateDeviceData:
			reset, substatus = true, wire.SubstatusDeviceDataReset
		case to.hub != r.Hub:
			substatus = wire.SubstatusDeviceDataMigrated
		}
	}
	state := r.State
	state.Status, state.Substatus, state.DeviceID, state.Payload = wire.RegistrationAssigned, substatus, by.DeviceID, to.payload
	state.AssignedHub = t.c.settings().withPort(to.hub + "." + domain)
	switch {
	case by.TPM != nil:
		sealed, err := t.c.makeHubKey(&by.claim)
		if err != nil {
			r.fail(badRequest("tpm." + err.Error() + "."))
			return
		}
		state.TPM = &wire.TPMRegistrationResult{AuthenticationKey: sealed}
	case by.X509 != nil:
		state.X509 = by.X509
	default:
		state.SymmetricKey = &wire.SymmetricKeyRegistrationResult{EnrollmentGroupID: by.Group}
	}
	var moved *device
	if r.Hub != "" && r.Hub != to.hub {
		t.hub = t.c.state.hubs[r.Hub]
		if moved = t.hub.devices[r.Device]; moved != nil {
			t.removeDevice(moved)
		}
	}
	t.hub = t.c.state.hubs[to.hub]
	if bad := t.provision(by, to.twin, moved, reset); bad != nil {
		r.fail(badRequest(bad.text))
		return
	}
	r.State, r.Hub, r.Device = state, to.hub, by.DeviceID
}

// fail ends a registration. Where the device was assigned before stays known.
func (r *registration) fail(why *refusal) {
	r.State = wire.DeviceRegistrationState{RegistrationID: r.State.RegistrationID, Status: wire.RegistrationFailed, ErrorCode: why.code, ErrorMessage: why.text,
		CreatedDateTimeUTC: r.State.CreatedDateTimeUTC, LastUpdatedDateTimeUTC: r.State.LastUpdatedDateTimeUTC, ETag: r.State.ETag}
}

// provision makes the identity in t.hub what the claim says. moved is the same
// device as it was in the hub before, or nil.
func (t *transaction) provision(by attested, initial *wire.InitialTwin, moved *device, reset bool) *identityError {
	there := t.hub.devices[by.DeviceID]
	wanted := wire.Device{DeviceID: by.DeviceID, Capabilities: &wire.Capabilities{IotEdge: by.enrollment.isEdge()}, Authentication: by.Authentication}
	d := there
	if there == nil || !isAsWanted(there.Identity, wanted) {
		if there != nil {
			wanted.Status, wanted.StatusReason = there.Identity.Status, there.Identity.StatusReason
			if there.Identity.IsEdge() == wanted.IsEdge() {
				wanted.DeviceScope, wanted.ParentScopes = there.Identity.DeviceScope, there.Identity.ParentScopes
			}
		}
		var bad *identityError
		if d, bad = t.writeDevice(wanted, there); bad != nil {
			return bad
		}
	}
	switch {
	case reset || there == nil && moved == nil:
		d.Twin.begin(initial, t.now)
	case there == nil:
		d.Twin = moved.Twin
	default:
		return nil
	}
	t.store(deviceKey(t.hub, by.DeviceID), d)
	return nil
}

// isAsWanted tells whether registering again changes nothing in the identity.
func isAsWanted(there, wanted wire.Device) bool {
	a, b := there.Authentication, wanted.Authentication
	if there.IsEdge() != wanted.IsEdge() || a.Type != b.Type {
		return false
	}
	if b.Type == wire.AuthSelfSigned {
		return a.X509Thumbprint != nil && *a.X509Thumbprint == *b.X509Thumbprint
	}
	return a.SymmetricKey != nil && a.SymmetricKey.PrimaryKey.Equal(b.SymmetricKey.PrimaryKey) && a.SymmetricKey.SecondaryKey.Equal(b.SymmetricKey.SecondaryKey)
}
