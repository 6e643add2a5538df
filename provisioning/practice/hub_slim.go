package practice

import (
	"edgewright/provisioning/wire"
)

// A fleet has a hundred thousand identities that differ in little but IDs and
// keys. What they have in common is kept once; all of it is replaced, never
// changed in place.
var (
	never        = &wire.Time{}
	edgeDevice   = &wire.Capabilities{IotEdge: true}
	leafDevice   = &wire.Capabilities{}
	noMechanism  = &wire.Authentication{Type: wire.AuthNone}
	byAuthority  = &wire.Authentication{Type: wire.AuthCertificateAuthority}
	commonValues = []string{wire.StatusEnabled, wire.StatusDisabled, wire.Connected, wire.Disconnected,
		wire.AuthSAS, wire.AuthSelfSigned, wire.AuthCertificateAuthority, wire.AuthNone}
)

// slimDevice puts what is common in the places of copies.
func slimDevice(d *wire.Device) {
	slimText(&d.ConnectionState)
	slimText(&d.Status)
	slimTime(&d.ConnectionStateUpdatedTime)
	slimTime(&d.StatusUpdatedTime)
	slimTime(&d.LastActivityTime)
	slimAuthentication(&d.Authentication)
	d.Capabilities = leafOrEdge(d.IsEdge())
	if len(d.ParentScopes) > 0 && d.ParentScopes[0] == d.DeviceScope {
		d.ParentScopes[0] = d.DeviceScope
	}
}

// slimModule does for a module what slimDevice does.
func slimModule(m *wire.Module) {
	slimText(&m.ConnectionState)
	slimTime(&m.ConnectionStateUpdatedTime)
	slimTime(&m.LastActivityTime)
	slimAuthentication(&m.Authentication)
	// Module IDs and managers come again on device after device.
	m.ModuleID, m.ManagedBy = sharedName(m.ModuleID), sharedName(m.ManagedBy)
}

func leafOrEdge(edge bool) *wire.Capabilities {
	if edge {
		return edgeDevice
	}
	return leafDevice
}

func slimText(text *string) {
	for _, common := range commonValues {
		if *text == common {
			*text = common
			return
		}
	}
}

func slimTime(t **wire.Time) {
	if *t != nil && (*t).IsZero() {
		*t = never
	}
}

func slimAuthentication(a **wire.Authentication) {
	switch {
	case *a == nil:
	case (*a).Type == wire.AuthNone:
		*a = noMechanism
	case (*a).Type == wire.AuthCertificateAuthority:
		*a = byAuthority
	default:
		slimText(&(*a).Type)
	}
}
