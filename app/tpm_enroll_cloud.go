package app

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/dps"
	"edgewright/provisioning/wire"
)

// keyEnroller is a DPS that takes several endorsement keys in one call.
type keyEnroller interface {
	provisioning.Enroller
	// EnrollKeys makes at most dps.MaxBulk individual enrollments with the edge
	// capability. Those that the service refused come back by registration ID; one
	// that exists is refused and not touched.
	EnrollKeys(ctx context.Context, keys []KeyEnrollment) (refused map[string]dps.BulkError, err error)
	// EnrolledKey reads what an enrollment holds.
	EnrolledKey(ctx context.Context, registrationID string) (enrolledKey, error)
}

// KeyEnrollment is an endorsement key that DPS is to know.
type KeyEnrollment struct {
	RegistrationID string
	DeviceID       string // "" means the registration ID
	Public         []byte // TPM2B_PUBLIC
}

// device is the device ID that DPS gives.
func (k KeyEnrollment) device() string {
	if k.DeviceID != "" {
		return k.DeviceID
	}
	return k.RegistrationID
}

// enrolledKey is an individual enrollment as far as keys go.
type enrolledKey struct {
	// by is how it attests, public the endorsement key where that is by TPM.
	by            provisioning.Authentication
	public        []byte
	device        string
	edge, enabled bool
	created       time.Time // of the service's clock, zero where it is not told
}

// EnrollKeys implements keyEnroller.
func (e enroller) EnrollKeys(ctx context.Context, keys []KeyEnrollment) (map[string]dps.BulkError, error) {
	list := make([]wire.IndividualEnrollment, len(keys))
	for i, key := range keys {
		list[i] = wire.IndividualEnrollment{RegistrationID: key.RegistrationID, DeviceID: key.device(), ProvisioningStatus: wire.StatusEnabled,
			Capabilities: &wire.Capabilities{IotEdge: true},
			Attestation:  &wire.AttestationMechanism{Type: wire.AttestationTPM, TPM: &wire.TPMAttestation{EndorsementKey: base64.StdEncoding.EncodeToString(key.Public)}}}
	}
	failed, err := e.client.CreateEnrollments(ctx, list)
	if err != nil {
		return nil, translate(err)
	}
	refused := map[string]dps.BulkError{}
	for _, one := range failed {
		refused[one.RegistrationID] = one
	}
	return refused, nil
}

// EnrolledKey implements keyEnroller.
func (e enroller) EnrolledKey(ctx context.Context, registrationID string) (enrolledKey, error) {
	found, err := e.client.Enrollment(ctx, registrationID)
	if err != nil {
		return enrolledKey{}, translate(err)
	}
	key := enrolledKey{by: attestation(found.Attestation), device: found.DeviceID, edge: isEdge(found.Capabilities),
		enabled: found.ProvisioningStatus != wire.StatusDisabled, created: found.CreatedDateTimeUTC.Moment()}
	if key.device == "" {
		key.device = found.RegistrationID
	}
	if found.Attestation == nil || found.Attestation.TPM == nil {
		return key, nil
	}
	if key.public, err = base64.StdEncoding.DecodeString(found.Attestation.TPM.EndorsementKey); err != nil {
		return key, errors.New("the endorsement key of enrollment " + registrationID + " does not read")
	}
	return key, nil
}
