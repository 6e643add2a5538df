package edgeconfig

import (
	"strings"
	"testing"

	"edgewright/provisioning/secret"
)

const minimalTPM = `[provisioning]
source = "dps"
global_endpoint = "https://g"
id_scope = "s"

[provisioning.attestation]
method = "tpm"
registration_id = "r"

[tpm]
tcti = "device"

[tpm.hierarchy_authorization]
endorsement = "e \"1\""
owner = "o1"
`

func tpmChanges(t TPM) Changes {
	changes := Changes{Provisioning: DPSTPM("https://g", "s", "r")}
	changes.SetTPM(t)
	return changes
}

func TestApplyWritesTheTPM(t *testing.T) {
	t.Parallel()
	whole := TPM{TCTI: "device", EndorsementAuth: secret.FromString(`e "1"`), OwnerAuth: secret.FromString("o1")}
	if got := apply(t, "", tpmChanges(whole)); got != minimalTPM {
		t.Errorf("made\n%s", got)
	}
	if got := apply(t, minimalTPM, tpmChanges(whole)); got != minimalTPM {
		t.Errorf("again\n%s", got)
	}
	read, err := Read([]byte(minimalTPM))
	if err != nil || read.TPM.TCTI != "device" || !read.TPM.EndorsementAuth.Equal(whole.EndorsementAuth) || !read.TPM.OwnerAuth.Equal(whole.OwnerAuth) || read.TPM.KeyIndex != nil {
		t.Errorf("%+v %v", read.TPM, err)
	}
	for name, test := range map[string]struct {
		before, after string
		set           TPM
	}{
		"own password and key index stay": {
			"# plant\n[tpm] # chip\nauth_key_index = 0x00_02_00\nhierarchy_authorization = { owner = \"own\" } # set by hand\n",
			"# plant\n[tpm] # chip\nauth_key_index = 0x00_02_00\nhierarchy_authorization = { owner = \"own\" } # set by hand\ntcti = \"device\"\n", TPM{TCTI: "device"}},
		"in its place": {
			"[tpm]\ntcti = ''   # any\n[tpm.hierarchy_authorization]\nowner = 'old' # by hand\n",
			"[tpm]\ntcti = \"swtpm:port=1\"   # any\n[tpm.hierarchy_authorization]\nowner = \"new\" # by hand\n", TPM{TCTI: "swtpm:port=1", OwnerAuth: secret.FromString("new")}},
		"nothing to set": {"[tpm]\n", "[tpm]\n", TPM{}},
	} {
		var changes Changes
		changes.SetTPM(test.set)
		if got := apply(t, test.before, changes); got != test.after {
			t.Errorf("%s:\n%s\nwanted\n%s", name, got, test.after)
		}
	}
}

// A difference and a linter's finding hold nothing of the passwords.
func TestTPMPasswordsAreNotShown(t *testing.T) {
	t.Parallel()
	before := minimalTPM
	after := apply(t, before, tpmChanges(TPM{EndorsementAuth: secret.FromString("hidden-word"), OwnerAuth: secret.FromString("hidden-word")}))
	var text strings.Builder
	for _, line := range Diff([]byte(before), []byte(after)) {
		text.WriteString(line.Text + "\n")
	}
	for _, f := range Lint([]byte(strings.Replace(after, "\n[tpm]", "\n[tpm]\nnonsense = \"hidden-word\"", 1)), "1.3") {
		text.WriteString(f.Problem + f.Fix)
	}
	if strings.Contains(text.String(), "hidden-word") || !strings.Contains(text.String(), "***") {
		t.Errorf("shown:\n%s", text.String())
	}
}
