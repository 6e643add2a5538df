package practice

import (
	"net/http"
	"strconv"

	"edgewright/provisioning/wire"
)

// regeneration is the body of a call for new keys and, but for Devices, of its
// answer. PolicyKey is primaryKey, secondaryKey or both.
type regeneration struct {
	PolicyKey string `json:"policyKey"`
	Devices   []struct {
		ID       string `json:"id"`
		ModuleID string `json:"moduleId"`
	} `json:"devices"`
}

// rotatedKey is an identity with its keys after the call.
type rotatedKey struct {
	ID           string   `json:"id"`
	ModuleID     string   `json:"moduleId,omitempty"`
	PrimaryKey   wire.Key `json:"primaryKey"`
	SecondaryKey wire.Key `json:"secondaryKey"`
}

// regenerateKeys makes new keys for devices and modules (api-version
// 2024-03-31): 200 if all have them, 207 if some have, 400 if none has. The
// members of rotatedKeys and errors, and the limit of 100, are assumed; a swap
// of keys is not part of the call, clients write the identity for it.
//
// https://learn.microsoft.com/cli/azure/iot/hub/device-identity#az-iot-hub-device-identity-renew-key
func (x *exchange) regenerateKeys() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	var given regeneration
	if a := x.decode(&given); a != nil {
		return *a
	}
	primary, secondary := given.PolicyKey == "primaryKey", given.PolicyKey == "secondaryKey"
	if given.PolicyKey == "both" {
		primary, secondary = true, true
	}
	switch {
	case !primary && !secondary:
		return x.hubError("ArgumentInvalid", "policyKey is primaryKey, secondaryKey or both.")
	case len(given.Devices) == 0:
		return x.hubError("ArgumentInvalid", "The list of devices is empty.")
	case len(given.Devices) > maxRegistryBulk:
		return x.hubError("TooManyDevices", "A call has at most "+strconv.Itoa(maxRegistryBulk)+" devices.")
	}
	result := struct {
		PolicyKey   string          `json:"policyKey"`
		RotatedKeys []rotatedKey    `json:"rotatedKeys"`
		Errors      []registryError `json:"errors"`
	}{given.PolicyKey, []rotatedKey{}, []registryError{}}
	for _, one := range given.Devices {
		item := registryItem{ID: one.ID, ModuleID: one.ModuleID}
		keys, refused := x.rotate(item, primary, secondary)
		if refused != nil {
			result.Errors = append(result.Errors, item.failed(refused))
			continue
		}
		result.RotatedKeys = append(result.RotatedKeys, rotatedKey{one.ID, one.ModuleID, keys.PrimaryKey, keys.SecondaryKey})
	}
	switch {
	case len(result.Errors) == 0:
		return x.json(http.StatusOK, result)
	case len(result.RotatedKeys) > 0:
		return x.json(http.StatusMultiStatus, result)
	}
	a := x.json(http.StatusBadRequest, result)
	a.code = "BulkRegistryOperationFailure"
	a.header = map[string]string{wire.HeaderHubErrorCode: a.code}
	return a
}

// rotate gives an identity that has symmetric keys new ones.
func (t *transaction) rotate(item registryItem, primary, secondary bool) (wire.SymmetricKey, *identityError) {
	g, refused := t.targetOf(item)
	if refused == nil {
		refused = g.require(false, "", nil)
	}
	if refused != nil {
		return wire.SymmetricKey{}, refused
	}
	by, etag := &g.d.Identity.Authentication, &g.d.Identity.ETag
	if g.m != nil {
		by, etag = &g.m.Identity.Authentication, &g.m.Identity.ETag
	}
	if (*by).Type != wire.AuthSAS || (*by).SymmetricKey == nil {
		return wire.SymmetricKey{}, invalid("The identity has no symmetric keys.")
	}
	keys, fresh := *(*by).SymmetricKey, t.c.newKeys(mintedKeyLength)
	if primary {
		keys.PrimaryKey = fresh.PrimaryKey
	}
	if secondary {
		keys.SecondaryKey = fresh.SecondaryKey
	}
	*by, *etag = &wire.Authentication{Type: wire.AuthSAS, SymmetricKey: &keys}, nextETag(*etag)
	t.storeTwin(g.d, g.m)
	t.identityChanged(g.d.Identity.DeviceID, sortedIDs(g.d.modules)...)
	return keys, nil
}
