package dps

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// collection is what enrollments and enrollment groups have in common.
type collection[T any] struct {
	rest     *rest.Client
	path     string // "/enrollments"
	noun     string // "enrollment", for errors
	validate func(id string) error
	id       func(*T) string
	etag     func(*T) string
	// attestation gives the address of the attestation within a value.
	attestation func(*T) **wire.AttestationMechanism
}

func (c *Client) individuals() collection[wire.IndividualEnrollment] {
	return collection[wire.IndividualEnrollment]{
		rest: c.rest, path: "/enrollments", noun: "enrollment", validate: wire.ValidateRegistrationID,
		id:          func(e *wire.IndividualEnrollment) string { return e.RegistrationID },
		etag:        func(e *wire.IndividualEnrollment) string { return e.ETag },
		attestation: func(e *wire.IndividualEnrollment) **wire.AttestationMechanism { return &e.Attestation },
	}
}

func (c *Client) groups() collection[wire.EnrollmentGroup] {
	return collection[wire.EnrollmentGroup]{
		rest: c.rest, path: "/enrollmentGroups", noun: "enrollment group", validate: wire.ValidateEnrollmentGroupID,
		id:          func(g *wire.EnrollmentGroup) string { return g.EnrollmentGroupID },
		etag:        func(g *wire.EnrollmentGroup) string { return g.ETag },
		attestation: func(g *wire.EnrollmentGroup) **wire.AttestationMechanism { return &g.Attestation },
	}
}

func (c collection[T]) at(id string) string { return c.path + "/" + wire.EscapeSegment(id) }

func (c collection[T]) read(ctx context.Context, id string) (T, error) {
	value, _, err := c.look(ctx, id)
	return value, err
}

func (c collection[T]) look(ctx context.Context, id string) (T, rest.Answer, error) {
	var value T
	operation := "read " + c.noun
	if err := c.validate(id); err != nil {
		return value, rest.Answer{}, c.rest.Invalid(operation, id, err)
	}
	answer, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: id, Method: http.MethodGet,
		Path: c.at(id), Expect: []int{http.StatusOK}}, &value)
	return value, answer, err
}

// keys reads the attestation with its symmetric keys.
func (c collection[T]) keys(ctx context.Context, id string) (wire.AttestationMechanism, error) {
	var attestation wire.AttestationMechanism
	operation := "read keys of " + c.noun
	if err := c.validate(id); err != nil {
		return attestation, c.rest.Invalid(operation, id, err)
	}
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: id, Method: http.MethodPost,
		Path: c.at(id) + "/attestationmechanism", Expect: []int{http.StatusOK}}, &attestation)
	return attestation, err
}

func (c collection[T]) put(ctx context.Context, operation string, value T, etag string) (T, error) {
	var answer T
	id := c.id(&value)
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: id, Method: http.MethodPut,
		Path: c.at(id), IfMatch: etag, Body: value, Expect: []int{http.StatusOK}, Once: etag != "*"}, &answer)
	return answer, err
}

// create looks before it writes: what a PUT without If-Match does to an existing
// enrollment is not stated anywhere.
func (c collection[T]) create(ctx context.Context, value T) (wire.Written[T], error) {
	operation := "create " + c.noun
	id := c.id(&value)
	if err := c.validate(id); err != nil {
		return wire.Written[T]{}, c.rest.Invalid(operation, id, err)
	}
	if err := complete(*c.attestation(&value)); err != nil {
		return wire.Written[T]{}, c.rest.Invalid(operation, id, err)
	}
	switch _, answer, err := c.look(ctx, id); {
	case err == nil:
		return wire.Written[T]{}, &wire.Error{Service: wire.ServiceDPS, Operation: operation, Subject: id,
			CorrelationID: answer.CorrelationID, Err: wire.ErrExists}
	case !wire.IsNotFound(err):
		return wire.Written[T]{}, err
	}
	return rest.WriteOnce(ctx,
		func(ctx context.Context) (T, error) { return c.put(ctx, operation, value, "") },
		func(ctx context.Context) (T, error) { return c.read(ctx, id) },
		func(_ T, found bool) bool { return !found })
}

func (c collection[T]) update(ctx context.Context, value T, etag string) (wire.Written[T], error) {
	operation := "update " + c.noun
	id := c.id(&value)
	if err := c.validate(id); err != nil {
		return wire.Written[T]{}, c.rest.Invalid(operation, id, err)
	}
	if etag == "" {
		return wire.Written[T]{}, c.rest.Invalid(operation, id, errNoETag)
	}
	place := c.attestation(&value)
	if err := complete(*place); err != nil {
		return wire.Written[T]{}, c.rest.Invalid(operation, id, err)
	}
	if a := *place; a.Type == wire.AttestationSymmetricKey && !hasKeys(a) {
		current, err := c.keys(ctx, id)
		if err != nil {
			return wire.Written[T]{}, err
		}
		if current.Type == wire.AttestationSymmetricKey && !hasKeys(&current) {
			return wire.Written[T]{}, c.rest.Invalid(operation, id, errors.New("the service does not give its keys, and an update without them would replace them"))
		}
		if current.Type == wire.AttestationSymmetricKey {
			with := *a
			with.SymmetricKey = current.SymmetricKey
			*place = &with
		}
	}
	if etag == "*" {
		updated, err := c.put(ctx, operation, value, etag)
		return wire.Written[T]{Value: updated}, err
	}
	return rest.WriteOnce(ctx,
		func(ctx context.Context) (T, error) { return c.put(ctx, operation, value, etag) },
		func(ctx context.Context) (T, error) { return c.read(ctx, id) },
		func(there T, found bool) bool { return found && c.etag(&there) == etag })
}

func (c collection[T]) delete(ctx context.Context, id, etag string) error {
	operation := "delete " + c.noun
	if err := c.validate(id); err != nil {
		return c.rest.Invalid(operation, id, err)
	}
	return remove(ctx, c.rest, operation, id, c.at(id), etag)
}

func (c collection[T]) list(ctx context.Context, query string) iter.Seq2[T, error] {
	if query == "" {
		query = "*"
	}
	return rest.Pages[T](ctx, c.rest, rest.Call{Operation: "list " + c.noun + "s", Method: http.MethodPost,
		Path: c.path + "/query", Body: wire.QuerySpecification{Query: query}, Expect: []int{http.StatusOK}})
}

// complete refuses an attestation that the service would refuse or that would
// lose half of a pair of keys. Symmetric keys may be missing as a whole.
func complete(a *wire.AttestationMechanism) error {
	switch {
	case a == nil || a.Type == "":
		return errors.New("no attestation")
	case a.SymmetricKey != nil && a.SymmetricKey.PrimaryKey.IsEmpty() != a.SymmetricKey.SecondaryKey.IsEmpty():
		return errors.New("one of two symmetric keys is missing; give both or neither")
	}
	return nil
}

func hasKeys(a *wire.AttestationMechanism) bool {
	return a.SymmetricKey != nil && !a.SymmetricKey.PrimaryKey.IsEmpty() && !a.SymmetricKey.SecondaryKey.IsEmpty()
}
