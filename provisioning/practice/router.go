package practice

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgewright/provisioning/wire"
)

// route is one operation. A segment in braces is a variable; other segments
// match in any letter case.
type route struct {
	method  string
	pattern string
	handle  func(*exchange) answer
}

// routes by plane; the first match counts.
var routes = map[plane][]route{
	planeHub: {
		{http.MethodGet, "devices", (*exchange).listDevices},
		{http.MethodPost, "devices", (*exchange).bulkDevices},
		{http.MethodPost, "devices/query", (*exchange).queryHub},
		{http.MethodPost, "devices/keys/regenerate", (*exchange).regenerateKeys},
		{http.MethodPut, "devices/{device}", (*exchange).putDevice},
		{http.MethodGet, "devices/{device}", (*exchange).getDevice},
		{http.MethodDelete, "devices/{device}", (*exchange).deleteDevice},
		{http.MethodGet, "devices/{device}/modules", (*exchange).listModules},
		{http.MethodPut, "devices/{device}/modules/{module}", (*exchange).putModule},
		{http.MethodGet, "devices/{device}/modules/{module}", (*exchange).getModule},
		{http.MethodDelete, "devices/{device}/modules/{module}", (*exchange).deleteModule},
		{http.MethodPost, "devices/{device}/applyConfigurationContent", (*exchange).applyConfiguration},
		{http.MethodGet, "devices/{device}/modules/$edgeHub/devicesAndModulesInDeviceScope", (*exchange).inDeviceScope},
		{http.MethodGet, "devices/{device}/modules/$edgeHub/deviceAndModuleInDeviceScope", (*exchange).oneInDeviceScope},
		{http.MethodPost, "devices/{device}/modules/$edgeHub/devicesAndModulesInTargetDeviceScope", (*exchange).inTargetScope},
		{http.MethodPost, "devices/{device}/modules/$edgeHub/getDeviceAndModuleOnBehalfOf", (*exchange).oneOnBehalf},
		{http.MethodPost, "devices/{device}/modules/$edgeHub/putModuleOnBehalfOf", (*exchange).putOnBehalf},
		{http.MethodPost, "devices/{device}/modules/$edgeHub/getModuleOnBehalfOf", (*exchange).getOnBehalf},
		{http.MethodPost, "devices/{device}/modules/$edgeHub/getModulesOnTargetDevice", (*exchange).listOnBehalf},
		{http.MethodPost, "devices/{device}/modules/$edgeHub/deleteModuleOnBehalfOf", (*exchange).deleteOnBehalf},
		{http.MethodPost, "devices/{device}/messages/events", (*exchange).sendEvent},
		{http.MethodPost, "devices/{device}/modules/{module}/messages/events", (*exchange).sendEvent},
		{http.MethodGet, "configurations", (*exchange).listConfigurations},
		{http.MethodPost, "configurations/testQueries", (*exchange).testQueries},
		{http.MethodPut, "configurations/{id}", (*exchange).putConfiguration},
		{http.MethodGet, "configurations/{id}", (*exchange).getConfiguration},
		{http.MethodDelete, "configurations/{id}", (*exchange).deleteConfiguration},
		{http.MethodPost, "jobs/create", (*exchange).createJob},
		{http.MethodGet, "jobs", (*exchange).listJobs},
		{http.MethodGet, "jobs/v2/query", (*exchange).querySchedules},
		{http.MethodPut, "jobs/v2/{id}", (*exchange).putSchedule},
		{http.MethodGet, "jobs/v2/{id}", (*exchange).getSchedule},
		{http.MethodPost, "jobs/v2/{id}/cancel", (*exchange).cancelSchedule},
		{http.MethodGet, "jobs/{id}", (*exchange).getJob},
		{http.MethodDelete, "jobs/{id}", (*exchange).cancelJob},
		{http.MethodGet, "devices/{device}/messages/devicebound", (*exchange).receiveMessage},
		{http.MethodDelete, "devices/{device}/messages/devicebound/{lock}", (*exchange).completeMessage},
		{http.MethodPost, "devices/{device}/messages/devicebound/{lock}/abandon", (*exchange).abandonMessage},
		{http.MethodPost, "devices/{device}/files", (*exchange).uploadFile},
		{http.MethodPost, "devices/{device}/files/notifications", (*exchange).uploadFile},
		{http.MethodDelete, "devices/{device}/commands", (*exchange).purgeCommands},
		{http.MethodGet, "statistics/devices", (*exchange).registryStatistics},
		{http.MethodGet, "statistics/service", (*exchange).serviceStatistics},
		{http.MethodGet, "twins/{device}", (*exchange).getTwin},
		{http.MethodPost, "twins/{device}/methods", (*exchange).callMethod},
		{http.MethodPost, "twins/{device}/modules/{module}/methods", (*exchange).callMethod},
		{http.MethodPatch, "twins/{device}", (*exchange).patchTwin},
		{http.MethodPut, "twins/{device}", (*exchange).putTwin},
		{http.MethodGet, "twins/{device}/modules/{module}", (*exchange).getTwin},
		{http.MethodPatch, "twins/{device}/modules/{module}", (*exchange).patchTwin},
		{http.MethodPut, "twins/{device}/modules/{module}", (*exchange).putTwin},
	},
	planeDPSService: {
		{http.MethodPost, "enrollments", (*exchange).bulkEnrollments},
		{http.MethodPost, "enrollments/query", (*exchange).queryEnrollments},
		{http.MethodPut, "enrollments/{id}", (*exchange).putEnrollment},
		{http.MethodGet, "enrollments/{id}", (*exchange).getEnrollment},
		{http.MethodDelete, "enrollments/{id}", (*exchange).deleteEnrollment},
		{http.MethodPost, "enrollments/{id}/attestationmechanism", (*exchange).enrollmentKeys},
		{http.MethodPost, "enrollmentGroups", (*exchange).bulkGroups},
		{http.MethodPost, "enrollmentGroups/query", (*exchange).queryGroups},
		{http.MethodPut, "enrollmentGroups/{id}", (*exchange).putGroup},
		{http.MethodGet, "enrollmentGroups/{id}", (*exchange).getGroup},
		{http.MethodDelete, "enrollmentGroups/{id}", (*exchange).deleteGroup},
		{http.MethodPost, "enrollmentGroups/{id}/attestationmechanism", (*exchange).groupKeys},
		{http.MethodGet, "registrations/{id}", (*exchange).getRegistration},
		{http.MethodDelete, "registrations/{id}", (*exchange).deleteRegistration},
		{http.MethodPost, "registrations/{id}/query", (*exchange).queryRegistrations},
	},
	planeDPSDevice: {
		{http.MethodPut, "{scope}/registrations/{id}/register", (*exchange).register},
		{http.MethodGet, "{scope}/registrations/{id}/operations/{operation}", (*exchange).pollRegistration},
		{http.MethodPost, "{scope}/registrations/{id}", (*exchange).lookUpRegistration},
	},
	planeARM: {
		{http.MethodGet, armCertificates, (*exchange).listCertificates},
		{http.MethodPut, armCertificates + "/{name}", (*exchange).putCertificate},
		{http.MethodGet, armCertificates + "/{name}", (*exchange).getCertificate},
		{http.MethodDelete, armCertificates + "/{name}", (*exchange).deleteCertificate},
		{http.MethodPost, armCertificates + "/{name}/generateVerificationCode", (*exchange).generateVerificationCode},
		{http.MethodPost, armCertificates + "/{name}/verify", (*exchange).verifyCertificate},
	},
}

