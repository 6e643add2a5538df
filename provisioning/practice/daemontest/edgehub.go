package daemontest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// EdgeHub is the HTTPS side of the module $edgeHub of a device: what it asks
// the hub about the identities beneath it.
type EdgeHub struct {
	Network
	Hub    string // host name, with port
	Device string
	Sign   Sign // of the module's key
}

const (
	scopeVersion  = "api-version=2018-08-30-preview"
	nestedVersion = "api-version=2020-06-30-preview"
)

// Scope is an answer to a question for identities.
type Scope struct {
	Devices          []map[string]any
	Modules          []map[string]any
	ContinuationLink *string
}

// IDs lists devices, and modules as device/module.
func (s Scope) IDs() (ids []string) {
	for _, d := range s.Devices {
		ids = append(ids, fmt.Sprint(d["deviceId"]))
	}
	for _, m := range s.Modules {
		ids = append(ids, fmt.Sprint(m["deviceId"], "/", m["moduleId"]))
	}
	return ids
}

func (h EdgeHub) call(method, path string, body any, statuses ...int) call {
	host, _, _ := strings.Cut(h.Hub, ":")
	return call{method: method, url: "https://" + h.Hub + path, body: body, statuses: statuses,
		token: moduleToken(host+"/devices/"+h.Device+"/modules/$edgeHub", h.Sign, h.now())}
}

// scope sends a call whose answer must have all three members; null is a value.
func (h EdgeHub) scope(ctx context.Context, c call) (Scope, error) {
	var members map[string]json.RawMessage
	if _, err := h.send(ctx, c, &members); err != nil {
		return Scope{}, err
	}
	for _, name := range []string{"devices", "modules", "continuationLink"} {
		if _, found := members[name]; !found {
			return Scope{}, fmt.Errorf("the scope answer has no member %s", name)
		}
	}
	var scope Scope
	for name, into := range map[string]any{"devices": &scope.Devices, "modules": &scope.Modules, "continuationLink": &scope.ContinuationLink} {
		if err := json.Unmarshal(members[name], into); err != nil {
			return Scope{}, fmt.Errorf("member %s: %w", name, err)
		}
	}
	return scope, nil
}

// own is a path below the device's own edgeHub.
func (h EdgeHub) own(operation, query string) string {
	return "/devices/" + h.Device + "/modules/$edgeHub/" + operation + "?" + query
}

// InScope asks for all identities directly beneath the device, following links
// to further pages.
func (h EdgeHub) InScope(ctx context.Context, count int) (pages []Scope, err error) {
	path := h.own("devicesAndModulesInDeviceScope", "deviceCount="+strconv.Itoa(count)+"&continuationToken=&"+scopeVersion)
	for {
		page, err := h.scope(ctx, h.call(http.MethodGet, path, nil, http.StatusOK))
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
		if page.ContinuationLink == nil || *page.ContinuationLink == "" {
			return pages, nil
		}
		// The link is a reference relative to the hub.
		link, err := url.Parse(*page.ContinuationLink)
		if err != nil {
			return nil, err
		}
		path = link.RequestURI()
	}
}

// OneInScope asks for a device, or a module of it, beneath the device.
func (h EdgeHub) OneInScope(ctx context.Context, device, module string) (Scope, error) {
	return h.scope(ctx, h.call(http.MethodGet, h.own("deviceAndModuleInDeviceScope",
		"targetDeviceId="+url.QueryEscape(device)+"&targetModuleId="+url.QueryEscape(module)+"&"+scopeVersion), nil, http.StatusOK))
}

// InTargetScope asks for the identities beneath the first device of a chain,
// which ends with this one ("grandchild;child;this").
func (h EdgeHub) InTargetScope(ctx context.Context, chain string, pageSize int) (pages []Scope, err error) {
	body := map[string]any{"pageSize": pageSize, "authChain": chain}
	for {
		page, err := h.scope(ctx, h.call(http.MethodPost, h.own("devicesAndModulesInTargetDeviceScope", nestedVersion), body, http.StatusOK))
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
		if page.ContinuationLink == nil || *page.ContinuationLink == "" {
			return pages, nil
		}
		body["continuationLink"] = *page.ContinuationLink
	}
}

// OneOnBehalfOf asks for an identity as the edge device at the beginning of the
// chain would ask ("child;this").
func (h EdgeHub) OneOnBehalfOf(ctx context.Context, chain, device, module string) (Scope, error) {
	body := map[string]any{"targetDeviceId": device, "authChain": chain}
	if module != "" {
		body["targetModuleId"] = module
	}
	return h.scope(ctx, h.call(http.MethodPost, h.own("getDeviceAndModuleOnBehalfOf", nestedVersion), body, http.StatusOK))
}

// PutOnBehalfOf makes (ifMatch empty) or updates a module of the device at the
// beginning of the chain ("child;this").
func (h EdgeHub) PutOnBehalfOf(ctx context.Context, chain string, module map[string]any, ifMatch string) (Module, error) {
	c := h.call(http.MethodPost, h.own("putModuleOnBehalfOf", nestedVersion), map[string]any{"authChain": chain, "module": module}, http.StatusOK)
	c.ifMatch = ifMatch
	return h.module(ctx, c)
}

// GetOnBehalfOf reads a module.
func (h EdgeHub) GetOnBehalfOf(ctx context.Context, chain, module string) (Module, error) {
	return h.module(ctx, h.call(http.MethodPost, h.own("getModuleOnBehalfOf", nestedVersion),
		map[string]any{"authChain": chain, "targetModuleId": module}, http.StatusOK))
}

// ListOnBehalfOf reads all modules.
func (h EdgeHub) ListOnBehalfOf(ctx context.Context, chain string) ([]Module, error) {
	var modules []Module
	_, err := h.send(ctx, h.call(http.MethodPost, h.own("getModulesOnTargetDevice", nestedVersion),
		map[string]any{"authChain": chain}, http.StatusOK), &modules)
	return modules, err
}

// DeleteOnBehalfOf removes a module.
func (h EdgeHub) DeleteOnBehalfOf(ctx context.Context, chain, module string) error {
	_, err := h.send(ctx, h.call(http.MethodPost, h.own("deleteModuleOnBehalfOf", nestedVersion),
		map[string]any{"authChain": chain, "moduleId": module}, http.StatusNoContent), nil)
	return err
}

func (h EdgeHub) module(ctx context.Context, c call) (Module, error) {
	var m Module
	if _, err := h.send(ctx, c, &m); err != nil {
		return m, err
	}
	return m, m.check()
}
