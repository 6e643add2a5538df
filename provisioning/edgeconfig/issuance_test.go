package edgeconfig

import (
	"bytes"
	"reflect"
	"testing"

	"edgewright/provisioning/secret"
)

const issuedByEST = `[provisioning]
source = "dps"
global_endpoint = "https://global.example"
id_scope = "0ne00ABCDEF"

[provisioning.attestation]
method = "x509"
registration_id = "edge-01"

[provisioning.attestation.identity_cert]
method = "est"
common_name = "edge-01"

[provisioning.attestation.identity_cert.auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"

[cert_issuance.est]
trusted_certs = ["file:///var/aziot/certs/trust.pem"]

[cert_issuance.est.auth]
bootstrap_identity_cert = "file:///var/aziot/certs/boot.pem"
bootstrap_identity_pk = "file:///var/aziot/secrets/boot.key.pem"

[cert_issuance.est.identity_auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"

[cert_issuance.est.urls]
default = "https://est.example.org/.well-known/est"

[edge_ca]
method = "est"
common_name = "edge-01.ca"

[edge_ca.auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"
`

const issuedByLocalCA = `[provisioning]
source = "manual"
iothub_hostname = "hub.example"
device_id = "edge-01"

[provisioning.authentication]
method = "x509"

[provisioning.authentication.identity_cert]
method = "local_ca"
common_name = "edge-01"
expiry_days = 90

[cert_issuance.local_ca]
cert = "file:///var/aziot/certs/ca.pem"
pk = "file:///var/aziot/secrets/ca.key.pem"
`

func everyDay() *AutoRenew { return &AutoRenew{RotateKey: true, Threshold: "80%", Retry: "4%"} }

func byEST() (changes Changes) {
	changes.Provisioning = DPSIssued("https://global.example", "0ne00ABCDEF", "edge-01", IssuedCertificate{Method: IssuedByEST, CommonName: "edge-01", AutoRenew: everyDay()})
	changes.SetEST(EST{URL: "https://est.example.org/.well-known/est", Trusted: []string{"file:///var/aziot/certs/trust.pem"},
		BootstrapCert: "file:///var/aziot/certs/boot.pem", BootstrapKey: "file:///var/aziot/secrets/boot.key.pem", IdentityRenew: everyDay()})
	changes.SetIssuedEdgeCA(IssuedCertificate{Method: IssuedByEST, CommonName: "edge-01.ca", AutoRenew: everyDay()})
	return changes
}

func byLocalCA() (changes Changes) {
	changes.Provisioning = ManualIssued("hub.example", "edge-01", IssuedCertificate{Method: IssuedByLocalCA, CommonName: "edge-01", ExpiryDays: 90})
	changes.SetLocalCA(LocalCA{"file:///var/aziot/certs/ca.pem", "file:///var/aziot/secrets/ca.key.pem"})
	return changes
}

