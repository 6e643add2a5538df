package edgeconfig

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func TestLintTakesGoodFiles(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(good)) {
		for _, finding := range Lint([]byte(good[name]), "1.6") {
			t.Errorf("%s: %+v", name, finding)
		}
	}
}

func TestLintFinds(t *testing.T) {
	t.Parallel()
	agent := connection + "[agent]\nname = \"edgeAgent\"\ntype = \"docker\"\n"
	symmetric := dpsHead + "[provisioning.attestation]\nmethod = \"symmetric_key\"\nregistration_id = \"r\"\n"
	manualHead := "[provisioning]\nsource = \"manual\"\niothub_hostname = \"h\"\ndevice_id = \"d\"\n"
	x509 := dpsHead + "[provisioning.attestation]\nmethod = \"x509\"\nregistration_id = \"r\"\n"
	for _, test := range []struct {
		name, file, version string
		field, level        string
		line                int
		says                string // a part of problem or fix
	}{
		// Values of the template and the documentation that do not parse.
		{"bare word", "auto_reprovisioning_mode = Dynamic\n" + connection, "", "", "error", 1, "auto_reprovisioning_mode stands without quotes"},
		{"time-out too short", "cloud_timeout_sec = 10\n" + connection, "", "cloud_timeout_sec", "error", 1, "less than 70"},
		{"key index in quotes", good["DPS TPM"] + "", "1.4.0", "tpm.auth_key_index", "care", 10, "1.4.1 and later"},
		{"key index as text", strings.Replace(good["DPS TPM"], "0x00_01_00", `"0x00_01_00"`, 1), "", "tpm.auth_key_index", "error", 10, "Remove the quotes"},
		{"key index too large", strings.Replace(good["DPS TPM"], "0x00_01_00", `0x800000`, 1), "", "tpm.auth_key_index", "error", 10, "out of its range"},
		{"path for a loader string", strings.Replace(good["DPS TPM"], "swtpm:port=2321", "/dev/tpmrm0", 1), "", "tpm.tcti", "care", 9, "device:/dev/tpmrm0"},
		{"section before its time", good["DPS TPM"], "1.3.0", "tpm", "care", 8, "1.4"},
		{"renewal in days", strings.Replace(good["edge CA issued"], "10day", "10d", 1), "", "edge_ca.auto_renew.threshold", "error", 7, "exactly min and day"},
		{"renewal at 100 %", strings.Replace(good["edge CA issued"], "10day", "100%", 1), "", "edge_ca.auto_renew.threshold", "error", 7, "1 to 99"},
		{"YAML", agent + "[agent.config]\nimage: \"x\"\n", "", "", "error", 8, "colon"},

		// Syntax.
		{"typographic quotes", "hostname = “a”\n", "", "", "error", 1, "typographic"},
		{"open quote", "hostname = \"a\n", "", "", "error", 1, "not closed"},
		{"no value", "hostname =\n", "", "", "error", 1, "missing"},
		{"True", "allow_elevated_docker_permissions = True\n", "", "", "error", 1, "lower case"},
		{"open header", "[provisioning\n", "", "", "error", 1, "not closed"},
		{"Windows path", "a = \"C:\\certs\\x\"\n", "", "", "error", 1, "backslash"},
		{"twice", "hostname = \"a\"\nhostname = \"b\"\n", "", "", "error", 2, "twice"},
		{"table twice", "[agent]\n[agent]\n", "", "", "error", 2, "twice"},
		{"bare in a table", "[x]\ny = { value = abc }\n", "", "", "error", 2, "without quotes"},
		{"two values", "hostname = \"a\" b\n", "", "", "error", 1, "behind the end"},
		{"too large", "cloud_retries = 99999999999999999999\n", "", "", "error", 1, "64-bit"},
		{"empty scope", strings.Replace(minimalDPS, "0ne00ABCDEF", "", 1), "", "provisioning.id_scope", "error", 4, "empty"},

		// Names and places.
		{"no provisioning", "hostname = \"a\"\n", "", "provisioning", "error", 1, "no [provisioning]"},
		{"misspelt", "hostnam = \"a\"\n" + connection, "", "hostnam", "care", 1, "Write hostname"},
		{"misspelt in a table", connection + "[agent]\nname = \"a\"\ntype = \"docker\"\nimage_pull_policy = \"never\"\nconfig = { image = \"x\" }\n", "", "agent.image_pull_policy", "care", 7, "Write imagePullPolicy"},
		{"behind a table", connection + "hostname = \"a\"\n", "", "provisioning.hostname", "care", 4, "above the first [table], which is in line 1"},
		{"in a wrong table", manualHead + "[provisioning.authentication]\nmethod = \"sas\"\ndevice_id_pk = { value = \"" + key64 + "\" }\nid_scope = \"x\"\n", "", "provisioning.authentication.id_scope", "care", 8, "Move it to [provisioning]"},
		{"a name of 1.1", "dynamic_reprovisioning = true\n" + connection, "", "dynamic_reprovisioning", "care", 1, "auto_reprovisioning_mode instead"},
		{"unknown", "zzz = 1\n" + connection, "", "zzz", "care", 1, "ignores it"},
		{"of the other source", minimalManual + "", "", "", "", 0, ""},
		{"key of DPS with manual", connection + "id_scope = \"x\"\n", "", "provisioning.id_scope", "care", 4, `source = "manual"`},

		// Versions.
		{"newer key", "prefer_module_identity_cache = true\n" + connection, "1.4.10", "prefer_module_identity_cache", "care", 1, "1.4.20 and later; 1.4.10 ignores"},
		{"not newer for the line", "prefer_module_identity_cache = true\n" + connection, "1.4", "", "", 0, ""},
		{"older key", "manifest_trust_bundle_cert = \"file:///a\"\n" + connection, "1.6", "manifest_trust_bundle_cert", "care", 1, "up to IoT Edge 1.5"},
		{"older key in its time", "manifest_trust_bundle_cert = \"file:///a\"\n" + connection, "1.5.44", "", "", 0, ""},
		{"bind sources", "allowed_bind_sources = [\"/iotedge/storage\"]\n" + connection, "1.6.0", "allowed_bind_sources", "care", 1, "ignores"},
		{"time-out before its minimum", "cloud_timeout_sec = 10\n" + connection, "1.4.8", "", "", 0, ""},
		{"padding", strings.Replace(connection, "==", "", 1), "1.4.9", "provisioning.connection_string", "error", 3, "padding"},
		{"no padding needed", strings.Replace(connection, "==", "", 1), "1.4.10", "", "", 0, ""},
		{"issued edge CA", good["edge CA issued"], "1.2.4", "edge_ca.method", "care", 5, "1.2.5"},
		{"TOML 1.1 table", "aziot_max_requests = { keyd = 1, certd = 1,\n tpmd = 1, identityd = 1 }\n" + connection, "1.5", "aziot_max_requests", "error", 1, "TOML 1.1"},
		{"TOML 1.1 comma", "iotedge_max_requests = { management = 1, workload = 1, }\n" + connection, "1.6", "iotedge_max_requests", "care", 1, "TOML 1.1"},
		{"TOML 1.1 escape", "hostname = \"\\x61\"\n" + connection, "1.5", "hostname", "error", 1, "TOML 1.1"},

		// Words, types and forms.
		{"word in the wrong case", "[provisioning]\nsource = \"Manual\"\n", "", "provisioning.source", "error", 2, `Write "manual"`},
		{"camel case word", "auto_reprovisioning_mode = \"always_on_startup\"\n" + connection, "", "auto_reprovisioning_mode", "error", 1, `Write "AlwaysOnStartup"`},
		{"number in quotes", "cloud_retries = \"2\"\n" + connection, "", "cloud_retries", "error", 1, "Remove the quotes"},
		{"flag in quotes", "prefer_module_identity_cache = \"true\"\n" + connection, "", "prefer_module_identity_cache", "error", 1, "without quotes"},
		{"number in env", agent + "config = { image = \"x\" }\n[agent.env]\na = 1\n", "", "agent.env.a", "error", 9, "not a string"},
		{"createOptions as JSON", agent + "[agent.config]\nimage = \"x\"\ncreateOptions = '{\"HostConfig\":{}}'\n", "", "agent.config.createOptions", "error", 9, "TOML table"},
		{"pull policy", agent + "imagePullPolicy = \"always\"\nconfig = { image = \"x\" }\n", "", "agent.imagePullPolicy", "error", 7, `"on-create" or "never"`},
		{"path for a URI", "trust_bundle_cert = \"/a.pem\"\n" + connection, "", "trust_bundle_cert", "error", 1, "file://"},
		{"two slashes", "trust_bundle_cert = \"file://a.pem\"\n" + connection, "", "trust_bundle_cert", "error", 1, "three slashes"},
		{"space in a URI", "trust_bundle_cert = \"file:///a b.pem\"\n" + connection, "", "trust_bundle_cert", "error", 1, "%20"},
		{"umlaut in a URI", "trust_bundle_cert = \"file:///ä.pem\"\n" + connection, "", "trust_bundle_cert", "error", 1, "percent-encoded"},
		{"pkcs11 certificate", "trust_bundle_cert = \"pkcs11:a\"\n" + connection, "", "trust_bundle_cert", "error", 1, "only keys"},
		{"relative endpoint", strings.Replace(minimalDPS, "https://", "", 1), "", "provisioning.global_endpoint", "error", 3, "not a URL"},
		{"endpoint without TLS", strings.Replace(minimalDPS, "https://", "http://", 1), "", "provisioning.global_endpoint", "care", 3, "TLS"},
		{"EST without TLS", connection + "[cert_issuance.est.urls]\ndefault = \"http://e/est\"\n", "", "cert_issuance.est.urls.default", "care", 5, "TLS"},
		{"EST not a URL", connection + "[cert_issuance.est.urls]\ndefault = \"e\"\n", "", "cert_issuance.est.urls.default", "error", 5, "https://"},
		{"clean-up time", connection + "[image_garbage_collection]\ncleanup_time = \"24:00\"\n", "", "image_garbage_collection.cleanup_time", "error", 5, "HH:MM"},
		{"clean-up days", connection + "[image_garbage_collection]\ncleanup_recurrence = \"36h\"\n", "", "image_garbage_collection.cleanup_recurrence", "error", 5, "whole days"},
		{"restarts", connection + "[watchdog]\nmax_retries = \"many\"\n", "", "watchdog.max_retries", "error", 5, "infinite"},
		{"expiry of 0", strings.Replace(good["edge CA issued"], "180", "0", 1), "", "edge_ca.expiry_days", "error", 6, "less than 1"},

		// Keys and connection strings.
		{"no base64", symmetric + "symmetric_key = { value = \"not base64\" }\n", "", "provisioning.attestation.symmetric_key.value", "error", 8, "untagged enum SymmetricKey"},
		{"short key", symmetric + "symmetric_key = { value = \"AAAA\" }\n", "", "provisioning.attestation.symmetric_key.value", "error", 8, "16 to 64"},
		{"key as text", symmetric + "symmetric_key = \"" + key64 + "\"\n", "", "provisioning.attestation.symmetric_key", "error", 8, "{ value ="},
		{"key without way", symmetric + "symmetric_key = { }\n", "", "provisioning.attestation.symmetric_key", "error", 8, "neither value nor uri"},
		{"key both ways", symmetric + "symmetric_key = { value = \"" + key64 + "\", uri = \"file:///a\" }\n", "", "provisioning.attestation.symmetric_key", "error", 8, "both"},
		{"key in a file", symmetric + "symmetric_key = { uri = \"file:///a\" }\n", "", "provisioning.attestation.symmetric_key.uri", "note", 8, "raw bytes"},
		{"policy string", strings.Replace(connection, "DeviceId=edge-01", "SharedAccessKeyName=owner", 1), "", "provisioning.connection_string", "error", 3, "policy"},
		{"X.509 string", "[provisioning]\nsource = \"manual\"\nconnection_string = \"HostName=h;DeviceId=d;x509=true\"\n", "", "provisioning.connection_string", "error", 3, "X.509"},
		{"string without host", strings.Replace(connection, "HostName", "Hostname", 1), "", "provisioning.connection_string", "error", 3, "no HostName"},
		{"module string", strings.Replace(connection, "DeviceId=edge-01", "DeviceId=d;ModuleId=m", 1), "", "provisioning.connection_string", "error", 3, "module"},
		{"mixed forms", connection + "device_id = \"d\"\n", "", "provisioning.connection_string", "error", 3, "untagged enum ManualProvisioning"},
		{"neither form", "[provisioning]\nsource = \"manual\"\n", "", "provisioning", "error", 1, "neither"},
		{"no device ID", strings.Replace(minimalManual, "device_id = \"edge-01\"\n", "", 1), "", "provisioning.device_id", "error", 1, "untagged enum ManualProvisioning"},
		{"no device key", manualHead + "[provisioning.authentication]\nmethod = \"sas\"\n", "", "provisioning.authentication.device_id_pk", "error", 5, "lacks device_id_pk"},
		{"no identity key", x509 + "identity_cert = \"file:///a\"\n", "", "provisioning.attestation.identity_pk", "error", 8, "X509Identity"},
		{"no registration", dpsHead + "[provisioning.attestation]\nmethod = \"tpm\"\n", "", "provisioning.attestation.registration_id", "error", 5, "lacks registration_id"},
		{"no scope", strings.Replace(minimalDPS, "id_scope", "scope_id", 1), "", "provisioning.id_scope", "error", 1, "lacks id_scope"},
		{"source none", "[provisioning]\nsource = \"none\"\n", "", "provisioning.source", "error", 2, "no identity"},
		{"DPS below a parent", "parent_hostname = \"p\"\n" + minimalDPS, "", "parent_hostname", "error", 1, "not supported"},
		{"DPS below a gateway", "local_gateway_hostname = \"p\"\n" + minimalDPS, "", "local_gateway_hostname", "error", 1, "not supported"},
		{"token without library", x509 + "identity_cert = \"file:///a\"\nidentity_pk = \"pkcs11:object=a?pin-value=77777\"\n", "", "provisioning.attestation.identity_pk", "error", 9, "pkcs11_lib_path"},

		// Groups.
		{"three of four limits", "aziot_max_requests = { keyd = 1, certd = 1, tpmd = 1 }\n" + connection, "", "aziot_max_requests", "error", 1, "identityd is not there"},
		{"one of two limits", "iotedge_max_requests = { workload = 1 }\n" + connection, "", "iotedge_max_requests", "error", 1, "management"},
		{"two of three for renewal", strings.Replace(good["edge CA issued"], ", retry = \"60min\"", "", 1), "", "edge_ca.auto_renew", "error", 7, "retry is not there"},
		{"agent config alone", connection + "[agent.config]\nimage = \"x\"\n", "", "agent", "error", 4, "name, type are not there"},
		{"agent without image", agent + "[agent.config]\ndigest = \"x\"\n", "", "agent.config.image", "error", 7, "lacks image"},
		{"one listener", connection + "[listen]\nworkload_uri = \"fd://a\"\n", "", "listen", "error", 4, "management_uri"},
		{"one connector", connection + "[connect]\nworkload_uri = \"unix:///a\"\n", "", "connect", "error", 4, "management_uri"},
		{"connect by file descriptor", connection + "[connect]\nworkload_uri = \"fd://a\"\nmanagement_uri = \"unix:///a\"\n", "", "connect.workload_uri", "error", 5, "socket"},
		{"engine without network", connection + "[moby_runtime]\nuri = \"unix:///a\"\n", "", "moby_runtime", "error", 4, "network is not there"},
		{"EST user without password", connection + "[cert_issuance.est.auth]\nusername = \"u\"\n", "", "cert_issuance.est.auth", "care", 4, "password is not there"},
		{"EST certificate without key", connection + "[cert_issuance.est.auth]\nidentity_cert = \"file:///u\"\n", "", "cert_issuance.est.auth", "care", 4, "identity_pk is not there"},

		// Certificates.
		{"renewal alone", connection + "[edge_ca.auto_renew]\nrotate_key = true\nthreshold = \"80%\"\nretry = \"4%\"\n", "", "edge_ca.auto_renew", "error", 4, "untagged enum EdgeCa"},
		{"edge CA without key", connection + "[edge_ca]\ncert = \"file:///a\"\n", "", "edge_ca.pk", "error", 4, "EdgeCa"},
		{"empty edge CA", connection + "[edge_ca]\n", "", "edge_ca", "error", 4, "EdgeCa"},
		{"renewal of files", good["edge CA from files"] + "auto_renew = { rotate_key = true, threshold = \"80%\", retry = \"4%\" }\n", "", "edge_ca.auto_renew", "care", 7, "never renewed"},
		{"quickstart keeps its key", strings.Replace(good["edge CA quickstart"], "rotate_key = true", "rotate_key = false", 1), "", "edge_ca.auto_renew.rotate_key", "error", 7, "rotate_key = true"},
		{"no local CA", connection + "[edge_ca]\nmethod = \"local_ca\"\n", "", "cert_issuance.local_ca", "error", 5, "not given"},
		{"local CA without key", connection + "[cert_issuance.local_ca]\ncert = \"file:///a\"\n", "", "cert_issuance.local_ca.pk", "error", 4, "LocalCa"},
		{"no EST URL", connection + "[edge_ca]\nmethod = \"est\"\n", "", "edge_ca.url", "error", 5, "urls"},
		{"renewal of a manual identity", strings.Replace(good["manual X.509 by a local CA"], "expiry_days = 90\n", "auto_renew = { rotate_key = true, threshold = \"80%\", retry = \"4%\" }\n", 1), "", "provisioning.authentication.identity_cert.auto_renew", "note", 10, "no effect"},
		{"issued, with a key", strings.Replace(good["manual X.509 by a local CA"], "method = \"x509\"\n", "method = \"x509\"\nidentity_pk = \"file:///a\"\n", 1), "", "provisioning.authentication.identity_pk", "care", 7, "ignored"},
		{"CA named as the host", "hostname = \"edge-01\"\n" + connection + "[edge_ca]\nauto_generated_edge_ca_expiry_days = 30\ncommon_name = \"Edge-01\"\n", "", "hostname", "error", 1, "common name of the edge CA"},

		// Host names and the agent.
		{"underscore", "hostname = \"edge_01\"\n" + connection, "", "hostname", "care", 1, "RFC 1035"},
		{"digit first", "hostname = \"1edge\"\n" + connection, "", "hostname", "care", 1, "begins with a letter"},
		{"hyphen last", "hostname = \"edge-\"\n" + connection, "", "hostname", "care", 1, "ends with"},
		{"65 characters", "hostname = \"" + strings.Repeat("a", 60) + ".bbbb\"\n" + connection, "", "hostname", "care", 1, "64"},
		{"256 characters", "hostname = \"" + strings.Repeat("a.", 128) + "\"\n" + connection, "", "hostname", "error", 1, "255"},
		{"address", "hostname = \"10.0.0.4\"\n" + connection, "", "", "", 0, ""},
		{"proxy by https", agent + "config = { image = \"x\" }\nenv = { https_proxy = \"https://p:1\", UpstreamProtocol = \"AmqpWs\" }\n", "", "agent.env.https_proxy", "care", 8, "http URL"},
		{"proxy without WebSockets", agent + "config = { image = \"x\" }\nenv = { https_proxy = \"http://p:1\" }\n", "", "agent.env.https_proxy", "care", 8, "AmqpWs"},
		{"proxy in capitals", agent + "config = { image = \"x\" }\nenv = { HTTPS_PROXY = \"http://p:1\", UpstreamProtocol = \"AmqpWs\" }\n", "", "agent.env.HTTPS_PROXY", "note", 8, "lower-case"},
		{"$upstream without parent", agent + "config = { image = \"$upstream:443/a\" }\n", "", "agent.config.image", "error", 7, "parent_hostname"},
	} {
		findings := Lint([]byte(test.file), test.version)
		if test.level == "" {
			for _, finding := range findings {
				t.Errorf("%s: %+v", test.name, finding)
			}
			continue
		}
		found := slices.ContainsFunc(findings, func(f Finding) bool {
			return f.Field == test.field && f.Level == test.level && f.Line == test.line && strings.Contains(f.Problem+" "+f.Fix, test.says)
		})
		if !found {
			t.Errorf("%s: wanted %s %q in line %d saying %q, got\n%s", test.name, test.level, test.field, test.line, test.says, show(findings))
		}
	}
}

