package provisioning

import (
	"reflect"
	"strings"
	"testing"

	"edgewright/provisioning/finding"
)

const wholePlan = `version = 1
[device]
id = "line-7-0042"
[device.tags]
line = 7
[cell]
platform = "linux"
provisioning = "dps"
authentication = "symmetric-key"
[cloud]
name = "practice"
enrollment = "group"
group = "line-7"
existing = "refuse"
[runtime]
version = "1.6"
[symmetric_key]
key = "vault:line-7"
`

func TestPlanReadsAndWritesTheSame(t *testing.T) {
	plan, findings, err := ParsePlan([]byte(wholePlan))
	if err != nil || len(findings) > 0 {
		t.Fatal(findings, err)
	}
	text, err := plan.TOML()
	if err != nil {
		t.Fatal(err)
	}
	again, findings, err := ParsePlan(text)
	if err != nil || len(findings) > 0 || !reflect.DeepEqual(plan, again) {
		t.Errorf("read again: %+v %v %v\nfrom\n%s", again, findings, err, text)
	}
}

func TestPlanDefaults(t *testing.T) {
	plan, findings, err := ParsePlan([]byte("[device]\nid = \"a\"\n"))
	if err != nil || len(findings) > 0 {
		t.Fatal(findings, err)
	}
	want := Plan{Version: 1, Device: DevicePlan{ID: "a"}, Cell: Cell{Linux, Manual, SymmetricKey},
		Cloud: CloudPlan{Name: "practice", Existing: Refuse}, Runtime: RuntimePlan{"1.6"}}
	if !reflect.DeepEqual(plan, want) {
		t.Errorf("got %+v", plan)
	}
}

// Each row breaks the whole plan in one place and names the field found.
func TestPlanFindings(t *testing.T) {
	rows := []struct{ name, old, new, field string }{
		{"version", "version = 1", "version = 2", "version"},
		{"unknown key", "[runtime]", "[runtime]\nversoin = \"1.6\"", "runtime.versoin"},
		{"unknown table", "[runtime]", "[nonsense]\na = 1\n[runtime]", "nonsense"},
		{"table of the TPM cell", "[runtime]", "[tpm]\nat = \"target\"\n[runtime]", "tpm"},
		{"table of other cells", "[runtime]", "[x509]\nsource = \"issue\"\n[runtime]", "x509"},
		{"empty ID", `id = "line-7-0042"`, `id = ""`, "device.id"},
		{"upper case with DPS", `id = "line-7-0042"`, `id = "Line"`, "device.id"},
		{"path in ID", `id = "line-7-0042"`, `id = "../etc"`, "device.id"},
		{"65 characters", `id = "line-7-0042"`, `id = "` + strings.Repeat("a", 65) + `"`, "device.id"},
		{"registration with group", "[device.tags]", "registration_id = \"x\"\n[device.tags]", "device.registration_id"},
		{"host name", "[device.tags]", "hostname = \"a_b\"\n[device.tags]", "device.hostname"},
		{"tag name", "line = 7", "\"a.b\" = 7", "device.tags"},
		{"platform", `"linux"`, `"beos"`, "cell.platform"},
		{"TPM by hand", "\"dps\"\nauthentication = \"symmetric-key\"", "\"manual\"\nauthentication = \"tpm\"", "cell.authentication"},
		{"later cell", `"linux"`, `"eflow"`, "cell"},
		{"group name", `group = "line-7"`, `group = "-"`, "cloud.group"},
		{"no group", `group = "line-7"`, ``, "cloud.group"},
		{"enrollment word", `"group"`, `"both"`, "cloud.enrollment"},
		{"existing word", `"refuse"`, `"overwrite"`, "cloud.existing"},
		{"runtime", `"1.6"`, `"2.0"`, "runtime.version"},
		{"key in the plan", `"vault:line-7"`, `"c2VjcmV0"`, "symmetric_key.key"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(wholePlan, row.old, row.new, 1)
			if text == wholePlan {
				t.Fatal("the row changes nothing")
			}
			_, findings, err := ParsePlan([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				if f.Field == row.field && f.Level == finding.Error && f.Problem != "" && f.Fix != "" {
					return
				}
			}
			t.Errorf("no error names %s: %+v", row.field, findings)
		})
	}
}

