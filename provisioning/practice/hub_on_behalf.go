package practice

import (
	"net/http"

	"edgewright/provisioning/wire"
)

// The module operations of a device's identity service, passed on by the
// $edgeHub of its parent. The answers go to that service as they are.
//
// Azure/iotedge edge-hub/core/src/Microsoft.Azure.Devices.Edge.Hub.Http:
// RegistryController, RegistryOnBehalfOfApiClient.

// putOnBehalf creates without If-Match and updates with it, as putModule does.
func (x *exchange) putOnBehalf() answer {
	var given onBehalf
	target, refused := x.allowOnBehalf(&given)
	if refused != nil {
		return *refused
	}
	if given.Module == nil || given.Module.DeviceID != target.Identity.DeviceID {
		return x.hubError("ArgumentInvalid", "module is missing or not one of the first device of authChain.")
	}
	x.vars["module"] = given.Module.ModuleID
	return x.putModuleOn(target, *given.Module)
}

func (x *exchange) getOnBehalf() answer {
	var given onBehalf
	target, refused := x.allowOnBehalf(&given)
	if refused != nil {
		return *refused
	}
	x.vars["module"] = given.TargetModuleID
	return x.getModuleOn(target)
}

func (x *exchange) listOnBehalf() answer {
	var given onBehalf
	target, refused := x.allowOnBehalf(&given)
	if refused != nil {
		return *refused
	}
	list := make([]wire.Module, 0, len(target.modules))
	for _, id := range sortedIDs(target.modules) {
		list = append(list, x.shownModule(target.modules[id]))
	}
	return x.json(http.StatusOK, list)
}

// deleteOnBehalf removes a module whatever its etag is: the call carries none.
func (x *exchange) deleteOnBehalf() answer {
	var given onBehalf
	target, refused := x.allowOnBehalf(&given)
	if refused != nil {
		return *refused
	}
	x.vars["module"] = given.ModuleID
	return x.deleteModuleOn(target, "*")
}
