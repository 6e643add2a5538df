package iothub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// apiVersion is that of the OpenAPI file and of Azure's own clients.
const apiVersion = "2021-04-12"

// Options are transport, trust, clock and retries.
type Options = rest.Options

// Client is an IoT Hub's service plane: identities, modules, twins, queries. It
// may be used from many goroutines.
type Client struct {
	host string
	rest *rest.Client
}

// New makes a client from a connection string of the service kind. Nothing is
// sent.
func New(conn wire.ConnectionString, options Options) (*Client, error) {
	if conn.Kind() != wire.KindService {
		return nil, fmt.Errorf("%s: the connection string is one of a device; one of a shared access policy is needed", wire.ServiceHub)
	}
	client, err := rest.New(rest.Params{
		Service:    wire.ServiceHub,
		Endpoint:   "https://" + conn.HostName,
		APIVersion: apiVersion,
		SAS:        rest.SAS{Resource: conn.HostName, Policy: conn.PolicyName, Key: conn.Key},
		Failure:    failure,
		Options:    options,
	})
	if err != nil {
		return nil, err
	}
	return &Client{host: conn.HostName, rest: client}, nil
}

// Host is the hub's host name as it was given, with its port if it has one.
func (c *Client) Host() string { return c.host }

// Close closes idle connections.
func (c *Client) Close() error { return c.rest.Close() }

// ServerTime asks for the hub's clock, in whole seconds, cut off. Any answer
// serves, also a refusal.
func (c *Client) ServerTime(ctx context.Context) (time.Time, error) {
	return c.rest.ServerTime(ctx, rest.Call{Operation: "read the clock", Method: http.MethodGet, Path: "/statistics/service"})
}

// LastServerTime is the hub's clock as of its latest answer, zero before one.
func (c *Client) LastServerTime() time.Time { return c.rest.LastServerTime() }

func failure(header http.Header, body []byte) rest.Failure {
	e := wire.ParseHubError(header, body)
	return rest.Failure{Code: e.Code, Name: e.Name, Message: e.Message, TrackingID: e.TrackingID}
}

// quoted makes an If-Match value of an etag, which the hub gives without quotes.
func quoted(etag string) string {
	if etag == "*" || etag == "" || strings.HasPrefix(etag, `"`) {
		return etag
	}
	return `"` + etag + `"`
}

// bare is an etag without quotes, to compare it with one in a body.
func bare(etag string) string { return strings.Trim(etag, `"`) }

var errNoETag = errors.New(`no etag; give the one that was read, or "*" for any`)

// gone makes a success of a 404 that follows an attempt of the same delete call
// whose answer was lost.
func gone(answer rest.Answer, err error) error {
	if answer.Repeated && wire.IsNotFound(err) {
		return nil
	}
	return err
}
