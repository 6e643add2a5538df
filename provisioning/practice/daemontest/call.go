package daemontest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Network reaches a cloud on this computer: every name is dialled on loopback at
// the port that it carries.
type Network struct {
	Roots *x509.CertPool
	// Chain is the client certificate of a device that has one.
	Chain *tls.Certificate
	// Now is the device's clock; nil is time.Now.
	Now func() time.Time
}

func (n Network) now() time.Time {
	if n.Now != nil {
		return n.Now()
	}
	return time.Now()
}

func (n Network) tls() *tls.Config {
	config := &tls.Config{RootCAs: n.Roots, MinVersion: tls.VersionTLS12}
	if n.Chain != nil {
		config.Certificates = []tls.Certificate{*n.Chain}
	}
	return config
}

// Client opens a connection for each request, as identityd does.
func (n Network) Client() *http.Client {
	dialer := &net.Dialer{}
	return &http.Client{Timeout: 70 * time.Second, Transport: &http.Transport{TLSClientConfig: n.tls(), DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		}}}
}

// StatusError is an answer that a daemon does not take.
type StatusError struct {
	Call    string // method and path
	Status  int
	Code    int    // of a DPS error, else 0
	Message string // in the service's words
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: %d %d %s", e.Call, e.Status, e.Code, e.Message)
}

// call is one request of a daemon.
type call struct {
	method, url string
	token       string
	ifMatch     string
	body        any
	statuses    []int // the ones that the daemon takes
}

// send makes the call and reads the answer into result, unless that is nil: then
// a body is a mistake. JSON must be said to be JSON.
func (n Network) send(ctx context.Context, c call, result any) (status int, err error) {
	var body io.Reader
	if c.body != nil {
		encoded, err := json.Marshal(c.body)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(encoded)
	}
	r, err := http.NewRequestWithContext(ctx, c.method, c.url, body)
	if err != nil {
		return 0, err
	}
	if c.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", c.token)
	}
	if c.ifMatch != "" {
		r.Header.Set("If-Match", c.ifMatch)
	}
	resp, err := n.Client().Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	name := c.method + " " + r.URL.Path
	if given := resp.Header.Values("Content-Type"); len(given) > 0 && !strings.HasPrefix(given[0], "application/json") {
		return 0, fmt.Errorf("%s: content type %q", name, given[0])
	}
	if !slices.Contains(c.statuses, resp.StatusCode) {
		return resp.StatusCode, refusal(name, resp.StatusCode, answer)
	}
	if result == nil {
		if len(answer) > 0 {
			return 0, fmt.Errorf("%s: a body where none belongs: %s", name, answer)
		}
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", name, err, answer)
	}
	return resp.StatusCode, nil
}

// refusal reads an error as identityd does: of the hub Message or errorMessage,
// of DPS code or errorCode and message or errorMessage.
func refusal(name string, status int, body []byte) error {
	var read struct {
		Message      *string // also message: letter case does not count here
		ErrorMessage *string
		Code         *int
		ErrorCode    *int
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return fmt.Errorf("%s: %d with a body that is no error: %s", name, status, body)
	}
	e := &StatusError{Call: name, Status: status}
	for _, text := range []*string{read.Message, read.ErrorMessage} {
		if text != nil && e.Message == "" {
			e.Message = *text
		}
	}
	for _, code := range []*int{read.Code, read.ErrorCode} {
		if code != nil && e.Code == 0 {
			e.Code = *code
		}
	}
	if e.Message == "" {
		return fmt.Errorf("%s: %d without a message: %s", name, status, body)
	}
	return e
}
