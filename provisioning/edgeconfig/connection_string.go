package edgeconfig

import (
	"encoding/base64"
	"strings"
)

// connectionString holds the parts of a device's connection string. The
// runtime reads HostName, DeviceId and SharedAccessKey and passes over all
// others (IIS super_config.rs).
type connectionString struct {
	host, device, key string
	parts             map[string]string
}

func parseConnectionString(text string) connectionString {
	c := connectionString{parts: map[string]string{}}
	for part := range strings.SplitSeq(text, ";") {
		name, value, found := strings.Cut(part, "=")
		if found {
			c.parts[strings.TrimSpace(name)] = value
		}
	}
	c.host, c.device, c.key = c.parts["HostName"], c.parts["DeviceId"], c.parts["SharedAccessKey"]
	return c
}

// problem says why the runtime will not take the string, and what to do; both
// are empty for a good one.
func (c connectionString) problem() (problem, fix string) {
	switch {
	case c.device == "" && c.parts["SharedAccessKeyName"] != "":
		return "this is the connection string of a hub's policy, not of a device: it has no DeviceId",
			"Take the connection string of the device itself from its page in the hub."
	case c.parts["ModuleId"] != "":
		return "this is the connection string of a module", "Take the connection string of the device itself."
	case strings.EqualFold(c.parts["x509"], "true"):
		return "this connection string is for X.509 and holds no SharedAccessKey",
			`Write iothub_hostname, device_id and [provisioning.authentication] with method = "x509".`
	}
	for _, part := range []struct{ name, value string }{{"HostName", c.host}, {"DeviceId", c.device}, {"SharedAccessKey", c.key}} {
		if part.value == "" {
			return "the connection string has no " + part.name, "Write HostName=…;DeviceId=…;SharedAccessKey=…, with exactly these names."
		}
	}
	if c.key != strings.TrimSpace(c.key) {
		return "the SharedAccessKey has white space around it", "Remove the white space."
	}
	return symmetricKeyProblem(c.key)
}

// symmetricKeyProblem says why text is not a symmetric key; nothing for a good
// one.
func symmetricKeyProblem(text string) (problem, fix string) {
	key, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return "the key is not base64", "Copy the key again, whole and without quotes or spaces in it."
	}
	if len(key) < 16 || len(key) > 64 {
		return "the key is not 16 to 64 bytes long", "Copy the primary key of the device or enrollment, in base64."
	}
	return "", ""
}
