// Package openapitest holds requests and answers against the services' OpenAPI
// files. It is for tests only; the files are not part of the repository.
package openapitest

import (
	"bytes"
	"encoding/json"
	"io"
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

// Load reads a file of the folder "shared/specs" beside the repository and skips
// the test where there is none.
func Load(t testing.TB, name string) *Spec {
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

// Checker passes requests on and fails the test where a request or an answer
// does not fit the file.
type Checker struct {
	t    testing.TB
	spec *Spec
	next policy.Transporter
	// Outside names what is known not to be in the file, as "METHOD /path"
	// with the path of the request.
	Outside []string

	mu   sync.Mutex
	used map[string]bool
}

// Check makes a Checker in front of next.
func (s *Spec) Check(t testing.TB, next policy.Transporter) *Checker {
	return &Checker{t: t, spec: s, next: next, used: map[string]bool{}}
}

// Used lists the operations seen, as "METHOD /path/{template}", sorted.
func (c *Checker) Used() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	used := make([]string, 0, len(c.used))
	for operation := range c.used {
		used = append(used, operation)
	}
	slices.Sort(used)
	return used
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
	c.used[req.Method+" "+template] = true
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
	responses := input.Route.Operation.Responses
	if responses.Status(resp.StatusCode) == nil && responses.Default() == nil {
		if resp.StatusCode < 400 {
			c.t.Errorf("answer %d to %s %s is not in the OpenAPI file", resp.StatusCode, input.Route.Method, input.Route.Path)
		}
		return // the file says nothing of failures
	}
	err := openapi3filter.ValidateResponse(input.Request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeWriteOnlyValidations: true},
	})
	if err != nil {
		c.t.Errorf("answer to %s %s: %v", input.Route.Method, input.Route.Path, err)
	}
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
