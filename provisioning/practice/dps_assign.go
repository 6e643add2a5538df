package practice

import (
	"hash/fnv"
	"slices"

	"edgewright/provisioning/wire"
)

// assign gives the device a hub, writes its identity there and makes the
// registration record, by the enrollment's policies.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-device-reprovision
func (t *transaction) assign(id string, by attested) *registration {
	before := t.c.state.registrations[id]
	if before != nil && (before.State.Status != wire.RegistrationAssigned || t.c.state.hubs[before.Hub] == nil) {
		before = nil
	}
	policy := by.enrollment.reprovision()
	target := t.c.allocate(id, by.enrollment)
	substatus := wire.SubstatusInitialAssignment
	reset := false
	if before != nil {
		substatus = wire.SubstatusReprovisionedToInitialAssignment
		switch {
		case !policy.UpdateHubAssignment:
			target = before.Hub
		case !policy.MigrateDeviceData:
			reset, substatus = true, wire.SubstatusDeviceDataReset
		case target != before.Hub:
			substatus = wire.SubstatusDeviceDataMigrated
		}
	}
	r := &registration{Group: by.group, Hub: target, State: wire.DeviceRegistrationState{
		RegistrationID: id, DeviceID: by.deviceID, Status: wire.RegistrationAssigned, Substatus: substatus,
		AssignedHub:            t.c.settings().withPort(target + "." + domain),
		CreatedDateTimeUTC:     wire.At(t.now),
		LastUpdatedDateTimeUTC: wire.At(t.now),
		ETag:                   t.c.dpsETag(),
		SymmetricKey:           &wire.SymmetricKeyRegistrationResult{EnrollmentGroupID: by.group},
	}}
	var moved *device
	if before != nil {
		r.State.CreatedDateTimeUTC = before.State.CreatedDateTimeUTC
		if before.Hub != target {
			t.hub = t.c.state.hubs[before.Hub]
			if moved = t.hub.devices[before.State.DeviceID]; moved != nil {
				t.removeDevice(moved)
			}
		}
	}
	t.hub = t.c.state.hubs[target]
	if bad := t.provision(by, moved, reset); bad != nil {
		r.State = wire.DeviceRegistrationState{RegistrationID: id, Status: wire.RegistrationFailed, ErrorCode: dpsBadRequest, ErrorMessage: bad.text,
			CreatedDateTimeUTC: r.State.CreatedDateTimeUTC, LastUpdatedDateTimeUTC: r.State.LastUpdatedDateTimeUTC, ETag: r.State.ETag}
	}
	return r
}

// provision makes the identity in t.hub what the enrollment says. moved is the
// same device as it was in the hub before, or nil.
func (t *transaction) provision(by attested, moved *device, reset bool) *identityError {
	there := t.hub.devices[by.deviceID]
	wanted := wire.Device{DeviceID: by.deviceID, Capabilities: &wire.Capabilities{IotEdge: by.enrollment.isEdge()},
		Authentication: &wire.Authentication{Type: wire.AuthSAS, SymmetricKey: &by.keys}}
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
		d.Twin.begin(*by.enrollment.twin, t.now)
	case there == nil:
		d.Twin = moved.Twin
	default:
		return nil
	}
	t.store(deviceKey(t.hub, by.deviceID), d)
	return nil
}

// isAsWanted tells whether registering again changes nothing in the identity.
func isAsWanted(there, wanted wire.Device) bool {
	a, b := there.Authentication, wanted.Authentication
	return there.IsEdge() == wanted.IsEdge() && a.Type == b.Type && a.SymmetricKey != nil &&
		a.SymmetricKey.PrimaryKey.Equal(b.SymmetricKey.PrimaryKey) && a.SymmetricKey.SecondaryKey.Equal(b.SymmetricKey.SecondaryKey)
}

// allocate picks the label of a hub. The practice cloud has no geography:
// geoLatency, like static, takes the first of the list.
func (c *Cloud) allocate(id string, e enrollment) string {
	s := c.settings()
	hosts := slices.Clone(*e.hubs)
	if *e.hubHost != "" {
		hosts = []string{*e.hubHost}
	}
	labels := make([]string, 0, len(hosts))
	for _, host := range hosts {
		if label, known := s.hubByHost(host); known {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		labels = s.Hubs
	}
	if *e.allocation == "static" || *e.allocation == "geoLatency" {
		return labels[0]
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(id)) // never fails
	return labels[int(hash.Sum32()%uint32(len(labels)))]
}
