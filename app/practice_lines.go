package app

import (
	"net"
	"strings"
)

// PracticeLine is a line that points a client at the practice cloud.
type PracticeLine struct {
	Client string // such as Node.js
	Line   string // for a POSIX shell, unless the client is another
}

// The clients that are no shell.
const (
	ClientHosts      = "/etc/hosts"
	ClientPythonCode = "Python SDK"
	ClientWindows    = "Windows"
)

// Lines are how each client finds the practice cloud and trusts its CA. No
// secret is in them. Names of practice.test are in no name service, so they go
// to the hosts file.
func (i PracticeInfo) Lines() []PracticeLine {
	file := quoted(i.CAFile)
	host, _, _ := net.SplitHostPort(i.HTTPS)
	return []PracticeLine{
		{ClientHosts, host + " " + strings.Join(i.Names, " ")},
		{"Node.js", "export NODE_EXTRA_CA_CERTS=" + file},
		{"Python", "export SSL_CERT_FILE=" + file},
		{ClientPythonCode, "server_verification_cert=open(" + pythonText(i.CAFile) + ").read()"},
		{"az", "cat /etc/ssl/certs/ca-certificates.crt " + file + " > practice-bundle.pem && export REQUESTS_CA_BUNDLE=$PWD/practice-bundle.pem"},
		{"Linux", "sudo cp " + file + " /usr/local/share/ca-certificates/edgewright-practice.crt && sudo update-ca-certificates"},
		{"Red Hat", "sudo cp " + file + " /etc/pki/ca-trust/source/anchors/edgewright-practice.crt && sudo update-ca-trust"},
		{"aziot-identityd", "sudo cp " + file + " /usr/local/share/ca-certificates/edgewright-practice.crt && sudo update-ca-certificates && sudo iotedge system restart"},
		{ClientWindows, `certutil -addstore -f Root "` + i.CAFile + `"`},
	}
}

// quoted is a path as a POSIX shell takes it.
func quoted(path string) string {
	if !strings.ContainsAny(path, " '\"\\$`&;()<>|*?[]#~!") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// pythonText is a path as a Python string.
func pythonText(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}
