package edgeconfig

import "strings"

// certificates checks [cert_issuance], [edge_ca] and what URIs need.
func (l *linter) certificates() {
	l.edgeCA()
	if ca := l.root.find("cert_issuance.local_ca"); ca.isTable() {
		cert := ca.kid("cert")
		switch {
		case cert.isText() && !ca.has("pk"):
			l.error("cert_issuance.local_ca.pk", ca, untagged("[cert_issuance.local_ca] lacks pk", "LocalCa"), "Add pk with the URI of the CA's key.")
		case cert.isTable():
			l.issued("cert_issuance.local_ca.cert", "LocalCa", cert)
			if cert.text("method") == "local_ca" {
				l.error("cert_issuance.local_ca.cert.method", cert.kid("method"), "the local CA cannot issue its own certificate", `Write method = "est" or "self_signed", or name the file of a certificate.`)
			}
		}
	}
	if l.root.text("aziot_keys.pkcs11_lib_path") == "" {
		for _, st := range l.statements {
			if st.value != nil {
				l.needsLibrary(st.path, st.value)
			}
		}
	}
}

// needsLibrary reports keys in a PKCS#11 token without a library to reach it.
func (l *linter) needsLibrary(path []string, v *value) {
	for _, inner := range v.members {
		l.needsLibrary(append(path[:len(path):len(path)], inner.path...), inner.value)
	}
	if strings.HasPrefix(v.text, "pkcs11:") && path[0] != "agent" && path[0] != "aziot_keys" {
		l.add(LevelError, keyText(path...), v.start, "a pkcs11 URI is used, and no library for it is named", "Add [aziot_keys] with pkcs11_lib_path.")
	}
}

// edgeCA checks the three shapes of the section in the order in which the
// runtime tries them.
func (l *linter) edgeCA() {
	e := l.root.kid("edge_ca")
	if !e.isTable() {
		return
	}
	switch {
	case e.has("method"):
		if l.version.Before(Version{1, 2, 5}) {
			l.care("edge_ca.method", e.kid("method"), "an issued edge CA is known to IoT Edge 1.2.5 and later; "+l.version.String()+" ignores it", "Name cert and pk, or update the runtime.")
		}
		l.issued("edge_ca", "EdgeCa", e)
		if e.has("cert") || e.has("pk") {
			l.care("edge_ca", e, "method is there, so cert and pk are ignored", "Keep method, or cert and pk.")
		}
	case e.has("cert") && e.has("pk"):
		for _, name := range []string{"auto_renew", "auto_generated_edge_ca_expiry_days"} {
			if kid := e.kid(name); kid != nil {
				l.care("edge_ca."+name, kid, name+" has no effect: a certificate from files is never renewed by the runtime", "Remove it, or have the certificate issued with method.")
			}
		}
	case e.has("auto_generated_edge_ca_expiry_days"):
		for _, pair := range [][2]string{{"cert", "pk"}, {"pk", "cert"}} {
			if e.has(pair[0]) {
				l.care("edge_ca."+pair[0], e.kid(pair[0]), pair[0]+" stands without "+pair[1]+", so the runtime generates a certificate instead", "Add "+pair[1]+", or remove "+pair[0]+".")
			}
		}
		if rotate := e.find("auto_renew.rotate_key"); rotate != nil && rotate.leaf && rotate.value.text == "false" {
			l.error("edge_ca.auto_renew.rotate_key", rotate, "a generated edge CA must change its key when it is renewed", "Write rotate_key = true.")
		}
	case e.has("cert"):
		l.error("edge_ca.pk", e, untagged("[edge_ca] has cert and lacks pk", "EdgeCa"), "Add pk with the URI of the key.")
	case e.has("pk"):
		l.error("edge_ca.cert", e, untagged("[edge_ca] has pk and lacks cert", "EdgeCa"), "Add cert with the URI of the certificate chain.")
	case e.has("auto_renew"):
		l.error("edge_ca.auto_renew", e.kid("auto_renew"), untagged("auto_renew stands alone in [edge_ca]", "EdgeCa"),
			"Add auto_generated_edge_ca_expiry_days, or method.")
	default:
		l.error("edge_ca", e, untagged("[edge_ca] has none of method, cert with pk, and auto_generated_edge_ca_expiry_days", "EdgeCa"),
			"Add one of them, or remove the section to take the quickstart certificate.")
	}
}

// issued checks a certificate that the device has issued to itself.
func (l *linter) issued(field, enum string, e *entry) {
	method := e.kid("method")
	if method == nil {
		l.error(field+".method", e, untagged("["+field+"] lacks method", enum), `Add method = "est", "local_ca" or "self_signed".`)
		return
	}
	if e.has("common_name") && e.has("subject") {
		l.care(field, e, "common_name and subject are both there, and only one is read", "Keep one of them.")
	}
	if name := e.kid("common_name"); name.isText() && len(name.value.text) > 64 {
		l.care(field+".common_name", name, "common_name is longer than 64 characters and will be cut", "Shorten it.")
	}
	switch e.text("method") {
	case "est":
		if e.has("expiry_days") {
			l.note(field+".expiry_days", e.kid("expiry_days"), "expiry_days is ignored: the EST server decides", "Remove it.")
		}
		if !e.has("url") && !l.root.has("cert_issuance.est.urls") {
			l.error(field+".url", method, "no URL of an EST server is given", "Add url here, or default in [cert_issuance.est.urls].")
		}
	case "local_ca":
		if !l.root.has("cert_issuance.local_ca") {
			l.error("cert_issuance.local_ca", method, "the local CA that is to issue the certificate is not given", "Add [cert_issuance.local_ca] with cert and pk.")
		}
	}
	if e.text("method") != "est" {
		for _, name := range []string{"url", "username", "password", "identity_cert", "identity_pk", "bootstrap_identity_cert", "bootstrap_identity_pk"} {
			if e.has(name) {
				l.care(field+"."+name, e.kid(name), name+` is read with method = "est" only`, "Remove it.")
			}
		}
	}
}
