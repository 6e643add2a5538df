package iothub

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// DeviceClient speaks to a hub as one device. It sees what the device itself
// would see.
type DeviceClient struct {
	deviceID string
	rest     *rest.Client
}

// NewDeviceClient makes a client from a connection string of the device kind.
// Where that names a gateway, the gateway is dialled and the hub's name signed.
// A string with x509=true needs a certificate in the options. Nothing is sent.
func NewDeviceClient(conn wire.ConnectionString, options Options) (*DeviceClient, error) {
	byCertificate := conn.Kind() == wire.KindDeviceX509
	if conn.Kind() != wire.KindDevice && !byCertificate {
		return nil, fmt.Errorf("%s: the connection string is not one of a device", wire.ServiceHubDevice)
	}
	if byCertificate != (options.Certificate != nil) {
		return nil, fmt.Errorf("%s: it takes a key or a certificate, and not both", wire.ServiceHubDevice)
	}
	dial := conn.HostName
	if conn.GatewayHostName != "" {
		dial = conn.GatewayHostName
	}
	var sas rest.SAS
	if !byCertificate {
		sas = rest.SAS{Resource: conn.HostName + "/devices/" + conn.DeviceID, Key: conn.Key}
	}
	return newDeviceClient(dial, conn.DeviceID, sas, options)
}

// NewSigningDeviceClient is NewDeviceClient for a device whose key does not
// leave its place, such as a TPM: sign is HMAC-SHA256 with it. hub is the host
// name as DPS gave it. Nothing is sent, nothing signed.
func NewSigningDeviceClient(hub, deviceID string, sign func(message []byte) ([]byte, error), options Options) (*DeviceClient, error) {
	if options.Certificate != nil || sign == nil {
		return nil, fmt.Errorf("%s: it takes a key or a certificate, and not both", wire.ServiceHubDevice)
	}
	return newDeviceClient(hub, deviceID, rest.SAS{Resource: hub + "/devices/" + deviceID, Sign: sign}, options)
}

func newDeviceClient(dial, deviceID string, sas rest.SAS, options Options) (*DeviceClient, error) {
	if err := wire.ValidateDeviceID(deviceID); err != nil {
		return nil, fmt.Errorf("%s: %w", wire.ServiceHubDevice, err)
	}
	client, err := rest.New(rest.Params{
		Service:    wire.ServiceHubDevice,
		Endpoint:   "https://" + dial,
		APIVersion: apiVersion,
		SAS:        sas,
		Failure:    failure,
		Options:    options,
	})
	if err != nil {
		return nil, err
	}
	return &DeviceClient{deviceID: deviceID, rest: client}, nil
}

// Close closes idle connections.
func (c *DeviceClient) Close() error { return c.rest.Close() }

// SendEvent sends one device-to-cloud message of at most 256 KB. It may arrive
// twice if an answer is lost, as every telemetry message may.
func (c *DeviceClient) SendEvent(ctx context.Context, payload []byte) error {
	_, err := c.rest.Do(ctx, rest.Call{Operation: "send event as device", Subject: c.deviceID, Method: http.MethodPost,
		Path: devicePath(c.deviceID) + "/messages/events",
		Body: payload, ContentType: "application/octet-stream",
		Expect: []int{http.StatusNoContent}}, nil)
	return err
}

// Modules lists the device's own modules with the device's own token, as the
// runtime does at its start; it changes nothing.
func (c *DeviceClient) Modules(ctx context.Context) ([]wire.Module, error) {
	return listModules(ctx, c.rest, c.deviceID)
}

// LastServerTime is the hub's clock as of its latest answer, zero before one.
func (c *DeviceClient) LastServerTime() time.Time { return c.rest.LastServerTime() }
