package practice

import (
	"net/http"
	"slices"
	"strconv"

	"edgewright/provisioning/wire"
)

const (
	scopePrefix  = "ms-azure-iot-edge://"
	maxListed    = 1000 // devices in an answer to GET /devices
	maxReasonLen = 128  // characters of statusReason
)

func (x *exchange) deviceNotFound(id string) *answer {
	a := x.hubError("DeviceNotFound", "The device "+id+" does not exist.")
	return &a
}

func (x *exchange) listDevices() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	top, err := strconv.Atoi(x.r.URL.Query().Get("top"))
	if err != nil || top < 1 || top > maxListed {
		top = maxListed
	}
	first := x.hub.ordered[:min(top, len(x.hub.ordered))]
	list := make([]wire.Device, 0, len(first))
	for _, d := range first {
		list = append(list, d.shown())
	}
	return x.json(http.StatusOK, list)
}

func (x *exchange) getDevice() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	d := x.hub.devices[x.vars["device"]]
	if d == nil {
		return *x.deviceNotFound(x.vars["device"])
	}
	return x.json(http.StatusOK, d.shown())
}

// putDevice creates without If-Match and updates with it; either never does
// the other. An update replaces all that a caller may set.
func (x *exchange) putDevice() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	id := x.vars["device"]
	var given wire.Device
	if a := x.decode(&given); a != nil {
		return *a
	}
	if err := wire.ValidateDeviceID(id); err != nil {
		return x.hubError("ArgumentInvalid", err.Error())
	}
	if given.DeviceID != "" && given.DeviceID != id {
		return x.hubError("ArgumentInvalid", "deviceId of the body is not that of the path.")
	}
	match, there := x.r.Header.Get("If-Match"), x.hub.devices[id]
	switch {
	case match == "" && there != nil:
		return x.hubError("DeviceAlreadyExists", "The device "+id+" exists.")
	case match != "" && there == nil:
		return *x.deviceNotFound(id)
	case match != "" && !etagMatches(match, there.Identity.ETag):
		return x.hubError("PreconditionFailed", "The etag is not the device's.")
	}
	given.DeviceID = id
	d, refused := x.writeDevice(given, there)
	if refused != nil {
		return x.hubError(refused.name, refused.text)
	}
	return x.json(http.StatusOK, d.shown())
}

func (x *exchange) deleteDevice() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	id, match := x.vars["device"], x.r.Header.Get("If-Match")
	d := x.hub.devices[id]
	switch {
	case match == "":
		return x.hubError("PreconditionFailed", "Etag missing.")
	case d == nil:
		return *x.deviceNotFound(id)
	case !etagMatches(match, d.Identity.ETag):
		return x.hubError("PreconditionFailed", "The etag is not the device's.")
	}
	x.removeDevice(d)
	return x.noContent()
}

// shown is the identity as the service plane gives it.
func (d *device) shown() wire.Device { return d.Identity }

// writeDevice makes a device, or replaces there, by what a caller gave. The
// caller has checked ID and etag.
func (t *transaction) writeDevice(given wire.Device, there *device) (*device, *identityError) {
	next := wire.Device{DeviceID: given.DeviceID, Status: given.Status, StatusReason: given.StatusReason,
		Capabilities: &wire.Capabilities{IotEdge: given.IsEdge()}}
	if next.Status == "" {
		next.Status = wire.StatusEnabled
	}
	if next.Status != wire.StatusEnabled && next.Status != wire.StatusDisabled {
		return nil, invalid("status is enabled or disabled")
	}
	if len([]rune(next.StatusReason)) > maxReasonLen {
		return nil, invalid("statusReason has more than %d characters", maxReasonLen)
	}
	var refused *identityError
	if next.Authentication, refused = t.c.authentication(given.Authentication, false); refused != nil {
		return nil, refused
	}
	if refused := t.scope(&next, given, there); refused != nil {
		return nil, refused
	}
	d := there
	if d == nil {
		d = &device{Twin: newTwin(t.now)}
		next.GenerationID = strconv.FormatInt(t.c.state.ticks(t.now), 10)
		next.ETag = t.c.firstETag()
		next.ConnectionState = wire.Disconnected
		next.ConnectionStateUpdatedTime, next.StatusUpdatedTime, next.LastActivityTime = never, never, never
	} else {
		before := d.Identity
		next.GenerationID, next.ETag = before.GenerationID, nextETag(before.ETag)
		next.ConnectionState, next.ConnectionStateUpdatedTime = before.ConnectionState, before.ConnectionStateUpdatedTime
		next.LastActivityTime, next.StatusUpdatedTime = before.LastActivityTime, before.StatusUpdatedTime
		next.CloudToDeviceMessageCount = before.CloudToDeviceMessageCount
		if before.Status != next.Status {
			next.StatusUpdatedTime = wire.At(t.now)
		}
		delete(t.hub.scopes, scopeOfEdge(before))
	}
	slimDevice(&next)
	d.Identity = next
	t.hub.add(d)
	t.keepSystemModules(d)
	t.store(deviceKey(t.hub, next.DeviceID), d)
	if there != nil {
		t.identityChanged(next.DeviceID, sortedIDs(d.modules)...)
	}
	return d, nil
}

