package edgeconfig

import (
	"strings"

	"edgewright/provisioning/secret"
)

// key64 is the base64 of "secret-key-bytes".
const key64 = "c2VjcmV0LWtleS1ieXRlcw=="

func testKey() secret.Value { return secret.FromString("secret-key-bytes") }

func manual() *Provisioning {
	return ManualSymmetricKey("hub1.azure-devices.net", "edge-01", testKey())
}

func dps() *Provisioning {
	return DPSSymmetricKey("https://global.azure-devices-provisioning.net", "0ne00ABCDEF", "edge-01", testKey())
}

const minimalManual = `[provisioning]
source = "manual"
iothub_hostname = "hub1.azure-devices.net"
device_id = "edge-01"

[provisioning.authentication]
method = "sas"
device_id_pk = { value = "c2VjcmV0LWtleS1ieXRlcw==" }
`

const minimalDPS = `[provisioning]
source = "dps"
global_endpoint = "https://global.azure-devices-provisioning.net"
id_scope = "0ne00ABCDEF"

[provisioning.attestation]
method = "symmetric_key"
registration_id = "edge-01"
symmetric_key = { value = "c2VjcmV0LWtleS1ieXRlcw==" }
`

const connection = "[provisioning]\nsource = \"manual\"\nconnection_string = \"HostName=hub1.azure-devices.net;DeviceId=edge-01;SharedAccessKey=" + key64 + "\"\n"

// dpsHead is a DPS section without its attestation.
const dpsHead = "[provisioning]\nsource = \"dps\"\nglobal_endpoint = \"https://global.azure-devices-provisioning.net\"\nid_scope = \"0ne00ABCDEF\"\n"

