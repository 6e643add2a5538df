package iothub

import (
	"context"
	"errors"
	"net/http"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

func devicePath(id string) string { return "/devices/" + wire.EscapeSegment(id) }

// Device reads a device identity, keys included.
func (c *Client) Device(ctx context.Context, id string) (wire.Device, error) {
	const operation = "read device"
	var device wire.Device
	if err := wire.ValidateDeviceID(id); err != nil {
		return device, c.rest.Invalid(operation, id, err)
	}
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: id, Method: http.MethodGet,
		Path: devicePath(id), Expect: []int{http.StatusOK}}, &device)
	return device, err
}

// CreateDevice makes a device identity; it never changes an existing one. Empty
// keys are made by the hub, as is the scope of an edge device. If the device
// exists, the error is a 409 (wire.IsConflict).
//
// A creation whose answer is lost is not repeated blindly: the device is looked
// for, and if it is there, it is given as found with Unconfirmed set.
func (c *Client) CreateDevice(ctx context.Context, device wire.Device) (wire.Written[wire.Device], error) {
	const operation = "create device"
	if err := wire.ValidateDeviceID(device.DeviceID); err != nil {
		return wire.Written[wire.Device]{}, c.rest.Invalid(operation, device.DeviceID, err)
	}
	return rest.WriteOnce(ctx,
		func(ctx context.Context) (wire.Device, error) { return c.putDevice(ctx, operation, device, "") },
		func(ctx context.Context) (wire.Device, error) { return c.Device(ctx, device.DeviceID) },
		func(_ wire.Device, found bool) bool { return !found })
}

// UpdateDevice replaces a device identity as a whole; start from one that was
// read. etag is the one that the change is based on (412 if the device changed
// since), or "*". A device without authentication, or of type sas without keys,
// is refused, for the hub would make new keys. Capabilities and scope that are
// missing are taken from the device as it is.
//
// With an etag other than "*", an update whose answer is lost is looked at as
// CreateDevice does.
func (c *Client) UpdateDevice(ctx context.Context, device wire.Device, etag string) (wire.Written[wire.Device], error) {
	const operation = "update device"
	var none wire.Written[wire.Device]
	if err := wire.ValidateDeviceID(device.DeviceID); err != nil {
		return none, c.rest.Invalid(operation, device.DeviceID, err)
	}
	if etag == "" {
		return none, c.rest.Invalid(operation, device.DeviceID, errNoETag)
	}
	if err := keepsKeys(device.Authentication); err != nil {
		return none, c.rest.Invalid(operation, device.DeviceID, err)
	}
	if device.Capabilities == nil || device.DeviceScope == "" {
		current, err := c.Device(ctx, device.DeviceID)
		if err != nil {
			return none, err
		}
		if device.Capabilities == nil {
			device.Capabilities = current.Capabilities
		}
		if device.DeviceScope == "" {
			device.DeviceScope = current.DeviceScope
		}
	}
	if etag == "*" {
		updated, err := c.putDevice(ctx, operation, device, etag)
		return wire.Written[wire.Device]{Value: updated}, err
	}
	return rest.WriteOnce(ctx,
		func(ctx context.Context) (wire.Device, error) { return c.putDevice(ctx, operation, device, etag) },
		func(ctx context.Context) (wire.Device, error) { return c.Device(ctx, device.DeviceID) },
		func(there wire.Device, found bool) bool { return found && there.ETag == bare(etag) })
}

// DeleteDevice removes a device with its modules and twin. etag is the one that
// was read, or "*". A missing device is a 404 (wire.IsNotFound).
func (c *Client) DeleteDevice(ctx context.Context, id, etag string) error {
	const operation = "delete device"
	if err := wire.ValidateDeviceID(id); err != nil {
		return c.rest.Invalid(operation, id, err)
	}
	if etag == "" {
		return c.rest.Invalid(operation, id, errNoETag)
	}
	return gone(c.rest.Do(ctx, rest.Call{Operation: operation, Subject: id, Method: http.MethodDelete,
		Path: devicePath(id), IfMatch: quoted(etag), Expect: []int{http.StatusNoContent}}, nil))
}

func (c *Client) putDevice(ctx context.Context, operation string, device wire.Device, etag string) (wire.Device, error) {
	var answer wire.Device
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: device.DeviceID, Method: http.MethodPut,
		Path: devicePath(device.DeviceID), IfMatch: quoted(etag), Body: device,
		Expect: []int{http.StatusOK}, Once: etag != "*"}, &answer)
	return answer, err
}

// keepsKeys refuses what the hub would answer by making new keys.
func keepsKeys(a *wire.Authentication) error {
	if a == nil {
		return errors.New("no authentication; the hub would make new keys")
	}
	if a.Type == wire.AuthSAS && (a.SymmetricKey == nil || a.SymmetricKey.PrimaryKey.IsEmpty() || a.SymmetricKey.SecondaryKey.IsEmpty()) {
		return errors.New("a symmetric key is missing; the hub would make new keys")
	}
	return nil
}
