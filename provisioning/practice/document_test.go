package practice

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"edgewright/provisioning/wire/openapitest"
)

var update = flag.Bool("update", false, "write the generated parts of docs/practice-cloud-routes.md")

const routesDocument = "../../docs/practice-cloud-routes.md"

// TestRoutesDocument holds the generated parts of the document against the
// tables in the code. After a change: go test -run RoutesDocument -update.
func TestRoutesDocument(t *testing.T) {
	raw, err := os.ReadFile(routesDocument)
	if err != nil {
		t.Fatal(err)
	}
	before := strings.ReplaceAll(string(raw), "\r\n", "\n")
	after := before
	for name, text := range map[string]string{"routes": routeTable(), "not offered": notOfferedTable(), "deviations": deviationTable()} {
		begin, end := "<!-- generated: "+name+" -->\n", "<!-- end -->\n"
		head, rest, found := strings.Cut(after, begin)
		_, tail, closed := strings.Cut(rest, end)
		if !found || !closed {
			t.Fatalf("no part %q", name)
		}
		after = head + begin + text + end + tail
	}
	if after == before {
		return
	}
	if !*update {
		t.Fatal("the generated parts are not those of the code; run this test with -update")
	}
	if err := os.WriteFile(routesDocument, []byte(after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func routeTable() string {
	out := "| plane | method | path |\n| --- | --- | --- |\n"
	for _, row := range []struct {
		plane
		name string
	}{{planeHub, "IoT Hub"}, {planeDPSService, "DPS service"}, {planeDPSDevice, "DPS device"}, {planeARM, "Azure Resource Manager"}} {
		for _, r := range routes[row.plane] {
			out += fmt.Sprintf("| %s | %s | `/%s` |\n", row.name, r.method, r.pattern)
		}
	}
	return out
}

func notOfferedTable() string {
	out := "| operation | why |\n| --- | --- |\n"
	for _, operation := range slices.Sorted(maps.Keys(notOffered)) {
		out += fmt.Sprintf("| `%s` | %s |\n", operation, notOffered[operation])
	}
	for _, member := range slices.Sorted(maps.Keys(membersNotOffered)) {
		out += fmt.Sprintf("| member `%s` | %s |\n", member, membersNotOffered[member])
	}
	return out
}

func deviationTable() string {
	names := map[string]string{openapitest.HubService: "IoT Hub", openapitest.DPSService: "DPS service", openapitest.DPSDevice: "DPS device"}
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	out := "| service | operation | the file says | the service does | source |\n| --- | --- | --- | --- | --- |\n"
	for _, d := range openapitest.Deviations {
		out += fmt.Sprintf("| %s | `%s` | %s | %s | %s |\n", names[d.Spec], d.Operation, cell.Replace(d.File), cell.Replace(d.Service), cell.Replace(d.Source))
	}
	return out
}
