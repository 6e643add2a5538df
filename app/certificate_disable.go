package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
)

// CloudStop is what would keep the device of a certificate out of its cloud, for
// which a revocation list does nothing.
type CloudStop struct {
	Device string `json:"device"`
	Cloud  string `json:"cloud"`
	// Identity is the device identity in the hub that would be disabled, "" where
	// there is no hub to reach.
	Identity string `json:"identity"`
	// Enrollment is the individual enrollment that would be disabled, or, for a
	// device of a group, made and disabled in front of the group's.
	Enrollment string `json:"enrollment"`
	Group      string `json:"group"`
}

// disabler is a registry that can shut a device out.
type disabler interface {
	// DisableIdentity keeps the device out; false if it was out already.
	DisableIdentity(ctx context.Context, deviceID string) (bool, error)
}

// enrollmentDisabler is a provisioning service that can refuse a registration.
type enrollmentDisabler interface {
	// DisableEnrollment refuses a registration from now on. Where the device came
	// through a group, an individual enrollment for its certificate is made that
	// refuses it: that one counts before the group.
	DisableEnrollment(ctx context.Context, registrationID string, group bool, cert *x509.Certificate) (bool, error)
}

// CloudStopOf says what can be disabled for a certificate; false where it is that
// of no device of the catalog.
func (a *App) CloudStopOf(ctx context.Context, id string) (CloudStop, bool, error) {
	row, err := a.catalog.Certificate(ctx, id)
	if err != nil {
		return CloudStop{}, false, translate(err)
	}
	device, found, err := a.deviceOf(ctx, row)
	return stopOf(device, row), found, err
}

// ErrNoDevice is that a certificate belongs to no device of the catalog.
var ErrNoDevice error = &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The certificate is that of no device of the catalog.",
	Hint: "Disable the device or its enrollment in the cloud by hand."}

func (a *App) deviceOf(ctx context.Context, row catalog.Certificate) (Device, bool, error) {
	if row.DeviceID == "" {
		return Device{}, false, nil
	}
	device, err := a.catalog.Device(ctx, row.DeviceID)
	if errors.Is(err, catalog.ErrNotFound) || errors.Is(err, catalog.ErrAmbiguous) {
		return Device{}, false, nil
	}
	return device, err == nil && device.Cloud != "", translate(err)
}

// stopOf names what can be disabled. In front of a group only the certificate by
// which the device registers can be refused.
func stopOf(device Device, row catalog.Certificate) CloudStop {
	stop := CloudStop{Device: device.DeviceID, Cloud: device.Cloud, Identity: device.DeviceID}
	byThis := row.Role == string(pki.RoleIdentity) && device.Authentication == string(provisioning.X509)
	if device.Provisioning == string(provisioning.DPS) && (device.Group == "" || byThis) {
		stop.Enrollment, stop.Group = device.RegistrationID, device.Group
	}
	return stop
}

// DisableDevice keeps the device of a certificate out of its cloud: its identity
// in the hub is disabled, and with DPS its enrollment too, so that it cannot
// register again. It says what it did; what was so already is left out.
func (a *App) DisableDevice(ctx context.Context, id string) (done []string, err error) {
	row, err := a.catalog.Certificate(ctx, id)
	if err != nil {
		return nil, translate(err)
	}
	device, found, err := a.deviceOf(ctx, row)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNoDevice
	}
	cert, err := x509.ParseCertificate(row.DER)
	if err != nil {
		return nil, fmt.Errorf("read certificate %s of the catalog: %w", row.ID, err)
	}
	cloud, release, err := a.cloudOf(ctx, provisioning.Plan{Cloud: provisioning.CloudPlan{Name: device.Cloud}}, nil)
	if err != nil {
		return nil, err
	}
	defer release()
	stop := stopOf(device, row)
	if service, ok := cloud.DPS.(enrollmentDisabler); ok && stop.Enrollment != "" {
		changed, err := service.DisableEnrollment(ctx, stop.Enrollment, stop.Group != "", cert)
		if err != nil {
			return nil, err
		}
		if changed {
			done = append(done, "enrollment "+stop.Enrollment)
		}
	}
	if hub, ok := cloud.Hub.(disabler); ok {
		changed, err := hub.DisableIdentity(ctx, stop.Identity)
		if err != nil {
			return done, err
		}
		if changed {
			done = append(done, "device "+stop.Identity)
		}
	}
	return done, nil
}
