package edgeconfig

import "strings"

// names checks host names and what they must differ from.
func (l *linter) names() {
	for _, name := range []string{"hostname", "parent_hostname", "local_gateway_hostname"} {
		e := l.root.kid(name)
		if !e.isText() {
			continue
		}
		problem, tooLong := hostNameProblem(e.value.text)
		switch {
		case problem == "":
		case tooLong:
			l.error(name, e, name+" cannot be a host name: "+problem, "Shorten it.")
		default:
			l.care(name, e, name+" breaks the rules of RFC 1035: "+problem, "Use the machine's name, or a full name that begins with it.")
		}
	}
	if l.root.has("parent_hostname") && l.root.has("local_gateway_hostname") {
		l.error("local_gateway_hostname", l.root.kid("local_gateway_hostname"), "parent_hostname and local_gateway_hostname are the same key", "Keep parent_hostname.")
	}
	ca := l.root.text("edge_ca.common_name")
	if ca == "" {
		ca = l.root.text("edge_ca.subject.CN")
	}
	if hostname := l.root.kid("hostname"); hostname.isText() && ca != "" && strings.EqualFold(hostname.value.text, ca) {
		l.error("hostname", hostname, "hostname equals the common name of the edge CA, so modules cannot verify the chain", "Give the edge CA another common_name.")
	}
}