func scopeOfEdge(d wire.Device) string {
	if d.IsEdge() {
		return d.DeviceScope
	}
	return ""
}

// scope settles deviceScope and parentScopes. An edge device's scope is the
// hub's and never changes; a leaf's is that of its parent.
func (t *transaction) scope(next *wire.Device, given wire.Device, there *device) *identityError {
	wasEdge := there != nil && there.Identity.IsEdge()
	switch {
	case next.IsEdge() && wasEdge:
		if given.DeviceScope != there.Identity.DeviceScope {
			return &identityError{"InvalidDeviceScope", "Device scope is immutable."}
		}
		next.DeviceScope = there.Identity.DeviceScope
	case next.IsEdge() && there != nil && given.DeviceScope != "" && given.DeviceScope != there.Identity.DeviceScope:
		return &identityError{"InvalidDeviceScope", "Device scope is immutable."}
	case next.IsEdge():
		next.DeviceScope = scopePrefix + next.DeviceID + "-" + strconv.FormatInt(t.c.state.ticks(t.now), 10)
	case wasEdge:
		// It loses scope and parent; a later write may attach it again.
		return nil
	default:
		return t.leafScope(next, given, there)
	}
	if len(given.ParentScopes) > 1 {
		return &identityError{"InvalidDeviceScope", "A device has one parent."}
	}
	for _, parent := range given.ParentScopes {
		known := there != nil && slices.Contains(there.Identity.ParentScopes, parent)
		if _, exists := t.hub.scopes[parent]; parent == next.DeviceScope || !exists && !known {
			return &identityError{"InvalidDeviceScope", "parentScopes names no edge device."}
		}
		if t.isBelow(parent, next.DeviceScope) {
			return &identityError{"InvalidDeviceScope", "parentScopes names a device below this one."}
		}
	}
	next.ParentScopes = slices.Clone(given.ParentScopes)
	return nil
}

// isBelow tells whether the edge device of a scope has that of another above
// it. That the hub refuses such a circle is assumed.
func (t *transaction) isBelow(scope, other string) bool {
	for range len(t.hub.scopes) {
		d := t.hub.devices[t.hub.scopes[scope]]
		if d == nil || len(d.Identity.ParentScopes) == 0 {
			return false
		}
		if scope = d.Identity.ParentScopes[0]; scope == other {
			return true
		}
	}
	return false
}

func (t *transaction) leafScope(next *wire.Device, given wire.Device, there *device) *identityError {
	if given.DeviceScope == "" {
		return nil
	}
	known := there != nil && there.Identity.DeviceScope == given.DeviceScope
	if _, exists := t.hub.scopes[given.DeviceScope]; !exists && !known {
		return &identityError{"InvalidDeviceScope", "deviceScope is not that of an edge device."}
	}
	next.DeviceScope, next.ParentScopes = given.DeviceScope, []string{given.DeviceScope}
	return nil
}

// keepSystemModules makes the runtime's modules for an edge device and removes
// them from one that is no longer.
func (t *transaction) keepSystemModules(d *device) {
	for _, id := range systemModules {
		m := d.modules[id]
		switch {
		case d.Identity.IsEdge() && m == nil:
			t.addModule(d, wire.Module{ModuleID: id, ManagedBy: "iotEdge", Authentication: &wire.Authentication{Type: wire.AuthNone}})
		case !d.Identity.IsEdge() && m != nil:
			t.removeModule(d, m)
		}
	}
}

// removeDevice takes a device away with its modules, twins and messages.
func (t *transaction) removeDevice(d *device) {
	t.purgeMessages(d)
	for _, m := range d.modules {
		t.removeModule(d, m)
	}
	d.Twin.leave()
	t.hub.remove(d)
	t.store(deviceKey(t.hub, d.Identity.DeviceID), nil)
	t.identityChanged(d.Identity.DeviceID)
}