const x509Plan = `version = 1
[device]
id = "line-7-0042"
[cell]
platform = "linux"
provisioning = "dps"
authentication = "x509"
[cloud]
name = "plant"
enrollment = "group"
group = "line-7"
[x509]
source = "issue"
ca = "Line 7 issuing"
key = "workstation"
algorithm = "rsa3072"
days = 90
anchor = "uploaded"
uploaded = "line-7-ca"
[edge_ca]
source = "issue"
ca = "Line 7 issuing"
common_name = "line-7-0042.gateway"
[trust_bundle]
certificates = ["Plant Root 2026"]
`

const manualX509Plan = `[device]
id = "line-7-0042"
[cell]
authentication = "x509"
[x509]
source = "files"
thumbprint = "sha1"
secondary = false
files = { certificate = "a.pem", key = "a.key" }
`

func TestX509PlansReadAndWriteTheSame(t *testing.T) {
	byHand := strings.Replace(manualX509Plan, "[x509]\n", "[x509]\nanchor = \"uploaded\"\nuploaded = \"plant.7\"\nonboard = true\n", 1)
	for _, text := range []string{x509Plan, manualX509Plan, byHand} {
		plan, findings, err := ParsePlan([]byte(text))
		if err != nil || len(findings) > 0 {
			t.Fatal(findings, err)
		}
		written, err := plan.TOML()
		if err != nil {
			t.Fatal(err)
		}
		if again, findings, err := ParsePlan(written); err != nil || len(findings) > 0 || !reflect.DeepEqual(plan, again) {
			t.Errorf("read again: %+v %v %v\nfrom\n%s", again, findings, err, written)
		}
	}
}

func TestPlanThatIsNotTOML(t *testing.T) {
	for _, text := range []string{"a = ", "version = \"one\"", "[device]\nid = 5", "\x00"} {
		_, _, err := ParsePlan([]byte(text))
		if view := View(err); view == nil || view.Kind != "invalid" || !strings.Contains(view.Message, "line") {
			t.Errorf("%q: %+v", text, view)
		}
	}
}

func TestCellsAreFifteen(t *testing.T) {
	cells := Cells()
	seen := map[Cell]bool{}
	for _, cell := range cells {
		seen[cell.Cell] = true
		if cell.Available == (cell.Reason != "") {
			t.Errorf("%s: available %t with reason %q", cell.Cell, cell.Available, cell.Reason)
		}
	}
	if len(cells) != 15 || len(seen) != 15 {
		t.Errorf("%d cells, %d different", len(cells), len(seen))
	}
	if _, ok := (Cell{Linux, Manual, TPM}).Info(); ok {
		t.Error("TPM without DPS is not a cell")
	}
}

func TestHostsBlock(t *testing.T) {
	names := []string{"hub.practice.test", "dps.practice.test"}
	block := hostsBegin + "\n127.0.0.1 hub.practice.test dps.practice.test\n" + hostsEnd + "\n"
	for old, want := range map[string]string{
		"":                      block,
		"127.0.0.1 localhost\n": "127.0.0.1 localhost\n" + block,
		"127.0.0.1 localhost":   "127.0.0.1 localhost\n" + block,
		"a\n" + hostsBegin + "\nold\n" + hostsEnd + "\nb\n": "a\n" + block + "b\n",
	} {
		got := string(hostsWith([]byte(old), names))
		if got != want {
			t.Errorf("%q became %q, want %q", old, got, want)
		}
		if again := string(hostsWith([]byte(got), names)); again != got {
			t.Errorf("a second time %q became %q", got, again)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add(wholePlan)
	f.Add("version = 1\ndevice.id = \"a\"")
	f.Add("[device]\nid = \"a\"\n[device.tags]\nx = 1979-05-27")
	f.Fuzz(func(t *testing.T, text string) {
		plan, findings, err := ParsePlan([]byte(text))
		if err != nil || findings.Errors() {
			return
		}
		written, err := plan.TOML()
		if err != nil {
			t.Fatal(err)
		}
		again, findings, err := ParsePlan(written)
		if err != nil || findings.Errors() {
			t.Fatalf("written plan is refused: %v %v\n%s", findings, err, written)
		}
		if again.Device.ID != plan.Device.ID || again.Cloud != plan.Cloud || again.Cell != plan.Cell {
			t.Errorf("%+v became %+v", plan, again)
		}
	})
}
