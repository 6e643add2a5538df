package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Options are what the clients of this program have in common. The zero value
// reaches the real services.
type Options struct {
	// Transport sends requests; an *http.Client will do. With nil one is made
	// from the next four fields.
	Transport policy.Transporter
	// RootCAs are the only roots trusted for the server's certificate; nil
	// means those of the system.
	RootCAs *x509.CertPool
	// Certificate is shown to servers that ask for one, with its chain; nil is
	// none. Its key may be anywhere that signs.
	Certificate *tls.Certificate
	// DialContext connects in the place of the system's resolver and dialler,
	// for names that no DNS knows. The certificate is checked against the name
	// all the same.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Proxy picks a proxy; nil means that of the environment, or none where
	// DialContext is set.
	Proxy func(*http.Request) (*url.URL, error)
	// Now is this computer's clock; nil means time.Now.
	Now   func() time.Time
	Retry Retry
}

// Retry bounds what is done about throttling, failures of the service and
// broken connections. Each wait is varied at random by up to a half.
type Retry struct {
	// Max is how often a call is repeated: 0 means 4, negative never.
	Max int
	// Delay is the first wait, which then doubles: 0 means half a second,
	// negative none.
	Delay time.Duration
	// ThrottleDelay is the first wait after a 429 without Retry-After, which
	// then doubles: 0 means 10 seconds, as IoT Hub's documentation asks.
	ThrottleDelay time.Duration
	// MaxDelay bounds every wait: 0 means a minute. A longer Retry-After ends
	// the call with the error that carries it.
	MaxDelay time.Duration
	// TryTimeout bounds one attempt: 0 means a minute.
	TryTimeout time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.Max == 0 {
		r.Max = 4
	}
	if r.Delay == 0 {
		r.Delay = 500 * time.Millisecond
	}
	if r.ThrottleDelay == 0 {
		r.ThrottleDelay = 10 * time.Second
	}
	if r.MaxDelay == 0 {
		r.MaxDelay = time.Minute
	}
	if r.TryTimeout == 0 {
		r.TryTimeout = time.Minute
	}
	return r
}

func (o Options) transport() policy.Transporter {
	if o.Transport != nil {
		return bounded{o.Transport}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs}
	if o.Certificate != nil {
		// Whatever CAs the server names, there is this one to show.
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return o.Certificate, nil }
	}
	if o.DialContext != nil {
		transport.DialContext = o.DialContext
		transport.Proxy = nil
	}
	if o.Proxy != nil {
		transport.Proxy = o.Proxy
	}
	return bounded{&http.Client{
		Transport: transport,
		// Neither service redirects; a token must not follow one elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// maxAnswer bounds the body of an answer, in bytes. The largest real ones are
// pages of a thousand twins.
const maxAnswer = 64 << 20

// bounded cuts the bodies of answers off at maxAnswer with an error.
type bounded struct{ policy.Transporter }

func (b bounded) Do(req *http.Request) (*http.Response, error) {
	resp, err := b.Transporter.Do(req)
	if resp != nil && resp.Body != nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	}
	return resp, err
}

// CloseIdleConnections closes what the transport keeps open.
func (b bounded) CloseIdleConnections() {
	if closer, ok := b.Transporter.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
