package wire

import (
	"encoding/json"
	"fmt"
	"io"

	"edgewright/provisioning/secret"
)

// The values of Authentication.Type.
const (
	AuthSAS                  = "sas"
	AuthSelfSigned           = "selfSigned"
	AuthCertificateAuthority = "certificateAuthority"
	AuthNone                 = "none"
)

// Values of Status, for identities and as provisioningStatus of enrollments.
const (
	StatusEnabled  = "enabled"
	StatusDisabled = "disabled"
)

// Values of ConnectionState.
const (
	Connected    = "Connected"
	Disconnected = "Disconnected"
)

// Device is a device identity of IoT Hub (api-version 2021-04-12). PUT replaces
// it as a whole: start from what was read.
type Device struct {
	DeviceID     string `json:"deviceId"`
	GenerationID string `json:"generationId,omitempty"`
	// ETag is unquoted, the base64 of a decimal counter.
	ETag                       string          `json:"etag,omitempty"`
	ConnectionState            string          `json:"connectionState,omitempty"`
	Status                     string          `json:"status,omitempty"`
	StatusReason               string          `json:"statusReason,omitempty"`
	ConnectionStateUpdatedTime *Time           `json:"connectionStateUpdatedTime,omitempty"`
	StatusUpdatedTime          *Time           `json:"statusUpdatedTime,omitempty"`
	LastActivityTime           *Time           `json:"lastActivityTime,omitempty"`
	CloudToDeviceMessageCount  int             `json:"cloudToDeviceMessageCount"`
	Authentication             *Authentication `json:"authentication,omitempty"`
	Capabilities               *Capabilities   `json:"capabilities,omitempty"`
	// DeviceScope is made by the hub for an edge device and must be sent back
	// unchanged; for a leaf it is the scope of its parent.
	DeviceScope  string   `json:"deviceScope,omitempty"`
	ParentScopes []string `json:"parentScopes,omitempty"`

	Rest Members `json:"-"`
}

// IsEdge tells whether d has the edge capability.
func (d Device) IsEdge() bool { return d.Capabilities != nil && d.Capabilities.IotEdge }

// UnmarshalJSON keeps members without a field in Rest.
func (d *Device) UnmarshalJSON(data []byte) (err error) {
	type plain Device
	var p plain
	if p.Rest, err = decodeKeeping(data, &p); err == nil {
		*d = Device(p)
	}
	return err
}

// MarshalJSON writes Rest back.
func (d Device) MarshalJSON() ([]byte, error) {
	type plain Device
	return encodeKeeping(plain(d), d.Rest)
}

// Module is a module identity of IoT Hub. PUT replaces it as a whole.
type Module struct {
	ModuleID                   string          `json:"moduleId"`
	ManagedBy                  string          `json:"managedBy,omitempty"`
	DeviceID                   string          `json:"deviceId"`
	GenerationID               string          `json:"generationId,omitempty"`
	ETag                       string          `json:"etag,omitempty"`
	ConnectionState            string          `json:"connectionState,omitempty"`
	ConnectionStateUpdatedTime *Time           `json:"connectionStateUpdatedTime,omitempty"`
	LastActivityTime           *Time           `json:"lastActivityTime,omitempty"`
	CloudToDeviceMessageCount  int             `json:"cloudToDeviceMessageCount"`
	Authentication             *Authentication `json:"authentication,omitempty"`

	Rest Members `json:"-"`
}

// UnmarshalJSON keeps members without a field in Rest.
func (m *Module) UnmarshalJSON(data []byte) (err error) {
	type plain Module
	var p plain
	if p.Rest, err = decodeKeeping(data, &p); err == nil {
		*m = Module(p)
	}
	return err
}

// MarshalJSON writes Rest back.
func (m Module) MarshalJSON() ([]byte, error) {
	type plain Module
	return encodeKeeping(plain(m), m.Rest)
}

// Authentication says how a device or module proves itself.
type Authentication struct {
	SymmetricKey   *SymmetricKey   `json:"symmetricKey,omitempty"`
	X509Thumbprint *X509Thumbprint `json:"x509Thumbprint,omitempty"`
	Type           string          `json:"type,omitempty"`

	Rest Members `json:"-"`
}

// UnmarshalJSON keeps members without a field in Rest.
func (a *Authentication) UnmarshalJSON(data []byte) (err error) {
	type plain Authentication
	var p plain
	if p.Rest, err = decodeKeeping(data, &p); err == nil {
		*a = Authentication(p)
	}
	return err
}

