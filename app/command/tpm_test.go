package command

import (
	"os"
	"strings"
	"testing"

	"edgewright/provisioning/tpm/softtpm"
)

func TestTPMIsShown(t *testing.T) {
	d := newDesk(t)
	process := softTPM(t)
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

// The switch makes a practice device with a TPM of its own, which stays the same
// TPM until the device is removed.
func TestSoftwareTPMOfAPracticeDevice(t *testing.T) {
	d := newDesk(t)
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	key := func(target string) string {
		t.Helper()
		shown := d.run("tpm", "ek", "--json", "--target", target).exits(ExitOK).object()
		return shown["public"].(string)
	}
	d.run("tpm", "show", "--target", "practice:press-2").exits(ExitUsage).says("no TPM", "practice tpm press-2 on")
	if _, err := os.Stat(d.path("data/practice-devices")); err == nil {
		t.Error("looking makes something")
	}
	d.run("detect", "--target", "practice:press-2").exits(ExitOK).says("Debian")
	if _, err := os.Stat(d.path("data/practice-devices")); err == nil {
		t.Error("detect makes something")
	}
	d.run("practice", "tpm", "press-2", "on").exits(ExitOK).says("practice:press-2: software TPM on")
	found := d.run("detect", "--json", "--target", "practice:press-2").exits(ExitOK).object()
	if chip := found["report"].(map[string]any)["tpm"].(map[string]any); chip["version"] != "2.0" {
		t.Errorf("detect sees %v", chip)
	}
	first := key("practice:press-2")
	if again := key("practice:press-2"); again != first {
		t.Error("the TPM has another key the second time")
	}
	d.run("practice", "tpm", "press-3", "on").exits(ExitOK)
	if other := key("practice:press-3"); other == first {
		t.Error("two devices share a TPM")
	}
	d.run("practice", "tpm", "press-2", "off").exits(ExitOK).says("off")
	d.run("tpm", "show", "--target", "practice:press-2").exits(ExitUsage).says("no TPM")
	d.run("practice", "tpm", "press-2", "on").exits(ExitOK)
	if back := key("practice:press-2"); back != first {
		t.Error("switched off and on the TPM has another key")
	}
	d.run("practice", "remove", "press-2").exits(ExitUsage).says("--yes")
	d.run("practice", "remove", "press-2", "--yes").exits(ExitOK)
	for _, left := range []string{"press-2", "press-2.tpm"} {
		if _, err := os.Stat(d.path("data/practice-devices/" + left)); err == nil {
			t.Errorf("%s is left", left)
		}
	}
	d.run("practice", "remove", "press-2", "--yes").exits(ExitUsage).says("no practice device")
	d.run("practice", "tpm", "press-2", "on").exits(ExitOK)
	if made := key("practice:press-2"); made == first {
		t.Error("a removed TPM comes back")
	}
}

func TestSoftwareTPMThatIsNotInstalled(t *testing.T) {
	d := newDesk(t)
	t.Setenv("PATH", t.TempDir())
	d.run("practice", "tpm", "press-2", "on").exits(ExitUsage).says("swtpm")
	d.run("practice", "tpm", "press-2").exits(ExitOK).says("off")
	d.run("practice", "tpm", "../x", "on").exits(ExitUsage).says("no practice device")
	d.run("practice", "tpm").exits(ExitUsage).says("name one")
	d.run("practice", "tpm", "press-2", "maybe").exits(ExitUsage).says("on or off")
}
