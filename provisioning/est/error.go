package est

import (
	"errors"
	"fmt"
)

// The kinds of errors, for errors.Is.
var (
	// ErrURL: the address of the server is none that EST allows.
	ErrURL = errors.New("unusable EST address")
	// ErrUnreachable: no answer came.
	ErrUnreachable = errors.New("EST server not reached")
	// ErrUntrusted: the server showed a certificate that the trust anchors do
	// not vouch for.
	ErrUntrusted = errors.New("EST server not trusted")
	// ErrUnauthorized: the server does not accept the client.
	ErrUnauthorized = errors.New("EST server refuses the client")
	// ErrRefused: the server does not do what was asked.
	ErrRefused = errors.New("EST server refuses the request")
	// ErrPending: the server still wants a person to decide.
	ErrPending = errors.New("EST server has not decided")
	// ErrAnswer: what came is not what RFC 7030 asks for.
	ErrAnswer = errors.New("unusable answer of the EST server")
)

// Error is a failed call.
type Error struct {
	// Operation is cacerts, simpleenroll or simplereenroll, "" before any.
	Operation string
	// Host is the server as the URL names it.
	Host string
	// Status is that of the answer, 0 without one.
	Status int
	// Problem is what is wrong, in words for a person, without a full stop.
	Problem string
	// Kind is one of the errors above.
	Kind error
	// Err is the cause below, or nil.
	Err error
}

func (e *Error) Error() string {
	text := "EST " + e.Operation + " at " + e.Host + ": " + e.Problem
	if e.Operation == "" {
		text = "EST: " + e.Problem
	}
	if e.Err != nil {
		text = fmt.Sprintf("%s: %v", text, e.Err)
	}
	return text
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
