package rest

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/http"
	"strconv"

	"edgewright/provisioning/wire"
)

// pageSize is what is asked for per page; the services may give less.
const pageSize = 100

// Pages sends call again and again, following the continuation header, and
// gives the items of the pages. It ends at the first error, which comes with a
// zero item.
func Pages[T any](ctx context.Context, c *Client, call Call) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		continuation := ""
		for {
			next := call
			next.Header = maps.Clone(call.Header)
			if next.Header == nil {
				next.Header = http.Header{}
			}
			next.Header.Set(wire.HeaderMaxItemCount, strconv.Itoa(pageSize))
			if continuation != "" {
				next.Header.Set(wire.HeaderContinuation, continuation)
			}
			var items []T
			answer, err := c.Do(ctx, next, &items)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			following := answer.Header.Get(wire.HeaderContinuation)
			if following == "" {
				return
			}
			if following == continuation {
				yield(none, &wire.Error{Service: c.params.Service, Operation: call.Operation, Subject: call.Subject,
					Status: answer.Status, CorrelationID: answer.CorrelationID,
					Err: errors.New("the service gives the same page again and again")})
				return
			}
			continuation = following
		}
	}
}
