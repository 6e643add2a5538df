package practice

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"edgewright/provisioning/wire"
)

// twin is the stored part of a device or module twin. The objects are without
// the $ members, which are added when it is shown.
type twin struct {
	Tags, Desired, Reported         map[string]any
	DesiredVersion, ReportedVersion int64
	Version                         int64
	ETag                            uint64
	DesiredAt, ReportedAt           time.Time
}

func newTwin(now time.Time) twin {
	return twin{DesiredVersion: 1, ReportedVersion: 1, Version: 2, ETag: 1, DesiredAt: now, ReportedAt: now}
}

// begin sets a twin to the initial one of an enrollment, nil for an empty one.
func (t *twin) begin(initial *wire.InitialTwin, now time.Time) {
	fresh := newTwin(now)
	fresh.ETag, fresh.Version, fresh.DesiredVersion = t.ETag+1, t.Version+1, t.DesiredVersion+1
	if initial != nil {
		fresh.Tags, _ = jsonObject(initial.Tags)
		if initial.Properties != nil {
			fresh.Desired, _ = jsonObject(initial.Properties.Desired)
		}
	}
	*t = fresh
}

// jsonObject reads an object, nil for an absent one; false if it is another
// kind of value.
func jsonObject(raw json.RawMessage) (map[string]any, bool) {
	if len(raw) == 0 {
		return nil, true
	}
	var object map[string]any
	err := json.Unmarshal(raw, &object)
	return object, err == nil
}

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

// patchTwin merges tags and desired properties (RFC 7396).
func (x *exchange) patchTwin() answer {
	if a := x.allow(serviceConnect); a != nil {
		return *a
	}
	d, m, missing := x.twinOwner()
	if missing != nil {
		return *missing
	}
	var given struct {
		Tags       *map[string]any `json:"tags"`
		Properties *struct {
			Desired *map[string]any `json:"desired"`
		} `json:"properties"`
	}
	if a := x.decode(&given); a != nil {
		return *a
	}
	t := &d.Twin
	if m != nil {
		t = &m.Twin
	}
	if match := x.r.Header.Get("If-Match"); match != "" && !etagMatches(match, encodeTwinETag(t.ETag)) {
		return x.hubError("PreconditionFailed", "The etag is not the twin's.")
	}
	if given.Tags != nil {
		t.Tags = mergePatch(t.Tags, *given.Tags)
	}
	if given.Properties != nil && given.Properties.Desired != nil {
		t.Desired = mergePatch(t.Desired, *given.Properties.Desired)
		t.DesiredVersion++
		t.DesiredAt = x.now
		x.desiredChanged(d, m, *given.Properties.Desired)
	}
	t.ETag++
	t.Version++
	if m != nil {
		x.store(moduleKey(x.hub, d.Identity.DeviceID, m.Identity.ModuleID), m)
	} else {
		x.store(deviceKey(x.hub, d.Identity.DeviceID), d)
	}
	return x.json(http.StatusOK, shownTwin(d, m))
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

// mergePatch gives target changed by patch: null removes, objects merge,
// everything else replaces.
func mergePatch(target, patch map[string]any) map[string]any {
	merged := maps.Clone(target)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range patch {
		switch value := value.(type) {
		case nil:
			delete(merged, name)
		case map[string]any:
			old, _ := merged[name].(map[string]any)
			merged[name] = mergePatch(old, value)
		default:
			merged[name] = value
		}
	}
	return merged
}

// shownTwin is the twin of the module, or of the device if m is nil.
func shownTwin(d *device, m *module) wire.Twin {
	identity, t := d.Identity, d.Twin
	shown := wire.Twin{DeviceID: identity.DeviceID, Status: identity.Status, StatusReason: identity.StatusReason,
		StatusUpdateTime: identity.StatusUpdatedTime, ConnectionState: identity.ConnectionState,
		LastActivityTime: identity.LastActivityTime, DeviceETag: identity.ETag,
		Capabilities: identity.Capabilities, DeviceScope: identity.DeviceScope, ParentScopes: identity.ParentScopes}
	authentication := identity.Authentication
	if m != nil {
		t, authentication = m.Twin, m.Identity.Authentication
		shown = wire.Twin{DeviceID: identity.DeviceID, ModuleID: m.Identity.ModuleID, Status: identity.Status,
			StatusUpdateTime: identity.StatusUpdatedTime, ConnectionState: m.Identity.ConnectionState,
			LastActivityTime: m.Identity.LastActivityTime, DeviceETag: m.Identity.ETag}
	}
	shown.AuthenticationType = authentication.Type
	shown.X509Thumbprint = &wire.TwinX509Thumbprint{}
	if given := authentication.X509Thumbprint; given != nil {
		*shown.X509Thumbprint = wire.TwinX509Thumbprint(*given)
	}
	shown.ETag, shown.Version = encodeTwinETag(t.ETag), t.Version
	if len(t.Tags) > 0 {
		shown.Tags = encodeObject(t.Tags)
	}
	shown.Properties = &wire.TwinProperties{
		Desired:  encodeObject(withMetadata(t.Desired, t.DesiredVersion, t.DesiredAt)),
		Reported: encodeObject(withMetadata(t.Reported, t.ReportedVersion, t.ReportedAt)),
	}
	return shown
}

func withMetadata(properties map[string]any, version int64, at time.Time) map[string]any {
	shown := maps.Clone(properties)
	if shown == nil {
		shown = map[string]any{}
	}
	shown["$metadata"] = map[string]any{"$lastUpdated": wire.At(at)}
	shown["$version"] = version
	return shown
}

func encodeObject(object map[string]any) json.RawMessage {
	raw, _ := json.Marshal(object) // was JSON before
	return raw
}

// encodeTwinETag writes a counter as the hub does, such as AAAAAAAAAAE=.
func encodeTwinETag(count uint64) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, count))
}
