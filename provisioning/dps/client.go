package dps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// apiVersion is that of the newest stable OpenAPI files, of both planes.
const apiVersion = "2021-10-01"

// Options are transport, trust, clock and retries.
type Options = rest.Options

// Client is a DPS's service plane: enrollments, groups, registration records.
// It may be used from many goroutines.
type Client struct {
	host string
	rest *rest.Client
}

// New makes a client from a connection string of the service kind. Nothing is
// sent.
func New(conn wire.ConnectionString, options Options) (*Client, error) {
	if conn.Kind() != wire.KindService {
		return nil, fmt.Errorf("%s: the connection string is one of a device; one of a shared access policy is needed", wire.ServiceDPS)
	}
	client, err := rest.New(rest.Params{
		Service:    wire.ServiceDPS,
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

// Host is the service's host name as it was given, with its port if it has one.
func (c *Client) Host() string { return c.host }

// Close closes idle connections.
func (c *Client) Close() error { return c.rest.Close() }

// ServerTime asks for the service's clock, in whole seconds, cut off. Any answer
// serves; it reads a registration that need not exist.
func (c *Client) ServerTime(ctx context.Context) (time.Time, error) {
	return c.rest.ServerTime(ctx, rest.Call{Operation: "read the clock", Method: http.MethodGet, Path: "/registrations/edgewright-clock"})
}

// LastServerTime is the service's clock as of its latest answer, zero before one.
func (c *Client) LastServerTime() time.Time { return c.rest.LastServerTime() }

func failure(header http.Header, body []byte) rest.Failure {
	e := wire.ParseDPSError(header, body)
	return rest.Failure{Code: e.Code, Message: e.Message, TrackingID: e.TrackingID}
}

var errNoETag = errors.New(`no etag; give the one that was read, or "*" for any`)

// remove deletes what lies at path; a 404 that follows an attempt of the same
// call whose answer was lost is a success.
func remove(ctx context.Context, client *rest.Client, operation, subject, path, etag string) error {
	if etag == "" {
		return client.Invalid(operation, subject, errNoETag)
	}
	answer, err := client.Do(ctx, rest.Call{Operation: operation, Subject: subject, Method: http.MethodDelete,
		Path: path, IfMatch: etag, Expect: []int{http.StatusNoContent}}, nil)
	if answer.Repeated && wire.IsNotFound(err) {
		return nil
	}
	return err
}
