package edgeconfig

// provisioning checks what the schema cannot say of [provisioning]: shapes
// without a tag, and keys that depend on each other.
func (l *linter) provisioning() {
	e := l.root.kid("provisioning")
	if !e.isTable() {
		return
	}
	for _, path := range []string{"iothub_hostname", "device_id", "id_scope", "attestation.registration_id"} {
		if kid := e.find(path); kid.isText() && kid.value.text == "" {
			l.error("provisioning."+path, kid, kid.name+" is empty", "Write its value.")
		}
	}
	switch e.text("source") {
	case "none":
		l.error("provisioning.source", e.kid("source"), `with source = "none" the device gets no identity, and aziot-edged restarts for ever`, `Write "manual" or "dps".`)
	case SourceManual:
		l.manual(e)
	case SourceDPS:
		l.dps(e)
	}
}

func (l *linter) manual(e *entry) {
	explicit := ""
	for _, name := range []string{"iothub_hostname", "device_id", "authentication"} {
		if e.has(name) {
			explicit = name
		}
	}
	switch {
	case e.has("connection_string") && explicit != "":
		l.error("provisioning.connection_string", e.kid("connection_string"),
			untagged("connection_string and "+explicit+" are two forms of the same thing", "ManualProvisioning"),
			"Keep connection_string alone, or remove it and keep iothub_hostname, device_id and authentication.")
		return
	case e.has("connection_string"):
		return
	case explicit == "":
		l.error("provisioning", e, untagged("manual provisioning has neither connection_string nor iothub_hostname, device_id and authentication", "ManualProvisioning"),
			"Write connection_string, or the three others.")
		return
	}
	for _, name := range []string{"iothub_hostname", "device_id", "authentication"} {
		if !e.has(name) {
			l.error("provisioning."+name, e, untagged("[provisioning] lacks "+name, "ManualProvisioning"), "Add "+name+".")
		}
	}
	auth := e.kid("authentication")
	switch auth.text("method") {
	case MethodSAS:
		l.symmetricKey("provisioning.authentication.device_id_pk", auth.kid("device_id_pk"))
	case MethodX509:
		l.identity("provisioning.authentication", "ManualProvisioning", auth, e.text("device_id"), false)
	}
}

func (l *linter) dps(e *entry) {
	for _, name := range []string{"parent_hostname", "local_gateway_hostname"} {
		if parent := l.root.kid(name); parent != nil {
			l.error(name, parent, "DPS provisioning is not supported with a parent device; apply refuses it", "Provision manually, or remove "+name+".")
		}
	}
	att := e.kid("attestation")
	switch att.text("method") {
	case MethodSymmetricKey:
		l.symmetricKey("provisioning.attestation.symmetric_key", att.kid("symmetric_key"))
	case MethodX509:
		l.identity("provisioning.attestation", "X509Identity", att, att.text("registration_id"), true)
	}
}

// symmetricKey checks that a key is given in one way.
func (l *linter) symmetricKey(field string, e *entry) {
	switch {
	case !e.isTable():
	case !e.has("value") && !e.has("uri"):
		l.error(field, e, untagged("the key has neither value nor uri", "SymmetricKey"), `Write value = "…" with the key in base64.`)
	case e.has("value") && e.has("uri"):
		l.error(field, e, untagged("the key has both value and uri", "SymmetricKey"), "Keep one of them; value is the safer one.")
	}
}

// identity checks an identity certificate. name is the ID that becomes its CN
// where the device issues it.
func (l *linter) identity(field, enum string, e *entry, name string, renewable bool) {
	cert := e.kid("identity_cert")
	where := field + ".identity_cert"
	switch {
	case cert.isText() && !e.has("identity_pk"):
		l.error(field+".identity_pk", cert, untagged("identity_cert is a file, and its key identity_pk is missing", enum), "Add identity_pk with the URI of the key.")
	case cert.isTable():
		if e.has("identity_pk") {
			l.care(field+".identity_pk", e.kid("identity_pk"), "identity_pk is ignored, since identity_cert is issued on the device with a key of its own", "Remove identity_pk.")
		}
		if cert.isTable() && !cert.has("common_name") && !cert.has("subject") && name == "" {
			l.error(where, cert, "the certificate to be issued has no name", "Add common_name, or the registration ID.")
		}
		l.issued(where, enum, cert)
		if cert.text("method") == "self_signed" {
			l.care(where, cert, "a self-signed identity is known to no cloud until its thumbprint is registered", "Use est or local_ca, or a certificate from files.")
		}
		if renew := cert.kid("auto_renew"); renew != nil && !renewable {
			l.note(where+".auto_renew", renew, "auto_renew has no effect on the identity of a manually provisioned device", "Remove it.")
		}
	}
}
