package iothub

import (
	"context"
	"net/http"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

func modulePath(deviceID, moduleID string) string {
	return devicePath(deviceID) + "/modules/" + wire.EscapeSegment(moduleID)
}

func validateModule(deviceID, moduleID string) error {
	if err := wire.ValidateDeviceID(deviceID); err != nil {
		return err
	}
	return wire.ValidateModuleID(moduleID)
}

// Modules lists the module identities of a device. For a device that is missing
// or disabled the hub answers 401, not 404.
func (c *Client) Modules(ctx context.Context, deviceID string) ([]wire.Module, error) {
	return listModules(ctx, c.rest, deviceID)
}

func listModules(ctx context.Context, client *rest.Client, deviceID string) ([]wire.Module, error) {
	const operation = "list modules of device"
	if err := wire.ValidateDeviceID(deviceID); err != nil {
		return nil, client.Invalid(operation, deviceID, err)
	}
	var modules []wire.Module
	_, err := client.Do(ctx, rest.Call{Operation: operation, Subject: deviceID, Method: http.MethodGet,
		Path: devicePath(deviceID) + "/modules", Expect: []int{http.StatusOK}}, &modules)
	return modules, err
}

// Module reads a module identity, keys included.
func (c *Client) Module(ctx context.Context, deviceID, moduleID string) (wire.Module, error) {
	const operation = "read module"
	var module wire.Module
	if err := validateModule(deviceID, moduleID); err != nil {
		return module, c.rest.Invalid(operation, deviceID+"/"+moduleID, err)
	}
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: deviceID + "/" + moduleID, Method: http.MethodGet,
		Path: modulePath(deviceID, moduleID), Expect: []int{http.StatusOK}}, &module)
	return module, err
}

// PutModule makes a module identity (etag "") or replaces one as a whole (the
// etag that was read, or "*"). A replacement without managedBy clears it; one
// without authentication is refused, for the hub would make new keys. Lost
// answers are treated as by CreateDevice and UpdateDevice.
func (c *Client) PutModule(ctx context.Context, module wire.Module, etag string) (wire.Written[wire.Module], error) {
	operation := "create module"
	if etag != "" {
		operation = "update module"
	}
	subject := module.DeviceID + "/" + module.ModuleID
	if err := validateModule(module.DeviceID, module.ModuleID); err != nil {
		return wire.Written[wire.Module]{}, c.rest.Invalid(operation, subject, err)
	}
	if etag != "" {
		if err := keepsKeys(module.Authentication); err != nil {
			return wire.Written[wire.Module]{}, c.rest.Invalid(operation, subject, err)
		}
	}
	put := func(ctx context.Context) (wire.Module, error) {
		var answer wire.Module
		_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: subject, Method: http.MethodPut,
			Path: modulePath(module.DeviceID, module.ModuleID), IfMatch: quoted(etag), Body: module,
			Expect: []int{http.StatusOK, http.StatusCreated}, Once: etag != "*"}, &answer)
		return answer, err
	}
	if etag == "*" {
		updated, err := put(ctx)
		return wire.Written[wire.Module]{Value: updated}, err
	}
	return rest.WriteOnce(ctx, put,
		func(ctx context.Context) (wire.Module, error) { return c.Module(ctx, module.DeviceID, module.ModuleID) },
		func(there wire.Module, found bool) bool {
			if etag == "" {
				return !found
			}
			return found && there.ETag == bare(etag)
		})
}

// DeleteModule removes a module. etag is the one that was read, or "*".
func (c *Client) DeleteModule(ctx context.Context, deviceID, moduleID, etag string) error {
	const operation = "delete module"
	subject := deviceID + "/" + moduleID
	if err := validateModule(deviceID, moduleID); err != nil {
		return c.rest.Invalid(operation, subject, err)
	}
	if etag == "" {
		return c.rest.Invalid(operation, subject, errNoETag)
	}
	return gone(c.rest.Do(ctx, rest.Call{Operation: operation, Subject: subject, Method: http.MethodDelete,
		Path: modulePath(deviceID, moduleID), IfMatch: quoted(etag), Expect: []int{http.StatusNoContent}}, nil))
}
