package practice

import (
	"slices"
	"strings"

	"edgewright/provisioning/wire"
)

// right is a permission of a shared access policy of IoT Hub.
type right int

const (
	registryRead right = 1 << iota
	registryWrite
	serviceConnect
	deviceConnect
)

// hubPolicies are the policies that every new hub has.
//
// https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas
var hubPolicies = []struct {
	name   string
	rights right
}{
	{policyHubOwner, registryRead | registryWrite | serviceConnect | deviceConnect},
	{"service", serviceConnect},
	{"device", deviceConnect},
	{"registryRead", registryRead},
	{"registryReadWrite", registryRead | registryWrite},
}

func (x *exchange) unauthorized() *answer {
	a := x.hubError("IotHubUnauthorizedAccess", "Unauthorized")
	return &a
}

// stranger refuses a caller who is not the identity: 401003 with what was wrong
// where it shows a certificate to one that proves itself so, else as unauthorized.
func (x *exchange) stranger(by *wire.Authentication) *answer {
	text := strangerText(x.shown.chain, by)
	if text == "" || x.shown.given {
		return x.unauthorized()
	}
	a := x.hubError("IotHubUnauthorized", text)
	return &a
}

// policyAllows tells whether a policy of the hub signed the token and has the
// right. path is what is asked for, below the hub's name.
func (t *transaction) policyAllows(shown credential, needed right, path ...string) bool {
	for _, policy := range hubPolicies {
		if policy.name != shown.token.Policy || policy.rights&needed == 0 {
			continue
		}
		keys := t.c.settings().HubKeys[t.hub.label][policy.name]
		return shown.token.Covers(strings.Join(append([]string{t.hub.host}, path...), "/")) && shown.signedBy(&keys)
	}
	return false
}

// allow lets a policy with the right pass. Refusals of every kind look alike,
// as they do in IoT Hub.
func (x *exchange) allow(needed right) *answer {
	if x.policyAllows(x.shown, needed, x.segments...) {
		return nil
	}
	return x.unauthorized()
}

// asDevice tells whether the device itself is the caller: by a token that its
// own key signed for its own scope, or one inside, or by its certificate. A
// disabled device cannot.
func (t *transaction) asDevice(shown credential, d *device) bool {
	if d.Identity.Status != wire.StatusEnabled {
		return false
	}
	by := d.Identity.Authentication
	if by.Type != wire.AuthSAS {
		return t.certified(shown.chain, by, d.Identity.DeviceID)
	}
	scope := t.hub.host + "/devices/" + d.Identity.DeviceID
	return shown.ownToken() && shown.token.Covers(scope) && !shown.token.Covers(t.hub.host+"/devices") && shown.signedBy(by.SymmetricKey)
}

// asModule tells whether the module itself is the caller, as asDevice does.
func (t *transaction) asModule(shown credential, d *device, m *module) bool {
	if d.Identity.Status != wire.StatusEnabled {
		return false
	}
	by := m.Identity.Authentication
	if by.Type != wire.AuthSAS {
		return t.certified(shown.chain, by, d.Identity.DeviceID+"/"+m.Identity.ModuleID)
	}
	parent := t.hub.host + "/devices/" + d.Identity.DeviceID + "/modules"
	return shown.ownToken() && shown.token.Covers(parent+"/"+m.Identity.ModuleID) && !shown.token.Covers(parent) && shown.signedBy(by.SymmetricKey)
}

// allowModules guards the module operations: a policy with the right, or the
// device itself, which manages its modules. A missing or disabled device is a
// 401 here, not a 404.
func (x *exchange) allowModules(needed right) (*device, *answer) {
	d := x.hub.devices[x.vars["device"]]
	switch {
	case d == nil || d.Identity.Status != wire.StatusEnabled:
		return nil, x.unauthorized()
	case x.asDevice(x.shown, d):
		x.touch(d, nil)
	case !x.policyAllows(x.shown, needed, x.segments...):
		return nil, x.stranger(d.Identity.Authentication)
	}
	return d, nil
}

// isSystemModule tells IDs that only the hub may make.
func isSystemModule(id string) bool { return strings.HasPrefix(id, "$") }

// systemModules are made for each edge device.
var systemModules = []string{"$edgeAgent", "$edgeHub"}

func sortedIDs[T any](all map[string]T) []string {
	ids := make([]string, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
