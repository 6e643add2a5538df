package edgeconfig

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	t.Parallel()
	read := func(name string) Config {
		c, err := Read([]byte(good[name]))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return c
	}
	for _, name := range []string{"manual connection string", "manual symmetric key"} {
		p := read(name).Provisioning
		if p.Source != SourceManual || p.HubHostname != "hub1.azure-devices.net" || p.DeviceID != "edge-01" || p.Authentication.Method != MethodSAS ||
			p.DeviceKey.RevealString() != "secret-key-bytes" || p.ByConnectionString != (name == "manual connection string") {
			t.Errorf("%s: %+v", name, p)
		}
	}
	p := read("DPS symmetric key").Provisioning
	if p.Source != SourceDPS || p.GlobalEndpoint != "https://global.azure-devices-provisioning.net" || p.IDScope != "0ne00ABCDEF" ||
		p.Attestation.Method != MethodSymmetricKey || p.Attestation.RegistrationID != "edge-01" || p.Attestation.SymmetricKey.RevealString() != "secret-key-bytes" {
		t.Errorf("DPS: %+v", p)
	}
	if c := read("manual X.509").Provisioning.Authentication.Certificate; c.Cert != "file:///var/aziot/certs/edge-01.cert.pem" || c.Key != "file:///var/aziot/secrets/edge-01.key.pem" || c.Issued != nil {
		t.Errorf("X.509: %+v", c)
	}
	est := read("DPS X.509 over EST").Provisioning
	if c := est.Attestation.Certificate.Issued; c == nil || c.Method != "est" || c.CommonName != "edge-01" || c.URL != "https://est.example.org/.well-known/est" || est.Payload != "file:///var/aziot/dps-payload.json" {
		t.Errorf("EST: %+v", est)
	}
	if c := read("manual X.509 by a local CA").Provisioning.Authentication.Certificate.Issued; c == nil || c.ExpiryDays != 90 {
		t.Errorf("local CA: %+v", c)
	}
	if c := read("DPS TPM"); c.Provisioning.Attestation.Method != MethodTPM || c.TPM.TCTI != "swtpm:port=2321" || c.TPM.KeyIndex == nil || *c.TPM.KeyIndex != AuthKeyIndex {
		t.Errorf("TPM: %+v", c)
	}
	if c := read("top-level keys"); c.Hostname != "edge-01.plant.example" || c.TrustBundleCert != "file:///var/aziot/certs/root-ca.cert.pem" || c.AutoReprovisioningMode != "Dynamic" {
		t.Errorf("top-level keys: %+v", c)
	}
	if c := read("runtime"); c.Agent.Image != "mcr.microsoft.com/azureiotedge-agent:1.6" || c.Agent.Env["UpstreamProtocol"] != "AmqpWs" {
		t.Errorf("agent: %+v", c.Agent)
	}
	if c := read("nested child"); c.ParentHostname != "parent.plant.example" || c.Agent.Image != "$upstream:443/azureiotedge-agent:1.6" {
		t.Errorf("nested: %+v", c)
	}
	if c := read("edge CA quickstart"); c.EdgeCA.QuickstartDays != 365 || c.EdgeCA.Issued != nil {
		t.Errorf("quickstart: %+v", c.EdgeCA)
	}
	if c := read("edge CA issued"); c.EdgeCA.Issued == nil || c.EdgeCA.Issued.Method != "self_signed" {
		t.Errorf("issued edge CA: %+v", c.EdgeCA)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	var syntax *SyntaxError
	if _, err := Read([]byte("a = 1\n  b = \n")); !errors.As(err, &syntax) || syntax.Line != 2 {
		t.Errorf("not TOML: %v", err)
	}
	_, err := Read([]byte(strings.Replace(minimalDPS, key64, "my-secret", 1)))
	if err == nil || strings.Contains(err.Error(), "my-secret") || !strings.Contains(err.Error(), "attestation.symmetric_key.value") {
		t.Errorf("bad key: %v", err)
	}
	config, _ := Read([]byte(minimalManual))
	if text := fmt.Sprintf("%+v %v", config, config); strings.Contains(text, "secret-key") || strings.Contains(text, key64) {
		t.Errorf("a key prints: %s", text)
	}
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Version{
		"1.5": {1, 5, anyPatch}, "1.5.44": {1, 5, 44}, "1.4.9-1": {1, 4, 9}, "1.6.1~rc1": {1, 6, 1}, "": {}, "latest": {}, "1": {},
	} {
		if got := ParseVersion(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
