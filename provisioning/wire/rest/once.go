package rest

import (
	"context"
	"net/http"

	"edgewright/provisioning/wire"
)

// maxOnce bounds how often a write is tried again after a look.
const maxOnce = 3

// WriteOnce does a write that must not be repeated blindly, such as a PUT that
// creates, or one with an etag. put sends it, with Call.Once; look reads what is
// there; before tells from a look (found is false for 404) that nothing was
// written yet.
//
// When put ends unconfirmed, WriteOnce looks. If nothing was written, it puts
// again, a bounded number of times. Else it gives what it found, marked as
// unconfirmed, and never makes a conflict of its own earlier attempt: a 409 or
// 412 that follows an unconfirmed attempt is looked at in the same way. If the
// look fails too, the write's own error is the result.
func WriteOnce[T any](ctx context.Context, put, look func(context.Context) (T, error), before func(value T, found bool) bool) (wire.Written[T], error) {
	var none wire.Written[T]
	unconfirmed := false
	for try := 1; ; try++ {
		value, err := put(ctx)
		if err == nil {
			return wire.Written[T]{Value: value}, nil
		}
		clash := wire.HasStatus(err, http.StatusConflict) || wire.HasStatus(err, http.StatusPreconditionFailed)
		if !wire.IsUnconfirmed(err) && !(unconfirmed && clash) {
			return none, err
		}
		unconfirmed = true
		there, lookErr := look(ctx)
		found := lookErr == nil
		if !found && !wire.IsNotFound(lookErr) {
			return none, err
		}
		if !before(there, found) {
			if !found {
				return none, err
			}
			return wire.Written[T]{Value: there, Unconfirmed: true}, nil
		}
		if try == maxOnce {
			return none, err
		}
	}
}
