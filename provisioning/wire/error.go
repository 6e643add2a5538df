package wire

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Service names which plane an Error comes from.
const (
	ServiceHub       = "IoT Hub"
	ServiceHubDevice = "IoT Hub device plane"
	ServiceDPS       = "DPS"
	ServiceDPSDevice = "DPS device plane"
	ServiceARM       = "Azure Resource Manager"
)

// Error is a failed call to a cloud service, by its answer or for want of one.
// No field holds a secret.
type Error struct {
	Service   string
	Operation string // such as "create device"
	Subject   string // the ID acted on
	// Status is the HTTP status, 0 where no answer came.
	Status int
	// Code is the service's number, such as 404001, 0 where it gave none.
	Code int
	// Name is the service's word, such as DeviceNotFound, or empty.
	Name    string
	Message string
	// CorrelationID finds the call in the service's own logs. It is the
	// service's tracking or request ID, else the one that the client sent.
	CorrelationID string
	// RetryAfter is the wait that the service asked for, 0 where it did not.
	RetryAfter time.Duration
	// Unconfirmed says that the call may have taken effect although it failed:
	// the connection broke after it was sent, or the service's front answered
	// without saying what happened behind it.
	Unconfirmed bool
	// ClockOffset is the service's clock minus this computer's, set on a 401
	// when they are so far apart that a token may fail for it.
	ClockOffset time.Duration
	// Err is the cause where no answer came: a network error, the end of a
	// context, or an answer that could not be read.
	Err error
}

// Error names the operation, the subject and what the service said.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Service + ": " + e.Operation)
	if e.Subject != "" {
		b.WriteString(" " + e.Subject)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": HTTP %d", e.Status)
	}
	if e.Name != "" {
		b.WriteString(" " + e.Name)
	}
	if e.Code != 0 {
		fmt.Fprintf(&b, " (%d)", e.Code)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.ClockOffset != 0 {
		fmt.Fprintf(&b, "; the service's clock is %s from this computer's", e.ClockOffset.Round(time.Second))
	}
	if e.CorrelationID != "" {
		b.WriteString(" [" + e.CorrelationID + "]")
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// HasStatus tells whether err is an answer of a service with that HTTP status.
func HasStatus(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

// IsNotFound tells whether a service answered that the subject does not exist.
func IsNotFound(err error) bool { return HasStatus(err, http.StatusNotFound) }

// ErrExists is the cause of an Error of a create operation that looked first and
// found the subject there, so that nothing was sent.
var ErrExists = errors.New("it exists already")

// IsConflict tells whether the subject of a create operation exists already.
func IsConflict(err error) bool {
	return HasStatus(err, http.StatusConflict) || errors.Is(err, ErrExists)
}

// IsUnconfirmed tells whether a failed write may have taken effect all the same.
func IsUnconfirmed(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Unconfirmed
}

// Written is the result of a write.
type Written[T any] struct {
	Value T
	// Unconfirmed says that no answer to the write was received: Value is what
	// was found there afterwards. It is most likely what was written, but it
	// may come from someone else; compare before calling it one's own.
	Unconfirmed bool
}
