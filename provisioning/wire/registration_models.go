package wire

import "encoding/json"

// DeviceRegistration is the body of a device's register call.
type DeviceRegistration struct {
	RegistrationID string          `json:"registrationId"`
	Payload        json.RawMessage `json:"payload,omitempty"`
	TPM            *TPMAttestation `json:"tpm,omitempty"`
	// CSR is the base64 of a DER PKCS#10 request (2025-07-01-preview).
	CSR string `json:"csr,omitempty"`
}

// RegistrationOperationStatus is the answer to register and to each poll.
type RegistrationOperationStatus struct {
	OperationID       string                   `json:"operationId"`
	Status            string                   `json:"status"`
	RegistrationState *DeviceRegistrationState `json:"registrationState,omitempty"`
}

// DeviceRegistrationState is what DPS knows of a device: the result of the
// device's registration, and the registration record on the service side (which
// leaves out the members of the attestation).
type DeviceRegistrationState struct {
	RegistrationID         string                          `json:"registrationId,omitempty"`
	CreatedDateTimeUTC     *Time                           `json:"createdDateTimeUtc,omitempty"`
	AssignedHub            string                          `json:"assignedHub,omitempty"`
	DeviceID               string                          `json:"deviceId,omitempty"`
	Status                 string                          `json:"status,omitempty"`
	Substatus              string                          `json:"substatus,omitempty"`
	ErrorCode              int                             `json:"errorCode,omitempty"`
	ErrorMessage           string                          `json:"errorMessage,omitempty"`
	LastUpdatedDateTimeUTC *Time                           `json:"lastUpdatedDateTimeUtc,omitempty"`
	ETag                   string                          `json:"etag,omitempty"`
	Payload                json.RawMessage                 `json:"payload,omitempty"`
	TPM                    *TPMRegistrationResult          `json:"tpm,omitempty"`
	X509                   *X509RegistrationResult         `json:"x509,omitempty"`
	SymmetricKey           *SymmetricKeyRegistrationResult `json:"symmetricKey,omitempty"`
	// IssuedCertificateChain is base64 DER, leaf first (2025-07-01-preview).
	IssuedCertificateChain []string `json:"issuedCertificateChain,omitempty"`
}

// TPMRegistrationResult carries the encrypted hub key for the device's TPM.
type TPMRegistrationResult struct {
	AuthenticationKey string `json:"authenticationKey,omitempty"`
}

// X509RegistrationResult says which certificate was accepted.
type X509RegistrationResult struct {
	CertificateInfo        *X509CertificateInfo `json:"certificateInfo,omitempty"`
	EnrollmentGroupID      string               `json:"enrollmentGroupId,omitempty"`
	SigningCertificateInfo *X509CertificateInfo `json:"signingCertificateInfo,omitempty"`
}

// SymmetricKeyRegistrationResult names the group, if the device came by one.
type SymmetricKeyRegistrationResult struct {
	EnrollmentGroupID string `json:"enrollmentGroupId,omitempty"`
}

// TPMChallenge is the body of the 401 answer to the first register call of a
// device with a TPM.
type TPMChallenge struct {
	AuthenticationKey string `json:"authenticationKey"`
	KeyName           string `json:"keyName,omitempty"`
}
