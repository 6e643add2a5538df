package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// issued is a certificate that the device has issued to itself.
type issued struct {
	Method     string     `toml:"method"`
	CommonName string     `toml:"common_name"`
	ExpiryDays *int       `toml:"expiry_days"`
	URL        string     `toml:"url"`
	AutoRenew  *autoRenew `toml:"auto_renew"`
}

// autoRenew has to have all three.
type autoRenew struct {
	RotateKey *bool   `toml:"rotate_key"`
	Threshold *string `toml:"threshold"`
	Retry     *string `toml:"retry"`
}

func (r *autoRenew) whole() bool {
	return r == nil || r.RotateKey != nil && r.Threshold != nil && r.Retry != nil
}

// identityCert is a file URI, or a table that says how to issue it.
type identityCert struct {
	uri    string
	issued *issued
}

// UnmarshalTOML takes either shape.
func (i *identityCert) UnmarshalTOML(decoded any) error {
	switch v := decoded.(type) {
	case string:
		i.uri = v
		return nil
	case map[string]any:
		i.issued = &issued{}
		i.issued.Method, _ = v["method"].(string)
		i.issued.CommonName, _ = v["common_name"].(string)
		i.issued.URL, _ = v["url"].(string)
		if days, ok := v["expiry_days"].(int64); ok {
			n := int(days)
			i.issued.ExpiryDays = &n
		}
		if table, ok := v["auto_renew"].(map[string]any); ok {
			i.issued.AutoRenew = &autoRenew{}
			if rotate, ok := table["rotate_key"].(bool); ok {
				i.issued.AutoRenew.RotateKey = &rotate
			}
			if threshold, ok := table["threshold"].(string); ok {
				i.issued.AutoRenew.Threshold = &threshold
			}
			if retry, ok := table["retry"].(string); ok {
				i.issued.AutoRenew.Retry = &retry
			}
		}
		return nil
	}
	return errors.New("data did not match any variant of untagged enum X509Identity")
}

// edgeCA is preloaded, issued, or the quickstart's.
type edgeCA struct {
	pair
	issued
}

// issuance is [cert_issuance].
type issuance struct {
	EST struct {
		TrustedCerts []string `toml:"trusted_certs"`
		Auth         struct {
			Username      string `toml:"username"`
			Password      string `toml:"password"`
			BootstrapCert string `toml:"bootstrap_identity_cert"`
			BootstrapPK   string `toml:"bootstrap_identity_pk"`
		} `toml:"auth"`
		IdentityAutoRenew *autoRenew        `toml:"identity_auto_renew"`
		URLs              map[string]string `toml:"urls"`
	} `toml:"est"`
	LocalCA pair `toml:"local_ca"`
}

// The words for the pairs of the device.
const (
	identity  = "identity"
	edge      = "edge-ca"
	estID     = "est-id"
	bootstrap = "est-bootstrap"
	localCA   = "local-ca"
)

// ids are the names under which the daemons keep what they make.
var ids = map[string]string{identity: "device-id", edge: "aziot-edged-ca", estID: "est-id"}

// Where the daemons keep it.
const (
	madeCerts = "/var/lib/aziot/certd/certs/"
	madeKeys  = "/var/lib/aziot/keyd/keys/"
)

// made is the pair of an id that the daemons made themselves.
func made(word string) pair {
	id := ids[word]
	name := strings.ReplaceAll(id, "-", "") + fmt.Sprintf("-%x", sha256.Sum256([]byte(id)))
	return pair{"file://" + madeCerts + name + ".cer", "file://" + madeKeys + name + ".key"}
}

// ownIdentity is how the device comes by its certificate.
func (c config) ownIdentity() (identityCert, string) {
	p := c.Provisioning
	switch {
	case p.Source == "manual" && p.Authentication.Method == "x509":
		return p.Authentication.IdentityCert, p.Authentication.IdentityPK
	case p.Source == "dps" && p.Attestation.Method == "x509":
		return p.Attestation.IdentityCert, p.Attestation.IdentityPK
	}
	return identityCert{}, ""
}

// issuedAs says how the pair of a word is issued, nil if it is not.
func (c config) issuedAs(word string) *issued {
	switch cert, _ := c.ownIdentity(); {
	case word == identity:
		return cert.issued
	case word == edge && c.EdgeCA.Method != "":
		return &c.EdgeCA.issued
	}
	return nil
}

// subject is what a certificate is asked for: the identity's is always the name
// that the device registers as.
func (c config) subject(word string) string {
	p := c.Provisioning
	name := p.DeviceID
	if p.Source == "dps" {
		name = p.Attestation.RegistrationID
	}
	switch {
	case word == identity:
		return name
	case c.EdgeCA.CommonName != "":
		return c.EdgeCA.CommonName
	}
	return "aziot-edge CA " + name
}

// checkIssued refuses what `config apply` does not parse.
func (c config) checkIssued() error {
	for word, enum := range map[string]string{identity: "X509Identity", edge: "EdgeCa"} {
		how := c.issuedAs(word)
		switch {
		case how == nil:
			continue
		case how.Method != "est" && how.Method != "local_ca" && how.Method != "self_signed" || !how.AutoRenew.whole():
			return errors.New("data did not match any variant of untagged enum " + enum)
		case how.ExpiryDays != nil && *how.ExpiryDays <= 0:
			return errors.New("expiry_days must be greater than 0")
		}
	}
	if !c.CertIssuance.EST.IdentityAutoRenew.whole() {
		return errors.New("missing field in cert_issuance.est.identity_auto_renew")
	}
	return nil
}
