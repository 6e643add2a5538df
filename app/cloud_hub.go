package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/iothub"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// registry fits the IoT Hub client to the port of the domain.
type registry struct {
	client  *iothub.Client
	host    string
	options connectOptions
}

func (r registry) Host() string { return r.host }

func (r registry) Identity(ctx context.Context, deviceID string) (provisioning.Identity, error) {
	device, err := r.client.Device(ctx, deviceID)
	if err != nil {
		return provisioning.Identity{}, translate(err)
	}
	identity := identityOf(device)
	twin, err := r.client.Twin(ctx, deviceID)
	if err != nil {
		return provisioning.Identity{}, translate(err)
	}
	if len(twin.Tags) > 0 {
		if err := json.Unmarshal(twin.Tags, &identity.Tags); err != nil {
			return provisioning.Identity{}, fmt.Errorf("read tags of %s: %w", deviceID, err)
		}
	}
	return identity, nil
}

func identityOf(device wire.Device) provisioning.Identity {
	identity := provisioning.Identity{DeviceID: device.DeviceID, Edge: device.IsEdge(), ETag: device.ETag,
		Enabled: device.Status == "" || device.Status == wire.StatusEnabled}
	if auth := device.Authentication; auth != nil {
		identity.Authentication = auth.Type
		if auth.SymmetricKey != nil {
			identity.Primary, identity.Secondary = auth.SymmetricKey.PrimaryKey.Secret(), auth.SymmetricKey.SecondaryKey.Secret()
		}
		if known := auth.X509Thumbprint; known != nil {
			identity.Thumbprints = []string{known.PrimaryThumbprint, known.SecondaryThumbprint}
		}
	}
	return identity
}

func (r registry) CreateIdentity(ctx context.Context, identity provisioning.Identity) (provisioning.Identity, error) {
	device := wire.Device{DeviceID: identity.DeviceID, Status: wire.StatusEnabled,
		Capabilities:   &wire.Capabilities{IotEdge: identity.Edge},
		Authentication: authenticationOf(identity)}
	made, err := r.client.CreateDevice(ctx, device)
	if err != nil {
		return provisioning.Identity{}, translate(err)
	}
	return identityOf(made.Value), nil
}

func authenticationOf(identity provisioning.Identity) *wire.Authentication {
	made := &wire.Authentication{Type: identity.Authentication}
	switch {
	case made.Type == wire.AuthSAS:
		made.SymmetricKey = keyPair(identity.Primary, identity.Secondary)
	case len(identity.Thumbprints) == 2:
		made.X509Thumbprint = &wire.X509Thumbprint{PrimaryThumbprint: identity.Thumbprints[0], SecondaryThumbprint: identity.Thumbprints[1]}
	}
	return made
}

// keyPair gives both keys; empty ones ask the service to make them.
func keyPair(primary, secondary secret.Value) *wire.SymmetricKey {
	return &wire.SymmetricKey{PrimaryKey: wire.NewKey(primary), SecondaryKey: wire.NewKey(secondary)}
}

func (r registry) DeleteIdentity(ctx context.Context, deviceID string) error {
	return translate(r.client.DeleteDevice(ctx, deviceID, "*"))
}

func (r registry) SetThumbprints(ctx context.Context, deviceID, primary, secondary string) error {
	device, err := r.client.Device(ctx, deviceID)
	if err != nil {
		return translate(err)
	}
	device.Authentication = &wire.Authentication{Type: wire.AuthSelfSigned,
		X509Thumbprint: &wire.X509Thumbprint{PrimaryThumbprint: primary, SecondaryThumbprint: secondary}}
	_, err = r.client.UpdateDevice(ctx, device, device.ETag)
	return translate(err)
}

func (r registry) SetTags(ctx context.Context, deviceID string, tags map[string]any) error {
	_, err := r.client.PatchTwinTags(ctx, deviceID, tags, "*")
	return translate(err)
}

func (r registry) Activity(ctx context.Context, deviceID string) (provisioning.Activity, error) {
	device, err := r.client.Device(ctx, deviceID)
	if err != nil {
		return provisioning.Activity{}, translate(err)
	}
	activity := provisioning.Activity{Device: timeOf(device.LastActivityTime)}
	if device.IsEdge() {
		agent, err := r.client.Module(ctx, deviceID, "$edgeAgent")
		if err != nil && !wire.IsNotFound(err) {
			return provisioning.Activity{}, translate(err)
		}
		activity.EdgeAgent = timeOf(agent.LastActivityTime)
	}
	return activity, nil
}

func (r registry) Now(ctx context.Context) (time.Time, error) {
	now, err := r.client.ServerTime(ctx)
	return now, translate(err)
}

func timeOf(t *wire.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}

// DisableIdentity implements disabler.
func (r registry) DisableIdentity(ctx context.Context, deviceID string) (bool, error) {
	device, err := r.client.Device(ctx, deviceID)
	if err != nil {
		return false, translate(err)
	}
	if device.Status == wire.StatusDisabled {
		return false, nil
	}
	device.Status, device.StatusReason = wire.StatusDisabled, "its certificate was revoked"
	_, err = r.client.UpdateDevice(ctx, device, device.ETag)
	return err == nil, translate(err)
}
