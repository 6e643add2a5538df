package app

import (
	"context"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/dps"
	"edgewright/provisioning/iothub"
	"edgewright/provisioning/wire"
)

// player plays a device with the key or certificate that lies on it, over the device side of
// DPS and IoT Hub.
type player struct {
	options connectOptions
	// pause waits in the place of a timer; tests of this package set it.
	pause func(context.Context, time.Duration) error
}

func (a *App) player(cloud provisioning.Cloud) provisioning.Player {
	if reached, ok := cloud.Hub.(registry); ok {
		return player{options: reached.options}
	}
	if reached, ok := cloud.DPS.(enroller); ok {
		return player{options: reached.options}
	}
	return player{options: connectOptions{now: a.now}}
}

func (p player) Register(ctx context.Context, c provisioning.Credentials, wait func(time.Duration)) (provisioning.Registration, error) {
	options := p.options.dps()
	var err error
	if options.Certificate, err = tlsCertificate(c.Pair); err != nil {
		return provisioning.Registration{}, err
	}
	asked := dps.Registration{GlobalEndpoint: c.Endpoint, IDScope: c.IDScope, RegistrationID: c.RegistrationID, Key: c.Key, OnWait: wait, Pause: p.pause, Options: options}
	if c.Chip != nil {
		asked.TPM = &dps.TPM{EndorsementKey: c.EndorsementKey, StorageRootKey: c.StorageRoot, Activate: activate(c.Chip)}
	}
	result, err := dps.Register(ctx, asked)
	if err != nil {
		return provisioning.Registration{}, translate(err)
	}
	registration := registrationOf(result.State)
	if registration.Sealed, err = sealedKey(result.State); err != nil {
		return registration, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The key that DPS sent for the TPM does not read.", Hint: "Register again.", Err: err}
	}
	return registration, nil
}

// activate fits a TPM of the domain to the registration.
func activate(chip provisioning.Chip) func(context.Context, []byte) (func([]byte) ([]byte, error), func(), error) {
	return func(ctx context.Context, sealed []byte) (func([]byte) ([]byte, error), func(), error) {
		return chip.Activate(ctx, sealed)
	}
}

func (p player) Connect(ctx context.Context, hub, deviceID string, c provisioning.Credentials) error {
	options := p.options.hub()
	var err error
	if options.Certificate, err = tlsCertificate(c.Pair); err != nil {
		return err
	}
	var client *iothub.DeviceClient
	if c.Sign != nil {
		client, err = iothub.NewSigningDeviceClient(hub, deviceID, c.Sign, options)
	} else {
		client, err = iothub.NewDeviceClient(wire.ConnectionString{HostName: hub, DeviceID: deviceID, Key: c.Key, X509: options.Certificate != nil}, options)
	}
	if err != nil {
		return translate(err)
	}
	defer func() { _ = client.Close() }()
	return translate(client.SendEvent(ctx, []byte(`{"edgewright":"proof"}`)))
}
