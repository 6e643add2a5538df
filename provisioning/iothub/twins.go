package iothub

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// Twin reads a device twin: tags, connection state, last activity. Twins need
// the right ServiceConnect and a hub of a standard or free tier.
func (c *Client) Twin(ctx context.Context, deviceID string) (wire.Twin, error) {
	const operation = "read twin"
	var twin wire.Twin
	if err := wire.ValidateDeviceID(deviceID); err != nil {
		return twin, c.rest.Invalid(operation, deviceID, err)
	}
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: deviceID, Method: http.MethodGet,
		Path: "/twins/" + wire.EscapeSegment(deviceID), Expect: []int{http.StatusOK}}, &twin)
	return twin, err
}

// PatchTwinTags merges tags into a device twin: nil deletes a tag, objects are
// merged, all else replaces. etag may be empty; a twin's etag is not that of its
// identity. The hub's answer is the whole twin.
func (c *Client) PatchTwinTags(ctx context.Context, deviceID string, tags map[string]any, etag string) (wire.Twin, error) {
	const operation = "write tags of twin"
	var twin wire.Twin
	if err := wire.ValidateDeviceID(deviceID); err != nil {
		return twin, c.rest.Invalid(operation, deviceID, err)
	}
	// A merge gives the same result when repeated, unless an etag ties it to
	// one state.
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: deviceID, Method: http.MethodPatch,
		Path: "/twins/" + wire.EscapeSegment(deviceID), IfMatch: quoted(etag),
		Body:   map[string]any{"tags": tags},
		Expect: []int{http.StatusOK}, Once: etag != "" && etag != "*"}, &twin)
	return twin, err
}

// Query gives the twins that a query selects ("SELECT * FROM devices WHERE …"),
// page by page as they are asked for. The hub's index lags: a device is missing
// from it for seconds after its creation and may linger for long after its
// deletion, so confirm with Device.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-query-language
func (c *Client) Query(ctx context.Context, query string) iter.Seq2[wire.Twin, error] {
	const operation = "query devices"
	if query == "" {
		return func(yield func(wire.Twin, error) bool) {
			yield(wire.Twin{}, c.rest.Invalid(operation, "", errors.New("no query")))
		}
	}
	return rest.Pages[wire.Twin](ctx, c.rest, rest.Call{Operation: operation, Method: http.MethodPost,
		Path: "/devices/query", Body: wire.QuerySpecification{Query: query}, Expect: []int{http.StatusOK}})
}
