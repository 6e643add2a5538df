package practice

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"time"

	"edgewright/provisioning/wire"
)

// twin is the stored part of a device or module twin. The objects are without
// the $ members, which are added when it is shown.
type twin struct {
	Tags, Desired, Reported         object `json:",omitempty"`
	DesiredVersion, ReportedVersion int64
	Version                         int64
	ETag                            uint64
	DesiredAt, ReportedAt           time.Time
	// DesiredOlder and ReportedOlder are of the properties that did not change
	// with the newest version.
	DesiredOlder, ReportedOlder stamps `json:",omitempty"`
	// ModelID is the one that the device announced when it connected.
	ModelID string `json:",omitempty"`
	// Configurations are those that target the twin; of that of edgeAgent, the
	// deployments of its device.
	Configurations *stack `json:",omitempty"`

	counted deployed // in Configurations
}

func newTwin(now time.Time) twin {
	return twin{DesiredVersion: 1, ReportedVersion: 1, Version: 2, ETag: 1, DesiredAt: now, ReportedAt: now}
}

// begin sets a twin to the initial one of an enrollment, nil for an empty one.
func (t *twin) begin(initial *wire.InitialTwin, now time.Time) {
	fresh := newTwin(now)
	fresh.ETag, fresh.Version, fresh.DesiredVersion = t.ETag+1, t.Version+1, t.DesiredVersion+1
	if initial != nil {
		tags, _ := jsonObject(initial.Tags)
		fresh.Tags = fresh.Tags.merged(tags)
		if initial.Properties != nil {
			desired, _ := jsonObject(initial.Properties.Desired)
			fresh.Desired = fresh.Desired.merged(desired)
		}
	}
	t.leave() // what configurations wrote is gone with the rest
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

// twinChange is what the service plane does to a twin. nil objects stay as
// they are.
type twinChange struct {
	tags, desired map[string]any
	// replace sets the objects instead of merging into them.
	replace bool
}

// twinOf is the twin of the module, or of the device if m is nil.
func twinOf(d *device, m *module) *twin {
	if m != nil {
		return &m.Twin
	}
	return &d.Twin
}

// storeTwin queues the twin of the module, or of the device if m is nil.
func (t *transaction) storeTwin(d *device, m *module) {
	if m != nil {
		t.store(moduleKey(t.hub, d.Identity.DeviceID, m.Identity.ModuleID), m)
		return
	}
	t.store(deviceKey(t.hub, d.Identity.DeviceID), d)
}

// changed gives the twin after a change, which applies as a whole or, if it
// breaks a limit, not at all.
func (t *twin) changed(change twinChange, now time.Time) (twin, *identityError) {
	next := *t
	for _, part := range []struct {
		name  string
		limit int
		given map[string]any
		into  *object
	}{
		{"tags", maxTagsSize, change.tags, &next.Tags},
		{"properties.desired", maxPropertiesSize, change.desired, &next.Desired},
	} {
		if part.given == nil {
			continue
		}
		before := *part.into
		if change.replace {
			before = nil
		}
		var refused *identityError
		if *part.into, refused = mergeWithin(part.name, part.limit, before, part.given); refused != nil {
			return twin{}, refused
		}
	}
	next.ETag++
	next.Version++
	if change.desired == nil {
		return next, nil
	}
	next.DesiredVersion++
	next.DesiredAt = now
	next.DesiredOlder = nil
	if !change.replace {
		next.DesiredOlder = t.DesiredOlder.after(stamp{t.DesiredAt, t.DesiredVersion}, stamp{now, next.DesiredVersion}, t.Desired, change.desired)
	}
	return next, nil
}

// changeTwin applies a change. It counts versions and etag on, stores the twin
// and tells the device or module of changed desired properties.
func (t *transaction) changeTwin(d *device, m *module, change twinChange) *identityError {
	change.desired = withoutReadOnly(change.desired)
	next, refused := twinOf(d, m).changed(change, t.now)
	if refused != nil {
		return refused
	}
	*twinOf(d, m) = next
	t.storeTwin(d, m)
	if change.desired != nil {
		t.desiredChanged(d, m, change.desired)
	}
	return nil
}

// reportProperties merges a patch of reported properties from the device, or
// the module if it is given, and gives their new version. The etag of the twin
// stays: it counts what the service plane changes.
func (t *transaction) reportProperties(d *device, m *module, patch map[string]any) (version int64, refused *identityError) {
	current := twinOf(d, m)
	patch = withoutReadOnly(patch)
	if patch == nil {
		patch = map[string]any{}
	}
	merged, refused := mergeWithin("properties.reported", maxPropertiesSize, current.Reported, patch)
	if refused != nil {
		return 0, refused
	}
	before := stamp{current.ReportedAt, current.ReportedVersion}
	current.ReportedOlder = current.ReportedOlder.after(before, stamp{t.now, before.Version + 1}, current.Reported, patch)
	current.Reported = merged
	current.ReportedVersion++
	current.ReportedAt = t.now
	current.Version++
	t.storeTwin(d, m)
	return current.ReportedVersion, nil
}

// deviceTwin is the twin as the device, or the module if it is given, sees it:
//
//	{"desired":{…,"$version":4},"reported":{…,"$version":9}}
func (t *transaction) deviceTwin(d *device, m *module) json.RawMessage {
	shown := twinOf(d, m)
	b := append([]byte(nil), `{"desired":`...)
	b = appendVersion(appendMembers(b, shown.Desired), shown.DesiredVersion)
	b = append(b, `,"reported":`...)
	b = appendVersion(appendMembers(b, shown.Reported), shown.ReportedVersion)
	return append(b, '}')
}

// withoutReadOnly leaves out the $ members that a client sends back with what
// it read.
func withoutReadOnly(properties map[string]any) map[string]any {
	_, stamped := properties["$metadata"]
	_, counted := properties["$version"]
	if !stamped && !counted {
		return properties
	}
	rest := maps.Clone(properties)
	delete(rest, "$metadata")
	delete(rest, "$version")
	return rest
}

// encodeTwinETag writes a counter as the hub does, such as AAAAAAAAAAE=.
func encodeTwinETag(count uint64) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, count))
}
