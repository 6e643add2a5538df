package wire

import "encoding/json"

// Values of AttestationMechanism.Type.
const (
	AttestationSymmetricKey = "symmetricKey"
	AttestationX509         = "x509"
	AttestationTPM          = "tpm"
)

// Values of DeviceRegistrationState.Status and RegistrationOperationStatus.Status.
const (
	RegistrationUnassigned = "unassigned"
	RegistrationAssigning  = "assigning"
	RegistrationAssigned   = "assigned"
	RegistrationFailed     = "failed"
	RegistrationDisabled   = "disabled"
)

// Values of DeviceRegistrationState.Substatus.
const (
	SubstatusInitialAssignment                = "initialAssignment"
	SubstatusDeviceDataMigrated               = "deviceDataMigrated"
	SubstatusDeviceDataReset                  = "deviceDataReset"
	SubstatusReprovisionedToInitialAssignment = "reprovisionedToInitialAssignment"
)

// IndividualEnrollment is the enrollment of one device (DPS api-version
// 2021-10-01). PUT replaces it as a whole: start from what was read, and note
// that GET leaves symmetric keys out.
type IndividualEnrollment struct {
	RegistrationID string `json:"registrationId"`
	// DeviceID defaults to RegistrationID.
	DeviceID                   string                      `json:"deviceId,omitempty"`
	RegistrationState          *DeviceRegistrationState    `json:"registrationState,omitempty"` // read only
	OptionalDeviceInformation  json.RawMessage             `json:"optionalDeviceInformation,omitempty"`
	Attestation                *AttestationMechanism       `json:"attestation,omitempty"` // required on PUT
	Capabilities               *Capabilities               `json:"capabilities,omitempty"`
	IotHubHostName             string                      `json:"iotHubHostName,omitempty"`
	InitialTwin                *InitialTwin                `json:"initialTwin,omitempty"`
	ETag                       string                      `json:"etag,omitempty"`
	ProvisioningStatus         string                      `json:"provisioningStatus,omitempty"`
	ReprovisionPolicy          *ReprovisionPolicy          `json:"reprovisionPolicy,omitempty"`
	CreatedDateTimeUTC         *Time                       `json:"createdDateTimeUtc,omitempty"`     // read only
	LastUpdatedDateTimeUTC     *Time                       `json:"lastUpdatedDateTimeUtc,omitempty"` // read only
	AllocationPolicy           string                      `json:"allocationPolicy,omitempty"`
	IotHubs                    []string                    `json:"iotHubs,omitempty"`
	CustomAllocationDefinition *CustomAllocationDefinition `json:"customAllocationDefinition,omitempty"`

	Rest Members `json:"-"`
}

// UnmarshalJSON keeps members without a field in Rest.
func (e *IndividualEnrollment) UnmarshalJSON(data []byte) (err error) {
	type plain IndividualEnrollment
	var p plain
	if p.Rest, err = decodeKeeping(data, &p); err == nil {
		*e = IndividualEnrollment(p)
	}
	return err
}

// MarshalJSON writes Rest back.
func (e IndividualEnrollment) MarshalJSON() ([]byte, error) {
	type plain IndividualEnrollment
	return encodeKeeping(plain(e), e.Rest)
}

// EnrollmentGroup enrols all devices that share a key or an issuer. PUT replaces
// it as a whole; see IndividualEnrollment.
type EnrollmentGroup struct {
	EnrollmentGroupID          string                      `json:"enrollmentGroupId"`
	Attestation                *AttestationMechanism       `json:"attestation,omitempty"` // required on PUT
	Capabilities               *Capabilities               `json:"capabilities,omitempty"`
	IotHubHostName             string                      `json:"iotHubHostName,omitempty"`
	InitialTwin                *InitialTwin                `json:"initialTwin,omitempty"`
	ETag                       string                      `json:"etag,omitempty"`
	ProvisioningStatus         string                      `json:"provisioningStatus,omitempty"`
	ReprovisionPolicy          *ReprovisionPolicy          `json:"reprovisionPolicy,omitempty"`
	CreatedDateTimeUTC         *Time                       `json:"createdDateTimeUtc,omitempty"`     // read only
	LastUpdatedDateTimeUTC     *Time                       `json:"lastUpdatedDateTimeUtc,omitempty"` // read only
	AllocationPolicy           string                      `json:"allocationPolicy,omitempty"`
	IotHubs                    []string                    `json:"iotHubs,omitempty"`
	CustomAllocationDefinition *CustomAllocationDefinition `json:"customAllocationDefinition,omitempty"`

	Rest Members `json:"-"`
}

