package app

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/dps"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// enroller fits the DPS service client to the port of the domain.
type enroller struct {
	client            *dps.Client
	endpoint, idScope string
	options           connectOptions
}

func (e enroller) Endpoint() string { return e.endpoint }
func (e enroller) IDScope() string  { return e.idScope }

func (e enroller) Enrollment(ctx context.Context, group bool, name string) (provisioning.Enrollment, error) {
	if group {
		found, err := e.client.Group(ctx, name)
		if err != nil {
			return provisioning.Enrollment{}, translate(err)
		}
		enrollment := provisioning.Enrollment{Group: true, Name: found.EnrollmentGroupID, Edge: isEdge(found.Capabilities),
			Enabled: found.ProvisioningStatus != wire.StatusDisabled, Authentication: attestation(found.Attestation), ETag: found.ETag}
		enrollment.Thumbprints, enrollment.Uploaded = knownCertificates(found.Attestation)
		return enrollment, nil
	}
	found, err := e.client.Enrollment(ctx, name)
	if err != nil {
		return provisioning.Enrollment{}, translate(err)
	}
	enrollment := provisioning.Enrollment{Name: found.RegistrationID, DeviceID: found.DeviceID, Edge: isEdge(found.Capabilities),
		Enabled: found.ProvisioningStatus != wire.StatusDisabled, Authentication: attestation(found.Attestation), ETag: found.ETag}
	enrollment.Thumbprints, enrollment.Uploaded = knownCertificates(found.Attestation)
	if enrollment.EndorsementKey, enrollment.StorageRoot, err = knownTPM(found.Attestation); err != nil {
		return enrollment, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The endorsement key of enrollment " + name + " does not read.",
			Hint: "Remove that enrollment in DPS.", Err: err}
	}
	if twin := found.InitialTwin; twin != nil && len(twin.Tags) > 0 {
		if err := json.Unmarshal(twin.Tags, &enrollment.Tags); err != nil {
			return enrollment, fmt.Errorf("read tags of enrollment %s: %w", name, err)
		}
	}
	return enrollment, nil
}

func isEdge(c *wire.Capabilities) bool { return c != nil && c.IotEdge }

func attestation(a *wire.AttestationMechanism) provisioning.Authentication {
	if a == nil {
		return ""
	}
	if a.Type == wire.AttestationSymmetricKey {
		return provisioning.SymmetricKey
	}
	return provisioning.Authentication(a.Type)
}

func (e enroller) CreateEnrollment(ctx context.Context, wanted provisioning.Enrollment) (provisioning.Enrollment, error) {
	if wanted.Group {
		_, err := e.client.CreateGroup(ctx, wire.EnrollmentGroup{EnrollmentGroupID: wanted.Name, Attestation: mechanismOf(wanted),
			Capabilities: &wire.Capabilities{IotEdge: wanted.Edge}, ProvisioningStatus: wire.StatusEnabled})
		return wanted, translate(err)
	}
	enrollment, err := individualOf(wanted)
	if err != nil {
		return wanted, err
	}
	_, err = e.client.CreateEnrollment(ctx, enrollment)
	return wanted, translate(err)
}

// individualOf writes an individual enrollment as the service has it.
func individualOf(wanted provisioning.Enrollment) (wire.IndividualEnrollment, error) {
	enrollment := wire.IndividualEnrollment{RegistrationID: wanted.Name, DeviceID: wanted.DeviceID, Attestation: mechanismOf(wanted),
		Capabilities: &wire.Capabilities{IotEdge: wanted.Edge}, ProvisioningStatus: wire.StatusEnabled}
	if len(wanted.Tags) > 0 {
		tags, err := json.Marshal(wanted.Tags)
		if err != nil {
			return enrollment, fmt.Errorf("write tags of %s: %w", wanted.Name, err)
		}
		enrollment.InitialTwin = &wire.InitialTwin{Tags: tags}
	}
	return enrollment, nil
}

