package practice

import (
	"encoding/json"
	"net/http"

	"edgewright/provisioning/wire"
)

func (x *exchange) getTwin() answer {
	if a := x.allow(serviceConnect); a != nil {
		return *a
	}
	d, m, missing := x.twinOwner()
	if missing != nil {
		return *missing
	}
	return x.json(http.StatusOK, shownTwin(d, m))
}

// patchTwin merges tags and desired properties.
func (x *exchange) patchTwin() answer { return x.writeTwin(false) }

// putTwin replaces tags and desired properties; one that is left out becomes
// empty (assumed).
func (x *exchange) putTwin() answer { return x.writeTwin(true) }

func (x *exchange) writeTwin(replace bool) answer {
	if a := x.allow(serviceConnect); a != nil {
		return *a
	}
	d, m, missing := x.twinOwner()
	if missing != nil {
		return *missing
	}
	var given writtenTwin
	if a := x.decode(&given); a != nil {
		return *a
	}
	if match := x.r.Header.Get("If-Match"); match != "" && !etagMatches(match, encodeTwinETag(twinOf(d, m).ETag)) {
		return x.hubError("PreconditionFailed", "The etag is not the twin's.")
	}
	change := given.change(replace)
	if replace && change.tags == nil {
		change.tags = map[string]any{}
	}
	if replace && change.desired == nil {
		change.desired = map[string]any{}
	}
	if refused := x.changeTwin(d, m, change); refused != nil {
		return x.hubError(refused.name, refused.text)
	}
	return x.json(http.StatusOK, shownTwin(d, m))
}

// writtenTwin is what of a twin a caller may write. Other members, such as
// those that were read with them, do not count.
type writtenTwin struct {
	Tags       map[string]any `json:"tags"`
	Properties *struct {
		Desired  map[string]any `json:"desired"`
		Reported map[string]any `json:"reported"` // in an import only
	} `json:"properties"`
}

func (w writtenTwin) change(replace bool) twinChange {
	change := twinChange{tags: w.Tags, replace: replace}
	if w.Properties != nil {
		change.desired = w.Properties.Desired
	}
	return change
}

// twinOwner finds the device and, where the path names one, the module. A
// missing module is a missing device here.
func (x *exchange) twinOwner() (*device, *module, *answer) {
	d := x.hub.devices[x.vars["device"]]
	if d == nil {
		return nil, nil, x.deviceNotFound(x.vars["device"])
	}
	id, wanted := x.vars["module"]
	m := d.modules[id]
	if wanted && m == nil {
		return nil, nil, x.deviceNotFound(x.vars["device"] + "/" + id)
	}
	return d, m, nil
}

// shownTwin is the twin of the module, or of the device if m is nil.
func shownTwin(d *device, m *module) wire.Twin {
	identity, t := &d.Identity, twinOf(d, m)
	shown := wire.Twin{DeviceID: identity.DeviceID, Status: identity.Status, StatusUpdateTime: identity.StatusUpdatedTime,
		ETag: encodeTwinETag(t.ETag), Version: t.Version, ModelID: t.ModelID}
	authentication := identity.Authentication
	if m != nil {
		authentication = m.Identity.Authentication
		shown.ModuleID, shown.DeviceETag, shown.ConnectionState = m.Identity.ModuleID, m.Identity.ETag, m.Identity.ConnectionState
		shown.LastActivityTime, shown.CloudToDeviceMessageCount = m.Identity.LastActivityTime, m.Identity.CloudToDeviceMessageCount
	} else {
		shown.StatusReason, shown.DeviceETag, shown.ConnectionState = identity.StatusReason, identity.ETag, identity.ConnectionState
		shown.LastActivityTime, shown.CloudToDeviceMessageCount = identity.LastActivityTime, identity.CloudToDeviceMessageCount
		shown.Capabilities, shown.DeviceScope, shown.ParentScopes = identity.Capabilities, identity.DeviceScope, identity.ParentScopes
	}
	shown.AuthenticationType = authentication.Type
	shown.X509Thumbprint = &wire.TwinX509Thumbprint{}
	if given := authentication.X509Thumbprint; given != nil {
		*shown.X509Thumbprint = wire.TwinX509Thumbprint(*given)
	}
	if t.Configurations != nil {
		shown.Configurations, _ = json.Marshal(t.Configurations.shown) // texts only
	}
	if len(t.Tags) > 0 {
		shown.Tags = appendObject(nil, t.Tags)
	}
	shown.Properties = &wire.TwinProperties{Desired: t.desiredHalf().append(nil), Reported: t.reportedHalf().append(nil)}
	return shown
}
