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

// token reads the Authorization header; false if it is no SAS token or has
// expired by the cloud's clock.
func (x *exchange) token() (wire.Token, bool) {
	token, err := wire.ParseToken(x.r.Header.Get("Authorization"))
	return token, err == nil && token.Expiry.After(x.now)
}

// signedBy tells whether either key of a pair signed the token.
func signedBy(token wire.Token, keys *wire.SymmetricKey) bool {
	if keys == nil {
		return false
	}
	primary, secondary := token.SignedBy(keys.PrimaryKey.Secret()), token.SignedBy(keys.SecondaryKey.Secret())
	return primary || secondary
}

func (x *exchange) unauthorized() *answer {
	a := x.hubError("IotHubUnauthorizedAccess", "Unauthorized")
	return &a
}

// policyAllows tells whether a policy of the hub signed the token and has the
// right.
func (x *exchange) policyAllows(token wire.Token, needed right) bool {
	for _, policy := range hubPolicies {
		if policy.name != token.Policy || policy.rights&needed == 0 {
			continue
		}
		keys := x.c.settings().HubKeys[x.hub.label][policy.name]
		scope := x.hub.host + "/" + strings.Join(x.segments, "/")
		return token.Covers(scope) && signedBy(token, &keys)
	}
	return false
}

// allow lets a policy with the right pass. Refusals of every kind look alike,
// as they do in IoT Hub.
func (x *exchange) allow(needed right) *answer {
	if token, ok := x.token(); ok && token.Policy != "" && x.policyAllows(token, needed) {
		return nil
	}
	return x.unauthorized()
}

// asDevice tells whether the device itself signed the token: with its own key
// and for its own scope, or one inside. A disabled device cannot.
func (x *exchange) asDevice(token wire.Token, d *device) bool {
	scope := x.hub.host + "/devices/" + d.Identity.DeviceID
	return token.Policy == "" && d.Identity.Status == wire.StatusEnabled &&
		token.Covers(scope) && !token.Covers(x.hub.host+"/devices") &&
		d.Identity.Authentication.Type == wire.AuthSAS && signedBy(token, d.Identity.Authentication.SymmetricKey)
}

// asModule finds the module of d that signed the token.
func (x *exchange) asModule(token wire.Token, d *device) *module {
	if token.Policy != "" || d.Identity.Status != wire.StatusEnabled {
		return nil
	}
	parent := x.hub.host + "/devices/" + d.Identity.DeviceID + "/modules"
	if token.Covers(parent) {
		return nil
	}
	for id, m := range d.modules {
		if token.Covers(parent+"/"+id) && m.Identity.Authentication.Type == wire.AuthSAS && signedBy(token, m.Identity.Authentication.SymmetricKey) {
			return m
		}
	}
	return nil
}

// allowModules guards the module operations: a policy with the right, or the
// device's own token, with which the runtime manages its modules. A missing or
// disabled device is a 401 here, not a 404.
func (x *exchange) allowModules(needed right) (*device, *answer) {
	d := x.hub.devices[x.vars["device"]]
	token, ok := x.token()
	if !ok || d == nil || d.Identity.Status != wire.StatusEnabled {
		return nil, x.unauthorized()
	}
	if x.asDevice(token, d) {
		x.touch(d, nil)
		return d, nil
	}
	if token.Policy == "" || !x.policyAllows(token, needed) {
		return nil, x.unauthorized()
	}
	return d, nil
}

// touch notes that a device, and one of its modules if given, has
// authenticated. The loss of the time in a crash is accepted.
func (x *exchange) touch(d *device, m *module) {
	d.Identity.LastActivityTime = wire.At(x.now)
	x.storeLater(deviceKey(x.hub, d.Identity.DeviceID), d)
	if m != nil {
		m.Identity.LastActivityTime = wire.At(x.now)
		x.storeLater(moduleKey(x.hub, m.Identity.DeviceID, m.Identity.ModuleID), m)
	}
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
