package app

import (
	"context"

	"edgewright/provisioning"
)

// Rotation says what of a device is rotated in place.
type Rotation struct {
	Device string // a UUID prefix, or an unambiguous device ID
	What   string // identity | edge-ca
	NewKey bool
	Access Access
}

// RotationRequest finds the device in the catalog and makes of a rotation what
// Preview and Provision take. A device that has nothing of the kind is refused
// with the reason.
func (a *App) RotationRequest(ctx context.Context, r Rotation) (Request, error) {
	device, err := a.Device(ctx, r.Device)
	if err != nil {
		return Request{}, err
	}
	refuse := func(message, hint string) (Request, error) {
		return Request{}, &provisioning.Error{Kind: provisioning.ErrRefused, Message: message, Hint: hint}
	}
	switch {
	case device.State == StateReplaced:
		return refuse("Another device took the machine of "+device.DeviceID+".", "Rotate that one.")
	case device.Plan == "" || device.Target == "":
		return refuse("The catalog does not know how "+device.DeviceID+" was provisioned.", "Provision it from here once.")
	}
	plan, findings, err := provisioning.ParsePlan([]byte(device.Plan))
	if err != nil {
		return Request{}, err
	}
	if findings.Errors() {
		return refuse("The plan of "+device.DeviceID+" in the catalog cannot be run.", "Provision it anew with a plan that can.")
	}
	if plan.Cell.Authentication == provisioning.TPM && device.RegistrationID != "" {
		// What it registered under stays, whatever it was made from.
		plan.Device.RegistrationID, plan.TPM.RegistrationID = "", device.RegistrationID
	}
	rotation := provisioning.Rotation{What: provisioning.CertificateRole(r.What), NewKey: r.NewKey}
	if err := rotation.Refuses(plan); err != nil {
		return Request{}, err
	}
	return Request{Plan: plan.WithDefaults(), Target: device.Target, Access: r.Access, Rotate: &rotation}, nil
}

// CanRotate tells what of a device can be rotated, by what the catalog knows.
func CanRotate(device Device) (identity, edgeCA bool) {
	plan, findings, err := provisioning.ParsePlan([]byte(device.Plan))
	if err != nil || findings.Errors() || device.State == StateReplaced || device.Target == "" {
		return false, false
	}
	return provisioning.Rotation{What: provisioning.RoleIdentity}.Refuses(plan) == nil,
		provisioning.Rotation{What: provisioning.RoleEdgeCA}.Refuses(plan) == nil
}
