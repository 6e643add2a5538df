package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/google/uuid"

	"edgewright/provisioning/wire"
)

// Params make a Client. All fields but SAS, Authorize and Options are required.
type Params struct {
	Service    string // one of the names in package wire
	Endpoint   string // "https://host[:port]"
	APIVersion string
	SAS        SAS
	// Authorize authorizes each attempt where it is not done by SAS.
	Authorize policy.Policy
	// Failure reads the body of an answer that is none of the expected ones.
	Failure func(http.Header, []byte) Failure
	Options Options
}

// Failure is what a service says about a failed call.
type Failure struct {
	Code                      int
	Name, Message, TrackingID string
}

// Client sends calls to one service. It may be used from many goroutines.
type Client struct {
	params    Params
	retry     Retry
	now       func() time.Time
	transport policy.Transporter
	pipeline  runtime.Pipeline

	mu         sync.Mutex
	serverTime time.Time
}

// New makes a client; nothing is sent.
func New(params Params) (*Client, error) {
	endpoint, err := url.Parse(params.Endpoint)
	if err != nil || endpoint.Scheme != "https" || endpoint.Host == "" || strings.Trim(endpoint.Path, "/") != "" ||
		endpoint.User != nil || endpoint.RawQuery != "" || endpoint.Fragment != "" {
		return nil, fmt.Errorf("%s: endpoint is not of the form https://host[:port]", params.Service)
	}
	params.Endpoint = "https://" + endpoint.Host
	c := &Client{
		params:    params,
		retry:     params.Options.Retry.withDefaults(),
		now:       params.Options.Now,
		transport: params.Options.transport(),
	}
	if c.now == nil {
		c.now = time.Now
	}
	perRetry := []policy.Policy{attemptPolicy{c.retry}}
	if params.SAS.Resource != "" {
		if params.SAS.Key.IsEmpty() && params.SAS.Sign == nil {
			return nil, fmt.Errorf("%s: no key", params.Service)
		}
		perRetry = append(perRetry, &sasPolicy{sas: params.SAS, now: c.now})
	}
	if params.Authorize != nil {
		perRetry = append(perRetry, params.Authorize)
	}
	c.pipeline = runtime.NewPipeline("edgewright", "v1", runtime.PipelineOptions{
		PerRetry: perRetry,
	}, &policy.ClientOptions{Transport: c.transport, Retry: c.retry.options(false, false)})
	return c, nil
}

// Close closes idle connections. The client may be used again.
func (c *Client) Close() error {
	if closer, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
	return nil
}

// Call is one request.
type Call struct {
	Operation, Subject string // for errors
	Method, Path       string // the path with its IDs encoded
	IfMatch            string
	Header             http.Header
	// Body is marshalled as JSON, or sent as it is with ContentType if it is
	// a []byte. nil is no body.
	Body        any
	ContentType string
	// Expect lists the statuses that are no failure; nil takes any answer.
	Expect []int
	// Once forbids to repeat the call unless it surely had no effect.
	Once bool
}

// Answer is what a call came back with.
type Answer struct {
	Status int
	Header http.Header
	// CorrelationID is the service's ID of the call, else the one sent with it.
	CorrelationID string
	// Repeated says that an earlier attempt of this call may have taken effect.
	Repeated bool
	// ServerTime is the answer's Date, in whole seconds, zero without one.
	ServerTime time.Time
	// RetryAfter is what the answer asks to wait, 0 if it does not.
	RetryAfter time.Duration
	// Imposed is how long the call waited between attempts because the service
	// asked for it.
	Imposed time.Duration
}

