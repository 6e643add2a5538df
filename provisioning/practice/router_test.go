package practice

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

func TestPathsAndVersions(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("a%b", false)
	b.makeDevice("d", true)
	auth := b.owner()
	for _, test := range []struct {
		path, version string
		status        int
	}{
		{"/devices/a%25b", "", 200},
		{"/Devices/d/Modules/%24edgeAgent/", "", 200},
		{"/devices/d", "api-version=1999-01-01", 200},
		{"/devices/d", "Api-Version=x%20y", 200},
		{"/devices/d", "api-version=", 400},
		{"/devices/d", "x=api-version", 400},
		{"/devices/d//", "", 404},
		{"/devices//d", "", 404},
		{"/devices/d%2Fmodules", "", 404},
		{"/devices/%2e%2e/d", "", 404},
		{"/", "", 404},
		{"/nothing", "", 404},
	} {
		version := test.version
		if version == "" {
			version = "api-version=2021-04-12"
		}
		r := httptest.NewRequest("GET", test.path+"?"+version, nil)
		r.Host = b.Info().HubHost
		r.Header.Set("Authorization", auth)
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, r)
		if w.Code != test.status {
			t.Errorf("GET %s?%s: %d, want %d: %s", test.path, version, w.Code, test.status, w.Body)
		}
		if w.Code >= 400 && !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			t.Errorf("GET %s: type %s", test.path, w.Header().Get("Content-Type"))
		}
	}
}

func TestFaults(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	statuses := func(n int) (got []int) {
		for range n {
			got = append(got, b.hubDo("GET", "/devices/d", "").status)
		}
		return got
	}
	same := func(name string, got []int, want ...int) {
		t.Helper()
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %v, want %v", name, got, want)
				return
			}
		}
	}
	f := b.Faults()
	f.Throttle(2, 3, 0)
	same("2 of 3", statuses(6), 429, 429, 200, 429, 429, 200)
	r := b.want(b.hubDo("GET", "/devices/d", ""), 429, "ThrottlingException")
	if r.header.Get("Retry-After") != "" {
		t.Error("IoT Hub sends no Retry-After")
	}
	f.Clear()
	f.ThrottleNext(1, 7*time.Second)
	if r := b.dpsDo("GET", "/enrollments/r", ""); r.status != 429 || r.header.Get("Retry-After") != "7" || r.header.Get(wire.HeaderDPSErrorCode) != "429000" {
		t.Errorf("DPS: %d %v", r.status, r.header)
	}
	same("after", statuses(1), 200)
	f.FailNext(2, 503)
	same("503", statuses(3), 503, 503, 200)
	f.FailNext(1, 500)
	b.want(b.hubDo("PUT", "/devices/never", "{}"), 500, "ServerError")
	b.want(b.hubDo("GET", "/devices/never", ""), 404, "DeviceNotFound")
	f.FailNext(1, 500)
	f.Only(func(method, path string) bool { return method == "PUT" })
	same("other method", statuses(1), 200)
	f.Clear()
	f.Delay(20 * time.Millisecond)
	begin := time.Now()
	statuses(1)
	if time.Since(begin) < 20*time.Millisecond {
		t.Error("no delay")
	}
	f.Clear()

	// An hour ahead, tokens of an hour have expired.
	f.Skew(61 * time.Minute)
	r = b.want(b.hubDo("GET", "/devices/d", ""), 401, "IotHubUnauthorizedAccess")
	date, err := http.ParseTime(r.header.Get("Date"))
	if err != nil || !date.Equal(b.clock.Now().Add(61*time.Minute)) {
		t.Errorf("Date %v, %v", date, err)
	}
	f.Skew(-24 * time.Hour)
	same("behind", statuses(1), 200)
	f.Clear()

	f.Polling(9*time.Second, 2)
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+symmetric+`}`), 200, "")
	key := b.keysOf("/enrollments/r").PrimaryKey.Secret()
	r = b.want(b.registerCall("PUT", "r", "/register", key), 202, "")
	operation := into[wire.RegistrationOperationStatus](t, r).OperationID
	if r.header.Get("Retry-After") != "9" {
		t.Errorf("Retry-After %s", r.header.Get("Retry-After"))
	}
	for _, status := range []int{202, 202, 200, 200} {
		b.want(b.registerCall("GET", "r", "/operations/"+operation, key), status, "")
	}
}

