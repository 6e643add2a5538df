package practice

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"edgewright/provisioning/wire"
)

// The module $edgeHub of a device asks for the identities that may connect to
// it, so that it can tell them from others without the hub.
//
// Azure/iotedge edge-hub/core/src/Microsoft.Azure.Devices.Edge.Hub.CloudProxy:
// DeviceScopeApiClient, NestedDeviceScopeApiClient, ServiceProxy.

// maxScopePage is how many devices a page of a scope has at most, and if the
// caller does not say.
const maxScopePage = 1000

// scopeResult are identities of a scope. All members are always there.
type scopeResult struct {
	Devices          []wire.Device `json:"devices"`
	Modules          []wire.Module `json:"modules"`
	ContinuationLink *string       `json:"continuationLink"`
}

func (s *scopeResult) add(d *device) {
	s.Devices = append(s.Devices, d.shown())
	for _, id := range sortedIDs(d.modules) {
		s.Modules = append(s.Modules, d.modules[id].Identity)
	}
}

// allowEdgeHub guards the calls of $edgeHub: only the module itself passes.
func (x *exchange) allowEdgeHub() (*device, *answer) {
	d := x.hub.devices[x.vars["device"]]
	if d == nil || !d.Identity.IsEdge() || d.modules["$edgeHub"] == nil || !x.asModule(x.shown, d, d.modules["$edgeHub"]) {
		return nil, x.unauthorized()
	}
	x.touch(d, d.modules["$edgeHub"])
	return d, nil
}

// isBeneath tells whether a device is the edge device of a scope, or its child.
func isBeneath(d, edge *device) bool {
	return d == edge || slices.Contains(d.Identity.ParentScopes, edge.Identity.DeviceScope)
}

// scopePage gives an edge device and its children with the modules of all, from
// a device ID on; next is that of the first device of the next page.
func (t *transaction) scopePage(edge *device, size int, from string) (found scopeResult, next string) {
	if size < 1 || size > maxScopePage {
		size = maxScopePage
	}
	found = scopeResult{Devices: []wire.Device{}, Modules: []wire.Module{}}
	at, _ := t.hub.at(from)
	for _, d := range t.hub.ordered[at:] {
		if !isBeneath(d, edge) {
			continue
		}
		if len(found.Devices) == size {
			return found, d.Identity.DeviceID
		}
		found.add(d)
	}
	return found, ""
}

// inDeviceScope answers devicesAndModulesInDeviceScope. The link to the next
// page is a reference relative to the hub.
func (x *exchange) inDeviceScope() answer {
	edge, refused := x.allowEdgeHub()
	if refused != nil {
		return *refused
	}
	query := x.r.URL.Query()
	from, ok := readScopeToken(query.Get("continuationToken"))
	if !ok {
		return x.hubError("ArgumentInvalid", "continuationToken is not one of this call.")
	}
	size, _ := strconv.Atoi(query.Get("deviceCount"))
	page, next := x.scopePage(edge, size, from)
	if next != "" {
		version, _ := apiVersion(x.r)
		values := url.Values{"deviceCount": {query.Get("deviceCount")}, "continuationToken": {scopeToken(next)}, "api-version": {version}}
		link := "/devices/" + wire.EscapeSegment(edge.Identity.DeviceID) + "/modules/$edgeHub/devicesAndModulesInDeviceScope?" + values.Encode()
		page.ContinuationLink = &link
	}
	return x.json(http.StatusOK, page)
}

func scopeToken(next string) string { return base64.URLEncoding.EncodeToString([]byte(next)) }

func readScopeToken(token string) (from string, ok bool) {
	raw, err := base64.URLEncoding.DecodeString(token)
	return string(raw), err == nil
}

// oneInDeviceScope answers deviceAndModuleInDeviceScope.
func (x *exchange) oneInDeviceScope() answer {
	edge, refused := x.allowEdgeHub()
	if refused != nil {
		return *refused
	}
	query := x.r.URL.Query()
	return x.oneBeneath(edge, query.Get("targetDeviceId"), query.Get("targetModuleId"))
}

