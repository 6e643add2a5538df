package provisioning

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"edgewright/provisioning/finding"
)

// certificateRows each break a plan with certificates in one place and name the
// field found.
func certificateRows() []planRow {
	return []planRow{
		{x509Plan, `source = "issue"`, `source = "bought"`, "x509.source", finding.Error},
		{x509Plan, `source = "issue"`, `source = "self-signed"`, "x509.source", finding.Error},
		{x509Plan, "ca = \"Line 7 issuing\"\nkey", "key", "x509.ca", finding.Error},
		{manualX509Plan, "[x509]\n", "[x509]\nca = \"x\"\n", "x509.ca", finding.Error},
		{x509Plan, `"workstation"`, `"cellar"`, "x509.key", finding.Error},
		{x509Plan, `"rsa3072"`, `"p384"`, "x509.algorithm", finding.Error},
		{x509Plan, `days = 90`, `days = -1`, "x509.days", finding.Error},
		{x509Plan, `anchor = "uploaded"`, `anchor = "harbour"`, "x509.anchor", finding.Error},
		{manualX509Plan, "[x509]\n", "[x509]\nanchor = \"intermediate\"\n", "x509.anchor", finding.Error},
		{x509Plan, `uploaded = "line-7-ca"`, ``, "x509.uploaded", finding.Error},
		{x509Plan, `uploaded = "line-7-ca"`, `uploaded = "line 7"`, "x509.uploaded", finding.Error},
		{x509Plan, "anchor = \"uploaded\"\nuploaded = \"line-7-ca\"", `onboard = true`, "x509.onboard", finding.Error},
		{manualX509Plan, "[x509]\n", "[x509]\nonboard = true\n", "x509.onboard", finding.Error},
		{x509Plan, `days = 90`, `thumbprint = "sha1"`, "x509.thumbprint", finding.Error},
		{manualX509Plan, `"sha1"`, `"md5"`, "x509.thumbprint", finding.Error},
		{manualX509Plan, `files = { certificate = "a.pem", key = "a.key" }`, ``, "x509.files", finding.Error},
		{manualX509Plan, `, key = "a.key"`, ``, "x509.files", finding.Error},
		{x509Plan, "[edge_ca]\nsource = \"issue\"", "[edge_ca]\nsource = \"moon\"", "edge_ca.source", finding.Error},
		{x509Plan, "[edge_ca]\nsource = \"issue\"", "[edge_ca]\nsource = \"files\"", "edge_ca.files", finding.Error},
		{x509Plan, "[edge_ca]\nsource = \"issue\"", "[edge_ca]\nfiles = { certificate = \"a.pem\" }\nsource = \"files\"", "edge_ca.files", finding.Error},
		{x509Plan, `"line-7-0042.gateway"`, `"line-7-0042"`, "edge_ca.common_name", finding.Error},
		{x509Plan, "ca = \"Line 7 issuing\"\ncommon_name", "common_name", "edge_ca.ca", finding.Error},
		{x509Plan, `"Plant Root 2026"`, `" "`, "trust_bundle.certificates", finding.Error},
		{estPlan, "enrollment = \"group\"\ngroup = \"line-7\"", "", "x509.source", finding.Error},
		{estPlan, "enrollment = \"group\"\ngroup = \"line-7\"", "", "x509.auto_renew", finding.Error},
		{localCAPlan, `group = "line-7"`, ``, "x509.source", finding.Error},
		{localCAPlan, `source = "local-ca"`, `source = "local-ca" `, "x509.source", finding.Care},
		{localCAPlan, `id = "line-7-0042"`, `id = "` + strings.Repeat("a", 57) + `"`, "device.id", finding.Error},
		{localCAPlan, "days = 90", "algorithm = \"p384\"", "x509.algorithm", finding.Error},
		{localCAPlan, "days = 90", "est = { url = \"https://x\" }", "x509.est", finding.Error},
		{localCAPlan, "days = 90", "files = { certificate = \"a\", key = \"b\" }", "x509.files", finding.Error},
		{estPlan, `"1.5"`, `"1.2"`, "x509.auto_renew", finding.Error},
		{estPlan, "\"10day\"", "\"10d\"", "x509.auto_renew.threshold", finding.Error},
		{estPlan, "\"60min\"", "\"100%\"", "x509.auto_renew.retry", finding.Error},
		{x509Plan, "days = 90", "auto_renew = { threshold = \"80%\" }", "x509.auto_renew", finding.Error},
		{estPlan, "[edge_ca]", "days = 9\n[edge_ca]", "x509.days", finding.Error},
		{estPlan, "[edge_ca]", "key = \"workstation\"\n[edge_ca]", "x509.key", finding.Error},
		{estPlan, "[edge_ca]", "algorithm = \"p256\"\n[edge_ca]", "x509.algorithm", finding.Error},
		{estPlan, "anchor = \"intermediate\"", "anchor = \"uploaded\"\nuploaded = \"x\"", "x509.ca", finding.Error},
		{estPlan, "https://est", "http://est", "x509.est.url", finding.Error},
		{estPlan, "https://est.example.org/.well-known/est/line-7", "", "x509.est.url", finding.Error},
		{estPlan, "https://est.example.org/.well-known/est/line-7", "https://est.example.org/est", "x509.est.url", finding.Error},
		{estPlan, "https://est", "https://me:pw@est", "x509.est.url", finding.Error},
		{estPlan, "est/line-7\"", "est/line-7?a=b\"", "x509.est.url", finding.Error},
		{estPlan, "\"Line 7 bootstrap\"", "\"vault:\"", "x509.est.bootstrap", finding.Error},
		{estPlan, "\"Line 7 bootstrap\"", "\"\"", "x509.est.bootstrap", finding.Care},
		{estPlan, "\"Plant Root 2026\"", "\"\"", "x509.est.trust", finding.Note},
		{estPlan, "\"Plant Root 2026\"", "\" Plant Root 2026\"", "x509.est.trust", finding.Error},
		{estPlan, "[edge_ca]\nsource = \"est\"", "[edge_ca]\nsource = \"est\"\nca = \"x\"", "edge_ca.ca", finding.Error},
		{edgeESTPlan, "source = \"est\"", "source = \"issue\"", "x509.est", finding.Error},
		{edgeESTPlan, "[x509]\n", "[x509]\ndays = 3\n", "x509", finding.Error},
		{estPlan, "provisioning = \"dps\"", "provisioning = \"manual\"", "x509.source", finding.Care},
		{manualX509Plan, "[x509]\n", "[x509]\nkey = \"device\"\n", "x509.key", finding.Error},
		{x509Plan, `days = 90`, `days = 3651`, "x509.days", finding.Error},
		{x509Plan, `days = 90`, `secondary = false`, "x509.secondary", finding.Error},
		{manualX509Plan, `secondary = false`, `secondary = true`, "x509.secondary", finding.Care},
		{estPlan, "anchor = \"intermediate\"", "anchor = \"uploaded\"\nuploaded = \"x\"\nonboard = true", "x509.onboard", finding.Error},
		{x509Plan, "\"x509\"\n[cloud]", "\"symmetric-key\"\n[cloud]", "x509", finding.Error},
		{x509Plan, "enrollment = \"group\"\ngroup = \"line-7\"", "", "x509.anchor", finding.Error},
		{x509Plan, "[edge_ca]\nsource = \"issue\"", "[edge_ca]\nfiles = { certificate = \"a\", key = \"b\" }\nsource = \"files\"", "edge_ca.ca", finding.Error},
		{x509Plan, "[edge_ca]\nsource = \"issue\"", "[edge_ca]\nfiles = { certificate = \"a\", key = \"b\" }\nsource = \"files\"", "edge_ca.common_name", finding.Care},
		{x509Plan, `"line-7-0042.gateway"`, `"` + strings.Repeat("a", 65) + `"`, "edge_ca.common_name", finding.Error},
		{x509Plan, "issuing\"\ncommon_name = \"line-7-0042.gateway\"", "issuing\"\nfiles = { certificate = \"a\", key = \"b\" }", "edge_ca.files", finding.Error},
		{estPlan, "https://est.example.org", "est.example.org", "x509.est.url", finding.Error},
		{estPlan, "\"Line 7 bootstrap\"", "\"\"", "x509.est.bootstrap", finding.Care},
		{strings.Replace(estPlan, "\"1.5\"", "\"1.2\"", 1), "\"Line 7 bootstrap\"", "\"\"", "x509.est.bootstrap", finding.Error},
	}
}