func TestRequestLogHoldsNoSecret(t *testing.T) {
	var logged []Request
	b := open(t, Options{Log: func(r Request) { logged = append(logged, r) }})
	b.do(call{method: "GET", path: "/devices/x?sig=hidden&api-version=2021-04-12", auth: b.owner()})
	b.do(call{method: "POST", path: "/devices/x/messages/events", auth: "SharedAccessSignature sr=a&sig=hidden&se=1", body: "hidden"})
	for range keptRequests {
		b.hubDo("GET", "/devices", "")
	}
	kept := b.Requests()
	if len(logged) != keptRequests+2 || len(kept) != keptRequests || kept[0] != logged[2] || kept[keptRequests-1] != logged[keptRequests+1] {
		t.Fatalf("%d logged, %d kept", len(logged), len(kept))
	}
	first := logged[0]
	if first.Method != "GET" || first.Path != "/devices/x" || first.Status != 404 || first.Code != "DeviceNotFound" || first.CorrelationID == "" ||
		first.APIVersion != "2021-04-12" || first.Host != b.Info().HubHost || !first.Time.Equal(b.clock.Now()) {
		t.Errorf("first %+v", first)
	}
	for _, r := range logged[:2] {
		if strings.Contains(r.Path+r.Code+r.APIVersion+r.Host, "hidden") {
			t.Errorf("a secret in %+v", r)
		}
	}
}

func FuzzRequest(f *testing.F) {
	b := open(f, Options{})
	b.makeDevice("d", true)
	b.want(b.dpsDo("PUT", "/enrollments/r", `{"registrationId":"r",`+symmetric+`}`), 200, "")
	key := b.keysOf("/enrollments/r").PrimaryKey.Secret()
	tokens := []string{"", b.owner(), b.token(idScope+"/registrations/r", key, "registration"),
		b.token(b.Info().DPSHost, b.settings().DPSKey.PrimaryKey.Secret(), policyDPSOwner)}
	methods := []string{"GET", "PUT", "POST", "DELETE", "PATCH"}
	for _, seed := range []struct{ path, body, match string }{
		{"/devices/d", `{"authentication":{"symmetricKey":null},"capabilities":null,"parentScopes":[null]}`, ""},
		{"/devices/d/modules/$edgeAgent", `{"authentication":{"type":"x509"}}`, "*"},
		{"/twins/d", `{"tags":{"a":null,"b":{"c":[1,{"d":null}]}},"properties":{"desired":null}}`, `"`},
		{"/enrollments/r", `{"registrationId":"r","attestation":{"type":"symmetricKey","symmetricKey":{}},"capabilities":null}`, "*"},
		{"/enrollments", `{"mode":"create","enrollments":[{},null]}`, ""},
		{"/enrollmentGroups/g", `{"enrollmentGroupId":"g","attestation":{"type":"symmetricKey"},"initialTwin":{"properties":{"desired":[]}}}`, ""},
		{"/enrollments/query", `{"query":"*"}`, ""},
		{"/" + idScope + "/registrations/r/register", `{"registrationId":"R","payload":{}}`, ""},
		{"/" + idScope + "/registrations/r/operations/x", `null`, ""},
		{"/registrations/r", ``, "x"},
		{"/%ff/%2f", `[]`, ""},
	} {
		for method := range methods {
			for token := range tokens {
				f.Add(method, seed.path, seed.body, seed.match, token)
			}
		}
	}
	handler := b.Handler()
	f.Fuzz(func(t *testing.T, method int, path, body, match string, token int) {
		r, err := http.NewRequest(methods[uint(method)%uint(len(methods))], "http://hub.practice.test/"+strings.TrimPrefix(path, "/"), strings.NewReader(body))
		if err != nil {
			return
		}
		query := r.URL.Query()
		query.Set("api-version", "x")
		r.URL.RawQuery = query.Encode()
		r.Header.Set("If-Match", match)
		r.Header.Set("Authorization", tokens[uint(token)%uint(len(tokens))])
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code < 200 || w.Code >= 500 {
			t.Errorf("%s %s: %d %s", r.Method, path, w.Code, w.Body)
		}
	})
}