// oneBeneath gives a device beneath an edge device, and one of its modules if
// asked. What is not there is a 400: edgeHub takes that, and nothing else, as
// the sign that it was removed from the scope.
func (x *exchange) oneBeneath(edge *device, deviceID, moduleID string) answer {
	d := x.hub.devices[deviceID]
	if d == nil || !isBeneath(d, edge) || moduleID != "" && d.modules[moduleID] == nil {
		return x.hubError("InvalidDeviceScope", "The identity is not in the scope of the device.")
	}
	found := scopeResult{Devices: []wire.Device{d.shown()}, Modules: []wire.Module{}}
	if moduleID != "" {
		found.Modules = append(found.Modules, d.modules[moduleID].Identity)
	}
	return x.json(http.StatusOK, found)
}

// onBehalf is the body of the calls that $edgeHub of a device makes for devices
// beneath it. Each call has some of the members.
type onBehalf struct {
	// AuthChain leads from the target up to the caller: grandchild;child;caller.
	// A name may carry a module, such as child/$edgeHub.
	AuthChain        string       `json:"authChain"`
	PageSize         int          `json:"pageSize"`
	ContinuationLink string       `json:"continuationLink"`
	TargetDeviceID   string       `json:"targetDeviceId"`
	TargetModuleID   string       `json:"targetModuleId"`
	ModuleID         string       `json:"moduleId"`
	Module           *wire.Module `json:"module"`
}

// allowOnBehalf guards the calls for others: $edgeHub of the device in the path
// is the caller, and the chain leads from the target to that device over
// parents. It gives the target.
func (x *exchange) allowOnBehalf(given *onBehalf) (*device, *answer) {
	caller, refused := x.allowEdgeHub()
	if refused != nil {
		return nil, refused
	}
	if refused := x.decode(given); refused != nil {
		return nil, refused
	}
	chain := x.authChain(given.AuthChain)
	if len(chain) == 0 || chain[len(chain)-1] != caller {
		return nil, x.unauthorized()
	}
	for i, d := range chain[:len(chain)-1] {
		if !slices.Contains(d.Identity.ParentScopes, chain[i+1].Identity.DeviceScope) || !chain[i+1].Identity.IsEdge() {
			return nil, x.unauthorized()
		}
	}
	// A disabled device speaks for nobody, nor does anybody for it (assumed).
	if slices.ContainsFunc(chain, func(d *device) bool { return d.Identity.Status != wire.StatusEnabled }) {
		return nil, x.unauthorized()
	}
	return chain[0], nil
}

// authChain gives the devices of a chain, nil if one is missing. A device and
// its module in a row count once.
func (x *exchange) authChain(text string) (chain []*device) {
	for name := range strings.SplitSeq(text, ";") {
		id, _, _ := strings.Cut(name, "/")
		d := x.hub.devices[id]
		if d == nil {
			return nil
		}
		if len(chain) == 0 || chain[len(chain)-1] != d {
			chain = append(chain, d)
		}
	}
	return chain
}

// inTargetScope answers devicesAndModulesInTargetDeviceScope: the scope of an
// edge device at the beginning of the chain.
func (x *exchange) inTargetScope() answer {
	var given onBehalf
	target, refused := x.allowOnBehalf(&given)
	if refused != nil {
		return *refused
	}
	from, ok := readScopeToken(given.ContinuationLink)
	if !ok || !target.Identity.IsEdge() {
		return x.hubError("ArgumentInvalid", "continuationLink is not one of this call, or the target is no edge device.")
	}
	page, next := x.scopePage(target, given.PageSize, from)
	if next != "" {
		link := scopeToken(next)
		page.ContinuationLink = &link
	}
	return x.json(http.StatusOK, page)
}

// oneOnBehalf answers getDeviceAndModuleOnBehalfOf: an identity in the scope of
// the edge device at the beginning of the chain.
func (x *exchange) oneOnBehalf() answer {
	var given onBehalf
	target, refused := x.allowOnBehalf(&given)
	if refused != nil {
		return *refused
	}
	return x.oneBeneath(target, given.TargetDeviceID, given.TargetModuleID)
}