// good are files that the runtime takes as they are.
var good = map[string]string{
	"manual connection string": connection,
	"manual symmetric key":     minimalManual,
	"DPS symmetric key":        minimalDPS,
	"top-level keys": `hostname = "edge-01.plant.example"
trust_bundle_cert = "file:///var/aziot/certs/root-ca.cert.pem"
allow_elevated_docker_permissions = false
auto_reprovisioning_mode = "Dynamic"
cloud_timeout_sec = 90
cloud_retries = 2
prefer_module_identity_cache = false
additional_info = "file:///etc/aziot/additional-info.toml"
imported_master_encryption_key = "/var/lib/old/key"
aziot_max_requests = { keyd = 10, certd = 10, tpmd = 10, identityd = 10 }
iotedge_max_requests = { management = 50, workload = 10 }
` + connection,
	"manual X.509": `[provisioning]
source = "manual"
iothub_hostname = "hub1.azure-devices.net"
device_id = "edge-01"
[provisioning.authentication]
method = "x509"
identity_cert = "file:///var/aziot/certs/edge-01.cert.pem"
identity_pk = "file:///var/aziot/secrets/edge-01.key.pem"
`,
	"manual X.509 by a local CA": `[provisioning]
source = "manual"
iothub_hostname = "hub1.azure-devices.net"
device_id = "edge-01"
[provisioning.authentication]
method = "x509"
[provisioning.authentication.identity_cert]
method = "local_ca"
common_name = "edge-01"
expiry_days = 90
[cert_issuance.local_ca]
cert = "file:///var/aziot/certs/local-ca.cert.pem"
pk = "file:///var/aziot/secrets/local-ca.key.pem"
`,
	"DPS X.509 over EST": dpsHead + `payload = { uri = "file:///var/aziot/dps-payload.json" }
[provisioning.attestation]
method = "x509"
registration_id = "edge-01"
[provisioning.attestation.identity_cert]
method = "est"
subject = { CN = "edge-01", O = "Example", L = "Graz" }
url = "https://est.example.org/.well-known/est"
[provisioning.attestation.identity_cert.auto_renew]
rotate_key = true
threshold = "80%"
retry = "4%"
[cert_issuance.est]
trusted_certs = ["file:///var/aziot/certs/est-server-ca.pem"]
[cert_issuance.est.auth]
username = "estuser"
password = "estpw"
bootstrap_identity_cert = "file:///var/aziot/certs/est-bootstrap.pem"
bootstrap_identity_pk = "file:///var/aziot/secrets/est-bootstrap.key.pem"
[cert_issuance.est.identity_auto_renew]
rotate_key = true
threshold = "60min"
retry = "10day"
[cert_issuance.est.urls]
default = "https://est.example.org/.well-known/est"
`,
	"DPS TPM": dpsHead + `[provisioning.attestation]
method = "tpm"
registration_id = "edge-01"
[tpm]
tcti = "swtpm:port=2321"
auth_key_index = 0x00_01_00
[tpm.hierarchy_authorization]
endorsement = ""
owner = ""
`,
	"edge CA from files":      connection + "[edge_ca]\ncert = \"file:///var/aziot/certs/ca.pem\"\npk = \"file:///var/aziot/secrets/ca.key.pem\"\n",
	"edge CA quickstart":      connection + "[edge_ca]\nauto_generated_edge_ca_expiry_days = 365\ncommon_name = \"aziot-edge CA edge-01\"\nauto_renew = { rotate_key = true, threshold = \"80%\", retry = \"4%\" }\n",
	"edge CA issued":          connection + "[edge_ca]\nmethod = \"self_signed\"\nexpiry_days = 180\nauto_renew = { rotate_key = true, threshold = \"10day\", retry = \"60min\" }\n",
	"keys in a PKCS#11 token": dpsHead + "[provisioning.attestation]\nmethod = \"x509\"\nidentity_cert = \"file:///var/aziot/certs/a.pem\"\nidentity_pk = \"pkcs11:token=Key;object=id?pin-value=1234\"\n[aziot_keys]\npkcs11_lib_path = \"/usr/lib/libmypkcs11.so\"\npkcs11_base_slot = \"pkcs11:slot-id=0?pin-value=1234\"\n",
	"runtime": connection + `[agent]
name = "edgeAgent"
type = "docker"
imagePullPolicy = "on-create"
[agent.config]
image = "mcr.microsoft.com/azureiotedge-agent:1.6"
createOptions = { HostConfig = { Binds = ["/iotedge/storage:/iotedge/storage"] } }
auth = { serveraddress = "myreg.azurecr.io", username = "pull", password = "pullpw" }
[agent.env]
UpstreamProtocol = "AmqpWs"
https_proxy = "http://proxy.example:3128"
storageFolder = "/iotedge/storage"
[connect]
workload_uri = "unix:///var/run/iotedge/workload.sock"
management_uri = "unix:///var/run/iotedge/mgmt.sock"
[listen]
workload_uri = "fd://aziot-edged.workload.socket"
management_uri = "fd://aziot-edged.mgmt.socket"
[watchdog]
max_retries = "infinite"
[moby_runtime]
uri = "unix:///var/run/docker.sock"
network = { name = "azure-iot-edge", ipv6 = true, ipam = { config = [{ gateway = "172.18.0.1", subnet = "172.18.0.0/16", ip_range = "172.18.0.0/24" }] } }
content_trust = { ca_certs = { "myreg.azurecr.io" = "file:///var/aziot/certs/content-trust-root.pem" } }
[image_garbage_collection]
enabled = true
cleanup_recurrence = "1d"
image_age_cleanup_threshold = "7d"
cleanup_time = "00:00"
`,
	"nested child": `hostname = "child.plant.example"
parent_hostname = "parent.plant.example"
` + connection + "[agent]\nname = \"edgeAgent\"\ntype = \"docker\"\nconfig = { image = \"$upstream:443/azureiotedge-agent:1.6\" }\n",
	"watchdog count, preloaded": connection + "[watchdog]\nmax_retries = 5\n[preloaded_keys]\na = \"file:///k\"\n[preloaded_certs]\nb = \"file:///c\"\nc = [\"b\"]\n[localid]\ndomain = \"x\"\n",
}