func show(findings []Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "  %d:%d %s %s: %s %s\n", f.Line, f.Column, f.Level, f.Field, f.Problem, f.Fix)
	}
	return b.String()
}

func TestLintCountsCharacters(t *testing.T) {
	t.Parallel()
	findings := Lint([]byte("\ufeff"+connection+"[agent.env]\n\"ä\" = 1\n"), "")
	if !slices.ContainsFunc(findings, func(f Finding) bool { return f.Line == 5 && f.Column == 1 && strings.Contains(f.Field, "ä") }) {
		t.Error(show(findings))
	}
	findings = Lint([]byte("# äöü\nä = b"), "")
	if len(findings) != 1 || findings[0].Line != 2 || findings[0].Column != 1 {
		t.Error(show(findings))
	}
}

// Every default of the schema passes the schema's own checks, and every table
// names its source.
func TestSchemaAgreesWithItself(t *testing.T) {
	t.Parallel()
	for _, p := range places {
		key := p.key
		if (key.Type == SubTable || key.Type == TextOrTable || key.Type == TableList) != (key.Table != nil) {
			t.Errorf("%s.%s: type %s and its table do not agree", p.path, key.Name, key.Type)
		}
		if key.Table != nil && (key.Table.Source == "" || key.Table.Path == "") {
			t.Errorf("%s.%s: table without source or path", p.path, key.Name)
		}
		if key.Default == "" {
			continue
		}
		d, err := parse([]byte(key.Name + " = " + key.Default))
		if err != nil {
			t.Errorf("%s.%s: default: %v", p.path, key.Name, err)
			continue
		}
		l := &linter{document: d, version: newest}
		l.key(Schema, key, key.Name, d.root.kids[0])
		if len(l.findings) > 0 {
			t.Errorf("%s.%s: default: %s", p.path, key.Name, show(l.findings))
		}
	}
	for _, table := range []*Table{provisioningTable, authenticationTable, attestationTable} {
		tag := table.key(table.Tag)
		for _, variant := range table.Variants {
			if !slices.Contains(tag.Words, variant.Word) {
				t.Errorf("%s: %s is no word of its tag", table.Path, variant.Word)
			}
			for _, name := range append(variant.Keys, variant.Requires...) {
				if table.key(name) == nil {
					t.Errorf("%s: %s has an unknown key %s", table.Path, variant.Word, name)
				}
			}
		}
	}
}

