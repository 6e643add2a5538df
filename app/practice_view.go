package app

import (
	"context"

	"edgewright/provisioning/practice"
	"edgewright/provisioning/secret"
)

// What the practice cloud shows of itself. None of it holds a secret.
type (
	PracticeOverview         = practice.Overview
	PracticeHub              = practice.HubView
	PracticePage             = practice.PageQuery
	PracticeDevicePage       = practice.DevicePage
	PracticeDeviceRow        = practice.DeviceRow
	PracticeDeviceView       = practice.DeviceView
	PracticeModule           = practice.ModuleRow
	PracticeTwin             = practice.TwinView
	PracticeEnrollment       = practice.EnrollmentRow
	PracticeEnrollmentPage   = practice.EnrollmentPage
	PracticeRegistration     = practice.RegistrationRow
	PracticeRegistrationPage = practice.RegistrationPage
	PracticeRequest          = practice.RequestRow
	PracticeRequestQuery     = practice.RequestQuery
)

// PracticeDefaultHub is the label of the hub that every practice cloud has.
const PracticeDefaultHub = practice.DefaultHub

// PracticeOverview gives the practice cloud in numbers. Its Change tells
// whether it is worth looking at anything else again.
func (a *App) PracticeOverview(ctx context.Context) (PracticeOverview, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeOverview, error) { return m.Overview(ctx) })
}

// PracticeDevices gives a page of the devices of a hub, by its label, or of
// all hubs.
func (a *App) PracticeDevices(ctx context.Context, hub string, page PracticePage) (PracticeDevicePage, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeDevicePage, error) {
		return m.Devices(ctx, hub, page)
	})
}

// PracticeDevice gives a device of a hub, with the twin of a module of it if
// that is not empty.
func (a *App) PracticeDevice(ctx context.Context, hub, device, module string) (PracticeDeviceView, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeDeviceView, error) {
		return m.Device(ctx, hub, device, module)
	})
}

// PracticeDeviceStrings gives the connection strings of a device and its
// modules that have a key; the device's own is under "".
func (a *App) PracticeDeviceStrings(ctx context.Context, hub, device string) (map[string]secret.Value, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (map[string]secret.Value, error) {
		return m.DeviceConnectionStrings(ctx, hub, device)
	})
}

// PracticeEnrollments gives a page of enrollment groups and enrollments.
func (a *App) PracticeEnrollments(ctx context.Context, page PracticePage) (PracticeEnrollmentPage, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeEnrollmentPage, error) {
		return m.Enrollments(ctx, page)
	})
}

// PracticeRegistrations gives a page of registration records.
func (a *App) PracticeRegistrations(ctx context.Context, page PracticePage) (PracticeRegistrationPage, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeRegistrationPage, error) {
		return m.Registrations(ctx, page)
	})
}

// PracticeRequests gives requests from the log of the serving process, oldest
// first; it is refused where none serves.
func (a *App) PracticeRequests(ctx context.Context, query PracticeRequestQuery) ([]PracticeRequest, error) {
	if err := a.practice.servedOnly(); err != nil {
		return nil, err
	}
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) ([]PracticeRequest, error) {
		return m.RequestLog(ctx, query)
	})
}
