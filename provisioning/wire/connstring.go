package wire

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"edgewright/provisioning/secret"
)

// maxConnectionStringLength bounds what is looked at, in bytes.
const maxConnectionStringLength = 4096

// defaultPort is where the services listen when a host is given without port.
const defaultPort = 443

// Kind is what a connection string gives access as. A service string does not
// say whether its host is an IoT Hub or a DPS: whoever took it from the user
// knows, and the host name is no evidence.
type Kind string

// The kinds. A GatewayHostName may stand with each of the device and module
// kinds and makes no kind of its own.
const (
	KindService    Kind = "service"     // HostName, SharedAccessKeyName, SharedAccessKey
	KindDevice     Kind = "device"      // HostName, DeviceId, SharedAccessKey
	KindDeviceX509 Kind = "device-x509" // HostName, DeviceId, x509=true
	KindModule     Kind = "module"      // HostName, DeviceId, ModuleId, SharedAccessKey
	KindModuleX509 Kind = "module-x509" // HostName, DeviceId, ModuleId, x509=true
)

// ConnectionString is a parsed connection string of any kind.
type ConnectionString struct {
	// HostName as written; it may carry a port.
	HostName   string
	DeviceID   string
	ModuleID   string
	PolicyName string
	// GatewayHostName is the host to dial instead of HostName, which stays the
	// name that is signed.
	GatewayHostName string
	// X509 says that a certificate, given apart, stands in the place of a key.
	X509 bool
	// Key is the decoded shared access key.
	Key secret.Value
}

// ParseConnectionString reads a connection string strictly: Name=Value pairs
// joined by semicolons, each split at its first equals sign, names with exact
// letter case. White space around the text and one semicolon at its end are
// allowed, since people paste it. Unknown, repeated and empty members, sets
// that make no kind, and keys that are not base64 are refused. Errors name the
// member and never show a value.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-dev-guide-sas
func ParseConnectionString(text string) (ConnectionString, error) {
	var c ConnectionString
	if len(text) > maxConnectionStringLength {
		return c, fmt.Errorf("connection string: longer than %d bytes", maxConnectionStringLength)
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), ";")
	if text == "" {
		return c, errors.New("connection string: empty")
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(text, ";") {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return ConnectionString{}, errors.New("connection string: a member has no equals sign; members are Name=Value joined by semicolons")
		}
		if seen[name] {
			return ConnectionString{}, fmt.Errorf("connection string: %s is given twice", memberName(name))
		}
		seen[name] = true
		if err := c.set(name, value); err != nil {
			return ConnectionString{}, err
		}
	}
	if err := c.check(); err != nil {
		return ConnectionString{}, err
	}
	return c, nil
}

func (c *ConnectionString) set(name, value string) error {
	if value == "" {
		return fmt.Errorf("connection string: %s is empty", memberName(name))
	}
	switch name {
	case "HostName":
		c.HostName = value
	case "DeviceId":
		c.DeviceID = value
	case "ModuleId":
		c.ModuleID = value
	case "SharedAccessKeyName":
		c.PolicyName = value
	case "GatewayHostName":
		c.GatewayHostName = value
	case "x509":
		if !strings.EqualFold(value, "true") {
			return errors.New("connection string: x509 can only be true")
		}
		c.X509 = true
	case "SharedAccessKey":
		key, err := secret.FromBase64(value)
		if err != nil || key.IsEmpty() {
			return errors.New("connection string: SharedAccessKey is not base64")
		}
		c.Key = key
	case "SharedAccessSignature":
		return errors.New("connection string: SharedAccessSignature is not accepted because it expires; give a string with SharedAccessKey")
	default:
		return fmt.Errorf("connection string: %s is unknown", memberName(name))
	}
	return nil
}

