package dps

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"edgewright/provisioning/wire/openapitest"
)

// relaxations change the file where the service differs from it, each under the
// file's words in Deviations.
var relaxations = map[string]func(*openapi3.T){
	"tags and desired properties hold JSON objects only": func(doc *openapi3.T) {
		doc.Components.Schemas["TwinCollection"].Value.AdditionalProperties = openapi3.BoolSchema{}
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

func TestDeviationsAreComplete(t *testing.T) {
	for _, d := range Deviations {
		if d.Operation == "" || d.File == "" || d.Service == "" || d.Source == "" {
			t.Errorf("row %+v", d)
		}
	}
}
