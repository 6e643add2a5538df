package command

import (
	"strings"
	"testing"
)

// tpmPlan is the TPM cell with a software TPM.
func tpmPlan(at string) string {
	return strings.Replace(strings.Replace(manualPlan, "symmetric-key", "tpm", 1), "manual", "dps", 1) +
		"[tpm]\nat = \"" + at + "\"\nregistration_id = \"hex\"\n"
}

func TestTPMPlan(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	chip := softTPM(t)
	plan, target := d.write("plan.toml", tpmPlan(chip.Address)), d.folder("device")
	before := content(t, d.path("device"))
	id, _ := d.run("tpm", "show", "--target", "local:", "--tpm", chip.Address, "--json").exits(ExitOK).object()["registration_ids"].(map[string]any)["hex"].(string)
	d.run("preview", "--plan", plan, "--target", target).exits(ExitOK).says("TPM 2.0 of IBM", "standard template", "enrollment "+id, `method = "tpm"`, `tcti = "device"`)
	shown := d.run("preview", "--plan", plan, "--target", target, "--json").exits(ExitOK).object()
	has(t, "the preview", shown, "target facts passed findings cloud files actions plan changed refused tpm")
	has(t, "the TPM", shown["tpm"], "summary endorsement_key_sha256 registration_id template certificate")

	first := d.run("provision", "--plan", plan, "--target", target, "--yes", "--json").exits(ExitOK).object()
	proven(t, first, true)
	proven(t, d.run("provision", "--plan", plan, "--target", target, "--yes", "--json").exits(ExitOK).object(), false)
	if device := d.run("devices", "show", "line-7-0042", "--json").exits(ExitOK).object(); device["registration_id"] != id {
		t.Errorf("device %v", device)
	}
	d.run("runs", "undo", first["run"].(string), "--yes").exits(ExitOK)
	if left := content(t, d.path("device")); left != before {
		t.Errorf("undo left %s", left)
	}

	folder := d.write("folder.toml", strings.Replace(tpmPlan(""), "at = \"\"", "at = \"target\"", 1))
	d.run("preview", "--plan", folder, "--target", target).exits(ExitUsage).says("tpm.at", "A folder has no TPM", "unix:/path")
	collected := d.run("tpm", "collect", "--target", target, "--tpm", chip.Address, "--json").exits(ExitOK).events()
	key := collected[len(collected)-1]["keys"].([]any)[0].(map[string]any)["key"].(map[string]any)["id"].(string)
	plan = d.write("collected.toml", strings.Replace(tpmPlan(""), "at = \"\"", "endorsement_key = \"catalog:"+key+"\"", 1))
	d.run("provision", "--plan", plan, "--target", target, "--yes").exits(ExitConfigured).says("from the catalog")

	var cells []map[string]any
	d.run("cells", "--json").exits(ExitOK).decode(&cells)
	for _, cell := range cells {
		if cell["platform"] == "linux" && cell["authentication"] == "tpm" && (cell["available"] != true || cell["reason"] != "") {
			t.Errorf("%v", cell)
		}
	}
}