// planRow is a plan of which a part is replaced, and the finding that has to come
// of it.
type planRow struct {
	plan, old, new, field string
	level                 finding.Level
}

// findings are those of the changed plan.
func (r planRow) findings(t *testing.T) finding.List {
	t.Helper()
	text := strings.Replace(r.plan, r.old, r.new, 1)
	if text == r.plan {
		t.Fatalf("%s, %q: the row changes nothing", r.field, r.new)
	}
	_, found, err := ParsePlan([]byte(text))
	if err != nil {
		t.Fatalf("%s, %q: %v", r.field, r.new, err)
	}
	return found
}

func TestCertificatePlanFindings(t *testing.T) {
	for _, row := range certificateRows() {
		found := row.findings(t)
		if !slices.ContainsFunc(found, func(f finding.Finding) bool {
			return f.Field == row.field && f.Level == row.level && f.Problem != "" && f.Fix != ""
		}) {
			t.Errorf("%q: no %s names %s: %+v", row.new, row.level, row.field, found)
		}
	}
}

// certificateTables are the tables of the contract, each key of them with a value
// that it may have.
const certificateTables = `
[x509]
source = "issue"
ca = "Line 7 issuing"
key = "device"
algorithm = "p256"
days = 365
anchor = "intermediate"
uploaded = "line-7-ca"
onboard = true
thumbprint = "sha256"
secondary = true
files = { certificate = "a", key = "b" }
est = { url = "c", bootstrap = "d", trust = "e" }
auto_renew = { rotate_key = true, threshold = "80%", retry = "4%" }
[edge_ca]
source = "issue"
ca = "Line 7 issuing"
common_name = "f.ca"
files = { certificate = "g", key = "h" }
[trust_bundle]
certificates = ["Plant Root 2026"]
`

