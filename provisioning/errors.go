package provisioning

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The kinds of errors that callers tell apart with errors.Is. Adapters
// translate their library's errors into an [Error] of one of these kinds and
// keep the cause.
var (
	ErrNotFound     = errors.New("not found")
	ErrConflict     = errors.New("conflict")
	ErrUnauthorized = errors.New("unauthorized")
	ErrUnreachable  = errors.New("unreachable")
	ErrInvalid      = errors.New("invalid")
	ErrUnsupported  = errors.New("unsupported")
	ErrThrottled    = errors.New("throttled")
	ErrBusy         = errors.New("busy")
	ErrLocked       = errors.New("vault locked")
	ErrRefused      = errors.New("refused")
	ErrUnproven     = errors.New("not proven")
)

// Error is a failure with its parts kept apart: what failed in the user's
// words (Message), what to do next (Hint), and the cause with all its detail
// (Err). No part holds a secret.
type Error struct {
	Kind          error
	Message       string
	Hint          string
	CorrelationID string
	// Field is the field of the plan that is meant, as a dotted path, "" for
	// none in particular.
	Field string
	Err   error
}

// Error joins message and cause for logs; screens show the parts.
func (e *Error) Error() string {
	message := strings.TrimSuffix(e.Message, ".")
	if e.Err == nil || strings.EqualFold(message, e.Err.Error()) {
		return e.Message
	}
	return fmt.Sprintf("%s: %v", message, e.Err)
}

// Unwrap gives the kind and the cause, so that errors.Is finds both.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// ErrorView is an error as a result or a screen shows it.
type ErrorView struct {
	Kind          string `json:"kind"`
	Message       string `json:"message"`
	Hint          string `json:"hint"`
	CorrelationID string `json:"correlation_id"`
	// Detail is the whole chain of causes, for a fold-out and for support.
	Detail string `json:"detail,omitempty"`
}

// kinds lists the sentinels with their stable words, most specific first.
var kinds = []struct {
	err  error
	word string
	hint string
}{
	{context.Canceled, "cancelled", ""},
	{ErrLocked, "vault-locked", "Open the vault with its passphrase."},
	{ErrThrottled, "throttled", "Wait a minute and try again."},
	{ErrNotFound, "not-found", "Look whether the name is right and the thing still exists."},
	{ErrConflict, "conflict", "Choose another name, or adopt what is there."},
	{ErrUnauthorized, "unauthorized", "Check the key or the sign-in, and its rights."},
	{context.DeadlineExceeded, "unreachable", "Check the network and try again."},
	{ErrUnreachable, "unreachable", "Check the network and try again."},
	{ErrBusy, "busy", "Wait for the other run, or resume it."},
	{ErrUnsupported, "unsupported", ""},
	{ErrUnproven, "not-proven", "Read the device's own log, mend the cause and try again."},
	{ErrRefused, "refused", ""},
	{ErrInvalid, "invalid", "Mend the field that is named."},
}

// View turns any error into what a person is shown. It never returns an empty
// message for a non-nil error.
func View(err error) *ErrorView {
	if err == nil {
		return nil
	}
	view := &ErrorView{Kind: "internal", Message: err.Error(), Detail: err.Error()}
	for _, kind := range kinds {
		if errors.Is(err, kind.err) {
			view.Kind, view.Hint = kind.word, kind.hint
			break
		}
	}
	var typed *Error
	if errors.As(err, &typed) {
		view.Message = typed.Message
		if typed.Hint != "" {
			view.Hint = typed.Hint
		}
		view.CorrelationID = typed.CorrelationID
	}
	view.Message = strings.TrimSpace(view.Message)
	return view
}
