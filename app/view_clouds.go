package app

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

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

// The fields of a CloudDraft that a fault names.
const (
	FieldCloudName      = "name"
	FieldConnection     = "connection"
	FieldIDScope        = "id_scope"
	FieldGlobalEndpoint = "global_endpoint"
)

// CloudFault is what is wrong with a field of a CloudDraft; a screen has the
// words.
type CloudFault struct {
	Field string
	Wrong CloudWrong
}

// CloudWrong is a kind of fault.
type CloudWrong int

// The kinds of faults.
const (
	WrongNameTaken  CloudWrong = iota + 1 // the practice cloud's
	WrongName                             // cannot be used
	WrongMissing                          // no connection string
	WrongUnreadable                       // no connection string at all
	WrongDevice                           // that of a device, not of a service
	WrongDPS                              // that of a DPS, and a hub is to be added
	WrongHub                              // that of a hub, and a DPS is to be added
	WrongNoScope                          // no ID scope
	WrongScope                            // no ID scope's form
	WrongEndpoint                         // no https address
)

// idScopePattern is an ID scope as the portal shows it: 0ne and what follows.
var idScopePattern = regexp.MustCompile(`^0ne[0-9A-Za-z]{1,32}$`)

// dpsSuffixes end the service host names of DPS in Azure's clouds; the rest are
// hubs (Azure IoT endpoints of the public, US government and China clouds).
var dpsSuffixes = []string{".azure-devices-provisioning.net", ".azure-devices-provisioning.us", ".azure-devices-provisioning.cn"}

// Check finds what is wrong with each field. It asks nobody and stores nothing.
func (d CloudDraft) Check() []CloudFault {
	var faults []CloudFault
	add := func(field string, wrong CloudWrong) { faults = append(faults, CloudFault{field, wrong}) }
	switch {
	case strings.EqualFold(d.Name, Practice):
		add(FieldCloudName, WrongNameTaken)
	case !cloudNamePattern.MatchString(d.Name):
		add(FieldCloudName, WrongName)
	}
	service, idScope, _ := splitDPSMembers(d.Connection.RevealString())
	if wrong := d.checkConnection(service); wrong != 0 {
		add(FieldConnection, wrong)
	}
	if d.Kind != DPSConnection {
		return faults
	}
	if d.IDScope != "" {
		idScope = d.IDScope
	}
	switch {
	case idScope == "":
		add(FieldIDScope, WrongNoScope)
	case !idScopePattern.MatchString(idScope):
		add(FieldIDScope, WrongScope)
	}
	if d.GlobalEndpoint != "" {
		endpoint, err := url.Parse(d.GlobalEndpoint)
		if err != nil || endpoint.Scheme != "https" || endpoint.Host == "" || strings.Contains(d.GlobalEndpoint, ";") {
			add(FieldGlobalEndpoint, WrongEndpoint)
		}
	}
	return faults
}

// checkConnection looks at a service connection string; 0 says that it is well.
func (d CloudDraft) checkConnection(service string) CloudWrong {
	if d.Connection.IsEmpty() {
		return WrongMissing
	}
	connection, err := wire.ParseConnectionString(service)
	if err != nil {
		return WrongUnreadable
	}
	host := strings.ToLower(connection.HostName)
	isDPS := slices.ContainsFunc(dpsSuffixes, func(suffix string) bool { return strings.HasSuffix(host, suffix) })
	switch {
	case connection.PolicyName == "":
		return WrongDevice
	case d.Kind == HubConnection && isDPS:
		return WrongDPS
	case d.Kind == DPSConnection && strings.Contains(host, ".azure-devices."):
		return WrongHub
	}
	return 0
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
