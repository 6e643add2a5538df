package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestDeviationsAreComplete(t *testing.T) {
	for _, d := range Deviations {
		if d.Operation == "" || d.File == "" || d.Service == "" || d.Source == "" || strings.HasSuffix(d.Service, ".") ||
			!slices.Contains([]string{HubService, DPSService, DPSDevice}, d.Spec) {
			t.Errorf("row %+v", d)
		}
	}
}

// Each exception that Load makes is needed: the file as it is refuses the value.
func TestExceptionsAreNeeded(t *testing.T) {
	needed := map[string]struct{ schema, value string }{
		"x509Thumbprint has members primaryThumbprint and secondaryThumbprint": {"X509Thumbprint", `{"PrimaryThumbprint":"AB"}`},
		"tags and properties hold JSON objects only":                           {"Twin", `{"tags":{"line":7}}`},
		"payload is a JSON object, in request and answer":                      {"CloudToDeviceMethod", `{"payload":[1]}`},
		"a twin has no member configurations":                                  {"Twin", `{"configurations":{"base":{"status":"Applied"}}}`},
		"an object with items and a token":                                     {"QueryResult", `[{"jobId":"j"}]`},
		"content holds JSON objects only":                                      {"ConfigurationContent", `{"deviceContent":{"properties.desired.a":1}}`},
		"200 or 400, both with the result":                                     {"BulkRegistryOperationResult", `{"Message":"x"}`},
		"tags and desired properties hold JSON objects only":                   {"TwinCollection", `{"line":7}`},
	}
	for _, d := range Deviations {
		if d.relax == nil {
			continue
		}
		example, found := needed[d.File]
		if !found {
			t.Errorf("no example for %q", d.File)
			continue
		}
		fits := func(spec *Spec) bool {
			var value any
			if err := json.Unmarshal([]byte(example.value), &value); err != nil {
				t.Fatal(err)
			}
			schema := spec.Doc.Components.Schemas[example.schema].Value
			return schema.VisitJSON(value) == nil && len(unknownMembers(schema, value, "")) == 0
		}
		if fits(read(t, d.Spec)) || !fits(Load(t, d.Spec)) {
			t.Errorf("%q: the file as it is takes %s, or the changed one does not", d.File, example.value)
		}
	}
}

// reports collects errors instead of failing.
type reports struct {
	testing.TB
	texts []string
}

func (r *reports) Errorf(format string, args ...any) {
	r.texts = append(r.texts, fmt.Sprintf(format, args...))
}

// canned is a server that gives one answer.
type canned struct {
	status int
	body   string
}

func (c canned) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(c.body))}, nil
}

func TestCheckerFinds(t *testing.T) {
	spec := Load(t, HubService)
	for _, test := range []struct {
		name, method, path, body string
		answer                   canned
		errors                   string // part of the one error, or empty for none
		seen                     Seen
	}{
		{"good", "GET", "/devices/d", "", canned{200, `{"deviceId":"d","etag":"x"}`}, "", Seen{Good: 1}},
		{"a failure", "GET", "/devices/d", "", canned{404, `{}`}, "", Seen{Failed: 1}},
		{"failure of another shape", "GET", "/devices/d", "", canned{404, `[]`}, "not a failure", Seen{}},
		{"wrong type", "GET", "/devices/d", "", canned{200, `{"deviceId":1}`}, "deviceId", Seen{}},
		{"unknown word", "GET", "/devices/d", "", canned{200, `{"status":"on"}`}, "status", Seen{}},
		{"unknown member", "GET", "/devices/d", "", canned{200, `{"capabilities":{"iotedge":true}}`}, ".capabilities.iotedge", Seen{}},
		{"unknown status", "GET", "/devices/d", "", canned{201, `{}`}, "no status 201", Seen{}},
		{"unknown route", "GET", "/other/d", "", canned{200, `{}`}, "not in the OpenAPI file", Seen{}},
		{"wrong request", "PUT", "/devices/d", `{"status":"on"}`, canned{200, `{}`}, "request PUT", Seen{Good: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &reports{TB: t}
			checker := spec.Check(r, test.answer)
			checker.Strict = true
			checker.Failure = func(_ *http.Response, body []byte) error {
				if !bytes.HasPrefix(body, []byte("{")) {
					return fmt.Errorf("not a failure")
				}
				return nil
			}
			req, err := http.NewRequestWithContext(t.Context(), test.method, "http://hub"+test.path+"?api-version=2021-04-12", strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			if _, err := checker.Do(req); err != nil {
				t.Fatal(err)
			}
			if text := strings.Join(r.texts, "\n"); len(r.texts) > 1 || (text == "") != (test.errors == "") || !strings.Contains(text, test.errors) {
				t.Errorf("errors %q", r.texts)
			}
			if seen := checker.Seen(test.method + " /devices/{id}"); seen != test.seen {
				t.Errorf("seen %+v", seen)
			}
		})
	}
}

func TestOperationsAreListed(t *testing.T) {
	for name, count := range map[string]int{HubService: 42, DPSService: 15, DPSDevice: 3} {
		if all := Load(t, name).Operations(); len(all) != count || !slices.IsSorted(all) {
			t.Errorf("%s: %d operations, %q", name, len(all), all)
		}
	}
}