// What the device has issued to itself is written as the runtime reads it, from
// nothing and in the place of other ways.
func TestIssuedCertificatesAreWritten(t *testing.T) {
	for name, row := range map[string]struct {
		before  string
		changes Changes
		want    string
	}{
		"EST from nothing":      {"", byEST(), issuedByEST},
		"local CA from nothing": {"", byLocalCA(), issuedByLocalCA},
		"EST again":             {issuedByEST, byEST(), issuedByEST},
		"local CA again":        {issuedByLocalCA, byLocalCA(), issuedByLocalCA},
	} {
		got, err := Apply([]byte(row.before), row.changes)
		if err != nil || string(got) != row.want {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
		for _, finding := range Lint(got, "1.6") {
			t.Errorf("%s: %+v", name, finding)
		}
	}
}

func TestIssuedCertificatesReplaceEachOther(t *testing.T) {
	files := Changes{Provisioning: DPSX509("https://global.example", "0ne00ABCDEF", "edge-01", "file:///a.pem", "file:///a.key")}
	files.Set("edge_ca.cert", "file:///ca.pem")
	files.Set("edge_ca.pk", "file:///ca.key")
	steps := []Changes{files, byEST(), byLocalCA(), byEST(), files, byLocalCA()}
	text := []byte("# mine\n[edge_ca]\nauto_generated_edge_ca_expiry_days = 30\n[cert_issuance.est.auth]\nusername = \"u\"\npassword = \"p\"\n")
	for i, changes := range steps {
		if i == 4 {
			changes.keys = append([]keyChange{{path: "edge_ca", removed: true}}, changes.keys...)
		}
		next, err := Apply(text, changes)
		if err != nil {
			t.Fatalf("step %d: %v\n%s", i, err, text)
		}
		again, err := Apply(next, changes)
		if i != 4 && (err != nil || !bytes.Equal(next, again)) {
			t.Errorf("step %d differs the second time: %v\n%s\n%s", i, err, next, again)
		}
		text = next
		for _, finding := range Lint(text, "1.6") {
			if finding.Level == LevelError {
				t.Errorf("step %d: %+v\n%s", i, finding, text)
			}
		}
	}
}

func TestIssuedCertificatesReadBack(t *testing.T) {
	read, err := Read([]byte(issuedByEST))
	if err != nil {
		t.Fatal(err)
	}
	want := EST{URL: "https://est.example.org/.well-known/est", Trusted: []string{"file:///var/aziot/certs/trust.pem"}, Password: read.EST.Password,
		BootstrapCert: "file:///var/aziot/certs/boot.pem", BootstrapKey: "file:///var/aziot/secrets/boot.key.pem", IdentityRenew: everyDay()}
	if !reflect.DeepEqual(read.EST, want) {
		t.Errorf("%+v", read.EST)
	}
	issued := read.Provisioning.Attestation.Certificate.Issued
	if issued == nil || !reflect.DeepEqual(*issued, IssuedCertificate{Method: IssuedByEST, CommonName: "edge-01", AutoRenew: everyDay()}) {
		t.Errorf("%+v", issued)
	}
	if read.EdgeCA.Issued == nil || read.EdgeCA.Issued.CommonName != "edge-01.ca" {
		t.Errorf("%+v", read.EdgeCA)
	}
	var basic Changes
	basic.SetEST(EST{URL: "https://e.example", Username: "plant", Password: secret.FromString("s3cret")})
	text, err := Apply([]byte(issuedByEST), basic)
	if err != nil {
		t.Fatal(err)
	}
	read, err = Read(text)
	if err != nil || read.EST.Username != "plant" || read.EST.Password.RevealString() != "s3cret" || read.EST.BootstrapCert != "" || read.EST.Trusted != nil || read.EST.IdentityRenew != nil {
		t.Errorf("%+v %v\n%s", read.EST, err, text)
	}
	for _, line := range Diff(nil, text) {
		if bytes.Contains([]byte(line.Text), []byte("s3cret")) {
			t.Error("the password is shown")
		}
	}
	local, err := Read([]byte(issuedByLocalCA))
	if err != nil || local.LocalCA != (LocalCA{"file:///var/aziot/certs/ca.pem", "file:///var/aziot/secrets/ca.key.pem"}) {
		t.Errorf("%+v %v", local.LocalCA, err)
	}
}

// A value of another kind is changed in its place.
func TestNumbersAndFlagsChangeInPlace(t *testing.T) {
	before := []byte("[provisioning]\nsource = \"manual\"\niothub_hostname = \"hub.example\"\ndevice_id = \"edge-01\"\n\n[provisioning.authentication]\nmethod = \"x509\"\n" +
		"identity_cert = { method = \"local_ca\", common_name = \"edge-01\", expiry_days = 30 } # short\n")
	got, err := Apply(before, Changes{Provisioning: byLocalCA().Provisioning})
	if want := bytes.Replace(before, []byte("= 30 }"), []byte("= 90 }"), 1); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n%s", err, got)
	}
}
