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
	ids := sortedIDs(x.hub.devices)
	list := make([]wire.Device, 0, min(top, len(ids)))
	for _, id := range ids[:min(top, len(ids))] {
		list = append(list, x.hub.devices[id].shown())
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
func (x *exchange) writeDevice(given wire.Device, there *device) (*device, *identityError) {
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
	if next.Authentication, refused = x.c.authentication(given.Authentication, false); refused != nil {
		return nil, refused
	}
	if refused := x.scope(&next, given, there); refused != nil {
		return nil, refused
	}
	d := there
	if d == nil {
		d = &device{Twin: newTwin(x.now), modules: map[string]*module{}}
		next.GenerationID = strconv.FormatInt(x.c.state.ticks(x.now), 10)
		next.ETag = x.c.firstETag()
		next.ConnectionState = wire.Disconnected
		next.ConnectionStateUpdatedTime, next.StatusUpdatedTime, next.LastActivityTime = &wire.Time{}, &wire.Time{}, &wire.Time{}
	} else {
		before := d.Identity
		next.GenerationID, next.ETag = before.GenerationID, nextETag(before.ETag)
		next.ConnectionState, next.ConnectionStateUpdatedTime = before.ConnectionState, before.ConnectionStateUpdatedTime
		next.LastActivityTime, next.StatusUpdatedTime = before.LastActivityTime, before.StatusUpdatedTime
		if before.Status != next.Status {
			next.StatusUpdatedTime = wire.At(x.now)
		}
		delete(x.hub.scopes, scopeOfEdge(before))
	}
	d.Identity = next
	x.hub.devices[next.DeviceID] = d
	if next.IsEdge() {
		x.hub.scopes[next.DeviceScope] = next.DeviceID
	}
	x.keepSystemModules(d)
	x.store(deviceKey(x.hub, next.DeviceID), d)
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
func (x *exchange) scope(next *wire.Device, given wire.Device, there *device) *identityError {
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
		next.DeviceScope = scopePrefix + next.DeviceID + "-" + strconv.FormatInt(x.c.state.ticks(x.now), 10)
	case wasEdge:
		// It loses scope and parent; a later write may attach it again.
		return nil
	default:
		return x.leafScope(next, given, there)
	}
	if len(given.ParentScopes) > 1 {
		return &identityError{"InvalidDeviceScope", "A device has one parent."}
	}
	for _, parent := range given.ParentScopes {
		known := there != nil && slices.Contains(there.Identity.ParentScopes, parent)
		if _, exists := x.hub.scopes[parent]; parent == next.DeviceScope || !exists && !known {
			return &identityError{"InvalidDeviceScope", "parentScopes names no edge device."}
		}
	}
	next.ParentScopes = slices.Clone(given.ParentScopes)
	return nil
}

func (x *exchange) leafScope(next *wire.Device, given wire.Device, there *device) *identityError {
	if given.DeviceScope == "" {
		return nil
	}
	known := there != nil && there.Identity.DeviceScope == given.DeviceScope
	if _, exists := x.hub.scopes[given.DeviceScope]; !exists && !known {
		return &identityError{"InvalidDeviceScope", "deviceScope is not that of an edge device."}
	}
	next.DeviceScope, next.ParentScopes = given.DeviceScope, []string{given.DeviceScope}
	return nil
}

// keepSystemModules makes the runtime's modules for an edge device and removes
// them from one that is no longer.
func (x *exchange) keepSystemModules(d *device) {
	for _, id := range systemModules {
		m := d.modules[id]
		switch {
		case d.Identity.IsEdge() && m == nil:
			x.addModule(d, wire.Module{ModuleID: id, ManagedBy: "iotEdge", Authentication: &wire.Authentication{Type: wire.AuthNone}})
		case !d.Identity.IsEdge() && m != nil:
			x.removeModule(d, m)
		}
	}
}

// removeDevice takes a device away with its modules and twins.
func (x *exchange) removeDevice(d *device) {
	for _, m := range d.modules {
		x.removeModule(d, m)
	}
	delete(x.hub.scopes, scopeOfEdge(d.Identity))
	delete(x.hub.devices, d.Identity.DeviceID)
	x.store(deviceKey(x.hub, d.Identity.DeviceID), nil)
}

// sendEvent takes a telemetry message, and forgets it, from a device or module
// by its own key or by a policy with DeviceConnect.
func (x *exchange) sendEvent() answer {
	d := x.hub.devices[x.vars["device"]]
	token, ok := x.token()
	if !ok || d == nil || d.Identity.Status != wire.StatusEnabled {
		return *x.unauthorized()
	}
	m := d.modules[x.vars["module"]]
	wanted := x.vars["module"]
	signer := x.asModule(token, d)
	switch {
	case signer != nil && (wanted == "" || signer == m):
		x.touch(d, signer)
	case x.asDevice(token, d) && wanted == "":
		x.touch(d, nil)
	case token.Policy != "" && x.policyAllows(token, deviceConnect) && (wanted == "" || m != nil):
		x.touch(d, m)
	default:
		return *x.unauthorized()
	}
	if len(x.body) > maxMessage {
		return x.hubError("MessageTooLarge", "The message has more than "+strconv.Itoa(maxMessage)+" bytes.")
	}
	return x.noContent()
}