// contractKeys are the keys of those tables with their values.
func contractKeys(t *testing.T) map[string]any {
	t.Helper()
	var tables map[string]any
	if err := toml.Unmarshal([]byte(certificateTables), &tables); err != nil {
		t.Fatal(err)
	}
	keys := map[string]any{}
	var walk func(prefix string, value any)
	walk = func(prefix string, value any) {
		table, ok := value.(map[string]any)
		if !ok {
			keys[prefix] = value
		}
		for key, value := range table {
			walk(strings.TrimPrefix(prefix+"."+key, "."), value)
		}
	}
	walk("", tables)
	return keys
}

// keysOf are the keys that a type of a plan reads, below a prefix.
func keysOf(prefix string, kind reflect.Type) (keys []string) {
	for kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if kind.Kind() != reflect.Struct {
		return []string{prefix}
	}
	for i := range kind.NumField() {
		name, _, _ := strings.Cut(kind.Field(i).Tag.Get("toml"), ",")
		keys = append(keys, keysOf(prefix+"."+name, kind.Field(i).Type)...)
	}
	return keys
}

// Each key of the tables of certificates is one of the contract, has a row above
// that names it, is refused by its name with a value of the wrong type, and reads
// and writes the same. A key that comes later and lacks one of these fails here.
func TestEveryCertificateKeyOfAPlan(t *testing.T) {
	var keys []string
	for table, kind := range map[string]reflect.Type{"x509": reflect.TypeFor[X509Plan](), "edge_ca": reflect.TypeFor[EdgeCAPlan](), "trust_bundle": reflect.TypeFor[TrustBundlePlan]()} {
		keys = append(keys, keysOf(table, kind)...)
	}
	contract := contractKeys(t)
	if len(keys) != len(contract) {
		t.Errorf("the plan has %d keys, the contract %d", len(keys), len(contract))
	}
	named := map[string]bool{}
	for _, row := range certificateRows() {
		named[row.field] = true
	}
	for _, key := range keys {
		value, known := contract[key]
		if !known {
			t.Errorf("%s is not in the contract", key)
			continue
		}
		// What holds true or false can be wrong by its type only, and a table of two
		// files is judged as a whole.
		_, truth := value.(bool)
		table := key[:strings.LastIndex(key, ".")]
		if !named[key] && key != "x509.auto_renew.rotate_key" && !(strings.HasSuffix(table, ".files") && named[table]) {
			t.Errorf("no row names %s", key)
		}
		wrong := "7"
		if _, number := value.(int64); truth || number {
			wrong = `"seven"`
		}
		if _, list := value.([]any); list {
			wrong = "true"
		}
		name := key[strings.LastIndex(key, ".")+1:]
		_, _, err := ParsePlan([]byte("[" + table + "]\n" + name + " = " + wrong + "\n"))
		if err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), "field "+key) {
			t.Errorf("%s = %s: %v", key, wrong, err)
		}
		if _, found, err := ParsePlan([]byte("[" + table + "]\n" + name + "x = 7\n")); err != nil || len(found) == 0 || found[0].Field != key+"x" || found[0].Level != finding.Error {
			t.Errorf("%sx: %+v %v", key, found, err)
		}
		keepsKey(t, table, name, value)
	}
}

