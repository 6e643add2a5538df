package practice

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"edgewright/provisioning/secret"
)

// The management surface is for the program itself: the window and the
// commands look at a served practice cloud by it, whichever process serves.
// It lies beside the planes under /practice, is JSON, is authorised by the
// management token, answers loopback only, and is neither logged nor subject
// to faults and limits.
const managementRoot = "/practice/"

func isManagement(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, managementRoot) }

// managementToken opens the management surface, and the routes of Azure
// Resource Manager.
func (c *Cloud) managementToken() secret.Value {
	return secret.FromString(c.settings().ARMToken.Secret().RevealBase64())
}

// managed is one request to the management surface.
type managed struct {
	c *Cloud
	r *http.Request
}

// managementRoutes by ServeMux pattern. A handler gives what is encoded as the
// answer, nil for none, or an error.
var managementRoutes = map[string]func(managed) (any, error){
	"GET overview":         func(m managed) (any, error) { return m.c.Overview(m.r.Context()) },
	"GET devices":          managed.devices,
	"GET device":           managed.device,
	"GET device/strings":   managed.deviceStrings,
	"POST device/messages": managed.send,
	"GET enrollments":      managed.enrollments,
	"GET registrations":    managed.registrations,
	"GET cas":              managed.cas,
	"PUT cas":              managed.uploadCA,
	"DELETE cas":           managed.removeCA,
	"POST cas/code":        managed.codeCA,
	"POST cas/verify":      managed.verifyCA,
	"GET requests":         managed.requests,
	"GET events":           func(m managed) (any, error) { return m.c.Events(), nil },
	"PUT faults":           managed.setFaults,
	"PUT limits":           managed.setLimits,
}

func newManagement(c *Cloud) http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range managementRoutes {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+managementRoot+path, func(w http.ResponseWriter, r *http.Request) {
			value, err := handle(managed{c, r})
			if err != nil {
				writeManaged(w, statusOf(err), managementError{err.Error()})
				return
			}
			writeManaged(w, http.StatusOK, value)
		})
	}
	return mux
}

type managementError struct {
	Message string `json:"message"`
}

func writeManaged(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"message":"the answer does not encode"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone gets nothing
}

func statusOf(err error) int {
	if status, ok := caStatus(err); ok {
		return status
	}
	var option *OptionError
	var served *ServedError
	switch {
	case errors.As(err, &option):
		return http.StatusBadRequest
	case errors.Is(err, ErrNoSuch):
		return http.StatusNotFound
	case errors.As(err, &served):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// serveManagement answers one request to the surface.
func (c *Cloud) serveManagement(w http.ResponseWriter, r *http.Request) {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || !fromLoopback(r) || subtle.ConstantTimeCompare([]byte(given), c.managementToken().Reveal()) != 1 {
		writeManaged(w, http.StatusUnauthorized, managementError{"the management token of the practice cloud is needed"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	c.management.ServeHTTP(w, r)
}

// fromLoopback tells a caller on this computer, or in this process, which has
// no address.
func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	return r.RemoteAddr == "" || err == nil && net.ParseIP(host).IsLoopback()
}

// decode reads the body.
func (m managed) decode(into any) error {
	if err := json.NewDecoder(m.r.Body).Decode(into); err != nil {
		return wrongOption("the body does not read: %v", err)
	}
	return nil
}

func (m managed) page() PageQuery {
	q := m.r.URL.Query()
	return PageQuery{Search: q.Get("search"), After: q.Get("after"), Limit: number(q, "limit")}
}

// number reads a query parameter; nonsense is 0.
func number(q url.Values, name string) int {
	n, _ := strconv.Atoi(q.Get(name))
	return n
}

func (m managed) devices() (any, error) {
	return m.c.Devices(m.r.Context(), m.r.URL.Query().Get("hub"), m.page())
}

// named are the hub, the device and the module that a request names.
func (m managed) named() (hub, device, module string) {
	q := m.r.URL.Query()
	return q.Get("hub"), q.Get("device"), q.Get("module")
}

func (m managed) device() (any, error) {
	hub, device, module := m.named()
	return m.c.Device(m.r.Context(), hub, device, module)
}

// deviceStrings answers with keys: it is asked when one is to be copied.
func (m managed) deviceStrings() (any, error) {
	hub, device, _ := m.named()
	all, err := m.c.DeviceConnectionStrings(m.r.Context(), hub, device)
	shown := map[string]string{}
	for module, text := range all {
		shown[module] = text.RevealString()
	}
	return shown, err
}

func (m managed) enrollments() (any, error) { return m.c.Enrollments(m.r.Context(), m.page()) }

func (m managed) registrations() (any, error) { return m.c.Registrations(m.r.Context(), m.page()) }

func (m managed) requests() (any, error) {
	q := m.r.URL.Query()
	after, _ := strconv.ParseUint(q.Get("after"), 10, 64)
	return m.c.RequestLog(RequestQuery{After: after, Failed: q.Get("failed") == "true", Limit: number(q, "limit")}), nil
}

func (m managed) setFaults() (any, error) {
	var s FaultSettings
	if err := m.decode(&s); err != nil {
		return nil, err
	}
	return nil, m.c.SetFaults(s)
}

func (m managed) setLimits() (any, error) {
	var l Limits
	if err := m.decode(&l); err != nil {
		return nil, err
	}
	return nil, m.c.SetLimits(l)
}
