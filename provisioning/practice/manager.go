package practice

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"edgewright/provisioning/secret"
)

// Manager looks at a practice cloud and works on it through its management
// surface: in this process or in the one that serves the folder.
type Manager struct {
	client *http.Client
	token  secret.Value
}

// Manager works on c in this process. Unless it is served, the first call
// takes the folder's lock, which Close gives back.
func (c *Cloud) Manager() *Manager {
	return &Manager{&http.Client{Transport: within{c}}, c.managementToken()}
}

// RemoteManager works on the process that serves c's folder.
func (c *Cloud) RemoteManager() (*Manager, error) {
	roots := x509.NewCertPool()
	info := c.Info()
	if !roots.AppendCertsFromPEM(info.CAPEM) {
		return nil, errors.New("the practice CA does not read")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: dpsName, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, info.HTTPS)
		}}
	return &Manager{&http.Client{Transport: transport}, c.managementToken()}, nil
}

// Close lets go of idle connections.
func (m *Manager) Close() { m.client.CloseIdleConnections() }

// within carries requests to a cloud of this process.
type within struct{ c *Cloud }

func (w within) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	kept := keptAnswer{status: http.StatusOK, header: http.Header{}}
	w.c.serveManagement(&kept, r)
	return &http.Response{StatusCode: kept.status, Header: kept.header, Body: io.NopCloser(&kept.body), Request: r}, nil
}

// keptAnswer is an http.ResponseWriter.
type keptAnswer struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (k *keptAnswer) Header() http.Header            { return k.header }
func (k *keptAnswer) WriteHeader(status int)         { k.status = status }
func (k *keptAnswer) Write(part []byte) (int, error) { return k.body.Write(part) }

// ManageError is a refusal of the management surface.
type ManageError struct {
	Status  int // HTTP
	Message string
}

func (e *ManageError) Error() string { return e.Message }

// call sends body, unless it is nil, and reads the answer into into.
func (m *Manager) call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("manage the practice cloud: %w", err)
		}
		sent = bytes.NewReader(raw)
	}
	address := "https://" + dpsName + managementRoot + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, sent)
	if err != nil {
		return fmt.Errorf("manage the practice cloud: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+m.token.RevealString())
	answer, err := m.client.Do(r)
	if err != nil {
		return fmt.Errorf("manage the practice cloud: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("manage the practice cloud: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		failure := managementError{Message: http.StatusText(answer.StatusCode)}
		_ = json.Unmarshal(raw, &failure) // the status is enough
		return &ManageError{answer.StatusCode, failure.Message}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read the practice cloud's answer: %w", err)
	}
	return nil
}

func get[T any](ctx context.Context, m *Manager, path string, query url.Values) (into T, err error) {
	err = m.call(ctx, http.MethodGet, path, query, nil, &into)
	return into, err
}

func (q PageQuery) values() url.Values {
	return url.Values{"search": {q.Search}, "after": {q.After}, "limit": {strconv.Itoa(q.Limit)}}
}

// Overview is Cloud.Overview.
func (m *Manager) Overview(ctx context.Context) (Overview, error) {
	return get[Overview](ctx, m, "overview", nil)
}

// Devices is Cloud.Devices.
func (m *Manager) Devices(ctx context.Context, hub string, q PageQuery) (DevicePage, error) {
	query := q.values()
	query.Set("hub", hub)
	return get[DevicePage](ctx, m, "devices", query)
}

func named(hub, device, module string) url.Values {
	return url.Values{"hub": {hub}, "device": {device}, "module": {module}}
}

// Device is Cloud.Device.
func (m *Manager) Device(ctx context.Context, hub, device, module string) (DeviceView, error) {
	return get[DeviceView](ctx, m, "device", named(hub, device, module))
}

// DeviceConnectionStrings is Cloud.DeviceConnectionStrings.
func (m *Manager) DeviceConnectionStrings(ctx context.Context, hub, device string) (map[string]secret.Value, error) {
	texts, err := get[map[string]string](ctx, m, "device/strings", named(hub, device, ""))
	all := map[string]secret.Value{}
	for module, text := range texts {
		all[module] = secret.FromString(text)
	}
	return all, err
}

// Enrollments is Cloud.Enrollments.
func (m *Manager) Enrollments(ctx context.Context, q PageQuery) (EnrollmentPage, error) {
	return get[EnrollmentPage](ctx, m, "enrollments", q.values())
}

// Registrations is Cloud.Registrations.
func (m *Manager) Registrations(ctx context.Context, q PageQuery) (RegistrationPage, error) {
	return get[RegistrationPage](ctx, m, "registrations", q.values())
}

// RequestLog is Cloud.RequestLog.
func (m *Manager) RequestLog(ctx context.Context, q RequestQuery) ([]RequestRow, error) {
	return get[[]RequestRow](ctx, m, "requests", url.Values{"after": {strconv.FormatUint(q.After, 10)},
		"failed": {strconv.FormatBool(q.Failed)}, "limit": {strconv.Itoa(q.Limit)}})
}

// Events is Cloud.Events.
func (m *Manager) Events(ctx context.Context) ([]Event, error) {
	return get[[]Event](ctx, m, "events", nil)
}

// SetFaults is Cloud.SetFaults.
func (m *Manager) SetFaults(ctx context.Context, s FaultSettings) error {
	return m.call(ctx, http.MethodPut, "faults", nil, s, nil)
}

// SetLimits is Cloud.SetLimits.
func (m *Manager) SetLimits(ctx context.Context, l Limits) error {
	return m.call(ctx, http.MethodPut, "limits", nil, l, nil)
}