// Do sends call and decodes the answer into out, unless that is nil. Failures
// are of type *wire.Error; Answer is filled as far as there was one.
func (c *Client) Do(ctx context.Context, call Call, out any) (Answer, error) {
	failed := &wire.Error{Service: c.params.Service, Operation: call.Operation, Subject: call.Subject}
	record := &attempts{}
	ctx = context.WithValue(ctx, attemptsKey{}, record)
	ctx = policy.WithRetryOptions(ctx, c.retry.options(call.Once, call.Expect == nil))
	req, err := c.request(ctx, call, record)
	if err != nil {
		failed.Err = err
		return Answer{}, failed
	}
	resp, err := c.pipeline.Do(req)
	failed.CorrelationID = req.Raw().Header.Get(wire.HeaderClientID)
	failed.Unconfirmed = record.unconfirmed && call.Method != http.MethodGet
	if err != nil {
		failed.Err = err
		return Answer{CorrelationID: failed.CorrelationID, Imposed: record.imposed}, failed
	}
	defer resp.Body.Close()
	if id := wire.CorrelationID(resp.Header); id != "" {
		failed.CorrelationID = id
	}
	answer := Answer{Status: resp.StatusCode, Header: resp.Header, CorrelationID: failed.CorrelationID, Repeated: record.unconfirmed && record.count > 1,
		RetryAfter: retryAfter(resp.Header, c.now()), Imposed: record.imposed}
	if answer.ServerTime, err = http.ParseTime(resp.Header.Get("Date")); err == nil {
		c.mu.Lock()
		c.serverTime = answer.ServerTime
		c.mu.Unlock()
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil && call.Expect != nil && !slices.Contains(call.Expect, resp.StatusCode) {
		return answer, c.refused(failed, answer, body)
	}
	if err == nil && out != nil {
		err = decode(resp.Header, body, out)
	}
	if err != nil {
		failed.Status = resp.StatusCode
		failed.Err = fmt.Errorf("read answer: %w", err)
		failed.Unconfirmed = call.Method != http.MethodGet
		return answer, failed
	}
	return answer, nil
}

// ServerTime asks the service for its clock: the Date of the answer to call,
// whatever that answer is. It has whole seconds, cut off, so what happens at the
// service after this call is never earlier than it.
func (c *Client) ServerTime(ctx context.Context, call Call) (time.Time, error) {
	call.Expect = nil
	answer, err := c.Do(ctx, call, nil)
	if err == nil && answer.ServerTime.IsZero() {
		err = &wire.Error{Service: c.params.Service, Operation: call.Operation, Status: answer.Status,
			CorrelationID: answer.CorrelationID, Err: errors.New("the answer has no Date")}
	}
	return answer.ServerTime, err
}

// LastServerTime is the Date of the latest answer, zero if there was none.
func (c *Client) LastServerTime() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.serverTime
}

// Invalid makes the error of a call that is not sent, with its cause.
func (c *Client) Invalid(operation, subject string, cause error) error {
	return &wire.Error{Service: c.params.Service, Operation: operation, Subject: subject, Err: cause}
}

func (c *Client) request(ctx context.Context, call Call, record *attempts) (*policy.Request, error) {
	req, err := runtime.NewRequest(ctx, call.Method, c.params.Endpoint+call.Path+"?api-version="+c.params.APIVersion)
	if err != nil {
		return nil, err
	}
	for name, values := range call.Header {
		req.Raw().Header[name] = values
	}
	req.Raw().Header.Set("Accept", "application/json")
	// One ID for all attempts of the call, under both names that the services
	// and what stands before them know.
	id := uuid.NewString()
	req.Raw().Header.Set(wire.HeaderClientID, id)
	req.Raw().Header.Set(wire.HeaderCorrelationID, id)
	if call.IfMatch != "" {
		req.Raw().Header.Set("If-Match", call.IfMatch)
	}
	if call.Body == nil {
		return req, nil
	}
	data, raw := call.Body.([]byte)
	contentType := call.ContentType
	if !raw {
		contentType = "application/json; charset=utf-8"
		if data, err = json.Marshal(call.Body); err != nil {
			return nil, err
		}
	}
	record.body = data
	return req, req.SetBody(streaming.NopCloser(bytes.NewReader(data)), contentType)
}

// maxClockOffset is how far apart clocks may be before a refused token is put
// down to it: tokens are valid from any time on, but end by the service's clock.
const maxClockOffset = 2 * time.Minute

// refused makes the error of an answer that was not expected.
func (c *Client) refused(failed *wire.Error, answer Answer, body []byte) error {
	said := c.params.Failure(answer.Header, body)
	failed.Status, failed.Code, failed.Name, failed.Message = answer.Status, said.Code, said.Name, said.Message
	if said.TrackingID != "" {
		failed.CorrelationID = said.TrackingID
	}
	failed.RetryAfter = answer.RetryAfter
	if answer.Status == http.StatusUnauthorized && !answer.ServerTime.IsZero() {
		if offset := answer.ServerTime.Sub(c.now()); offset.Abs() > maxClockOffset {
			failed.ClockOffset = offset
		}
	}
	return failed
}

func decode(header http.Header, body []byte, out any) error {
	if !strings.Contains(strings.ToLower(header.Get("Content-Type")), "json") {
		return errors.New("it is not JSON")
	}
	return json.Unmarshal(body, out)
}