func FuzzLint(f *testing.F) {
	for _, files := range []map[string]string{spellings, good} {
		for _, text := range files {
			f.Add(text, "1.5")
		}
	}
	const hidden = "Zm9vYmFyLXNlY3JldC0wMTIzNDU2Nzg5"
	f.Fuzz(func(t *testing.T, text, version string) {
		for _, file := range []string{text, strings.ReplaceAll(text, key64, hidden+"!"), strings.ReplaceAll(text, "AAAA", hidden)} {
			for _, finding := range Lint([]byte(file), version) {
				if finding.Line < 1 || finding.Column < 1 || finding.Problem == "" || finding.Fix == "" || finding.Level == "" {
					t.Fatalf("an odd finding: %+v", finding)
				}
				if strings.Contains(finding.Problem+finding.Fix, hidden) {
					t.Fatalf("a secret in %+v", finding)
				}
			}
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, files := range []map[string]string{spellings, good} {
		for _, text := range files {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		config, err := Read(text)
		var decoded map[string]any
		if toml.Unmarshal([]byte(strings.TrimPrefix(string(text), "\ufeff")), &decoded) != nil {
			if err == nil {
				t.Fatal("a file that is not TOML reads")
			}
			return
		}
		if hostname, ok := decoded["hostname"].(string); ok && err == nil && config.Hostname != hostname {
			t.Fatalf("hostname reads as %q", config.Hostname)
		}
		if table, ok := decoded["provisioning"].(map[string]any); ok && err == nil {
			if source, ok := table["source"].(string); ok && config.Provisioning.Source != source {
				t.Fatalf("source reads as %q", config.Provisioning.Source)
			}
		}
	})
}