// MarshalJSON writes Rest back.
func (a Authentication) MarshalJSON() ([]byte, error) {
	type plain Authentication
	return encodeKeeping(plain(a), a.Rest)
}

// SymmetricKey is a pair of keys of 16 to 64 bytes, both or neither. The same
// shape serves hub identities and DPS attestations.
type SymmetricKey struct {
	PrimaryKey   Key `json:"primaryKey"`
	SecondaryKey Key `json:"secondaryKey"`
}

// Format implements fmt.Formatter for the pointers in which models hold s: for
// a verb that does not fit one, fmt would print what it points to without
// asking the keys.
func (s SymmetricKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "{"+secret.Mask+"}") }

// X509Thumbprint holds hexadecimal hashes without separators, SHA-1 (40) or
// SHA-256 (64 digits), letter case as written.
type X509Thumbprint struct {
	PrimaryThumbprint   string `json:"primaryThumbprint,omitempty"`
	SecondaryThumbprint string `json:"secondaryThumbprint,omitempty"`
}

// Capabilities of a device or of an enrollment.
type Capabilities struct {
	IotEdge bool `json:"iotEdge"`

	Rest Members `json:"-"`
}

// UnmarshalJSON keeps members without a field in Rest.
func (c *Capabilities) UnmarshalJSON(data []byte) (err error) {
	type plain Capabilities
	var p plain
	if p.Rest, err = decodeKeeping(data, &p); err == nil {
		*c = Capabilities(p)
	}
	return err
}

// MarshalJSON writes Rest back.
func (c Capabilities) MarshalJSON() ([]byte, error) {
	type plain Capabilities
	return encodeKeeping(plain(c), c.Rest)
}

// Twin is a device or module twin. It is read whole but written by merge
// patches, so unknown members need not be kept.
type Twin struct {
	DeviceID                  string              `json:"deviceId,omitempty"`
	ModuleID                  string              `json:"moduleId,omitempty"`
	Tags                      json.RawMessage     `json:"tags,omitempty"`
	Properties                *TwinProperties     `json:"properties,omitempty"`
	ETag                      string              `json:"etag,omitempty"`
	Version                   int64               `json:"version,omitempty"`
	DeviceETag                string              `json:"deviceEtag,omitempty"`
	Status                    string              `json:"status,omitempty"`
	StatusReason              string              `json:"statusReason,omitempty"`
	StatusUpdateTime          *Time               `json:"statusUpdateTime,omitempty"`
	ConnectionState           string              `json:"connectionState,omitempty"`
	LastActivityTime          *Time               `json:"lastActivityTime,omitempty"`
	CloudToDeviceMessageCount int                 `json:"cloudToDeviceMessageCount"`
	AuthenticationType        string              `json:"authenticationType,omitempty"`
	X509Thumbprint            *TwinX509Thumbprint `json:"x509Thumbprint,omitempty"`
	Capabilities              *Capabilities       `json:"capabilities,omitempty"`
	DeviceScope               string              `json:"deviceScope,omitempty"`
	ParentScopes              []string            `json:"parentScopes,omitempty"`
	ModelID                   string              `json:"modelId,omitempty"`
	// Configurations are those that target the twin, with their status:
	// {"base":{"status":"Applied"}}.
	Configurations json.RawMessage `json:"configurations,omitempty"`
}

// TwinX509Thumbprint is X509Thumbprint as the twin view spells it, with capital
// letters. Either spelling is read.
type TwinX509Thumbprint struct {
	PrimaryThumbprint   string `json:"PrimaryThumbprint,omitempty"`
	SecondaryThumbprint string `json:"SecondaryThumbprint,omitempty"`
}

// TwinProperties holds the two halves of a twin as JSON objects, $metadata and
// $version included.
type TwinProperties struct {
	Desired  json.RawMessage `json:"desired,omitempty"`
	Reported json.RawMessage `json:"reported,omitempty"`
}

// QuerySpecification is the body of a query to IoT Hub or DPS.
type QuerySpecification struct {
	Query string `json:"query"`
}

// The headers of paged queries.
const (
	HeaderContinuation = "x-ms-continuation"
	HeaderMaxItemCount = "x-ms-max-item-count"
	HeaderItemType     = "x-ms-item-type"
)
