package practice

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// gcmSealer is a real seal, so that the scan for secrets means something.
type gcmSealer struct{ aead cipher.AEAD }

func newSealer() gcmSealer {
	block, err := aes.NewCipher([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcmSealer{aead}
}

func (s gcmSealer) Seal(record string, plain []byte) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce)
	return s.aead.Seal(nonce, nonce, plain, []byte(record)), nil
}

func (s gcmSealer) Open(record string, sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	return s.aead.Open(nil, sealed[:n], sealed[n:], []byte(record))
}

// testClock is a clock that tests move.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *testClock { return &testClock{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)} }

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a cloud with what a test needs to speak to it.
type bench struct {
	testing.TB
	*Cloud
	clock *testClock
}

func open(t testing.TB, o Options) *bench {
	t.Helper()
	clock := newClock()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Sealer == nil {
		o.Sealer = newSealer()
	}
	if o.Now == nil {
		o.Now = clock.Now
	}
	if o.HTTPS == "" {
		o.HTTPS, o.MQTT = "127.0.0.1:0", "127.0.0.1:0"
	}
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bench{TB: t, Cloud: c, clock: clock}
}

// reopened closes the cloud and opens its folder again.
func (b *bench) reopened() *bench {
	b.Helper()
	if err := b.Close(); err != nil {
		b.Fatal(err)
	}
	return open(b.TB, Options{Dir: b.dir, Now: b.clock.Now})
}

// call is one request. host and auth empty mean the default hub without token.
type call struct {
	method, path, body string
	host               string
	auth               string
	header             map[string]string
	chain              []*x509.Certificate // of the client, as the handshake gives it
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (b *bench) do(c call) reply {
	b.Helper()
	if !strings.Contains(c.path, "api-version") {
		sep := "?"
		if strings.Contains(c.path, "?") {
			sep = "&"
		}
		c.path += sep + "api-version=2021-04-12"
	}
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	r := httptest.NewRequestWithContext(b.Context(), c.method, c.path, body)
	r.Host = c.host
	if c.host == "" {
		r.Host = b.Info().HubHost
	}
	if c.auth != "" {
		r.Header.Set("Authorization", c.auth)
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	if c.chain != nil {
		r.TLS = &tls.ConnectionState{PeerCertificates: c.chain}
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	for _, name := range []string{"Date", wire.HeaderRequestID} {
		if w.Header().Get(name) == "" {
			b.Errorf("%s %s: no header %s", c.method, c.path, name)
		}
	}
	return reply{w.Code, w.Header(), w.Body.String()}
}

// want fails unless the reply has the status, and the error code if given.
func (b *bench) want(r reply, status int, code string) reply {
	b.Helper()
	got := r.header.Get(wire.HeaderHubErrorCode) + r.header.Get(wire.HeaderDPSErrorCode)
	if r.status != status || got != code {
		b.Fatalf("status %d %s, want %d %s: %s", r.status, got, status, code, r.body)
	}
	return r
}

func into[T any](t testing.TB, r reply) T {
	t.Helper()
	var value T
	if err := json.Unmarshal([]byte(r.body), &value); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return value
}

func (b *bench) token(resource string, key secret.Value, policy string) string {
	b.Helper()
	token, err := wire.SignSAS(resource, key, policy, b.clock.Now().Add(time.Hour))
	if err != nil {
		b.Fatal(err)
	}
	return token.RevealString()
}

// policyToken is a token of a policy of the default hub.
func (b *bench) policyToken(policy string) string {
	b.Helper()
	text, ok := b.PolicyConnectionString(b.Info().HubHost, policy)
	if !ok {
		b.Fatalf("no policy %s", policy)
	}
	parsed, err := wire.ParseConnectionString(text.RevealString())
	if err != nil {
		b.Fatal(err)
	}
	return b.token(parsed.HostName, parsed.Key, policy)
}

func (b *bench) owner() string { b.Helper(); return b.policyToken(policyHubOwner) }

// hubDo calls the hub as its owner.
func (b *bench) hubDo(method, path, body string, header ...string) reply {
	b.Helper()
	return b.do(call{method: method, path: path, body: body, auth: b.owner(), header: pairs(header)})
}

// dpsDo calls DPS as its owner.
func (b *bench) dpsDo(method, path, body string, header ...string) reply {
	b.Helper()
	parsed, err := wire.ParseConnectionString(b.Info().DPSConnectionString.RevealString())
	if err != nil {
		b.Fatal(err)
	}
	return b.do(call{method: method, path: path, body: body, host: parsed.HostName, header: pairs(header),
		auth: b.token(parsed.HostName, parsed.Key, policyDPSOwner)})
}

func pairs(header []string) map[string]string {
	made := map[string]string{}
	for i := 0; i+1 < len(header); i += 2 {
		made[header[i]] = header[i+1]
	}
	return made
}

// makeDevice makes a device and gives its identity.
func (b *bench) makeDevice(id string, edge bool) wire.Device {
	b.Helper()
	body := `{"deviceId":"` + id + `","capabilities":{"iotEdge":` + map[bool]string{true: "true", false: "false"}[edge] + `}}`
	return into[wire.Device](b, b.want(b.hubDo("PUT", "/devices/"+wire.EscapeSegment(id), body), 200, ""))
}

func (b *bench) deviceToken(d wire.Device) string {
	b.Helper()
	return b.token(b.Info().HubHost+"/devices/"+d.DeviceID, d.Authentication.SymmetricKey.PrimaryKey.Secret(), "")
}

func key(fill byte, n int) (secret.Value, string) {
	raw := bytes.Repeat([]byte{fill}, n)
	return secret.New(raw), base64.StdEncoding.EncodeToString(raw)
}

func serve(t *testing.T, c *Cloud) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx) }()
	select {
	case <-c.Ready():
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
	var once sync.Once
	var result error
	stop = func() error {
		once.Do(func() { cancel(); result = <-ended })
		return result
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}
