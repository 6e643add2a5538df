package app

import (
	"net/url"
	"regexp"
	"strings"

	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// CloudDraft is what a form asks for a cloud that is to be added.
type CloudDraft struct {
	Name       string
	Kind       Connection
	Connection secret.Value
	// IDScope and GlobalEndpoint belong to a DPS; an empty endpoint means
	// DefaultGlobalEndpoint. Members of that name in Connection win where a
	// field is empty.
	IDScope, GlobalEndpoint string
}

// The fields that findings about a CloudDraft name.
const (
	FieldCloudName      = "name"
	FieldConnection     = "connection"
	FieldIDScope        = "id_scope"
	FieldGlobalEndpoint = "global_endpoint"
)

// idScopePattern is an ID scope as the portal shows it: 0ne and what follows.
var idScopePattern = regexp.MustCompile(`^0ne[0-9A-Za-z]{1,32}$`)

// dpsSuffixes end the service host names of DPS in Azure's clouds; the rest are
// hubs (Azure IoT endpoints of the public, US government and China clouds).
var dpsSuffixes = []string{".azure-devices-provisioning.net", ".azure-devices-provisioning.us", ".azure-devices-provisioning.cn"}

// Check finds what is wrong with each field. It asks nobody and stores nothing.
func (d CloudDraft) Check() provisioning.Findings {
	findings := provisioning.Findings{}
	wrong := func(field, problem, fix string) {
		findings = append(findings, provisioning.Finding{Field: field, Level: provisioning.LevelError, Problem: problem, Fix: fix})
	}
	switch {
	case strings.EqualFold(d.Name, Practice):
		wrong(FieldCloudName, "The practice cloud has this name.", "Choose another name.")
	case !cloudNamePattern.MatchString(d.Name):
		wrong(FieldCloudName, "The name cannot be used.", "Use 1 to 64 letters, digits, spaces, dots, dashes.")
	}
	service, idScope, _ := splitDPSMembers(d.Connection.RevealString())
	connection, err := wire.ParseConnectionString(service)
	isDPS := false
	for _, suffix := range dpsSuffixes {
		isDPS = isDPS || strings.HasSuffix(strings.ToLower(connection.HostName), suffix)
	}
	isHub := strings.Contains(strings.ToLower(connection.HostName), ".azure-devices.")
	switch {
	case d.Connection.IsEmpty():
		wrong(FieldConnection, "The connection string is missing.", "Copy it whole from the portal, from Shared access policies.")
	case err != nil:
		wrong(FieldConnection, "The connection string does not read.", "Copy it whole from the portal: HostName=...;SharedAccessKeyName=...;SharedAccessKey=...")
	case connection.PolicyName == "":
		wrong(FieldConnection, "This is the connection string of a device, not of a service.", "Copy one of a shared access policy.")
	case d.Kind == HubConnection && isDPS:
		wrong(FieldConnection, "This is the connection string of a DPS.", "Choose DPS above, or copy that of the hub.")
	case d.Kind == DPSConnection && isHub:
		wrong(FieldConnection, "This is the connection string of an IoT Hub.", "Choose IoT Hub above, or copy that of the DPS.")
	}
	if d.Kind != DPSConnection {
		return findings
	}
	if d.IDScope != "" {
		idScope = d.IDScope
	}
	switch {
	case idScope == "":
		wrong(FieldIDScope, "The ID scope is missing.", "The portal shows it on the overview of the DPS.")
	case !idScopePattern.MatchString(idScope):
		wrong(FieldIDScope, "This is no ID scope.", "It begins with 0ne, such as 0ne00A1B2C3.")
	}
	if d.GlobalEndpoint != "" {
		endpoint, err := url.Parse(d.GlobalEndpoint)
		if err != nil || endpoint.Scheme != "https" || endpoint.Host == "" || strings.Contains(d.GlobalEndpoint, ";") {
			wrong(FieldGlobalEndpoint, "The global endpoint is no address.", "Write "+DefaultGlobalEndpoint+", or leave it empty.")
		}
	}
	return findings
}

// Text is what AddCloud takes: the connection string with the members that it
// lacks.
func (d CloudDraft) Text() secret.Value {
	text := strings.TrimRight(strings.TrimSpace(d.Connection.RevealString()), ";")
	if d.Kind == DPSConnection {
		if d.IDScope != "" {
			text += ";IDScope=" + d.IDScope
		}
		if d.GlobalEndpoint != "" {
			text += ";GlobalEndpoint=" + d.GlobalEndpoint
		}
	}
	return secret.FromString(text)
}
