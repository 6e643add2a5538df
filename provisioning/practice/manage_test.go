package practice

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzManagement sends any request to the management surface with its token:
// nothing panics, and nobody is answered that the cloud failed.
func FuzzManagement(f *testing.F) {
	for pattern := range managementRoutes {
		method, path, _ := strings.Cut(pattern, " ")
		f.Add(method, path, "hub=hub&device=d&owner=dps&name=ca&search=D&after=hub/d&limit=1", `{"throttle":{"n":1,"of":2,"retry_after":"1s"},"delay":"1ms","sku":"S1","units":1}`)
	}
	f.Add("PUT", "faults", "", `{"skew":"-1h","offline":["hub"],"fail":{"n":1,"of":1,"status":500}}`)
	f.Add("GET", "devices/../overview", "limit=-1&after=%00", "")
	b := open(f, Options{})
	b.makeDevice("d", true)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		if strings.ContainsAny(method, " \r\n\t") || method == "" {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", managementRoot, strings.NewReader(body))
		r.Method, r.URL.Path, r.URL.RawQuery, r.RemoteAddr = method, managementRoot+path, query, ""
		r.Header.Set("Authorization", "Bearer "+b.managementToken().RevealString())
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == 401 {
			t.Errorf("%s %s?%s with %q: %d %s", method, path, query, body, w.Code, w.Body)
		}
		if err := b.SetFaults(FaultSettings{}); err != nil {
			t.Fatal(err)
		}
	})
}
