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

// IsAmbiguous tells whether a call may have taken effect although it failed: no
// answer came, or one from the service's front that says nothing of what
// happened behind it. Whoever wrote must look before deciding anything.
func IsAmbiguous(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == 0 || e.Status >= 500 || e.Status == http.StatusRequestTimeout)
}
