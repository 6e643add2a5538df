package practice

import (
	"strings"

	"edgewright/provisioning/wire"
)

// registryItem is a device, or one of its modules, in a bulk call or a line of
// an import.
type registryItem struct {
	ID             string               `json:"id"`
	ModuleID       string               `json:"moduleId"`
	ETag           string               `json:"eTag"`
	ImportMode     string               `json:"importMode"`
	Status         string               `json:"status"`
	StatusReason   string               `json:"statusReason"`
	ManagedBy      string               `json:"managedBy"`
	Authentication *wire.Authentication `json:"authentication"`
	TwinETag       string               `json:"twinETag"`
	Capabilities   *wire.Capabilities   `json:"capabilities"`
	DeviceScope    string               `json:"deviceScope"`
	ParentScopes   []string             `json:"parentScopes"`
	writtenTwin
}

// failed is the item as one that was refused.
func (item registryItem) failed(refused *identityError) registryError {
	return registryError{DeviceID: item.ID, ModuleID: item.ModuleID, ErrorCode: refused.name, ErrorStatus: refused.text, Operation: item.ImportMode}
}

// importItem does to one identity or twin what its import mode says; none is
// createOrUpdate, as in an import. Letter case of the mode does not count: the
// npm client writes some with a capital letter.
func (t *transaction) importItem(item registryItem) (*registryWarning, *identityError) {
	target, refused := t.targetOf(item)
	if refused != nil {
		return nil, refused
	}
	mode := strings.ToLower(item.ImportMode)
	mode, ifMatch := strings.CutSuffix(mode, "ifmatchetag")
	switch mode {
	case "", "createorupdate":
		if target.exists() {
			return nil, t.updateItem(item, target, ifMatch)
		}
		return t.createItem(item, target)
	case "create":
		if ifMatch {
			break
		}
		if target.exists() {
			return nil, target.conflict()
		}
		return t.createItem(item, target)
	case "update":
		return nil, t.updateItem(item, target, ifMatch)
	case "delete":
		if refused := target.require(ifMatch, item.ETag, target.etag); refused != nil {
			return nil, refused
		}
		return nil, t.deleteTarget(target)
	case "updatetwin":
		if refused := target.require(ifMatch, item.TwinETag, target.twinETag); refused != nil {
			return nil, refused
		}
		return nil, t.changeTwin(target.d, target.m, item.change(false))
	}
	return nil, invalid("importMode %s is not known", wire.CleanMessage(item.ImportMode))
}

// target is what an item is about. d and m are nil where they do not exist.
type target struct {
	deviceID, moduleID string
	d                  *device
	m                  *module
}

func (t *transaction) targetOf(item registryItem) (target, *identityError) {
	found := target{deviceID: item.ID, moduleID: item.ModuleID, d: t.hub.devices[item.ID]}
	if err := wire.ValidateDeviceID(item.ID); err != nil {
		return found, invalid("%s", err)
	}
	if item.ModuleID == "" {
		return found, nil
	}
	if err := wire.ValidateModuleID(item.ModuleID); err != nil {
		return found, invalid("%s", err)
	}
	if found.d == nil {
		return found, noDevice(item.ID)
	}
	found.m = found.d.modules[item.ModuleID]
	return found, nil
}

func (g target) exists() bool { return g.d != nil && (g.moduleID == "" || g.m != nil) }

func (g target) etag() string {
	if g.m != nil {
		return g.m.Identity.ETag
	}
	return g.d.Identity.ETag
}

func (g target) twinETag() string { return encodeTwinETag(twinOf(g.d, g.m).ETag) }

func (g target) conflict() *identityError {
	if g.m != nil {
		return &identityError{"ModuleAlreadyExistsOnDevice", "The module " + g.moduleID + " exists on the device."}
	}
	return &identityError{"DeviceAlreadyExists", "The device " + g.deviceID + " exists."}
}

// require refuses what does not exist or, if asked, has another etag.
func (g target) require(ifMatch bool, given string, current func() string) *identityError {
	switch {
	case g.d == nil:
		return noDevice(g.deviceID)
	case !g.exists():
		return &identityError{"ModuleNotFound", "The module " + g.moduleID + " does not exist on the device."}
	case ifMatch && given == "":
		return &identityError{"PreconditionFailed", "Etag missing."}
	case ifMatch && !etagMatches(given, current()):
		return &identityError{"PreconditionFailed", "The etag is another."}
	}
	return nil
}

// createItem makes an identity with its twin. A twin that breaks a limit is
// left out with a warning.
func (t *transaction) createItem(item registryItem, g target) (*registryWarning, *identityError) {
	made, refused := t.writeItem(item, g)
	if refused != nil {
		return nil, refused
	}
	change := item.change(false)
	if change.tags != nil || change.desired != nil {
		refused = t.changeTwin(made.d, made.m, change)
	}
	if refused == nil && item.Properties != nil && item.Properties.Reported != nil {
		_, refused = t.reportProperties(made.d, made.m, item.Properties.Reported)
	}
	if refused != nil {
		return &registryWarning{item.ID, "DeviceRegisteredWithoutTwin", refused.text}, nil
	}
	return nil, nil
}

// updateItem replaces an identity and merges tags and desired properties if
// they are given; reported properties stay the device's own (assumed).
func (t *transaction) updateItem(item registryItem, g target, ifMatch bool) *identityError {
	if refused := g.require(ifMatch, item.ETag, g.etag); refused != nil {
		return refused
	}
	change := item.change(false)
	change.desired = withoutReadOnly(change.desired)
	if _, refused := twinOf(g.d, g.m).changed(change, t.now); refused != nil {
		return refused // before the identity changes
	}
	written, refused := t.writeItem(item, g)
	if refused != nil || change.tags == nil && change.desired == nil {
		return refused
	}
	return t.changeTwin(written.d, written.m, change)
}

// writeItem makes or replaces the identity.
func (t *transaction) writeItem(item registryItem, g target) (target, *identityError) {
	var refused *identityError
	if g.moduleID == "" {
		g.d, refused = t.writeDevice(wire.Device{DeviceID: item.ID, Status: item.Status, StatusReason: item.StatusReason,
			Authentication: item.Authentication, Capabilities: item.Capabilities, DeviceScope: item.DeviceScope, ParentScopes: item.ParentScopes}, g.d)
		return g, refused
	}
	g.m, refused = t.writeModule(g.d, wire.Module{ModuleID: item.ModuleID, ManagedBy: item.ManagedBy, Authentication: item.Authentication}, g.m)
	return g, refused
}

func (t *transaction) deleteTarget(g target) *identityError {
	if g.m == nil {
		t.removeDevice(g.d)
		return nil
	}
	if isSystemModule(g.moduleID) {
		return invalid("IDs that begin with $ are the hub's.")
	}
	t.removeModule(g.d, g.m)
	return nil
}

func noDevice(id string) *identityError {
	return &identityError{"DeviceNotFound", "The device " + wire.CleanMessage(id) + " does not exist."}
}
