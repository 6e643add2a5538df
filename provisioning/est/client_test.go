package est

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/est/esttest"
	"edgewright/provisioning/secret"
)

func request(t *testing.T, name string, extensions ...pkix.Extension) (der []byte, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err = x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}, ExtraExtensions: extensions}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

func client(t *testing.T, p Params) *Client {
	t.Helper()
	c, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func bootstrap(t *testing.T, s *esttest.Server) *tls.Certificate {
	t.Helper()
	cert, key := s.Client(t, "bootstrap")
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

func TestEnrollByBootstrapThenReenroll(t *testing.T) {
	s := esttest.Start(t, esttest.Rules{Clients: someCA(t), Label: "line-7", WholeChain: true})
	c := client(t, Params{URL: s.URL, Trust: []*x509.Certificate{s.Trust}, Certificate: bootstrap(t, s)})
	cas, err := c.CACerts(t.Context())
	if err != nil || len(cas) != 2 {
		t.Fatal(cas, err)
	}
	der, key := request(t, "line-7-0042")
	chain, err := c.SimpleEnroll(t.Context(), der)
	if err != nil {
		t.Fatal(err)
	}
	if len(chain) != 2 || chain[0].Subject.CommonName != "line-7-0042" || !chain[1].Equal(s.Issuing) {
		t.Errorf("%d certificates, first %s", len(chain), chain[0].Subject)
	}
	renewing := client(t, Params{URL: s.URL, Trust: []*x509.Certificate{s.Trust},
		Certificate: &tls.Certificate{Certificate: [][]byte{chain[0].Raw}, PrivateKey: key}})
	again, err := renewing.SimpleReenroll(t.Context(), der)
	if err != nil || again[0].SerialNumber.Cmp(chain[0].SerialNumber) == 0 {
		t.Error(again, err)
	}
}

// someCA is a CA that has issued nothing, so that only what the server issued
// may enrol.
func someCA(t *testing.T) []*x509.Certificate {
	return []*x509.Certificate{esttest.Start(t, esttest.Rules{}).Root}
}

func TestEnrollByNameAndPassword(t *testing.T) {
	s := esttest.Start(t, esttest.Rules{Username: "plant", Password: "pass:word"})
	der, _ := request(t, "a")
	for _, row := range []struct {
		name, password string
		kind           error
	}{{"plant", "pass:word", nil}, {"plant", "guess", ErrUnauthorized}, {"", "", ErrUnauthorized}} {
		c := client(t, Params{URL: s.URL, Trust: []*x509.Certificate{s.Trust}, Username: row.name, Password: secret.FromString(row.password)})
		_, err := c.SimpleEnroll(t.Context(), der)
		if !errors.Is(err, row.kind) || row.kind == nil && err != nil {
			t.Errorf("%q: %v", row.name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "guess") || !strings.Contains(err.Error(), "name and password")) {
			t.Error(err)
		}
	}
}

// Each row is something that goes wrong, with the kind of error and the words
// that say it.
func TestFailuresSayWhatIsWrong(t *testing.T) {
	say := func(status int, kind, body string) func(string, http.ResponseWriter) bool {
		return func(_ string, w http.ResponseWriter) bool {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	const certsOnly = "application/pkcs7-mime; smime-type=certs-only"
	other := esttest.Start(t, esttest.Rules{})
	for _, row := range []struct {
		name  string
		rules esttest.Rules
		trust bool
		kind  error
		words string
	}{
		{"untrusted", esttest.Rules{}, false, ErrUntrusted, "not from a CA that was named"},
		{"no certificate", esttest.Rules{Clients: []*x509.Certificate{other.Root}}, true, ErrUnauthorized, "does not let this client enrol: the client shows no certificate"},
		{"500", esttest.Rules{Answer: say(500, "text/plain", "the CA is\x00 away\nstack")}, true, ErrUnreachable, "trouble of its own (status 500): the CA is  away"},
		{"400", esttest.Rules{Answer: say(400, "text/html", "<p>no")}, true, ErrRefused, "it refuses (status 400)"},
		{"404", esttest.Rules{Answer: say(404, "text/plain", "")}, true, ErrRefused, "does not offer this operation"},
		{"elsewhere", esttest.Rules{Answer: say(302, "text/plain", "")}, true, ErrRefused, "another address"},
		{"type", esttest.Rules{Answer: say(200, "text/html", "<html>")}, true, ErrAnswer, "type text/html"},
		{"no type", esttest.Rules{Answer: say(200, "", "MAA=")}, true, ErrAnswer, "type"},
		{"keys", esttest.Rules{Answer: say(200, "application/pkcs7-mime; smime-type=server-generated-key", "MAA=")}, true, ErrAnswer, "not certs-only"},
		{"empty", esttest.Rules{Answer: say(200, certsOnly, "\r\n")}, true, ErrAnswer, "it is empty"},
		{"no base64", esttest.Rules{Answer: say(200, certsOnly, "M!A=")}, true, ErrAnswer, "not base64"},
		{"DER", esttest.Rules{Answer: say(200, certsOnly, "\x30\x82")}, true, ErrAnswer, "not base64"},
		{"no bag", esttest.Rules{Answer: say(200, certsOnly, "MAA=")}, true, ErrAnswer, "no PKCS #7"},
		{"too long", esttest.Rules{Answer: say(200, certsOnly, strings.Repeat("A", maxBody+1))}, true, ErrAnswer, "longer than"},
		{"somebody else's", esttest.Rules{Answer: say(200, certsOnly, base64.StdEncoding.EncodeToString(bagOf(t, other.Root.Raw)))}, true, ErrAnswer, "none of its certificates is for the key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := esttest.Start(t, row.rules)
			trust := []*x509.Certificate{other.Trust}
			if row.trust {
				trust = []*x509.Certificate{s.Trust}
			}
			der, _ := request(t, "a")
			_, err := client(t, Params{URL: s.URL, Trust: trust}).SimpleEnroll(t.Context(), der)
			if !errors.Is(err, row.kind) || !strings.Contains(err.Error(), row.words) {
				t.Error(err)
			}
		})
	}
}

// bagOf is a certs-only message about the given certificates, DER.
func bagOf(t testing.TB, certs ...[]byte) []byte {
	t.Helper()
	element := func(tag byte, parts ...[]byte) []byte {
		out, err := asn1.Marshal(asn1.RawValue{Class: int(tag >> 6), Tag: int(tag & 0x1f), IsCompound: tag&0x20 != 0, Bytes: bytes.Join(parts, nil)})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	oid := func(last byte) []byte { return []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last} }
	signed := element(0x30, []byte{2, 1, 1}, element(0x31), element(0x30, oid(1)), element(0xa0, certs...), element(0x31))
	return element(0x30, oid(2), element(0xa0, signed))
}

func TestWrongNameAndLeafAmongCAs(t *testing.T) {
	s := esttest.Start(t, esttest.Rules{})
	cert, key := s.Client(t, "neighbour")
	answers := esttest.Start(t, esttest.Rules{Answer: func(_ string, w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/pkcs7-mime")
		_, _ = w.Write([]byte(base64.StdEncoding.EncodeToString(bagOf(t, cert.Raw))))
		return true
	}})
	c := client(t, Params{URL: answers.URL, Trust: []*x509.Certificate{answers.Trust}})
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "me"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.SimpleEnroll(t.Context(), der); !errors.Is(err, ErrAnswer) || !strings.Contains(err.Error(), `"neighbour"`) {
		t.Error(err)
	}
	if _, err := c.CACerts(t.Context()); !errors.Is(err, ErrAnswer) || !strings.Contains(err.Error(), "no CA") {
		t.Error(err)
	}
}

// A server that waits for a person is asked again after the time it names, and
// given up in the end.
func TestPending(t *testing.T) {
	t.Parallel()
	s := esttest.Start(t, esttest.Rules{Pending: 1})
	der, _ := request(t, "a")
	var waits []time.Duration
	c := client(t, Params{URL: s.URL, Trust: []*x509.Certificate{s.Trust}, Wait: func(d time.Duration) { waits = append(waits, d) }})
	if _, err := c.SimpleEnroll(t.Context(), der); err != nil || len(waits) != 1 || waits[0] != time.Second {
		t.Error(waits, err)
	}
	slow := esttest.Start(t, esttest.Rules{Pending: 1000})
	c = client(t, Params{URL: slow.URL, Trust: []*x509.Certificate{slow.Trust}, Patience: time.Millisecond})
	if _, err := c.SimpleEnroll(t.Context(), der); !errors.Is(err, ErrPending) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c = client(t, Params{URL: slow.URL, Trust: []*x509.Certificate{slow.Trust}, Wait: func(time.Duration) { cancel() }})
	if _, err := c.SimpleEnroll(ctx, der); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 28, 7, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{"": shortestPause, "0": shortestPause, "30": 30 * time.Second, "-4": shortestPause, "soon": shortestPause,
		"99999999999999": longestPause, "86400": longestPause, "Sat, 28 Nov 2026 07:01:00 GMT": time.Minute, "Sat, 28 Nov 2020 07:01:00 GMT": shortestPause} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	c := client(t, Params{URL: strings.Replace(s.URL, "http", "https", 1)})
	if _, err := c.CACerts(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
}

// A server that ends the handshake for want of a certificate, or because of the
// one that it got, is named as what it is.
func TestHandshakeEnds(t *testing.T) {
	s := esttest.Start(t, esttest.Rules{})
	strict := httptest.NewUnstartedServer(http.NotFoundHandler())
	strict.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool()}
	strict.Config.ErrorLog = log.New(io.Discard, "", 0)
	strict.StartTLS()
	t.Cleanup(strict.Close)
	trust := []*x509.Certificate{strict.Certificate()}
	for words, shown := range map[string]*tls.Certificate{"asks for a client certificate": nil, "does not take the certificate": bootstrap(t, s)} {
		_, err := client(t, Params{URL: strict.URL, Trust: trust, Certificate: shown}).CACerts(t.Context())
		if !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), words) {
			t.Error(err)
		}
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://est.example.org":                               "https://est.example.org/.well-known/est",
		"https://est.example.org/":                              "https://est.example.org/.well-known/est",
		"https://est.example.org:8443/.well-known/est":          "https://est.example.org:8443/.well-known/est",
		"https://est.example.org/.well-known/est/line-7/":       "https://est.example.org/.well-known/est/line-7",
		"https://[::1]:9443/.well-known/est":                    "https://[::1]:9443/.well-known/est",
		"":                                                      "",
		"est.example.org":                                       "",
		"http://est.example.org":                                "",
		"https:///x":                                            "",
		"https://u:p@est.example.org":                           "",
		"https://est.example.org?x=1":                           "",
		"https://est.example.org/est":                           "",
		"https://est.example.org/.well-known/established":       "",
		"https://est.example.org/.well-known/est/a/b":           "",
		"https://est.example.org/.well-known/est/simpleenroll":  "",
		"https://est.example.org/.well-known/est/%2e%2e%2fsome": "",
		"mailto:est@example.org":                                "",
	} {
		got, err := ParseURL(text)
		if want == "" {
			if !errors.Is(err, ErrURL) {
				t.Errorf("%q: %v %v", text, got, err)
			}
		} else if err != nil || got.String() != want {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	s := esttest.Start(f, esttest.Rules{})
	f.Add([]byte(base64.StdEncoding.EncodeToString(bagOf(f, s.Root.Raw, s.Issuing.Raw))))
	f.Add([]byte(base64.StdEncoding.EncodeToString(bagOf(f))))
	f.Add([]byte("MAA=\r\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, body []byte) {
		certs, err := parseCertificates(body)
		if (err == nil) == (len(certs) == 0) {
			t.Errorf("%d certificates, %v", len(certs), err)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("30")
	f.Add("Sat, 28 Nov 2026 07:01:00 GMT")
	f.Fuzz(func(t *testing.T, text string) {
		if d := retryAfter(http.Header{"Retry-After": {text}}, time.Unix(0, 0)); d < shortestPause || d > longestPause {
			t.Error(d)
		}
	})
}
