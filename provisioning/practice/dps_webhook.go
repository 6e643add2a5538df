package practice

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"edgewright/provisioning/wire"
)

const (
	webhookTimeout = 10 * time.Second // assumed
	maxAllocation  = 256 << 10        // bytes of a webhook's answer
)

// webhooks are the calls of custom allocation that are under way. None is made
// under Cloud.mu; the registration stays assigning until it is answered.
type webhooks struct {
	mu     sync.Mutex
	under  map[string]bool // by operation
	closed bool
	wait   sync.WaitGroup
	ctx    context.Context
	stop   context.CancelFunc
}

func newWebhooks() *webhooks {
	ctx, stop := context.WithCancel(context.Background())
	return &webhooks{under: map[string]bool{}, ctx: ctx, stop: stop}
}

// begin tells whether a call for the operation is to be made now; end follows.
func (w *webhooks) begin(operation string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.under[operation] {
		return false
	}
	w.under[operation] = true
	w.wait.Add(1)
	return true
}

func (w *webhooks) end(operation string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.under, operation)
	w.wait.Done()
}

// close ends all calls. Their registrations stay assigning, and a poll after
// the next start asks again.
func (w *webhooks) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.stop()
	w.wait.Wait()
}

// allocationRequest is what a webhook is asked. Of the two enrollments the one
// is there that the device came by, without secrets.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-custom-allocation
type allocationRequest struct {
	DeviceRuntimeContext deviceRuntimeContext       `json:"deviceRuntimeContext"`
	IndividualEnrollment *wire.IndividualEnrollment `json:"individualEnrollment,omitempty"`
	EnrollmentGroup      *wire.EnrollmentGroup      `json:"enrollmentGroup,omitempty"`
	LinkedHubs           []string                   `json:"linkedHubs"` // host names
}

// deviceRuntimeContext is the device. Assumed: what is in symmetricKey, x509
// and tpm.
type deviceRuntimeContext struct {
	RegistrationID        string                       `json:"registrationId"`
	CurrentIotHubHostName string                       `json:"currentIotHubHostName,omitempty"`
	CurrentDeviceID       string                       `json:"currentDeviceId,omitempty"`
	SymmetricKey          *struct{}                    `json:"symmetricKey,omitempty"`
	X509                  *wire.X509RegistrationResult `json:"x509,omitempty"`
	TPM                   *wire.TPMAttestation         `json:"tpm,omitempty"`
	Payload               json.RawMessage              `json:"payload,omitempty"`
}

// allocationAnswer is what a webhook says. payload goes to the device.
type allocationAnswer struct {
	IotHubHostName string            `json:"iotHubHostName"`
	InitialTwin    *wire.InitialTwin `json:"initialTwin"`
	Payload        json.RawMessage   `json:"payload"`
}

// webhookCall is one call. linked are the labels that it may answer with.
type webhookCall struct {
	id, operation, url string
	body               []byte
	linked             []string
	twin               *wire.InitialTwin // unless the webhook gives one
}

// askWebhook makes the call that a registration waits for, once it is durable,
// unless that is under way.
func (t *transaction) askWebhook(id string, r *registration) {
	if r.Waiting == nil {
		return
	}
	c := t.c
	call, gone := t.webhookCall(id, r)
	t.notify(func(written *batch) {
		if !c.webhooks.begin(r.Operation) {
			return
		}
		go func() {
			defer c.webhooks.end(call.operation)
			if written.wait() != nil {
				return
			}
			to := gone
			if to.failed == nil {
				to = c.callWebhook(call)
			}
			c.finishAllocation(call, to)
		}()
	})
}