func (c ConnectionString) check() error {
	if c.HostName == "" {
		return errors.New("connection string: HostName is missing")
	}
	if _, _, err := splitHostPort(c.HostName); err != nil {
		return errors.New("connection string: HostName is not a host name with an optional port")
	}
	if c.GatewayHostName != "" {
		if _, _, err := splitHostPort(c.GatewayHostName); err != nil {
			return errors.New("connection string: GatewayHostName is not a host name with an optional port")
		}
	}
	if c.X509 && !c.Key.IsEmpty() {
		return errors.New("connection string: SharedAccessKey and x509 exclude each other")
	}
	if c.DeviceID == "" {
		switch {
		case c.ModuleID != "":
			return errors.New("connection string: ModuleId needs DeviceId")
		case c.X509:
			return errors.New("connection string: x509 needs DeviceId")
		case c.GatewayHostName != "":
			return errors.New("connection string: GatewayHostName needs DeviceId")
		case c.PolicyName == "" && c.Key.IsEmpty():
			return errors.New("connection string: DeviceId or SharedAccessKeyName is missing")
		case c.PolicyName == "":
			return errors.New("connection string: SharedAccessKey needs DeviceId or SharedAccessKeyName")
		case c.Key.IsEmpty():
			return errors.New("connection string: SharedAccessKey is missing")
		}
		return nil
	}
	if c.PolicyName != "" {
		return errors.New("connection string: DeviceId and SharedAccessKeyName exclude each other")
	}
	if err := ValidateDeviceID(c.DeviceID); err != nil {
		return errors.New("connection string: DeviceId is not a device ID")
	}
	if c.ModuleID != "" && ValidateModuleID(c.ModuleID) != nil {
		return errors.New("connection string: ModuleId is not a module ID")
	}
	if !c.X509 && c.Key.IsEmpty() {
		return errors.New("connection string: SharedAccessKey or x509=true is missing")
	}
	return nil
}

// Kind tells what c gives access as.
func (c ConnectionString) Kind() Kind {
	switch {
	case c.DeviceID == "":
		return KindService
	case c.ModuleID != "" && c.X509:
		return KindModuleX509
	case c.ModuleID != "":
		return KindModule
	case c.X509:
		return KindDeviceX509
	}
	return KindDevice
}

// Host is HostName without its port.
func (c ConnectionString) Host() string {
	host, _, _ := splitHostPort(c.HostName)
	return host
}

// Port is the port of HostName, 443 where none is written.
func (c ConnectionString) Port() int {
	_, port, _ := splitHostPort(c.HostName)
	return port
}

// Text writes c in the order in which the portal shows it.
func (c ConnectionString) Text() secret.Value {
	var b strings.Builder
	member := func(name, value string) {
		if value == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteString(name + "=" + value)
	}
	member("HostName", c.HostName)
	member("DeviceId", c.DeviceID)
	member("ModuleId", c.ModuleID)
	member("SharedAccessKeyName", c.PolicyName)
	if c.X509 {
		member("x509", "true")
	}
	if !c.Key.IsEmpty() {
		member("SharedAccessKey", c.Key.RevealBase64())
	}
	member("GatewayHostName", c.GatewayHostName)
	return secret.FromString(b.String())
}

// memberName makes the name part of a pair fit for a message: a pasted text
// may have a key where a name should be.
func memberName(name string) string {
	for _, known := range []string{"HostName", "DeviceId", "ModuleId", "SharedAccessKeyName", "SharedAccessKey", "SharedAccessSignature", "GatewayHostName", "x509"} {
		if name == known {
			return known
		}
		if strings.EqualFold(name, known) {
			return "a member (it is written " + known + ")"
		}
	}
	return "a member"
}

func splitHostPort(text string) (host string, port int, err error) {
	host, port = text, defaultPort
	if strings.Contains(text, ":") && !strings.HasSuffix(text, "]") {
		var portText string
		if host, portText, err = net.SplitHostPort(text); err != nil {
			return text, defaultPort, err
		}
		number, err := strconv.ParseUint(portText, 10, 16)
		if err != nil || number == 0 {
			return host, defaultPort, errors.New("bad port")
		}
		port = int(number)
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "" || strings.ContainsAny(host, "/\\?#@[]% \t\r\n\"'<>&=") {
		return host, port, errors.New("bad host")
	}
	return host, port, nil
}
