package practice

import (
	"net/http"
	"strconv"

	"edgewright/provisioning/wire"
)

// maxModules of a device, those of the runtime apart.
const maxModules = 50

// The api-versions of the device's identity service, whose parser knows the
// authentication types none, sas and x509 only: its own, and that of the
// $edgeHub that passes its calls on (assumed).
const (
	identityServiceVersion = "2017-11-08-preview"
	onBehalfVersion        = "2020-06-30-preview"
)

func (x *exchange) listModules() answer {
	d, refused := x.allowModules(registryRead)
	if refused != nil {
		return *refused
	}
	list := make([]wire.Module, 0, len(d.modules))
	for _, id := range sortedIDs(d.modules) {
		list = append(list, x.shownModule(d.modules[id]))
	}
	return x.json(http.StatusOK, list)
}

func (x *exchange) getModule() answer {
	d, refused := x.allowModules(registryRead)
	if refused != nil {
		return *refused
	}
	return x.getModuleOn(d)
}

// getModuleOn gives the module that vars name.
func (x *exchange) getModuleOn(d *device) answer {
	m := d.modules[x.vars["module"]]
	if m == nil {
		return x.moduleNotFound()
	}
	return x.json(http.StatusOK, x.shownModule(m))
}

func (x *exchange) moduleNotFound() answer {
	return x.hubError("ModuleNotFound", "The module "+x.vars["module"]+" does not exist on the device.")
}

// putModule creates without If-Match and updates with it. The status is always
// 200: the identity service fails on 201.
func (x *exchange) putModule() answer {
	d, refused := x.allowModules(registryWrite)
	if refused != nil {
		return *refused
	}
	var given wire.Module
	if a := x.decode(&given); a != nil {
		return *a
	}
	return x.putModuleOn(d, given)
}

// putModuleOn makes or updates the module that vars name.
func (x *exchange) putModuleOn(d *device, given wire.Module) answer {
	id := x.vars["module"]
	if err := wire.ValidateModuleID(id); err != nil {
		return x.hubError("ArgumentInvalid", err.Error())
	}
	if given.ModuleID != "" && given.ModuleID != id || given.DeviceID != "" && given.DeviceID != d.Identity.DeviceID {
		return x.hubError("ArgumentInvalid", "moduleId or deviceId of the body is not that of the path.")
	}
	match, there := x.r.Header.Get("If-Match"), d.modules[id]
	switch {
	case match == "" && there != nil:
		return x.hubError("ModuleAlreadyExistsOnDevice", "The module "+id+" exists on the device.")
	case match != "" && there == nil:
		return x.moduleNotFound()
	case match != "" && !etagMatches(match, there.Identity.ETag):
		return x.hubError("PreconditionFailed", "The etag is not the module's.")
	}
	given.ModuleID = id
	m, refusal := x.writeModule(d, given, there)
	if refusal != nil {
		return x.hubError(refusal.name, refusal.text)
	}
	return x.json(http.StatusOK, x.shownModule(m))
}

// writeModule makes a module, or replaces there, by what a caller gave. The
// caller has checked ID and etag.
func (t *transaction) writeModule(d *device, given wire.Module, there *module) (*module, *identityError) {
	switch {
	case there == nil && isSystemModule(given.ModuleID):
		return nil, invalid("IDs that begin with $ are the hub's.")
	case there == nil && d.ownModules() >= maxModules:
		return nil, &identityError{"TooManyModulesOnDevice", "The device has " + strconv.Itoa(maxModules) + " modules."}
	}
	authentication, refused := t.c.authentication(given.Authentication, true)
	if refused != nil {
		return nil, refused
	}
	if there == nil {
		return t.addModule(d, wire.Module{ModuleID: given.ModuleID, ManagedBy: given.ManagedBy, Authentication: authentication}), nil
	}
	there.Identity.ManagedBy, there.Identity.Authentication = given.ManagedBy, authentication
	there.Identity.ETag = nextETag(there.Identity.ETag)
	slimModule(&there.Identity)
	t.store(moduleKey(t.hub, d.Identity.DeviceID, given.ModuleID), there)
	t.identityChanged(d.Identity.DeviceID, given.ModuleID)
	return there, nil
}

func (x *exchange) deleteModule() answer {
	d, refused := x.allowModules(registryWrite)
	if refused != nil {
		return *refused
	}
	return x.deleteModuleOn(d, x.r.Header.Get("If-Match"))
}

// deleteModuleOn removes the module that vars name.
func (x *exchange) deleteModuleOn(d *device, match string) answer {
	id := x.vars["module"]
	m := d.modules[id]
	switch {
	case match == "":
		return x.hubError("PreconditionFailed", "Etag missing.")
	case m == nil:
		return x.moduleNotFound()
	case !etagMatches(match, m.Identity.ETag):
		return x.hubError("PreconditionFailed", "The etag is not the module's.")
	case isSystemModule(id):
		return x.hubError("ArgumentInvalid", "IDs that begin with $ are the hub's.")
	}
	x.removeModule(d, m)
	return x.noContent()
}

func (d *device) ownModules() int {
	count := 0
	for id := range d.modules {
		if !isSystemModule(id) {
			count++
		}
	}
	return count
}

// addModule makes a module with the members given, authentication complete.
func (t *transaction) addModule(d *device, given wire.Module) *module {
	given.DeviceID = d.Identity.DeviceID
	given.GenerationID = strconv.FormatInt(t.c.state.ticks(t.now), 10)
	given.ETag = t.c.firstETag()
	given.ConnectionState = wire.Disconnected
	given.ConnectionStateUpdatedTime, given.LastActivityTime = never, never
	slimModule(&given)
	m := &module{Identity: given, Twin: newTwin(t.now)}
	d.add(m)
	t.store(moduleKey(t.hub, given.DeviceID, given.ModuleID), m)
	return m
}

func (t *transaction) removeModule(d *device, m *module) {
	m.Twin.leave()
	delete(d.modules, m.Identity.ModuleID)
	t.store(moduleKey(t.hub, d.Identity.DeviceID, m.Identity.ModuleID), nil)
	t.identityChanged(d.Identity.DeviceID, m.Identity.ModuleID)
}

// shownModule is the identity as the caller's api-version spells it.
func (x *exchange) shownModule(m *module) wire.Module {
	shown := m.Identity
	if version, _ := apiVersion(x.r); (version == identityServiceVersion || version == onBehalfVersion) && shown.Authentication.Type != wire.AuthSAS && shown.Authentication.Type != wire.AuthNone {
		copied := *shown.Authentication
		copied.Type = typeX509
		shown.Authentication = &copied
	}
	return shown
}
