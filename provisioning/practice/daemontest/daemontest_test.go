package daemontest_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/practice"
	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/wire"
)

// open leaves the state unsealed; nothing here is secret.
type plain struct{}

func (plain) Seal(_ string, data []byte) ([]byte, error) { return data, nil }
func (plain) Open(_ string, data []byte) ([]byte, error) { return data, nil }

// stage is a served practice cloud with its owner's keys.
type stage struct {
	testing.TB
	info    practice.Info
	network daemontest.Network
	client  *http.Client
}

func serve(t *testing.T) *stage {
	t.Helper()
	cloud, err := practice.Open(t.Context(), practice.Options{Dir: t.TempDir(), Sealer: plain{}, HTTPS: "127.0.0.1:0", MQTT: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- cloud.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, cloud.Close()); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-cloud.Ready():
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	info := cloud.Info()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(info.CAPEM)
	return &stage{TB: t, info: info, network: daemontest.Network{Roots: roots}, client: daemontest.Network{Roots: roots}.Client()}
}

// owner calls the hub, or DPS, by its owner's policy and wants a status below
// 300. The answer is read into result, nil for none.
func (s *stage) owner(method, path, body string, result any, header ...string) {
	s.Helper()
	status, answer := s.call(method, path, body, header...)
	if status >= 300 {
		s.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if result != nil {
		if err := json.Unmarshal(answer, result); err != nil {
			s.Fatal(err)
		}
	}
}

// call is owner for those that may fail.
func (s *stage) call(method, path, body string, header ...string) (status int, answer []byte) {
	s.Helper()
	text := s.info.HubConnectionString
	if strings.HasPrefix(path, "/enrollment") || strings.HasPrefix(path, "/registrations") {
		text = s.info.DPSConnectionString
	}
	conn, err := wire.ParseConnectionString(text.RevealString())
	if err != nil {
		s.Fatal(err)
	}
	signed, err := wire.SignSAS(conn.HostName, conn.Key, conn.PolicyName, time.Now().Add(time.Minute))
	if err != nil {
		s.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.Context(), method, "https://"+conn.HostName+path+"?api-version=2021-04-12", strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", signed.RevealString())
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, answer
}

// enrolled makes an enrollment for an edge device and gives its key.
func (s *stage) enrolled(id string) daemontest.Sign {
	s.Helper()
	s.owner("PUT", "/enrollments/"+id, `{"registrationId":"`+id+`","attestation":{"type":"symmetricKey"},"capabilities":{"iotEdge":true}}`, nil)
	var mechanism struct {
		SymmetricKey struct{ PrimaryKey string }
	}
	s.owner("POST", "/enrollments/"+id+"/attestationmechanism", "", &mechanism)
	key, err := base64.StdEncoding.DecodeString(mechanism.SymmetricKey.PrimaryKey)
	if err != nil {
		s.Fatal(err)
	}
	return daemontest.WithKey(key)
}

func (s *stage) daemon(registration string, key daemontest.Sign) daemontest.Identityd {
	return daemontest.Identityd{Network: s.network, Global: "https://" + s.info.GlobalHost, IDScope: s.info.IDScope,
		Registration: registration, Key: key, Pause: time.Millisecond}
}

// code is the status and the number of a refusal.
func code(err error) (status, number int) {
	var refused *daemontest.StatusError
	if errors.As(err, &refused) {
		return refused.Status, refused.Code
	}
	return 0, 0
}

func TestIdentitydProvisionsBySymmetricKey(t *testing.T) {
	s := serve(t)
	key := s.enrolled("Dev-1")
	device, err := s.daemon("dev-1", key).Register(t.Context())
	if err != nil || device.ID != "dev-1" || device.Hub != s.info.HubHost || device.Polls < 2 {
		t.Fatalf("%+v, %v", device, err)
	}
	for name, refused := range map[string]struct {
		daemon daemontest.Identityd
		status int
	}{
		"wrong key":     {s.daemon("dev-1", daemontest.WithKey([]byte("0123456789abcdef"))), 401},
		"unknown":       {s.daemon("dev-2", key), 401},
		"other scope":   {func() daemontest.Identityd { d := s.daemon("dev-1", key); d.IDScope = "0ne00OTHER"; return d }(), 404},
		"expired token": {func() daemontest.Identityd { d := s.daemon("dev-1", key); d.Now = ago(time.Minute); return d }(), 401},
		"no token":      {s.daemon("dev-1", nil), 401},
	} {
		_, err := refused.daemon.Register(t.Context())
		if status, number := code(err); status != refused.status || number/1000 != refused.status {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.owner("PUT", "/enrollments/dev-1", `{"registrationId":"dev-1","attestation":{"type":"symmetricKey"},"provisioningStatus":"disabled","capabilities":{"iotEdge":true}}`, nil, "If-Match", "*")
	if _, err := s.daemon("dev-1", key).Register(t.Context()); err == nil {
		t.Error("a disabled enrollment lets the device in")
	}
}

func ago(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(-d) } }

// provisioned registers a device and gives its registry.
func (s *stage) provisioned(id string) daemontest.Registry {
	s.Helper()
	device, err := s.daemon(id, s.enrolled(id)).Register(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return daemontest.Registry{Network: s.network, Device: device}
}

func TestIdentitydReconcilesModules(t *testing.T) {
	s := serve(t)
	r := s.provisioned("Edge.1") // identityd signs for edge.1
	modules, err := r.Modules(t.Context())
	if err != nil || len(modules) != 2 || modules[0].ModuleID != "$edgeAgent" || modules[0].Authentication == nil || modules[0].Authentication.Type != "none" {
		t.Fatalf("at first: %+v, %v", modules, err)
	}
	master := daemontest.WithKey([]byte("stays on the device"))
	if _, err := r.Create(t.Context(), "left over", "iotEdge"); err == nil {
		t.Error("an ID with a space is taken")
	}
	if _, err := r.Create(t.Context(), "left-over", "iotEdge"); err != nil {
		t.Error(err)
	}
	keys, err := r.Reconcile(t.Context(), []string{"$edgeAgent", "$edgeHub", "Sensor"}, master)
	if err != nil || len(keys) != 3 {
		t.Fatal(err)
	}
	modules, err = r.Modules(t.Context())
	var ids []string
	for _, m := range modules {
		ids = append(ids, m.ModuleID)
		if m.ManagedBy == nil || *m.ManagedBy != "iotEdge" || m.Authentication.Type != "sas" {
			t.Errorf("module %+v", m)
		}
	}
	if err != nil || !slices.Equal(ids, []string{"$edgeAgent", "$edgeHub", "Sensor"}) {
		t.Errorf("after: %q, %v", ids, err)
	}
	// A second time changes nothing that the daemon would notice.
	if _, err := r.Reconcile(t.Context(), []string{"$edgeAgent", "$edgeHub", "Sensor"}, master); err != nil {
		t.Error(err)
	}
	for name, call := range map[string]func() error{
		"create what exists": func() error { _, err := r.Create(t.Context(), "Sensor", ""); return err },
		"delete a missing":   func() error { return r.Delete(t.Context(), "none") },
		"read a missing":     func() error { _, err := r.Module(t.Context(), "none"); return err },
		"make a system one":  func() error { _, err := r.Create(t.Context(), "$other", ""); return err },
	} {
		status, _ := code(call())
		if want := map[string]int{"create what exists": 409, "delete a missing": 404, "read a missing": 404, "make a system one": 400}[name]; status != want {
			t.Errorf("%s: %v", name, call())
		}
	}
	for name, stranger := range map[string]daemontest.Registry{
		"wrong key":      {Network: s.network, Device: daemontest.Device{Hub: r.Hub, ID: r.ID, Sign: master}},
		"another device": {Network: s.network, Device: daemontest.Device{Hub: r.Hub, ID: "edge-2", Sign: r.Sign}},
		"no token":       {Network: s.network, Device: daemontest.Device{Hub: r.Hub, ID: r.ID}},
		"expired":        {Network: daemontest.Network{Roots: s.network.Roots, Now: ago(time.Minute)}, Device: r.Device},
	} {
		_, err := stranger.Modules(t.Context())
		if status, _ := code(err); status != 401 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNothingIsShared(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") || first == "edgewright" {
				t.Error(fmt.Sprint(file, " imports ", path))
			}
		}
	}
}
