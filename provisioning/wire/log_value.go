package wire

import "log/slog"

// The models marshal real keys, and a JSON log handler marshals what it is
// given. So each model that can hold a key logs as its ID only.

// LogValue implements slog.LogValuer.
func (d Device) LogValue() slog.Value { return slog.StringValue("device " + d.DeviceID) }

// LogValue implements slog.LogValuer.
func (m Module) LogValue() slog.Value {
	return slog.StringValue("module " + m.DeviceID + "/" + m.ModuleID)
}

// LogValue implements slog.LogValuer.
func (a Authentication) LogValue() slog.Value { return slog.StringValue("authentication " + a.Type) }

// LogValue implements slog.LogValuer.
func (s SymmetricKey) LogValue() slog.Value { return slog.StringValue("symmetric key") }

// LogValue implements slog.LogValuer.
func (e IndividualEnrollment) LogValue() slog.Value {
	return slog.StringValue("enrollment " + e.RegistrationID)
}

// LogValue implements slog.LogValuer.
func (g EnrollmentGroup) LogValue() slog.Value {
	return slog.StringValue("enrollment group " + g.EnrollmentGroupID)
}

// LogValue implements slog.LogValuer.
func (a AttestationMechanism) LogValue() slog.Value { return slog.StringValue("attestation " + a.Type) }
