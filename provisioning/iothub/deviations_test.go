package iothub

import (
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"edgewright/provisioning/wire/openapitest"
)

// relaxations change the file where the service differs from it, each under the
// file's words in Deviations.
var relaxations = map[string]func(*openapi3.T){
	"tags and properties hold JSON objects only": func(doc *openapi3.T) {
		doc.Components.Schemas["Twin"].Value.Properties["tags"].Value.AdditionalProperties = openapi3.BoolSchema{}
		for _, half := range []string{"desired", "reported"} {
			doc.Components.Schemas["TwinProperties"].Value.Properties[half].Value.AdditionalProperties = openapi3.BoolSchema{}
		}
	},
}

func relax(t *testing.T, spec *openapitest.Spec) {
	t.Helper()
	for words, change := range relaxations {
		found := false
		for _, d := range Deviations {
			found = found || d.File == words
		}
		if !found {
			t.Errorf("relaxation %q has no row in Deviations", words)
		}
		change(spec.Doc)
	}
}

// counter counts errors instead of failing.
type counter struct {
	testing.TB
	errors int
}

func (c *counter) Errorf(string, ...any) { c.errors++ }

func TestRelaxationsAreNeeded(t *testing.T) {
	spec := openapitest.Load(t, "iothub-service-2021-04-12.json")
	server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { reply(w, http.StatusOK, edgeTwin) })
	count := &counter{TB: t}
	c := server.client(t, Options{Transport: spec.Check(count, server.Client())})
	if _, err := c.Twin(t.Context(), "d1"); err != nil {
		t.Fatal(err)
	}
	if count.errors == 0 {
		t.Error("the file accepts a tag that is a number; the row in Deviations is wrong")
	}
}

func TestDeviationsAreComplete(t *testing.T) {
	for _, d := range Deviations {
		if d.Operation == "" || d.File == "" || d.Service == "" || d.Source == "" || strings.HasSuffix(d.Service, ".") {
			t.Errorf("row %+v", d)
		}
	}
}