// planeOf tells the plane by the path: one port serves all.
func planeOf(segments []string) plane {
	first := ""
	if len(segments) > 0 {
		first = strings.ToLower(segments[0])
	}
	switch {
	case slices.Contains([]string{"enrollments", "enrollmentgroups", "registrations"}, first):
		return planeDPSService
	case slices.Contains([]string{"devices", "twins", "configurations", "jobs", "statistics", "messages", "digitaltwins"}, first):
		return planeHub
	case first == "subscriptions":
		return planeARM
	case len(segments) > 1 && strings.EqualFold(segments[1], "registrations"):
		return planeDPSDevice
	}
	return planeHub
}

// planeOfPath is planeOf for a path that is still encoded.
func planeOfPath(escaped string) plane {
	segments, _ := splitPath(escaped)
	return planeOf(segments)
}

// match gives the variables of a pattern, or false.
func match(pattern string, segments []string) (map[string]string, bool) {
	parts := strings.Split(pattern, "/")
	if len(parts) != len(segments) {
		return nil, false
	}
	vars := map[string]string{}
	for i, part := range parts {
		switch {
		case strings.HasPrefix(part, "{"):
			if segments[i] == "" {
				return nil, false
			}
			vars[strings.Trim(part, "{}")] = segments[i]
		case !strings.EqualFold(part, segments[i]):
			return nil, false
		}
	}
	return vars, true
}

// Handler answers requests. It takes the folder's lock with the first one and
// keeps it until Close or the end of Serve.
func (c *Cloud) Handler() http.Handler { return http.HandlerFunc(c.serveHTTP) }

func (c *Cloud) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if isManagement(r) {
		c.serveManagement(w, r)
		return
	}
	if isWebSocket(r) {
		c.serveWebSocket(w, r)
		return
	}
	begin := time.Now()
	now := c.now()
	if c.faults.isOffline(hubLabelOf(r.Host)) && planeOfPath(r.URL.EscapedPath()) == planeHub {
		c.logged(Request{Time: now, Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Code: codeOffline, CorrelationID: newTrackingID()})
		panic(http.ErrAbortHandler) // ends the connection without an answer
	}
	x := &exchange{transaction: transaction{c: c, now: now, tracking: newTrackingID()}, r: r, shown: credentialOf(r, now)}
	a := x.answer(w)
	header := w.Header()
	header.Set("Date", x.now.Format(http.TimeFormat))
	header.Set(wire.HeaderRequestID, x.tracking)
	if a.body != nil {
		header.Set("Content-Type", "application/json; charset=utf-8")
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	for name, value := range a.header {
		header.Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a client that is gone gets nothing

	version, _ := apiVersion(r)
	c.logged(Request{Time: x.now, Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), APIVersion: version,
		Status: a.status, Code: a.code, CorrelationID: x.tracking, Duration: time.Since(begin)})
}

