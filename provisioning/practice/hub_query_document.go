package practice

import (
	"strings"

	"edgewright/provisioning/wire"
)

// twinDocument is a twin as a query sees it, member by member: what shownTwin
// shows, without making it. m is nil for that of a device.
//
// A query of a large fleet looks at every twin, so members are pointers into it
// where they can be.
type twinDocument struct {
	d *device
	m *module
}

// place is where the twin stands in the order of rows.
func (t *twinDocument) place() place {
	if t.m != nil {
		return place{t.d.Identity.DeviceID, t.m.Identity.ModuleID}
	}
	return place{t.d.Identity.DeviceID}
}

// whole is the row of SELECT *.
func (t *twinDocument) whole() any { return shownTwin(t.d, t.m) }

// Member implements query.Object.
func (t *twinDocument) Member(name string) (value any, exists bool) {
	d, own := &t.d.Identity, twinOf(t.d, t.m)
	switch name {
	case "deviceId":
		return d.DeviceID, true
	case "status":
		return d.Status, true
	case "statusUpdateTime":
		return timeMember(d.StatusUpdatedTime)
	case "tags":
		return &own.Tags, len(own.Tags) > 0
	case "properties":
		return propertiesDocument{own}, true
	case "etag":
		return encodeTwinETag(own.ETag), true
	case "version":
		return float64(own.Version), true
	case "configurations":
		if own.Configurations == nil {
			return nil, false
		}
		return own.Configurations.shown, true
	case "modelId":
		return textMember(own.ModelID)
	case "authenticationType":
		return t.authentication().Type, true
	case "x509Thumbprint":
		return thumbprintMember(t.authentication().X509Thumbprint), true
	}
	if t.m != nil {
		return moduleMember(&t.m.Identity, name)
	}
	return deviceMember(d, name)
}

func (t *twinDocument) authentication() *wire.Authentication {
	if t.m != nil {
		return t.m.Identity.Authentication
	}
	return t.d.Identity.Authentication
}

func deviceMember(d *wire.Device, name string) (value any, exists bool) {
	switch name {
	case "deviceEtag":
		return d.ETag, true
	case "statusReason":
		return textMember(d.StatusReason)
	case "connectionState":
		return d.ConnectionState, true
	case "lastActivityTime":
		return timeMember(d.LastActivityTime)
	case "cloudToDeviceMessageCount":
		return float64(d.CloudToDeviceMessageCount), true
	case "capabilities":
		return capabilityMembers[d.IsEdge()], true
	case "deviceScope":
		return textMember(d.DeviceScope)
	case "parentScopes":
		scopes := make([]any, len(d.ParentScopes))
		for i, scope := range d.ParentScopes {
			scopes[i] = scope
		}
		return scopes, len(scopes) > 0
	}
	return nil, false
}

func moduleMember(m *wire.Module, name string) (value any, exists bool) {
	switch name {
	case "moduleId":
		return m.ModuleID, true
	case "deviceEtag":
		return m.ETag, true
	case "connectionState":
		return m.ConnectionState, true
	case "lastActivityTime":
		return timeMember(m.LastActivityTime)
	case "cloudToDeviceMessageCount":
		return float64(m.CloudToDeviceMessageCount), true
	}
	return nil, false
}

var capabilityMembers = map[bool]map[string]any{true: {"iotEdge": true}, false: {"iotEdge": false}}

func textMember(text string) (value any, exists bool) { return text, text != "" }

func timeMember(t *wire.Time) (value any, exists bool) {
	if t == nil {
		return nil, false
	}
	return string(wire.AppendTime(nil, t.Time)), true
}

func thumbprintMember(given *wire.X509Thumbprint) map[string]any {
	members := map[string]any{}
	if given != nil && given.PrimaryThumbprint != "" {
		members["PrimaryThumbprint"] = given.PrimaryThumbprint
	}
	if given != nil && given.SecondaryThumbprint != "" {
		members["SecondaryThumbprint"] = given.SecondaryThumbprint
	}
	return members
}

// propertiesDocument is the member properties of a twin.
type propertiesDocument struct{ of *twin }

// Member implements query.Object.
func (p propertiesDocument) Member(name string) (value any, exists bool) {
	switch name {
	case "desired":
		return desiredDocument(p), true
	case "reported":
		return reportedDocument(p), true
	}
	return nil, false
}

// MarshalJSON writes both halves.
func (p propertiesDocument) MarshalJSON() ([]byte, error) {
	b := p.of.desiredHalf().append([]byte(`{"desired":`))
	return append(p.of.reportedHalf().append(append(b, `,"reported":`...)), '}'), nil
}

// desiredDocument is the member desired of the properties of a twin.
type desiredDocument propertiesDocument

// Member implements query.Object.
func (d desiredDocument) Member(name string) (value any, exists bool) {
	if strings.HasPrefix(name, "$") {
		return d.of.desiredHalf().readOnly(name)
	}
	return d.of.Desired.Member(name)
}

// MarshalJSON writes the half.
func (d desiredDocument) MarshalJSON() ([]byte, error) { return d.of.desiredHalf().append(nil), nil }

// reportedDocument is the member reported of the properties of a twin.
type reportedDocument propertiesDocument

// Member implements query.Object.
func (r reportedDocument) Member(name string) (value any, exists bool) {
	if strings.HasPrefix(name, "$") {
		return r.of.reportedHalf().readOnly(name)
	}
	return r.of.Reported.Member(name)
}

// MarshalJSON writes the half.
func (r reportedDocument) MarshalJSON() ([]byte, error) { return r.of.reportedHalf().append(nil), nil }

// half is the desired or the reported properties, with what is known of their
// changes.
type half struct {
	members object
	own     stamp
	older   stamps
}

func (t *twin) desiredHalf() half {
	return half{t.Desired, stamp{t.DesiredAt, t.DesiredVersion}, t.DesiredOlder}
}

func (t *twin) reportedHalf() half {
	return half{t.Reported, stamp{t.ReportedAt, t.ReportedVersion}, t.ReportedOlder}
}

// append writes the half as the service plane shows it.
func (h half) append(b []byte) []byte {
	b = append(appendMembers(b, h.members), `"$metadata":`...)
	b = append(appendMetadata(b, h.members, h.own, h.older), ',')
	return appendVersion(b, h.own.Version)
}

// readOnly gives the $ members.
func (h half) readOnly(name string) (value any, exists bool) {
	switch name {
	case "$version":
		return float64(h.own.Version), true
	case "$metadata":
		return metadataDocument(h), true
	}
	return nil, false
}

// metadataDocument is $metadata, or a member of it.
type metadataDocument half

// Member implements query.Object.
func (m metadataDocument) Member(name string) (value any, exists bool) {
	switch name {
	case "$lastUpdated":
		return string(wire.AppendTime(nil, m.own.At)), true
	case "$lastUpdatedVersion":
		return float64(m.own.Version), true
	}
	if _, exists := m.members.Member(name); !exists {
		return nil, false
	}
	inner := m.older.of(name, m.own)
	return metadataDocument{m.members.inside(name), inner.stamp, inner.Older}, true
}

// MarshalJSON writes the metadata.
func (m metadataDocument) MarshalJSON() ([]byte, error) {
	return appendMetadata(nil, m.members, m.own, m.older), nil
}