// keepsKey writes a plan with one key, reads it, writes it again and looks for it.
func keepsKey(t *testing.T, table, name string, value any) {
	t.Helper()
	text := fmt.Sprintf("%#v", value)
	if list, ok := value.([]any); ok {
		text = fmt.Sprintf("[%q]", list[0])
	}
	var plan, again Plan
	if err := toml.Unmarshal([]byte("["+table+"]\n"+name+" = "+text+"\n"), &plan); err != nil {
		t.Errorf("%s.%s = %s: %v", table, name, text, err)
		return
	}
	written, err := plan.TOML()
	if err == nil {
		err = toml.Unmarshal(written, &again)
	}
	if err != nil || reflect.DeepEqual(plan, Plan{}) || !reflect.DeepEqual(plan, again) {
		t.Errorf("%s.%s = %s reads again as %+v, %v, from\n%s", table, name, text, again, err, written)
	}
	if !strings.Contains(string(written), name) {
		t.Errorf("%s.%s = %s is not written:\n%s", table, name, text, written)
	}
}

// Every sentence of the checks of certificates comes up in one of the rows: a new
// check without one fails here.
func TestEveryCertificateFindingHasARow(t *testing.T) {
	var said []string
	for _, row := range certificateRows() {
		for _, f := range row.findings(t) {
			said = append(said, f.Problem)
		}
	}
	sentences := 0
	for _, file := range []string{"plan_x509.go", "plan_issued.go", "plan_anchor.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			for _, literal := range problemLiterals(n) {
				sentences++
				pattern := regexp.MustCompile(verbs.ReplaceAllString(regexp.QuoteMeta(literal), ".*"))
				if !slices.ContainsFunc(said, pattern.MatchString) {
					t.Errorf("%s: no row brings up %q", file, literal)
				}
			}
			return true
		})
	}
	if sentences < 35 {
		t.Errorf("only %d sentences are found", sentences)
	}
}

var verbs = regexp.MustCompile(`%[a-z]`)

// problemLiterals are the texts of a problem in a call of finding.List.Add, or
// those that a function gives as one.
func problemLiterals(n ast.Node) (literals []string) {
	var from []ast.Node
	switch n := n.(type) {
	case *ast.CallExpr:
		if called, ok := n.Fun.(*ast.SelectorExpr); ok && called.Sel.Name == "Add" && len(n.Args) == 4 {
			from = append(from, n.Args[2])
		}
	case *ast.FuncDecl:
		if n.Name.Name != "estURLProblem" {
			return nil
		}
		ast.Inspect(n, func(n ast.Node) bool {
			if given, ok := n.(*ast.ReturnStmt); ok {
				from = append(from, given.Results[0])
			}
			return true
		})
	}
	for _, tree := range from {
		ast.Inspect(tree, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && text != "" {
					literals = append(literals, text)
				}
			}
			return true
		})
	}
	return literals
}
