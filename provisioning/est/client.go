package est

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"edgewright/provisioning/secret"
)

// wellKnown is the path below which EST lives (RFC 7030, 3.2.2); a label may
// follow it.
const wellKnown = "/.well-known/est"

// Params are what a client needs. URL is required.
type Params struct {
	// URL is https://host[:port]/.well-known/est, with a label behind it where
	// the server has several CAs. Without a path, the path is added.
	URL string
	// Trust are the certificates that vouch for the server; without any the
	// roots of the system do.
	Trust []*x509.Certificate
	// Certificate is what the client shows in the handshake; nil for nothing.
	Certificate *tls.Certificate
	// Username and Password are for HTTP Basic (RFC 7617), where the server
	// asks for it; an empty name for none.
	Username string
	Password secret.Value
	// Wait is told each time the server asks to come again; nil is allowed.
	Wait func(time.Duration)
	// Patience is how long a client comes again at most, in all; 0 is two
	// minutes.
	Patience time.Duration
	// Now is the clock that certificates of the server are judged by; nil is
	// the system's.
	Now func() time.Time
}

const (
	defaultPatience = 2 * time.Minute
	// callTimeout bounds one call, handshake and body included.
	callTimeout = 30 * time.Second
)

// Client speaks to one EST server. It may be used from many goroutines.
type Client struct {
	base   *url.URL
	params Params
	http   *http.Client
}

// New makes a client. Nothing is sent.
func New(p Params) (*Client, error) {
	base, err := ParseURL(p.URL)
	if err != nil {
		return nil, err
	}
	if p.Patience == 0 {
		p.Patience = defaultPatience
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Time: p.Now}
	if len(p.Trust) > 0 {
		config.RootCAs = x509.NewCertPool()
		for _, anchor := range p.Trust {
			config.RootCAs.AddCert(anchor)
		}
	}
	if p.Certificate != nil {
		// Whatever CAs the server hints at: it is the one that was meant for it.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.Certificate, nil }
	}
	transport := &http.Transport{TLSClientConfig: config, Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: callTimeout,
		DialContext: (&net.Dialer{Timeout: callTimeout}).DialContext}
	return &Client{base: base, params: p, http: &http.Client{Transport: transport, Timeout: callTimeout,
		// RFC 7030, 3.2.1: another address is for the user to say.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// labelPattern is what the runtime and common servers take as a label.
var labelPattern = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)

// ParseURL reads the address of an EST server and completes its path. The error
// is an *Error of the kind ErrURL.
func ParseURL(text string) (*url.URL, error) {
	refuse := func(format string, args ...any) (*url.URL, error) {
		return nil, &Error{Kind: ErrURL, Problem: fmt.Sprintf(format, args...)}
	}
	base, err := url.Parse(text)
	switch {
	case err != nil || base.Opaque != "":
		return refuse("the address is no URL; write https://host%s", wellKnown)
	case base.Scheme != "https":
		return refuse("EST goes over https only; write https://host%s", wellKnown)
	case base.Hostname() == "":
		return refuse("the address has no host")
	case base.User != nil:
		return refuse("a name or password may not stand in the address")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return refuse("the address has more than host and path")
	}
	path := strings.TrimSuffix(base.Path, "/")
	if path == "" {
		path = wellKnown
	}
	label, ok := strings.CutPrefix(path, wellKnown)
	if !ok || label != "" && !labelPattern.MatchString(strings.TrimPrefix(label, "/")) || label != "" && label[0] != '/' {
		return refuse("the path is not %s, with one label behind it at most (RFC 7030, 3.2.2)", wellKnown)
	}
	switch strings.TrimPrefix(label, "/") {
	case "cacerts", "simpleenroll", "simplereenroll", "fullcmc", "serverkeygen", "csrattrs":
		return refuse("the address ends in an operation; leave %s out", label)
	}
	return &url.URL{Scheme: base.Scheme, Host: base.Host, Path: path}, nil
}

// unanswered says why no answer came.
func (c *Client) unanswered(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	made := &Error{Operation: operation, Host: c.base.Host, Kind: ErrUnreachable, Problem: "it cannot be reached", Err: bare(err)}
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var remote *net.OpError
	switch {
	case errors.As(err, &unknown):
		made.Kind, made.Problem = ErrUntrusted, "its certificate is not from a CA that was named"
	case errors.As(err, &name):
		made.Kind, made.Problem = ErrUntrusted, "its certificate is for another host"
	case errors.As(err, &invalid):
		made.Kind, made.Problem = ErrUntrusted, "its certificate does not hold"
	case errors.As(err, &remote) && remote.Op == "remote error": // a TLS alert
		// The server's own word about what the client showed.
		made.Kind, made.Problem = ErrUnauthorized, "it ends the handshake, so it does not take the certificate that was shown"
		if c.params.Certificate == nil {
			made.Problem = "it ends the handshake: it asks for a client certificate"
		}
	}
	return made
}

// bare takes the URL off an error of net/http; the host is named already.
func bare(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
