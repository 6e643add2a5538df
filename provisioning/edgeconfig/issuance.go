package edgeconfig

import "edgewright/provisioning/secret"

// The methods by which a device has a certificate issued to itself.
const (
	IssuedByEST     = "est"
	IssuedByLocalCA = "local_ca"
)

// AutoRenew is an auto_renew table. Threshold and Retry are "80%" of the life,
// or "10day" or "60min" before its end.
type AutoRenew struct {
	RotateKey        bool
	Threshold, Retry string
}

// EST is what [cert_issuance.est] says of the server that issues certificates to
// the device.
type EST struct {
	URL string // the default one
	// Trusted are file URIs of certificates that vouch for the server; without
	// any the system's do.
	Trusted []string
	// The device shows itself by name and password, or by a certificate that it
	// bootstraps with (file URIs).
	Username                    string
	Password                    secret.Value
	BootstrapCert, BootstrapKey string
	// IdentityRenew renews the certificate that the device gets in exchange for
	// the bootstrap one; 1.3 and later.
	IdentityRenew *AutoRenew
}

// LocalCA is [cert_issuance.local_ca]: the CA of the device itself, file URIs.
type LocalCA struct{ Cert, Key string }

func readRenew(e *entry) *AutoRenew {
	if !e.isTable() {
		return nil
	}
	rotate := e.kid("rotate_key")
	return &AutoRenew{RotateKey: rotate != nil && rotate.leaf && rotate.value.text == "true", Threshold: e.text("threshold"), Retry: e.text("retry")}
}

func readEST(e *entry) EST {
	est := EST{URL: e.text("urls.default"), Username: e.text("auth.username"), Password: secret.FromString(e.text("auth.password")),
		BootstrapCert: e.text("auth.bootstrap_identity_cert"), BootstrapKey: e.text("auth.bootstrap_identity_pk"), IdentityRenew: readRenew(e.kid("identity_auto_renew"))}
	if trusted := e.kid("trusted_certs"); trusted != nil && trusted.leaf {
		for _, item := range trusted.value.items {
			est.Trusted = append(est.Trusted, item.text)
		}
	}
	return est
}

// SetEST names the EST server. Other ways by which the device showed itself to
// one go; addresses of single certificates stay.
func (c *Changes) SetEST(est EST) {
	const table = "cert_issuance.est."
	if len(est.Trusted) > 0 {
		c.Set(table+"trusted_certs", est.Trusted)
	} else {
		c.Unset(table + "trusted_certs")
	}
	for _, pair := range [][4]string{
		{"username", est.Username, "password", est.Password.RevealString()},
		{"identity_cert", "", "identity_pk", ""},
		{"bootstrap_identity_cert", est.BootstrapCert, "bootstrap_identity_pk", est.BootstrapKey},
	} {
		for i := 0; i < len(pair); i += 2 {
			if pair[1] == "" {
				c.Unset(table + "auth." + pair[i])
			} else {
				c.Set(table+"auth."+pair[i], pair[i+1])
			}
		}
	}
	c.setRenew(table+"identity_auto_renew", est.IdentityRenew)
	c.Set(table+"urls.default", est.URL)
}

// SetLocalCA names the CA of the device itself.
func (c *Changes) SetLocalCA(ca LocalCA) {
	c.Set("cert_issuance.local_ca.cert", ca.Cert)
	c.Set("cert_issuance.local_ca.pk", ca.Key)
}

// SetIssuedEdgeCA has the Edge CA issued on the device, by what [cert_issuance]
// says.
func (c *Changes) SetIssuedEdgeCA(issued IssuedCertificate) {
	for _, name := range []string{"cert", "pk", "auto_generated_edge_ca_expiry_days", "subject", "expiry_days", "url", "username", "password",
		"identity_cert", "identity_pk", "bootstrap_identity_cert", "bootstrap_identity_pk"} {
		c.Unset("edge_ca." + name)
	}
	c.Set("edge_ca.method", issued.Method)
	c.Set("edge_ca.common_name", issued.CommonName)
	c.setRenew("edge_ca.auto_renew", issued.AutoRenew)
}

func (c *Changes) setRenew(table string, renew *AutoRenew) {
	if renew == nil {
		c.Unset(table)
		return
	}
	c.Set(table+".rotate_key", renew.RotateKey)
	c.Set(table+".threshold", renew.Threshold)
	c.Set(table+".retry", renew.Retry)
}

// issuedSections lays out a certificate that the device has issued to itself.
func issuedSections(path []string, issued *IssuedCertificate) []section {
	head := section{path: append(append([]string{}, path...), "identity_cert")}
	head.add("method", issued.Method)
	head.add("common_name", issued.CommonName)
	head.add("url", issued.URL)
	if issued.ExpiryDays != 0 {
		head.keys = append(head.keys, sectionKey{name: "expiry_days", value: issued.ExpiryDays})
	}
	if issued.AutoRenew == nil {
		return []section{head}
	}
	renew := section{path: append(append([]string{}, head.path...), "auto_renew"), keys: []sectionKey{{name: "rotate_key", value: issued.AutoRenew.RotateKey}}}
	renew.add("threshold", issued.AutoRenew.Threshold)
	renew.add("retry", issued.AutoRenew.Retry)
	return []section{head, renew}
}
