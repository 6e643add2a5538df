package dps

import (
	"context"
	"iter"

	"edgewright/provisioning/wire"
)

// Enrollment reads an individual enrollment, without its symmetric keys.
func (c *Client) Enrollment(ctx context.Context, registrationID string) (wire.IndividualEnrollment, error) {
	return c.individuals().read(ctx, registrationID)
}

// EnrollmentKeys reads the attestation of an individual enrollment with its
// symmetric keys.
func (c *Client) EnrollmentKeys(ctx context.Context, registrationID string) (wire.AttestationMechanism, error) {
	return c.individuals().keys(ctx, registrationID)
}

// CreateEnrollment makes an individual enrollment. Symmetric keys that are left
// out (a nil SymmetricKey) are made by the service; read them with
// EnrollmentKeys. It looks first: one that exists is an error (wire.IsConflict)
// and is not touched. Between the look and the write someone else may make one
// of the same name, and what the service then does is not stated.
//
// A creation whose answer is lost is looked at, not repeated blindly; see
// wire.Written.
func (c *Client) CreateEnrollment(ctx context.Context, e wire.IndividualEnrollment) (wire.Written[wire.IndividualEnrollment], error) {
	return c.individuals().create(ctx, e)
}

// UpdateEnrollment replaces an individual enrollment as a whole; start from one
// that was read. etag is the one that the change is based on, as read, or "*".
// Symmetric keys that are missing are read and sent along, so that the service
// does not make new ones.
func (c *Client) UpdateEnrollment(ctx context.Context, e wire.IndividualEnrollment, etag string) (wire.Written[wire.IndividualEnrollment], error) {
	return c.individuals().update(ctx, e, etag)
}

// DeleteEnrollment removes an individual enrollment; its registration record and
// hub identity stay. etag is the one that was read, or "*". A missing one is a
// 404 (wire.IsNotFound).
func (c *Client) DeleteEnrollment(ctx context.Context, registrationID, etag string) error {
	return c.individuals().delete(ctx, registrationID, etag)
}

// Enrollments lists individual enrollments page by page as they are asked for;
// an empty query selects all.
func (c *Client) Enrollments(ctx context.Context, query string) iter.Seq2[wire.IndividualEnrollment, error] {
	return c.individuals().list(ctx, query)
}

// Group reads an enrollment group, without its symmetric keys.
func (c *Client) Group(ctx context.Context, id string) (wire.EnrollmentGroup, error) {
	return c.groups().read(ctx, id)
}

// GroupKeys reads the attestation of an enrollment group with its symmetric
// keys. They stay on this computer: devices get keys derived from them.
func (c *Client) GroupKeys(ctx context.Context, id string) (wire.AttestationMechanism, error) {
	return c.groups().keys(ctx, id)
}

// CreateGroup makes an enrollment group; see CreateEnrollment.
func (c *Client) CreateGroup(ctx context.Context, g wire.EnrollmentGroup) (wire.Written[wire.EnrollmentGroup], error) {
	return c.groups().create(ctx, g)
}

// UpdateGroup replaces an enrollment group as a whole; see UpdateEnrollment.
func (c *Client) UpdateGroup(ctx context.Context, g wire.EnrollmentGroup, etag string) (wire.Written[wire.EnrollmentGroup], error) {
	return c.groups().update(ctx, g, etag)
}

// DeleteGroup removes an enrollment group; the registration records and hub
// identities of its devices stay.
func (c *Client) DeleteGroup(ctx context.Context, id, etag string) error {
	return c.groups().delete(ctx, id, etag)
}

// Groups lists enrollment groups; an empty query selects all.
func (c *Client) Groups(ctx context.Context, query string) iter.Seq2[wire.EnrollmentGroup, error] {
	return c.groups().list(ctx, query)
}
