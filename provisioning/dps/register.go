package dps

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// defaultPoll is the wait between polls where the service does not say one.
const defaultPoll = 3 * time.Second

// maxRegistration bounds a registration as a whole.
const maxRegistration = 10 * time.Minute

// Registration is what a device needs to register: a symmetric key, a TPM, or a
// certificate in Options.
type Registration struct {
	// GlobalEndpoint is the device endpoint as a URL, "https://host[:port]", as
	// in the runtime's configuration. It may be that of one DPS.
	GlobalEndpoint string
	IDScope        string
	RegistrationID string
	// Key is the enrollment's own key, or the one derived from the group's. It
	// stays empty where Options has a certificate.
	Key secret.Value
	// TPM stands in the place of a key; nil for none.
	TPM *TPM
	// Payload goes to a custom allocation; nil for none.
	Payload json.RawMessage
	// OnWait, if not nil, is told each wait that the service imposes before it
	// begins. It must not block.
	OnWait func(time.Duration)
	// Pause, if not nil, waits in the place of a timer; it gives the context's
	// error if that ends first.
	Pause   func(ctx context.Context, d time.Duration) error
	Options Options
}

// Registered is the outcome of a registration.
type Registered struct {
	// State is complete: its hub and device ID are never empty.
	State wire.DeviceRegistrationState
	// CloudWait is how long was spent waiting because the service asked for it.
	CloudWait time.Duration
	// ServerTime is the service's clock as of the last answer, zero if none.
	ServerTime time.Time
}

// Register runs the device side of provisioning: register, then poll at the
// pace that the service sets until the device is assigned. CloudWait and
// ServerTime are filled also on failure.
//
// A registration that the service ends as failed or disabled is a *wire.Error
// with DPS's own code and message, its Name the state, and as Status the first
// three digits of the code, if they are an HTTP status.
//
// https://learn.microsoft.com/azure/iot-dps/iot-dps-https-sym-key-support
// https://learn.microsoft.com/azure/iot-dps/iot-dps-https-x509-support
func Register(ctx context.Context, r Registration) (Registered, error) {
	const operation = "register device"
	if err := r.check(); err != nil {
		return Registered{}, &wire.Error{Service: wire.ServiceDPSDevice, Operation: operation, Subject: r.RegistrationID, Err: err}
	}
	params := rest.Params{
		Service:    wire.ServiceDPSDevice,
		Endpoint:   r.GlobalEndpoint,
		APIVersion: apiVersion,
		Failure:    failure,
		Options:    r.Options,
	}
	ctx, cancel := context.WithTimeout(ctx, maxRegistration)
	defer cancel()
	switch {
	case r.TPM != nil:
		sign, release, err := r.challenge(ctx, params)
		if err != nil {
			return Registered{}, err
		}
		defer release()
		params.SAS = r.sas()
		params.SAS.Sign = sign
	case !r.Key.IsEmpty():
		params.SAS = r.sas()
		params.SAS.Key = r.Key
	}
	client, err := rest.New(params)
	if err != nil {
		return Registered{}, err
	}
	if r.Options.Transport == nil {
		defer client.Close()
	}
	path := "/" + wire.EscapeSegment(r.IDScope) + registrationPath(r.RegistrationID)
	call := rest.Call{Operation: operation, Subject: r.RegistrationID, Method: http.MethodPut, Path: path + "/register",
		Body:   r.body(),
		Expect: []int{http.StatusOK, http.StatusAccepted}}
	var done Registered
	for {
		var status wire.RegistrationOperationStatus
		answer, err := client.Do(ctx, call, &status)
		done.CloudWait += answer.Imposed
		done.ServerTime = client.LastServerTime()
		if err != nil {
			return done, err
		}
		if finished(status) {
			done.State, err = outcome(status, operation, r.RegistrationID, answer)
			return done, err
		}
		if status.OperationID != "" {
			call.Operation, call.Method, call.Body = "poll registration", http.MethodGet, nil
			call.Path = path + "/operations/" + wire.EscapeSegment(status.OperationID)
		} else if call.Method == http.MethodPut {
			return done, &wire.Error{Service: wire.ServiceDPSDevice, Operation: operation, Subject: r.RegistrationID, Status: answer.Status,
				CorrelationID: answer.CorrelationID, Err: errors.New("the answer names no operation")}
		}
		waited, err := r.wait(ctx, answer)
		done.CloudWait += waited
		if err != nil {
			return done, &wire.Error{Service: wire.ServiceDPSDevice, Operation: call.Operation, Subject: r.RegistrationID,
				CorrelationID: answer.CorrelationID, Err: err}
		}
	}
}

func (r Registration) check() error {
	if r.IDScope == "" || strings.ContainsFunc(r.IDScope, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' }) {
		return errors.New("no ID scope, or not one")
	}
	proofs := 0
	for _, given := range []bool{!r.Key.IsEmpty(), r.Options.Certificate != nil, r.TPM != nil} {
		if given {
			proofs++
		}
	}
	if proofs != 1 {
		return errors.New("it takes a key, a certificate or a TPM, and not two of them")
	}
	return wire.ValidateRegistrationID(r.RegistrationID)
}

// wait sleeps as long as the answer asks for and tells how long that took.
func (r Registration) wait(ctx context.Context, answer rest.Answer) (time.Duration, error) {
	pause := answer.RetryAfter
	if pause <= 0 {
		pause = defaultPoll
	}
	if r.OnWait != nil {
		r.OnWait(pause)
	}
	wait := r.Pause
	if wait == nil {
		wait = sleep
	}
	begin := time.Now()
	err := wait(ctx, pause)
	return time.Since(begin), err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// finished tells whether an answer ends the registration. An empty or unknown
// word does not: newer services may have more of them.
func finished(status wire.RegistrationOperationStatus) bool {
	switch status.Status {
	case wire.RegistrationAssigned, wire.RegistrationFailed, wire.RegistrationDisabled:
		return true
	}
	return false
}

func outcome(status wire.RegistrationOperationStatus, operation, registrationID string, answer rest.Answer) (wire.DeviceRegistrationState, error) {
	var state wire.DeviceRegistrationState
	if status.RegistrationState != nil {
		state = *status.RegistrationState
	}
	failed := &wire.Error{Service: wire.ServiceDPSDevice, Operation: operation, Subject: registrationID,
		CorrelationID: answer.CorrelationID}
	if status.Status != wire.RegistrationAssigned {
		failed.Name, failed.Code, failed.Message = status.Status, state.ErrorCode, wire.CleanMessage(state.ErrorMessage)
		if first := state.ErrorCode / 1000; first >= 400 && first < 600 {
			failed.Status = first
		}
		if failed.Message == "" {
			failed.Message = "the service refuses the device"
		}
		return state, failed
	}
	if state.AssignedHub == "" || state.DeviceID == "" {
		failed.Status = answer.Status
		failed.Err = errors.New("the device is assigned, but the answer names no hub or no device ID")
		return state, failed
	}
	return state, nil
}
