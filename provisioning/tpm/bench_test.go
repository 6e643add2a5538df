package tpm

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm/softtpm"
)

// soft runs a software TPM for one test.
func soft(t testing.TB, state string) *softtpm.Process {
	t.Helper()
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	process, err := softtpm.Start(t.Context(), state, secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Close() })
	return process
}

// open connects to it; the connection ends with the test.
func open(t testing.TB, process *softtpm.Process, auth Auth) *TPM {
	t.Helper()
	transport, err := Open(t.Context(), process.Address)
	if err != nil {
		t.Fatal(err)
	}
	made := New(transport, auth)
	t.Cleanup(func() { _ = made.Close() })
	return made
}

// bare is a fresh TPM without persistent keys.
func bare(t testing.TB) *TPM { return open(t, soft(t, t.TempDir()), Auth{}) }

// manufactured makes a state as a maker leaves it: both keys kept, an EK
// certificate of a CA of the test's own, whose folder is returned, too.
func manufactured(t testing.TB) (state, ca string) {
	t.Helper()
	if _, err := exec.LookPath("swtpm_setup"); err != nil {
		t.Skip("needs swtpm_setup")
	}
	dir := t.TempDir()
	state, ca = filepath.Join(dir, "state"), filepath.Join(dir, "ca")
	for _, folder := range []string{state, ca} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	localca := write("localca.conf", "statedir = "+ca+"\nsigningkey = "+ca+"/key.pem\nissuercert = "+ca+"/cert.pem\ncertserial = "+ca+"/serial\n")
	setup := write("setup.conf", "create_certs_tool= /usr/bin/swtpm_localca\ncreate_certs_tool_config = "+localca+
		"\ncreate_certs_tool_options = "+write("localca.options", "")+"\n")
	out, err := exec.Command("swtpm_setup", "--tpm2", "--tpm-state", state, "--create-ek-cert", "--create-spk", "--overwrite", "--config", setup).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return state, ca
}