// CreateEnrollments makes individual enrollments, at most dps.MaxBulk, in one
// call. Those that the service refused come back with its words.
func (e enroller) CreateEnrollments(ctx context.Context, wanted []provisioning.Enrollment) (refused map[string]string, err error) {
	list := make([]wire.IndividualEnrollment, len(wanted))
	for i := range wanted {
		if list[i], err = individualOf(wanted[i]); err != nil {
			return nil, err
		}
	}
	failed, err := e.client.CreateEnrollments(ctx, list)
	if err != nil {
		return nil, translate(err)
	}
	refused = map[string]string{}
	for _, one := range failed {
		refused[one.RegistrationID] = fmt.Sprintf("%s (%d)", one.Status, one.Code)
	}
	return refused, nil
}

func mechanismOf(wanted provisioning.Enrollment) *wire.AttestationMechanism {
	if wanted.Authentication == provisioning.TPM {
		return &wire.AttestationMechanism{Type: wire.AttestationTPM, TPM: &wire.TPMAttestation{EndorsementKey: base64.StdEncoding.EncodeToString(wanted.EndorsementKey),
			StorageRootKey: base64.StdEncoding.EncodeToString(wanted.StorageRoot)}}
	}
	if wanted.Authentication != provisioning.X509 {
		mechanism := &wire.AttestationMechanism{Type: wire.AttestationSymmetricKey}
		if !wanted.Primary.IsEmpty() {
			mechanism.SymmetricKey = keyPair(wanted.Primary, wanted.Secondary)
		}
		return mechanism
	}
	known := &wire.X509Attestation{}
	switch {
	case wanted.Uploaded != "":
		known.CAReferences = &wire.X509CAReferences{Primary: wanted.Uploaded}
	case wanted.Group:
		known.SigningCertificates = primaryCertificate(wanted.Certificate)
	default:
		known.ClientCertificates = primaryCertificate(wanted.Certificate)
	}
	return &wire.AttestationMechanism{Type: wire.AttestationX509, X509: known}
}

func primaryCertificate(cert *x509.Certificate) *wire.X509Certificates {
	return &wire.X509Certificates{Primary: &wire.X509CertificateWithInfo{Certificate: string(pki.PEM(cert))}}
}

// knownTPM are the keys that an enrollment was read with.
func knownTPM(a *wire.AttestationMechanism) (endorsement, storageRoot []byte, err error) {
	if a == nil || a.TPM == nil {
		return nil, nil, nil
	}
	if endorsement, err = base64.StdEncoding.DecodeString(a.TPM.EndorsementKey); err != nil {
		return nil, nil, err
	}
	storageRoot, err = base64.StdEncoding.DecodeString(a.TPM.StorageRootKey)
	return endorsement, storageRoot, err
}

// knownCertificates are the SHA-256 thumbprints, and the name of an uploaded
// CA, that an enrollment was read with.
func knownCertificates(a *wire.AttestationMechanism) (thumbprints []string, uploaded string) {
	if a == nil || a.X509 == nil {
		return nil, ""
	}
	for _, pair := range []*wire.X509Certificates{a.X509.ClientCertificates, a.X509.SigningCertificates} {
		if pair == nil {
			continue
		}
		for _, cert := range []*wire.X509CertificateWithInfo{pair.Primary, pair.Secondary} {
			if cert != nil && cert.Info != nil {
				thumbprints = append(thumbprints, cert.Info.SHA256Thumbprint)
			}
		}
	}
	if a.X509.CAReferences != nil {
		uploaded = a.X509.CAReferences.Primary
	}
	return thumbprints, uploaded
}

func (e enroller) DeleteEnrollment(ctx context.Context, group bool, name string) error {
	if group {
		return translate(e.client.DeleteGroup(ctx, name, "*"))
	}
	return translate(e.client.DeleteEnrollment(ctx, name, "*"))
}

