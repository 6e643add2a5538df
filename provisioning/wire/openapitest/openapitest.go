// Package openapitest holds requests and answers against the services' OpenAPI
// files. It is for tests only; the files are not part of the repository.
package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Spec is one OpenAPI file, converted from version 2 to 3.
type Spec struct{ Doc *openapi3.T }

// Load reads a file of the folder "shared/specs" beside the repository, with the
// exceptions of Deviations, and skips the test where there is none.
func Load(t testing.TB, name string) *Spec {
	t.Helper()
	spec := read(t, name)
	for _, d := range Deviations {
		if d.Spec == name && d.relax != nil {
			d.relax(spec.Doc)
		}
	}
	return spec
}

// read gives a file as it is.
func read(t testing.TB, name string) *Spec {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			break
		}
		if folder == filepath.Dir(folder) {
			t.Fatal("no go.mod above the test")
		}
		folder = filepath.Dir(folder)
	}
	data, err := os.ReadFile(filepath.Join(folder, "..", "shared", "specs", name))
	if err != nil {
		t.Skipf("needs the OpenAPI file %s in ../shared/specs", name)
	}
	var old openapi2.T
	if err := json.Unmarshal(data, &old); err != nil {
		t.Fatal(err)
	}
	// A host would be compared with that of the test server.
	old.Host, old.Schemes = "", nil
	doc, err := openapi2conv.ToV3(&old)
	if err != nil {
		t.Fatal(err)
	}
	return &Spec{Doc: doc}
}

// Operations lists all operations of the file as "METHOD /path/{template}",
// sorted.
func (s *Spec) Operations() []string {
	var all []string
	for path, item := range s.Doc.Paths.Map() {
		for method := range item.Operations() {
			all = append(all, method+" "+path)
		}
	}
	slices.Sort(all)
	return all
}

// Checker passes requests on and fails the test where a request or an answer
// does not fit the file.
type Checker struct {
	t    testing.TB
	spec *Spec
	next policy.Transporter
	// Outside names what is known not to be in the file, as "METHOD /path"
	// with the path of the request.
	Outside []string
	// Failure holds an answer of 400 and above that the file says nothing of
	// against what is known; nil lets them pass.
	Failure func(*http.Response, []byte) error
	// Strict fails the test also on members of good answers that the file does
	// not know.
	Strict bool

	mu   sync.Mutex
	used map[string]Seen
}

// Seen counts the answers to an operation that fit the file: those with a status
// that the file has for success, and failures.
type Seen struct{ Good, Failed int }

func (s Seen) plus(good, failed int) Seen { return Seen{s.Good + good, s.Failed + failed} }

// Check makes a Checker in front of next.
func (s *Spec) Check(t testing.TB, next policy.Transporter) *Checker {
	return &Checker{t: t, spec: s, next: next, used: map[string]Seen{}}
}

// Used lists the operations seen, as "METHOD /path/{template}", sorted.
func (c *Checker) Used() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.used))
}

// Seen counts the answers to an operation of Used.
func (c *Checker) Seen(operation string) Seen {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used[operation]
}

// Do implements policy.Transporter.
func (c *Checker) Do(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	input := c.request(req, body)
	resp, err := c.next.Do(req)
	if err != nil || input == nil {
		return resp, err
	}
	answer, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	if err != nil {
		return resp, nil
	}
	c.response(input, resp, answer)
	return resp, nil
}

func (c *Checker) request(req *http.Request, body []byte) *openapi3filter.RequestValidationInput {
	if slices.Contains(c.Outside, req.Method+" "+req.URL.Path) {
		return nil
	}
	template, item, params := c.spec.find(req)
	if item == nil || item.GetOperation(req.Method) == nil {
		c.t.Errorf("%s %s is not in the OpenAPI file", req.Method, req.URL.EscapedPath())
		return nil
	}
	c.mu.Lock()
	c.used[req.Method+" "+template] = c.used[req.Method+" "+template].plus(0, 0)
	c.mu.Unlock()
	copied := req.Clone(req.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	input := &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: params,
		Route:   &routers.Route{Spec: c.spec.Doc, Path: template, PathItem: item, Method: req.Method, Operation: item.GetOperation(req.Method)},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeReadOnlyValidations: true},
	}
	if err := openapi3filter.ValidateRequest(req.Context(), input); err != nil {
		c.t.Errorf("request %s %s: %v", req.Method, req.URL.Path, err)
	}
	return input
}

func (c *Checker) response(input *openapi3filter.RequestValidationInput, resp *http.Response, body []byte) {
	operation := input.Route.Method + " " + input.Route.Path
	described := input.Route.Operation.Responses.Status(resp.StatusCode)
	var err error
	switch {
	case described != nil || resp.StatusCode >= 400 && input.Route.Operation.Responses.Default() != nil:
		err = openapi3filter.ValidateResponse(input.Request.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
			Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeWriteOnlyValidations: true},
		})
	case resp.StatusCode < 400:
		err = fmt.Errorf("the file has no status %d", resp.StatusCode)
	}
	if err == nil && resp.StatusCode >= 400 && c.Failure != nil {
		err = c.Failure(resp, body)
	}
	if err == nil && described != nil && c.Strict {
		err = onlyKnown(described.Value, body)
	}
	if err != nil {
		c.t.Errorf("answer %d to %s: %v", resp.StatusCode, operation, err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if described != nil && resp.StatusCode < 400 {
		c.used[operation] = c.used[operation].plus(1, 0)
	} else {
		c.used[operation] = c.used[operation].plus(0, 1)
	}
}

// onlyKnown refuses members of an answer that its schema does not have.
func onlyKnown(response *openapi3.Response, body []byte) error {
	content := response.Content.Get("application/json")
	if content == nil || content.Schema == nil || len(body) == 0 {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	if extra := unknownMembers(content.Schema.Value, value, ""); len(extra) > 0 {
		return fmt.Errorf("the file does not know the members %s", strings.Join(extra, ", "))
	}
	return nil
}

// unknownMembers looks into objects that list their members. Those without a
// list hold what a user put there.
func unknownMembers(schema *openapi3.Schema, value any, at string) (extra []string) {
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			if schema.Items != nil {
				extra = append(extra, unknownMembers(schema.Items.Value, item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			member, known := schema.Properties[name]
			switch {
			case known:
				extra = append(extra, unknownMembers(member.Value, value[name], at+"."+name)...)
			case len(schema.Properties) > 0 && schema.AdditionalProperties.Has == nil && schema.AdditionalProperties.Schema == nil:
				extra = append(extra, at+"."+name)
			}
		}
	}
	return extra
}

// find matches the path of a request segment by segment; a template without
// parameters wins over one with them.
func (s *Spec) find(req *http.Request) (template string, item *openapi3.PathItem, params map[string]string) {
	have := strings.Split(req.URL.EscapedPath(), "/")
	fewest := len(have) + 1
	for path, candidate := range s.Doc.Paths.Map() {
		want := strings.Split(path, "/")
		if len(want) != len(have) {
			continue
		}
		found := map[string]string{}
		for i, segment := range want {
			if name, isParam := strings.CutPrefix(segment, "{"); isParam {
				value, err := url.PathUnescape(have[i])
				if err != nil || value == "" {
					found = nil
					break
				}
				found[strings.TrimSuffix(name, "}")] = value
			} else if segment != have[i] {
				found = nil
				break
			}
		}
		if found != nil && len(found) < fewest && candidate.GetOperation(req.Method) != nil {
			template, item, params, fewest = path, candidate, found, len(found)
		}
	}
	return template, item, params
}