// logged puts a request into the log.
func (c *Cloud) logged(done Request) {
	c.log.add(done)
	c.changes.Add(1)
	if c.logTo != nil {
		c.logTo(done)
	}
}

// answer does everything but the writing.
func (x *exchange) answer(w http.ResponseWriter) answer {
	segments, err := splitPath(x.r.URL.EscapedPath())
	x.segments, x.plane = segments, planeOf(segments)
	if err != nil {
		return x.fail(http.StatusBadRequest, "ArgumentInvalid", "The path is badly encoded.")
	}
	if a := x.misbehave(); a != nil {
		return *a
	}
	handle, a := x.find()
	if a != nil {
		return *a
	}
	if _, given := apiVersion(x.r); !given {
		return x.fail(http.StatusBadRequest, "InvalidProtocolVersion", "The query parameter api-version is missing.")
	}
	if a := x.readBody(w); a != nil {
		return *a
	}
	if a := x.checkMediaType(); a != nil {
		return *a
	}
	if a := x.limit(); a != nil {
		return *a
	}
	leave, err := x.c.enter(x.r.Context())
	if err != nil {
		return x.fail(http.StatusServiceUnavailable, "ServiceUnavailable", wire.CleanMessage(err.Error()))
	}
	acted := func() answer {
		defer leave()
		return x.act(handle)
	}()
	if x.after != nil {
		return x.after()
	}
	return acted
}

// act runs the handler on the state and waits until all that it tells of is on
// disk.
func (x *exchange) act(handle func(*exchange) answer) (a answer) {
	err := x.c.transact(x.r.Context(), &x.transaction, func() {
		if x.plane == planeHub {
			if x.hub = x.c.state.hubOf(x.r.Host); x.hub == nil {
				a = x.hubError("IotHubNotFound", "No practice hub has this name.")
				return
			}
		}
		a = handle(x)
	})
	if err != nil {
		x.after = nil
		return x.internal()
	}
	return a
}

// find picks the handler.
func (x *exchange) find() (func(*exchange) answer, *answer) {
	known := false
	for _, route := range routes[x.plane] {
		vars, ok := match(route.pattern, x.segments)
		if !ok {
			continue
		}
		if route.method == x.r.Method {
			x.vars = vars
			return route.handle, nil
		}
		known = true
	}
	if known {
		a := x.fail(http.StatusMethodNotAllowed, "InvalidOperation", "The method does not exist on this path.")
		return nil, &a
	}
	a := x.fail(http.StatusNotFound, "NotFound", "The path does not exist.")
	return nil, &a
}

// misbehave applies the faults that are switched on.
func (x *exchange) misbehave() *answer {
	drawn := x.c.faults.draw(x.r.Method, x.r.URL.Path)
	if drawn.delay > 0 {
		timer := time.NewTimer(drawn.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-x.r.Context().Done():
		}
	}
	var a answer
	switch {
	case drawn.status == 0:
		return nil
	case drawn.status == http.StatusTooManyRequests:
		a = x.throttled(drawn.wait)
	case drawn.status == http.StatusServiceUnavailable:
		a = x.fail(drawn.status, "ServiceUnavailable", "The service is unavailable.")
	default:
		a = x.fail(drawn.status, "ServerError", "The service failed.")
	}
	return &a
}

// throttled is the answer 429; wait is the Retry-After header, 0 for none.
func (x *exchange) throttled(wait time.Duration) answer {
	a := x.fail(http.StatusTooManyRequests, "ThrottlingException", "Throttled: wait 10 seconds before the next call.")
	if wait > 0 {
		a.header["Retry-After"] = strconv.Itoa(int(wait.Seconds()))
	}
	if x.plane == planeHub {
		a.header["Connection"] = "close"
	}
	return a
}

// hubOf finds the hub by the Host header.
func (s *state) hubOf(host string) *hub { return s.hubs[hubLabelOf(host)] }

// hubLabelOf is the label of the hub that a Host header names, which need not
// exist. A client that dials by address, or by a name outside practice.test,
// means the default hub.
func hubLabelOf(host string) string {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	label, inside := strings.CutSuffix(name, "."+domain)
	if !inside || label == "dps" || label == "global" {
		return defaultHub
	}
	return label
}

// apiVersion reads the query parameter, whose name some clients capitalise.
// Any value counts as given; one that does not look like a version is not shown.
func apiVersion(r *http.Request) (version string, given bool) {
	for name, values := range r.URL.Query() {
		if strings.EqualFold(name, "api-version") && len(values) > 0 {
			return wire.CleanID(values[0]), values[0] != ""
		}
	}
	return "", false
}

func newTrackingID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}
