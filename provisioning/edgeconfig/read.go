package edgeconfig

import (
	"fmt"

	"edgewright/provisioning/secret"
)

// Read gives a typed view of a config.toml. A file that is not TOML gives a
// *SyntaxError; a symmetric key that is not base64 an error that names its
// place. Whatever else the runtime would refuse reads as far as it goes: that
// is the linter's business.
func Read(data []byte) (Config, error) {
	d, err := parse(data)
	if err != nil {
		return Config{}, err
	}
	return d.config()
}

func (d *document) config() (Config, error) {
	root := d.root
	c := Config{
		Hostname:               root.text("hostname"),
		ParentHostname:         root.text("parent_hostname"),
		TrustBundleCert:        root.text("trust_bundle_cert"),
		AutoReprovisioningMode: root.text("auto_reprovisioning_mode"),
		EdgeCA:                 readEdgeCA(root.kid("edge_ca")),
		EST:                    readEST(root.find("cert_issuance.est")),
		LocalCA:                LocalCA{root.text("cert_issuance.local_ca.cert"), root.text("cert_issuance.local_ca.pk")},
		TPM:                    readTPM(root.kid("tpm")),
		Agent:                  Agent{Name: root.text("agent.name"), Type: root.text("agent.type"), Image: root.text("agent.config.image"), Env: map[string]string{}},
	}
	if c.ParentHostname == "" {
		c.ParentHostname = root.text("local_gateway_hostname")
	}
	if env := root.find("agent.env"); env != nil {
		for _, kid := range env.kids {
			if kid.isText() {
				c.Agent.Env[kid.name] = kid.value.text
			}
		}
	}
	var err error
	c.Provisioning, err = readProvisioning(root.kid("provisioning"))
	return c, err
}

func readProvisioning(e *entry) (Provisioning, error) {
	p := Provisioning{Source: e.text("source")}
	var err error
	switch p.Source {
	case SourceManual:
		if text := e.text("connection_string"); text != "" {
			parts := parseConnectionString(text)
			p.ByConnectionString = true
			p.HubHostname, p.DeviceID = parts.host, parts.device
			p.Authentication.Method = MethodSAS
			p.DeviceKey, err = decodeKey("connection_string", parts.key)
			return p, err
		}
		p.HubHostname, p.DeviceID = e.text("iothub_hostname"), e.text("device_id")
		auth := e.kid("authentication")
		p.Authentication = Authentication{Method: auth.text("method"), KeyURI: auth.text("device_id_pk.uri"), Certificate: readCertificate(auth)}
		p.DeviceKey, err = decodeKey("authentication.device_id_pk.value", auth.text("device_id_pk.value"))
	case SourceDPS:
		p.GlobalEndpoint, p.IDScope, p.Payload = e.text("global_endpoint"), e.text("id_scope"), e.text("payload.uri")
		att := e.kid("attestation")
		p.Attestation = Attestation{Method: att.text("method"), RegistrationID: att.text("registration_id"),
			KeyURI: att.text("symmetric_key.uri"), Certificate: readCertificate(att)}
		p.Attestation.SymmetricKey, err = decodeKey("attestation.symmetric_key.value", att.text("symmetric_key.value"))
	}
	return p, err
}

func decodeKey(path, text string) (secret.Value, error) {
	key, err := secret.FromBase64(text)
	if err != nil {
		return secret.Value{}, fmt.Errorf("config.toml: provisioning.%s: the key is not base64", path)
	}
	return key, nil
}

func readCertificate(e *entry) Certificate {
	return Certificate{Cert: e.text("identity_cert"), Key: e.text("identity_pk"), Issued: readIssued(e.kid("identity_cert"))}
}

func readIssued(e *entry) *IssuedCertificate {
	if !e.isTable() || !e.has("method") {
		return nil
	}
	issued := &IssuedCertificate{Method: e.text("method"), CommonName: e.text("common_name"), URL: e.text("url"), AutoRenew: readRenew(e.kid("auto_renew"))}
	if issued.CommonName == "" {
		issued.CommonName = e.text("subject.CN")
	}
	issued.ExpiryDays, _ = e.kid("expiry_days").number()
	return issued
}

func readEdgeCA(e *entry) EdgeCA {
	ca := EdgeCA{Cert: e.text("cert"), Key: e.text("pk"), Issued: readIssued(e)}
	ca.QuickstartDays, _ = e.kid("auto_generated_edge_ca_expiry_days").number()
	return ca
}
