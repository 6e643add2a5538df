package dps

import (
	"context"
	"iter"
	"net/http"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

func registrationPath(id string) string { return "/registrations/" + wire.EscapeSegment(id) }

// Registration reads the record that DPS keeps of a device that registered. A
// device that never did is a 404 (wire.IsNotFound).
func (c *Client) Registration(ctx context.Context, registrationID string) (wire.DeviceRegistrationState, error) {
	const operation = "read registration"
	var state wire.DeviceRegistrationState
	if err := wire.ValidateRegistrationID(registrationID); err != nil {
		return state, c.rest.Invalid(operation, registrationID, err)
	}
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: registrationID, Method: http.MethodGet,
		Path: registrationPath(registrationID), Expect: []int{http.StatusOK}}, &state)
	return state, err
}

// DeleteRegistration removes the record; the device's hub identity stays. etag
// is the one that was read, or "*".
func (c *Client) DeleteRegistration(ctx context.Context, registrationID, etag string) error {
	const operation = "delete registration"
	if err := wire.ValidateRegistrationID(registrationID); err != nil {
		return c.rest.Invalid(operation, registrationID, err)
	}
	return remove(ctx, c.rest, operation, registrationID, registrationPath(registrationID), etag)
}

// GroupRegistrations lists the records of devices that came through a group,
// page by page as they are asked for.
func (c *Client) GroupRegistrations(ctx context.Context, groupID string) iter.Seq2[wire.DeviceRegistrationState, error] {
	const operation = "list registrations of group"
	if err := wire.ValidateEnrollmentGroupID(groupID); err != nil {
		return func(yield func(wire.DeviceRegistrationState, error) bool) {
			yield(wire.DeviceRegistrationState{}, c.rest.Invalid(operation, groupID, err))
		}
	}
	return rest.Pages[wire.DeviceRegistrationState](ctx, c.rest, rest.Call{Operation: operation, Subject: groupID,
		Method: http.MethodPost, Path: registrationPath(groupID) + "/query", Expect: []int{http.StatusOK}})
}
