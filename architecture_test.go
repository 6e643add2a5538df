package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the path of this module; the rows below leave it out.
const module = "edgewright"

// rows holds the rooms and the direction of the arrows between them. A row stands for the package of that name and those
// beneath it that have no row of their own, and names the rows it may import; packages of one row may import each other.
// Values of the domain, of certificates and of host detection are what the use cases speak in, so screens and commands may name them;
// what does the work under provisioning, the catalog and the vault are behind app.
var rows = map[string][]string{
	"":            {"ui", "app", "app/command", "resources"},
	"ui":          {"app", "provisioning", "provisioning/finding", "provisioning/pki", "hostdetect", "resources"},
	"app/command": {"app", "provisioning", "provisioning/finding", "provisioning/pki", "hostdetect", "resources"},
	"app/e2e":     {},
	"app": {
		"app/catalog", "app/vault", "provisioning", "hostdetect", "eflow", "resources",
		"provisioning/wire", "provisioning/bundle", "provisioning/edgeconfig", "provisioning/pki", "provisioning/est", "provisioning/tpm",
		"provisioning/iothub", "provisioning/dps", "provisioning/azure", "provisioning/practice", "provisioning/target", "provisioning/finding",
	},
	"app/catalog":             {},
	"app/vault":               {},
	"provisioning":            {"provisioning/edgeconfig", "provisioning/finding", "provisioning/pki"},
	"provisioning/wire":       {},
	"provisioning/edgeconfig": {},
	"provisioning/finding":    {},
	"provisioning/pki":        {"provisioning/finding"},
	"provisioning/est":        {},
	"provisioning/tpm":        {},
	"provisioning/iothub":     {"provisioning/wire"},
	"provisioning/dps":        {"provisioning/wire"},
	"provisioning/azure":      {"provisioning/wire"},
	"provisioning/bundle":     {},
	"provisioning/practice":   {"provisioning/wire"},
	// Its own test forbids even what anyone may import.
	"provisioning/practice/daemontest": {},
	"provisioning/target":              {},
	"hostdetect":                       {},
	"eflow":                            {},
	"resources":                        {},
	"provisioning/secret":              {},
}

// anyone may import the type that holds a secret, except resources, which imports nothing of ours at all.
const anyone = "provisioning/secret"

// listed is what `go list -json` says of one package.
type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportsFollowTheArchitecture(t *testing.T) {
	for _, system := range []string{"linux", "windows"} {
		t.Run(system, func(t *testing.T) {
			packages := list(t, system)
			if !slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == module }) {
				t.Fatalf("go list does not show the package %s", module)
			}
			for _, p := range packages {
				for _, problem := range violations(p) {
					t.Error(problem)
				}
			}
		})
	}
}

// TestViolationsAreFound shows that each kind of rule can fail.
func TestViolationsAreFound(t *testing.T) {
	const toolkit = "fyne.io/fyne/v2"
	allowed := []listed{
		{ImportPath: module, Imports: []string{toolkit, toolkit + "/app", "edgewright/ui", "edgewright/app/command"}},
		{ImportPath: "edgewright/ui/devices", Imports: []string{toolkit + "/widget", "edgewright/ui/theme", "edgewright/app"}},
		{ImportPath: "edgewright/provisioning/dps", Imports: []string{"net/http", "edgewright/provisioning/wire", "edgewright/provisioning/secret"}},
		{ImportPath: "edgewright/provisioning/dps", TestImports: []string{"edgewright/provisioning/practice"}},
		{ImportPath: "edgewright/provisioning/target/ssh", Imports: []string{"edgewright/provisioning/target"}},
	}
	for _, p := range allowed {
		if problems := violations(p); len(problems) > 0 {
			t.Errorf("refused although allowed: %q", problems)
		}
	}
	forbidden := []listed{
		{ImportPath: "edgewright/app", Imports: []string{toolkit}},
		{ImportPath: "edgewright/app", TestImports: []string{toolkit + "/test"}},
		{ImportPath: "edgewright/app", Imports: []string{"edgewright/app/command"}},
		{ImportPath: "edgewright/app/catalog", Imports: []string{"edgewright/provisioning"}},
		{ImportPath: "edgewright/ui", Imports: []string{toolkit + "/app"}},
		{ImportPath: "edgewright/ui/devices", Imports: []string{"edgewright/app/catalog"}},
		{ImportPath: "edgewright/provisioning", Imports: []string{"edgewright/provisioning/wire"}},
		{ImportPath: "edgewright/provisioning/dps", Imports: []string{"edgewright/provisioning"}},
		{ImportPath: "edgewright/provisioning/practice", Imports: []string{"edgewright/provisioning/pki"}},
		{ImportPath: "edgewright/provisioning/target/ssh", Imports: []string{"edgewright/provisioning/wire"}},
		{ImportPath: "edgewright/resources", Imports: []string{"edgewright/provisioning/secret"}},
		{ImportPath: "edgewright/resources", Imports: []string{toolkit}},
		{ImportPath: "edgewright/nowhere"},
	}
	for _, p := range forbidden {
		if len(violations(p)) != 1 {
			t.Errorf("%+v: found %q, want one problem", p, violations(p))
		}
	}
}

// violations lists what p imports against the rules. Tests may import any of our packages: a test often sets two
// readings of one standard against each other. The toolkit's rules hold for tests, too.
func violations(p listed) []string {
	var problems []string
	row, ok := rowOf(p.ImportPath)
	if !ok {
		return []string{p.ImportPath + " has no row in the table of architecture_test.go"}
	}
	for _, path := range p.Imports {
		to, ours := rowOf(path)
		switch {
		case !isOurs(path):
		case !ours:
			problems = append(problems, p.ImportPath+" imports "+path+", which has no row in the table")
		case to == row || slices.Contains(rows[row], to) || to == anyone && row != "resources":
		default:
			problems = append(problems, p.ImportPath+" imports "+path)
		}
	}
	for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
		if !strings.HasPrefix(path, "fyne.io/") {
			continue
		}
		if row != "" && row != "ui" {
			problems = append(problems, p.ImportPath+" imports the toolkit: "+path)
		} else if opensWindows(path) && row != "" {
			problems = append(problems, p.ImportPath+" imports "+path+", which needs a display; only main may")
		}
	}
	return problems
}

// opensWindows tells the toolkit's packages that pull in its driver, and with it C, OpenGL and a display.
func opensWindows(path string) bool {
	return path == "fyne.io/fyne/v2/app" || strings.HasPrefix(path, "fyne.io/fyne/v2/cmd/")
}

func isOurs(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

// rowOf is the longest row that path is in.
func rowOf(path string) (string, bool) {
	if path == module {
		return "", true
	}
	path, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return "", false
	}
	longest := slices.SortedFunc(maps.Keys(rows), func(a, b string) int { return len(b) - len(a) })
	for _, row := range longest {
		if row != "" && (path == row || strings.HasPrefix(path, row+"/")) {
			return row, true
		}
	}
	return "", false
}

// list asks the Go command for the packages of the module as they are on a system.
func list(t *testing.T, system string) []listed {
	t.Helper()
	// -e: a package may have no file for this system or these tags.
	command := exec.CommandContext(t.Context(), "go", "list", "-e", "-tags", "sqlite_fts5,e2e",
		"-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	command.Env = append(os.Environ(), "GOOS="+system)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for decoder := json.NewDecoder(out); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("read the answer of go list: %v", err)
		}
		packages = append(packages, p)
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("go list: %v", err)
	}
	return packages
}
