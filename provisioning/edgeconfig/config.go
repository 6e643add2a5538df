package edgeconfig

import "edgewright/provisioning/secret"

// Config is what Edgewright needs to know of a config.toml. Empty fields are
// absent keys; defaults are not filled in.
type Config struct {
	Hostname               string
	ParentHostname         string
	TrustBundleCert        string // file URI
	AutoReprovisioningMode string
	Provisioning           Provisioning
	EdgeCA                 EdgeCA
	EST                    EST
	LocalCA                LocalCA
	TPM                    TPM
	Agent                  Agent
}

// The sources of provisioning.
const (
	SourceManual = "manual"
	SourceDPS    = "dps"
)

// The methods of authentication (manual) and attestation (DPS).
const (
	MethodSAS          = "sas"
	MethodX509         = "x509"
	MethodSymmetricKey = "symmetric_key"
	MethodTPM          = "tpm"
)

// Provisioning is the [provisioning] section, its sub-tables included.
type Provisioning struct {
	Source string // manual | dps | none

	// Manual. A connection string is taken apart: it fills the hub, the device,
	// the method "sas" and the key.
	HubHostname string
	DeviceID    string
	// DeviceKey holds the decoded bytes of the device's symmetric key; it is
	// empty where the key is in a file.
	DeviceKey          secret.Value
	Authentication     Authentication
	ByConnectionString bool

	// DPS.
	GlobalEndpoint string // URL
	IDScope        string
	Payload        string // file URI of the custom payload
	Attestation    Attestation
}

// Authentication is how a manually provisioned device shows itself to its hub.
type Authentication struct {
	Method      string // sas | x509
	KeyURI      string // sas: where the key is a file of raw bytes
	Certificate Certificate
}

// Attestation is how a device shows itself to DPS.
type Attestation struct {
	Method         string // symmetric_key | x509 | tpm
	RegistrationID string
	// SymmetricKey holds the decoded bytes, for groups of the derived key.
	SymmetricKey secret.Value
	KeyURI       string
	Certificate  Certificate
}

// Certificate is an identity certificate: files (or a PKCS#11 key), or one
// that the device has issued to itself.
type Certificate struct {
	Cert   string // file URI
	Key    string // file URI or pkcs11 URI; it may hold a PIN
	Issued *IssuedCertificate
}

// IssuedCertificate says how a certificate is issued on the device.
type IssuedCertificate struct {
	Method     string // est | local_ca | self_signed
	CommonName string
	URL        string // of the EST server, where it differs from the common one
	ExpiryDays int64  // 0 is the default; EST servers decide themselves
	AutoRenew  *AutoRenew
}

// EdgeCA is the [edge_ca] section; all fields are empty for the quickstart
// certificate of the runtime.
type EdgeCA struct {
	Cert, Key      string // file URIs of a certificate that was placed
	Issued         *IssuedCertificate
	QuickstartDays int64
}

// Agent is the [agent] section.
type Agent struct {
	Name, Type, Image string
	Env               map[string]string
}

// ManualSymmetricKey is manual provisioning with a device's symmetric key, as
// decoded bytes. host is the hub's host name, with its port if that is not 443.
func ManualSymmetricKey(host, deviceID string, key secret.Value) *Provisioning {
	return &Provisioning{
		Source: SourceManual, HubHostname: host, DeviceID: deviceID, DeviceKey: key,
		Authentication: Authentication{Method: MethodSAS},
	}
}

// DPSSymmetricKey is provisioning through DPS with a symmetric key, as decoded
// bytes: the enrollment's own, or the one derived from the group's. endpoint is
// a URL.
func DPSSymmetricKey(endpoint, idScope, registrationID string, key secret.Value) *Provisioning {
	return &Provisioning{
		Source: SourceDPS, GlobalEndpoint: endpoint, IDScope: idScope,
		Attestation: Attestation{Method: MethodSymmetricKey, RegistrationID: registrationID, SymmetricKey: key},
	}
}

// ManualX509 is manual provisioning with a certificate and its key in files of
// the device, as URIs. host is the hub's host name, with its port if that is
// not 443.
func ManualX509(host, deviceID, certificate, key string) *Provisioning {
	return &Provisioning{
		Source: SourceManual, HubHostname: host, DeviceID: deviceID,
		Authentication: Authentication{Method: MethodX509, Certificate: Certificate{Cert: certificate, Key: key}},
	}
}

// DPSX509 is provisioning through DPS with a certificate and its key in files
// of the device, as URIs. endpoint is a URL.
func DPSX509(endpoint, idScope, registrationID, certificate, key string) *Provisioning {
	return &Provisioning{
		Source: SourceDPS, GlobalEndpoint: endpoint, IDScope: idScope,
		Attestation: Attestation{Method: MethodX509, RegistrationID: registrationID, Certificate: Certificate{Cert: certificate, Key: key}},
	}
}

// ManualIssued is manual provisioning with a certificate that the device has
// issued to itself.
func ManualIssued(host, deviceID string, issued IssuedCertificate) *Provisioning {
	p := ManualX509(host, deviceID, "", "")
	p.Authentication.Certificate.Issued = &issued
	return p
}

// DPSIssued is provisioning through DPS with a certificate that the device has
// issued to itself.
func DPSIssued(endpoint, idScope, registrationID string, issued IssuedCertificate) *Provisioning {
	p := DPSX509(endpoint, idScope, registrationID, "", "")
	p.Attestation.Certificate.Issued = &issued
	return p
}