// webhookCall says what to ask; gone tells why nothing can be.
func (t *transaction) webhookCall(id string, r *registration) (call webhookCall, gone choice) {
	by, s := *r.Waiting, t.c.settings()
	call = webhookCall{id: id, operation: r.Operation}
	e, enabled := t.enrollmentOf(id, by)
	if !enabled || *e.custom == nil {
		return call, choice{failed: unauthorized}
	}
	request := allocationRequest{DeviceRuntimeContext: deviceRuntimeContext{RegistrationID: id, CurrentDeviceID: r.Device, X509: by.X509, TPM: by.TPM, Payload: by.Payload}}
	if r.Hub != "" {
		request.DeviceRuntimeContext.CurrentIotHubHostName = s.withPort(r.Hub + "." + domain)
	}
	if by.X509 == nil && by.TPM == nil {
		request.DeviceRuntimeContext.SymmetricKey = &struct{}{}
	}
	if by.Group == "" {
		shown := t.shownIndividual(t.c.state.enrollments[id])
		request.IndividualEnrollment = &shown
	} else {
		shown := shownGroup(t.c.state.groups[strings.ToLower(by.Group)])
		request.EnrollmentGroup = &shown
	}
	call.linked, call.twin, call.url = s.linkedHubs(e), *e.twin, (*e.custom).WebhookURL
	for _, label := range call.linked {
		request.LinkedHubs = append(request.LinkedHubs, s.withPort(label+"."+domain))
	}
	body, err := json.Marshal(request)
	if err != nil {
		return call, choice{failed: badRequest("The request of the custom allocation does not encode.")}
	}
	call.body = body
	return call, choice{}
}

// callWebhook asks the webhook and reads where the device goes.
func (c *Cloud) callWebhook(call webhookCall) choice {
	failed := func(text string) choice { return choice{failed: badRequest("Custom allocation failed " + text)} }
	ctx, cancel := context.WithTimeout(c.webhooks.ctx, webhookTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, call.url, bytes.NewReader(call.body))
	if err != nil {
		return failed("as the webhook's URL is wrong.")
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	client := c.webhookClient()
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	if err != nil {
		return failed("as the webhook does not answer: " + wire.CleanMessage(err.Error()))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return failed("with status code: " + strconv.Itoa(response.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAllocation+1))
	if err != nil || len(body) > maxAllocation {
		return failed("as the webhook's answer is cut off or too long.")
	}
	return c.readAllocation(call, body)
}

// readAllocation reads a webhook's answer.
func (c *Cloud) readAllocation(call webhookCall, body []byte) choice {
	failed := func(text string) choice { return choice{failed: badRequest("Custom allocation failed " + text)} }
	var given allocationAnswer
	if err := json.Unmarshal(body, &given); err != nil {
		return failed("as the webhook's answer is not valid: " + wire.CleanMessage(err.Error()))
	}
	label, known := c.settings().hubByHost(given.IotHubHostName)
	if !known || !slices.Contains(call.linked, label) {
		return failed("as the webhook chose a hub that is not linked: " + wire.CleanMessage(given.IotHubHostName))
	}
	if !isInitialTwin(given.InitialTwin) {
		return failed("as tags or properties.desired of the webhook's initialTwin are no objects.")
	}
	to := choice{hub: label, twin: given.InitialTwin, payload: given.Payload}
	if to.twin == nil {
		to.twin = call.twin
	}
	if string(to.payload) == "null" {
		to.payload = nil
	}
	return to
}

// finishAllocation completes the registration that waited, if it still does.
func (c *Cloud) finishAllocation(call webhookCall, to choice) {
	if c.webhooks.ctx.Err() != nil {
		return
	}
	c.owning.RLock()
	defer c.owning.RUnlock()
	if c.lock == nil {
		return // somebody else serves now; a poll there asks again
	}
	t := &transaction{c: c, now: c.now(), tracking: newTrackingID()}
	// A failure is as if the webhook had not answered: a poll asks again.
	_ = c.transact(c.webhooks.ctx, t, func() {
		r := c.state.registrations[call.id]
		if r == nil || r.Operation != call.operation || r.Waiting == nil {
			return
		}
		by := attested{claim: *r.Waiting}
		enabled := false
		if by.enrollment, enabled = t.enrollmentOf(call.id, by.claim); !enabled {
			to = choice{failed: unauthorized}
		}
		changed := *r
		t.assign(&changed, by, to)
		c.state.registrations[call.id] = &changed
		t.store(objectKey{kindRegistration, call.id}, &changed)
	})
}

// webhookClient follows no redirect and, unless the cloud listens anywhere,
// dials this computer only, whatever a name resolves to. It trusts the system's
// CAs and the practice CA.
func (c *Cloud) webhookClient() *http.Client {
	dialer := &net.Dialer{Timeout: webhookTimeout}
	if !c.anywhere {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			if at, err := netip.ParseAddrPort(address); err != nil || !at.Addr().IsLoopback() {
				return errors.New("it is not on this computer")
			}
			return nil
		}
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(c.settings().caPEM())
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
