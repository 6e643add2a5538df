package provisioning

import (
	"reflect"
	"strings"
	"testing"

	"edgewright/provisioning/finding"
)

const tpmPlan = `version = 1
[device]
id = "line-7-0042"
[cell]
platform = "linux"
provisioning = "dps"
authentication = "tpm"
[cloud]
name = "plant"
enrollment = "individual"
[runtime]
version = "1.5"
[tpm]
at = "tcp:127.0.0.1:2321"
registration_id = "base32"
tcti = "swtpm:port=2321"
endorsement_auth = "vault:endorsement"
owner_auth = "vault:owner"
`

func TestTPMPlanReadsAndWritesTheSame(t *testing.T) {
	plan, findings, err := ParsePlan([]byte(tpmPlan))
	if err != nil || len(findings) > 0 {
		t.Fatal(findings, err)
	}
	text, err := plan.TOML()
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := ParsePlan(text)
	if err != nil || !reflect.DeepEqual(plan, again) {
		t.Errorf("read again: %+v %v\nfrom\n%s", again, err, text)
	}
}

func TestTPMPlanDefaults(t *testing.T) {
	head, _, _ := strings.Cut(tpmPlan, "[tpm]")
	for text, want := range map[string]TPMPlan{
		head:                                   {At: TPMAtTarget, RegistrationID: RegisterAsDevice, TCTI: "device"},
		strings.Replace(head, "1.5", "1.3", 1): {At: TPMAtTarget, RegistrationID: RegisterAsDevice},
		head + "[tpm]\nendorsement_key = \"catalog:ab12\"": {RegistrationID: RegisterAsDevice, EndorsementKey: "catalog:ab12", TCTI: "device"},
	} {
		plan, findings, err := ParsePlan([]byte(text))
		if err != nil || len(findings) > 0 || plan.TPM != want {
			t.Errorf("%+v %v %v, want %+v", plan.TPM, findings, err, want)
		}
	}
	plan, _, _ := ParsePlan([]byte(head))
	for _, row := range []struct{ inDevice, inTPM, want string }{
		{"", RegisterAsDevice, "line-7-0042"}, {"press", RegisterAsDevice, "press"}, {"", RegisterAsBase32, ""}, {"", RegisterAsHex, ""}, {"", "chip-1", "chip-1"},
	} {
		plan.Device.RegistrationID, plan.TPM.RegistrationID = row.inDevice, row.inTPM
		if got := plan.RegistrationID(); got != row.want || plan.Check().Errors() {
			t.Errorf("%+v: %q %v", row, got, plan.Check())
		}
	}
}

// Each row breaks the plan in one place and names the field found.
func TestTPMPlanFindings(t *testing.T) {
	for _, row := range []struct{ name, old, new, field, says string }{
		{"no such place", `"tcp:127.0.0.1:2321"`, `"chip"`, "tpm.at", "chip"},
		{"relative socket", `"tcp:127.0.0.1:2321"`, `"unix:s"`, "tpm.at", "absolute"},
		{"long socket", `"tcp:127.0.0.1:2321"`, `"unix:/` + strings.Repeat("a", 107) + `"`, "tpm.at", "107"},
		{"no port", `"tcp:127.0.0.1:2321"`, `"tcp:127.0.0.1"`, "tpm.at", "tcp:127.0.0.1"},
		{"port by name", `"tcp:127.0.0.1:2321"`, `"tcp:127.0.0.1:tpm"`, "tpm.at", "tcp:127.0.0.1:tpm"},
		{"no host", `"tcp:127.0.0.1:2321"`, `"tcp::2321"`, "tpm.at", "tcp::2321"},
		{"key and place", "registration_id", "endorsement_key = \"catalog:a\"\nregistration_id", "tpm.at", "catalog"},
		{"key of nowhere", `at = "tcp:127.0.0.1:2321"`, `endorsement_key = "ab12"`, "tpm.endorsement_key", "ab12"},
		{"key without ID", `at = "tcp:127.0.0.1:2321"`, `endorsement_key = "catalog:"`, "tpm.endorsement_key", "catalog:"},
		{"upper case", `"base32"`, `"Chip"`, "tpm.registration_id", "lower-case"},
		{"two IDs", "[cell]", "registration_id = \"press\"\n[cell]", "tpm.registration_id", "twice"},
		{"ID of two lines", `"swtpm:port=2321"`, `"device\nx"`, "tpm.tcti", "character"},
		{"password in the plan", `"vault:owner"`, `"secret-word"`, "tpm.owner_auth", "may not stand"},
		{"no name", `"vault:endorsement"`, `"vault:"`, "tpm.endorsement_auth", "may not stand"},
		{"older runtime", `"1.5"`, `"1.3"`, "tpm.endorsement_auth", "1.3"},
		{"unknown key", "owner_auth", "owner", "tpm.owner", "owner"},
		{"group", "enrollment = \"individual\"", "enrollment = \"group\"\ngroup = \"line-7\"", "cloud.enrollment", "own endorsement key"},
		{"by hand", "provisioning = \"dps\"", "provisioning = \"manual\"", "cell.authentication", "Device Provisioning Service"},
		{"other cell", `authentication = "tpm"`, `authentication = "symmetric-key"`, "tpm", "TPM cell"},
		{"symmetric key", "[tpm]", "[symmetric_key]\nkey = \"vault:line-7\"\n[tpm]", "symmetric_key.key", "attests"},
	} {
		text := strings.Replace(tpmPlan, row.old, row.new, 1)
		_, findings, err := ParsePlan([]byte(text))
		if err != nil || text == tpmPlan {
			t.Fatal(row.name, err)
		}
		found := false
		for _, f := range findings {
			found = found || f.Field == row.field && f.Level == finding.Error && strings.Contains(f.Problem, row.says) && f.Fix != ""
			if strings.Contains(f.Problem+f.Fix, "secret-word") {
				t.Errorf("%s: the password is shown: %+v", row.name, f)
			}
		}
		if !found {
			t.Errorf("%s: no error names %s: %+v", row.name, row.field, findings)
		}
	}
}