// UnmarshalJSON keeps members without a field in Rest.
func (g *EnrollmentGroup) UnmarshalJSON(data []byte) (err error) {
	type plain EnrollmentGroup
	var p plain
	if p.Rest, err = decodeKeeping(data, &p); err == nil {
		*g = EnrollmentGroup(p)
	}
	return err
}

// MarshalJSON writes Rest back.
func (g EnrollmentGroup) MarshalJSON() ([]byte, error) {
	type plain EnrollmentGroup
	return encodeKeeping(plain(g), g.Rest)
}

// AttestationMechanism says how a device of an enrollment proves itself. Answers
// to GET and query leave SymmetricKey out; only the attestationmechanism call
// gives it.
type AttestationMechanism struct {
	Type         string           `json:"type"`
	TPM          *TPMAttestation  `json:"tpm,omitempty"`
	X509         *X509Attestation `json:"x509,omitempty"`
	SymmetricKey *SymmetricKey    `json:"symmetricKey,omitempty"`

	Rest Members `json:"-"`
}

// UnmarshalJSON keeps members without a field in Rest.
func (a *AttestationMechanism) UnmarshalJSON(data []byte) (err error) {
	type plain AttestationMechanism
	var p plain
	if p.Rest, err = decodeKeeping(data, &p); err == nil {
		*a = AttestationMechanism(p)
	}
	return err
}

// MarshalJSON writes Rest back.
func (a AttestationMechanism) MarshalJSON() ([]byte, error) {
	type plain AttestationMechanism
	return encodeKeeping(plain(a), a.Rest)
}

// TPMAttestation holds public keys as base64 of TPM2B_PUBLIC with its size.
type TPMAttestation struct {
	EndorsementKey string `json:"endorsementKey"`
	StorageRootKey string `json:"storageRootKey,omitempty"`
}

// X509Attestation has exactly one of its members: client certificates for an
// individual enrollment, signing certificates or names of uploaded CAs for a
// group.
type X509Attestation struct {
	ClientCertificates  *X509Certificates `json:"clientCertificates,omitempty"`
	SigningCertificates *X509Certificates `json:"signingCertificates,omitempty"`
	CAReferences        *X509CAReferences `json:"caReferences,omitempty"`
}

// X509Certificates is a primary certificate with an optional spare.
type X509Certificates struct {
	Primary   *X509CertificateWithInfo `json:"primary,omitempty"`
	Secondary *X509CertificateWithInfo `json:"secondary,omitempty"`
}

// X509CertificateWithInfo is a certificate as PEM text (written, perhaps not
// given back) and what the service says about it (read only).
type X509CertificateWithInfo struct {
	Certificate string               `json:"certificate,omitempty"`
	Info        *X509CertificateInfo `json:"info,omitempty"`
}

// X509CertificateInfo is the service's view of a certificate.
type X509CertificateInfo struct {
	SubjectName      string `json:"subjectName"`
	SHA1Thumbprint   string `json:"sha1Thumbprint"`
	SHA256Thumbprint string `json:"sha256Thumbprint"`
	IssuerName       string `json:"issuerName"`
	NotBeforeUTC     *Time  `json:"notBeforeUtc"`
	NotAfterUTC      *Time  `json:"notAfterUtc"`
	SerialNumber     string `json:"serialNumber"`
	Version          int    `json:"version"`
}

// X509CAReferences names CA certificates uploaded to the DPS.
type X509CAReferences struct {
	Primary   string `json:"primary,omitempty"`
	Secondary string `json:"secondary,omitempty"`
}

// ReprovisionPolicy says what happens when a known device registers again; the
// service's default is true for both.
type ReprovisionPolicy struct {
	UpdateHubAssignment bool `json:"updateHubAssignment"`
	MigrateDeviceData   bool `json:"migrateDeviceData"`
}

// InitialTwin is what the twin of a newly assigned device begins with.
type InitialTwin struct {
	Tags       json.RawMessage        `json:"tags,omitempty"`
	Properties *InitialTwinProperties `json:"properties,omitempty"`
}

// InitialTwinProperties holds the desired properties as a JSON object.
type InitialTwinProperties struct {
	Desired json.RawMessage `json:"desired,omitempty"`
}

// CustomAllocationDefinition belongs to the allocation policy "custom".
type CustomAllocationDefinition struct {
	WebhookURL string `json:"webhookUrl"`
	APIVersion string `json:"apiVersion"`
}