func (e enroller) SetCertificates(ctx context.Context, name string, primary, secondary *x509.Certificate) error {
	enrollment, err := e.client.Enrollment(ctx, name)
	if err != nil {
		return translate(err)
	}
	certificates := primaryCertificate(primary)
	if secondary != nil {
		certificates.Secondary = primaryCertificate(secondary).Primary
	}
	enrollment.Attestation = &wire.AttestationMechanism{Type: wire.AttestationX509, X509: &wire.X509Attestation{ClientCertificates: certificates}}
	_, err = e.client.UpdateEnrollment(ctx, enrollment, enrollment.ETag)
	return translate(err)
}

func (e enroller) DeviceKey(ctx context.Context, group bool, name, registrationID string) (secret.Value, error) {
	if group {
		mechanism, err := e.client.GroupKeys(ctx, name)
		if err != nil {
			return secret.Value{}, translate(err)
		}
		return wire.DeriveDeviceKey(primaryOf(mechanism), registrationID), nil
	}
	mechanism, err := e.client.EnrollmentKeys(ctx, name)
	if err != nil {
		return secret.Value{}, translate(err)
	}
	return primaryOf(mechanism), nil
}

func (e enroller) Derive(groupKey secret.Value, registrationID string) secret.Value {
	return wire.DeriveDeviceKey(groupKey, registrationID)
}

func primaryOf(mechanism wire.AttestationMechanism) secret.Value {
	if mechanism.SymmetricKey == nil {
		return secret.Value{}
	}
	return mechanism.SymmetricKey.PrimaryKey.Secret()
}

func (e enroller) Registration(ctx context.Context, registrationID string) (provisioning.Registration, error) {
	state, err := e.client.Registration(ctx, registrationID)
	if err != nil {
		return provisioning.Registration{}, translate(err)
	}
	return registrationOf(state), nil
}

// sealedKey is the hub's key for a device that registered with its TPM.
func sealedKey(state wire.DeviceRegistrationState) ([]byte, error) {
	if state.TPM == nil {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(state.TPM.AuthenticationKey)
}

func registrationOf(state wire.DeviceRegistrationState) provisioning.Registration {
	return provisioning.Registration{RegistrationID: state.RegistrationID, Status: state.Status, Hub: state.AssignedHub,
		DeviceID: state.DeviceID, Updated: timeOf(state.LastUpdatedDateTimeUTC)}
}

func (e enroller) DeleteRegistration(ctx context.Context, registrationID string) error {
	return translate(e.client.DeleteRegistration(ctx, registrationID, "*"))
}

func (e enroller) OthersInGroup(ctx context.Context, group, registrationID string) (bool, error) {
	for state, err := range e.client.GroupRegistrations(ctx, group) {
		if err != nil {
			return false, translate(err)
		}
		if state.RegistrationID != registrationID {
			return true, nil
		}
	}
	return false, nil
}

func (e enroller) Now(ctx context.Context) (time.Time, error) {
	now, err := e.client.ServerTime(ctx)
	return now, translate(err)
}

// DisableEnrollment implements enrollmentDisabler.
func (e enroller) DisableEnrollment(ctx context.Context, registrationID string, group bool, cert *x509.Certificate) (bool, error) {
	enrollment, err := e.client.Enrollment(ctx, registrationID)
	if wire.IsNotFound(err) && group {
		_, err := e.client.CreateEnrollment(ctx, wire.IndividualEnrollment{RegistrationID: registrationID, ProvisioningStatus: wire.StatusDisabled,
			Attestation: &wire.AttestationMechanism{Type: wire.AttestationX509, X509: &wire.X509Attestation{ClientCertificates: primaryCertificate(cert)}}})
		return err == nil, translate(err)
	}
	if err != nil {
		return false, translate(err)
	}
	if enrollment.ProvisioningStatus == wire.StatusDisabled {
		return false, nil
	}
	enrollment.ProvisioningStatus = wire.StatusDisabled
	_, err = e.client.UpdateEnrollment(ctx, enrollment, enrollment.ETag)
	return err == nil, translate(err)
}
