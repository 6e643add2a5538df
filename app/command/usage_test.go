package command

import (
	"strings"
	"testing"
)

func TestHelp(t *testing.T) {
	d := newDesk(t)
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		r := d.runBare("", args...).exits(ExitOK)
		for _, known := range verbs() {
			if !strings.Contains(r.out, "edgewright "+known.name) {
				t.Errorf("help does not name %s", known.name)
			}
		}
	}
	for _, known := range verbs() {
		r := d.runBare("", known.name, "--help").exits(ExitOK)
		if !strings.HasPrefix(r.out, "edgewright "+known.name) || !strings.Contains(r.out, "--passphrase-file") || r.err != "" {
			t.Errorf("%s --help: %q %q", known.name, r.out, r.err)
		}
	}
	d.runBare("", "--version").exits(ExitOK).says("edgewright test")
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	plan, lines := d.write("plan.toml", manualPlan), d.write("targets.csv", "target,id\n")
	target := d.folder("device")
	for _, c := range []struct {
		args string
		says string
	}{
		{"fly", `no command "fly"`},
		{"cells extra", `"extra"`},
		{"cells --colour", "colour"},
		{"detect", "--target is missing"},
		{"preview --plan " + plan, "--target is missing"},
		{"provision --plan " + plan, "--target is missing"},
		{"provision --target " + target, "--plan is missing"},
		{"provision --plan " + d.path("none.toml") + " --target " + target, "none.toml"},
		{"provision --plan " + plan + " --targets " + lines + " --target " + target, "exclude each other"},
		{"provision --plan " + plan + " --targets " + d.path("none.csv"), "none.csv"},
		{"provision --plan " + plan + " --target " + target + " extra", `"extra"`},
		{"provision --plan " + plan + " --target ftp://somewhere --yes", "ftp"},
		{"provision --plan " + plan + " --target " + target + " --parallel x", "parallel"},
		{"runs", "list, show, resume, undo"},
		{"runs show", "one run"},
		{"runs show 0099", "0099"},
		{"runs show nothing", "nothing"},
		{"runs undo 0099 --yes", "0099"},
		{"runs resume 0099", "0099"},
		{"devices", "list, show, export, import"},
		{"devices show nothing", "nothing"},
		{"devices export --format xml", "csv or json"},
		{"devices import " + d.path("none.csv"), "none.csv"},
		{"clouds add plant", "--hub or --dps"},
		{"clouds add plant --hub --dps", "--hub or --dps"},
		{"clouds remove plant", "plant"},
		{"clouds remove practice", "practice"},
		{"cert", "list, profiles"},
		{"cert show", "one certificate"},
		{"cert show nothing", "does not know"},
		{"cert inspect", "takes files"},
		{"cert inspect " + d.path("none.pem"), "none.pem"},
		{"cert inspect " + plan, "neither PEM nor DER"},
		{"cert verify --purpose fun " + plan, "purpose"},
		{"cert new --profile bread --name x", "no profile"},
		{"cert new --profile server", "--profile and --name"},
		{"cert new --profile server --name x --ca nobody", "no CA"},
		{"cert new --profile server --name x", "No CA is named"},
		{"cert sign --csr x", "--csr, --profile"},
		{"cert export x --format pem", "--out"},
		{"cert revoke x --reason fun --yes", "reason"},
		{"secrets set", "name the secret"},
		{"practice", "serve, show, devices"},
		{"practice serve --search x", "--search does not go with practice serve"},
		{"practice serve --sku S9", "S9"},
		{"practice serve --units 2", "--sku"},
		{"practice serve --sku S1 --units 0", "units"},
		{"practice serve --sku S1 now", `"now"`},
		{"practice device", "name one device"},
		{"practice device a b", `"b"`},
		{"practice faults throttle", "throttle N/OF"},
		{"practice faults throttle 2/1", "no share"},
		{"practice faults fail 1/2x", "no share"},
		{"practice faults delay soon", "no duration"},
		{"practice faults sleep 1s", `no fault "sleep"`},
		{"practice faults clear all", `"all"`},
		{"practice limits S9", "or none"},
		{"practice ca", "list, upload, code, verify, remove"},
		{"practice ca upload line-7", "and a file"},
		{"practice ca code", "name the CA certificate"},
		{"practice ca code a b", `"b"`},
		{"practice ca verify line-7 " + d.path("none.pem"), "none.pem"},
		{"practice ca upload line-7 " + plan, "certificate"},
		{"practice limits S1 S2", `"S2"`},
		{"practice show more", `"more"`},
		{"practice serve --https 192.0.2.1:1", "192.0.2.1"},
		{"practice serve --https 127.0.0.1:9999", "reset"},
		{"config lint", "one config.toml"},
		{"config lint " + d.path("none.toml"), "none.toml"},
		{"config show", "--plan is missing"},
		{"backup make", "one file"},
		{"backup restore " + d.path("none.backup") + " --yes", "none.backup"},
	} {
		r := d.run(strings.Fields(c.args)...).exits(ExitUsage).says(c.says)
		if strings.TrimSpace(r.err) == "" {
			t.Errorf("%s: nothing on standard error: %q", c.args, r.out)
		}
	}
}

// TestNobodyConfirms looks for the question that cannot be asked without a
// terminal.
func TestNobodyConfirms(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	plan, target := d.write("plan.toml", manualPlan), d.folder("device")
	lines := d.write("targets.csv", "target,id\n"+target+",a\n")
	before := content(t, d.path("device"), d.path("data/practice"))
	for _, args := range [][]string{
		{"provision", "--plan", plan, "--target", target},
		{"provision", "--plan", plan, "--targets", lines},
		{"practice", "reset"},
	} {
		d.run(args...).exits(ExitUsage).says("--yes")
		r := d.run(append(args, "--json")...).exits(ExitUsage)
		if e, _ := r.object()["error"].(map[string]any); e["kind"] != "refused" {
			t.Errorf("%q: %s", args, r.out)
		}
	}
	if after := content(t, d.path("device"), d.path("data/practice")); after != before {
		t.Errorf("something was written:\n%s\nbefore:\n%s", after, before)
	}
}
