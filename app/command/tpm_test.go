package command

import (
	"path/filepath"
	"strings"
	"testing"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm/softtpm"
)

func TestTPMIsShown(t *testing.T) {
	d := newDesk(t)
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	process, err := softtpm.Start(t.Context(), filepath.Join(t.TempDir(), "state"), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	at := []string{"--target", "local:", "--tpm", process.Address}
	shown := d.run(append([]string{"tpm", "show", "--json"}, at...)...).exits(ExitOK).object()
	has(t, "tpm show", shown, "tpm manufacturer firmware family lockout auth ek ek_certificate srk registration_ids")
	has(t, "lockout", shown["lockout"], "active count max interval_s")
	has(t, "auth", shown["auth"], "owner endorsement")
	has(t, "ek", shown["ek"], "handle template public sha256")
	has(t, "ek_certificate", shown["ek_certificate"], "index state chain")
	has(t, "registration_ids", shown["registration_ids"], "base32 hex")
	ek := d.run(append([]string{"tpm", "ek", "--json"}, at...)...).exits(ExitOK).object()
	has(t, "tpm ek", ek, "public srk registration_id")
	if ek["public"] != shown["ek"].(map[string]any)["public"] || ek["srk"] != shown["srk"] {
		t.Error("show and ek disagree")
	}
	d.run(append([]string{"tpm", "show"}, at...)...).exits(ExitOK).says("IBM", "TCG template L-1", "none stored", ek["registration_id"].(string))
	if r := d.run(append([]string{"tpm", "ek", "--format", "pem"}, at...)...).exits(ExitOK); !strings.HasPrefix(r.out, "-----BEGIN PUBLIC KEY-----") {
		t.Error(r.out)
	}
	d.run(append([]string{"tpm", "show", "--owner-auth", "word"}, at...)...).exits(ExitUsage).says("vault:NAME")
	d.run("tpm", "show").exits(ExitUsage).says("--target")
	d.run("tpm", "ek", "--target", "local:", "--format", "der").exits(ExitUsage)
	d.run("tpm", "show", "--target", "local:", "--tpm", "serial:1").exits(ExitUsage).says("does not read")
	d.run("tpm", "show", "--target", "local:", "--tpm", "unix:/nowhere/s").exits(ExitUsage).says("No software TPM answers")
	d.run("tpm", "show", "--target", "rootfs://"+t.TempDir()).exits(ExitUsage).says("A folder has no TPM")
}