// spellings are ways to write [provisioning], each with other tables around.
var spellings = map[string]string{
	"none":               "# only a comment\n",
	"no final newline":   "hostname = \"a\"\n# end",
	"tables":             "# top\nhostname = \"a\" # why\n\n# about it\n[provisioning] # head\n# inside\nsource = \"manual\" # by hand\nconnection_string = \"HostName=h;DeviceId=d;SharedAccessKey=AAAA\"\n# tail\n\n# agent\n[agent]\nname = \"edgeAgent\"\n",
	"sub-table far away": "[provisioning]\nsource = \"dps\"\nglobal_endpoint = \"https://x\"\nid_scope = \"0ne\"\n\n[agent]\nname = \"a\"\n\n[provisioning.attestation]\n# inner\nmethod = \"symmetric_key\"\nregistration_id = \"old\"\nsymmetric_key = { value = \"b2xk\" }\n\n[watchdog]\nmax_retries = 3\n",
	"deep tables":        "[provisioning.attestation.symmetric_key]\nvalue = \"b2xk\"\n[provisioning.attestation]\nmethod = \"symmetric_key\"\nregistration_id = \"r\"\n[provisioning]\nsource = \"dps\"\nid_scope = \"s\"\nglobal_endpoint = \"https://x\"\n",
	"dotted":             "provisioning.source = \"manual\"\nhostname = \"a\"\nprovisioning.connection_string = \"HostName=h;DeviceId=d;SharedAccessKey=AAAA\"\n\n[agent]\nname = \"x\"\n",
	"dotted in table":    "[provisioning]\nsource = \"manual\"\nauthentication.method = \"sas\"\nauthentication.device_id_pk.value = \"AAAA\"\ndevice_id = \"d\"\niothub_hostname = \"h\"\n[agent]\nname = \"x\"\n",
	"inline":             "provisioning = { source = \"manual\", authentication = { method = \"sas\", device_id_pk = { value = \"AAAA\" } } }\nhostname = \"a\"\n[agent]\nenv = { a = \"b\" }\n",
	"inline 1.1":         "provisioning = {\n  source = \"manual\", # c\n  device_id = \"x\",\n}\nhostname = \"a\"\n",
	"quoted":             "[\"provisioning\"]\n\"source\" = 'manual'\n'connection_string' = '''HostName=h;DeviceId=d;SharedAccessKey=AAAA'''\n[ \"agent\" . env ]\n\"a.b\" = \"c\"\n",
	"CRLF":               "hostname = \"a\"\r\n\r\n[provisioning]\r\nsource = \"manual\"\r\nconnection_string = \"x\"\r\n\r\n[agent]\r\nname = \"b\"\r\n",
	"BOM":                "\ufeff[provisioning]\nsource = \"none\"\n",
	"arrays of tables":   "[[x]]\na = 1\n[[x]]\na = 2\n[provisioning]\nsource = \"none\"\n[[x.y]]\nb = 3\n",
	"junk array":         "[[provisioning]]\nsource = \"a\"\n[[provisioning]]\nsource = \"b\"\n[agent]\nname = \"c\"\n",
	"junk scalar":        "provisioning = 3\n[agent]\nname = \"c\"\n",
	"junk inside":        "[provisioning]\nsource = 4\nhostname = \"lost\"\n[[provisioning.more]]\na = 1\n[agent]\nname = \"c\"\n",
	"empty tables":       "[agent]\n[agent.env]\n[provisioning]\n[provisioning.authentication]\n",
	"header at the end":  "[agent]\nname = \"c\"\n[provisioning]",
	"values":             "f = nan\nt = 1979-05-27T07:32:00Z\nd = 1979-05-27\nl = [1, 2.5, [\"a\"], {b = 1}]\nm = \"\"\"\n[provisioning]\nsource = 1\n\"\"\"\n",
}

func lines(text string) []string { return strings.SplitAfter(text, "\n") }
