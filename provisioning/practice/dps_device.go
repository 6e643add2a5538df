package practice

import (
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"edgewright/provisioning/wire"
)

// registrant checks scope, ID and token of a call of the device plane. The ID
// comes back in lower case.
func (x *exchange) registrant() (string, attested, *answer) {
	id := strings.ToLower(x.vars["id"])
	if !strings.EqualFold(x.vars["scope"], x.c.settings().IDScope) {
		a := x.dpsError(dpsScopeNotFound, "The ID scope does not exist.")
		return id, attested{}, &a
	}
	if err := wire.ValidateRegistrationID(id); err != nil {
		a := x.refuse(badRequest(err.Error() + "."))
		return id, attested{}, &a
	}
	by, refused := x.attest(id)
	return id, by, refused
}

// register assigns the device at once and durably, but says so only to a later
// poll, as the service does.
func (x *exchange) register() answer {
	id, by, refused := x.registrant()
	if refused != nil {
		return *refused
	}
	var given wire.DeviceRegistration
	if a := x.decode(&given); a != nil {
		return *a
	}
	if given.RegistrationID != "" && !strings.EqualFold(given.RegistrationID, id) {
		return x.refuse(badRequest("registrationId of the body is not that of the path."))
	}
	r := x.assign(id, by)
	wait, polls := x.c.faults.polling()
	r.polls = polls
	r.Operation = "4." + hex.EncodeToString(x.c.random(8)) + "." + x.c.guid()
	x.c.state.registrations[id] = r
	x.store(objectKey{kindRegistration, id}, r)

	a := x.json(http.StatusAccepted, wire.RegistrationOperationStatus{OperationID: r.Operation, Status: wire.RegistrationAssigning})
	a.header = map[string]string{"Retry-After": strconv.Itoa(int(wait.Seconds())), "Location": x.operationURL(id, r.Operation)}
	return a
}

func (x *exchange) operationURL(id, operation string) string {
	version, _ := apiVersion(x.r)
	return "https://" + x.r.Host + "/" + x.c.settings().IDScope + "/registrations/" + wire.EscapeSegment(id) +
		"/operations/" + wire.EscapeSegment(operation) + "?api-version=" + wire.EscapeSegment(version)
}

// pollRegistration answers with the full state every time: the device's
// identity service needs it also while assigning.
func (x *exchange) pollRegistration() answer {
	id, _, refused := x.registrant()
	if refused != nil {
		return *refused
	}
	r := x.c.state.registrations[id]
	if r == nil || r.Operation != x.vars["operation"] {
		return x.dpsError(dpsNotFound, "The operation does not exist.")
	}
	state := r.State
	status := wire.RegistrationOperationStatus{OperationID: r.Operation, Status: state.Status, RegistrationState: &state}
	if r.polls <= 0 {
		return x.json(http.StatusOK, status)
	}
	r.polls--
	status.Status = wire.RegistrationAssigning
	state = wire.DeviceRegistrationState{RegistrationID: id, Status: wire.RegistrationAssigning,
		CreatedDateTimeUTC: r.State.CreatedDateTimeUTC, LastUpdatedDateTimeUTC: r.State.LastUpdatedDateTimeUTC}
	wait, _ := x.c.faults.polling()
	a := x.json(http.StatusAccepted, status)
	a.header = map[string]string{"Retry-After": strconv.Itoa(int(wait.Seconds())), "Location": x.operationURL(id, r.Operation)}
	return a
}

// lookUpRegistration tells the device what is known of it.
func (x *exchange) lookUpRegistration() answer {
	id, by, refused := x.registrant()
	if refused != nil {
		return *refused
	}
	if r := x.c.state.registrations[id]; r != nil {
		return x.json(http.StatusOK, r.State)
	}
	if by.group != "" {
		return x.registrationNotFound()
	}
	return x.json(http.StatusOK, wire.DeviceRegistrationState{RegistrationID: id, Status: wire.RegistrationUnassigned,
		CreatedDateTimeUTC: *by.enrollment.created, LastUpdatedDateTimeUTC: *by.enrollment.updated})
}
