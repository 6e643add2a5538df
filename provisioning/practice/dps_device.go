package practice

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"edgewright/provisioning/wire"
)

// applicant is the device that sent the request.
func (x *exchange) applicant() applicant {
	return applicant{scope: x.vars["scope"], id: x.vars["id"], shown: x.shown, https: true}
}

func (x *exchange) register() answer {
	return x.located(x.registerDevice(x.applicant(), x.body, strings.EqualFold(x.r.URL.Query().Get("forceRegistration"), "true")))
}

// pollRegistration ignores a body, which npm clients send with GET.
func (x *exchange) pollRegistration() answer {
	return x.located(x.pollOperation(x.applicant(), x.vars["operation"]))
}

func (x *exchange) lookUpRegistration() answer {
	return x.lookUpDevice(x.applicant(), x.body)
}

// located adds where to poll to an answer that is not final.
func (x *exchange) located(a answer) answer {
	if a.status != http.StatusAccepted {
		return a
	}
	var at wire.RegistrationOperationStatus
	if err := json.Unmarshal(a.body, &at); err != nil {
		return x.internal()
	}
	version, _ := apiVersion(x.r)
	a.header["Location"] = "https://" + x.r.Host + "/" + x.c.settings().IDScope + "/registrations/" + wire.EscapeSegment(strings.ToLower(x.vars["id"])) +
		"/operations/" + wire.EscapeSegment(at.OperationID) + "?api-version=" + wire.EscapeSegment(version)
	return a
}

// registerDevice takes a register call, over HTTPS or MQTT; body is a
// wire.DeviceRegistration. The registration is durable with the answer, but the
// answer is always 202: only a later poll tells the result, as in the service.
// Assumed: a call while a webhook is still asked joins the operation under way,
// unless it is forced.
func (t *transaction) registerDevice(a applicant, body []byte, forced bool) answer {
	var given wire.DeviceRegistration
	unread := json.Unmarshal(body, &given)
	if a.https && !a.shown.given && len(a.shown.chain) == 0 && unread == nil && given.TPM != nil && strings.EqualFold(a.scope, t.c.settings().IDScope) {
		return t.challengeTPM(strings.ToLower(a.id), *given.TPM)
	}
	id, by, refused := t.registrant(a)
	switch {
	case refused != nil:
		return *refused
	case unread != nil:
		return t.unreadable(unread)
	case given.RegistrationID != "" && !strings.EqualFold(given.RegistrationID, id):
		return t.refuse(badRequest("registrationId of the body is not that of the path."))
	case given.TPM != nil && by.TPM != nil && !matchesTPM(*by.TPM, *given.TPM):
		return t.refuse(unauthorized)
	case given.CSR != "":
		return t.refuse(badRequest("csr: " + membersNotOffered["csr"] + "."))
	}
	by.Payload = given.Payload
	r := t.c.state.registrations[id]
	if r == nil || r.Waiting == nil || forced {
		r = t.beginRegistration(id, by, r, "4."+hex.EncodeToString(t.c.random(8))+"."+t.c.guid())
		_, r.polls = t.c.faults.polling()
		t.c.state.registrations[id] = r
		t.store(objectKey{kindRegistration, id}, r)
	}
	t.askWebhook(id, r)
	return t.assigning(wire.RegistrationOperationStatus{OperationID: r.Operation, Status: wire.RegistrationAssigning})
}

// pollOperation answers with the full state every time: the device's identity
// service needs it also while assigning.
func (t *transaction) pollOperation(a applicant, operation string) answer {
	id, _, refused := t.registrant(a)
	if refused != nil {
		return *refused
	}
	r := t.c.state.registrations[id]
	if r == nil || r.Operation != operation {
		return t.dpsError(dpsNotFound, "The operation does not exist.")
	}
	if r.polls <= 0 && r.Waiting == nil {
		state := r.State
		return t.dpsJSON(http.StatusOK, wire.RegistrationOperationStatus{OperationID: r.Operation, Status: state.Status, RegistrationState: &state})
	}
	r.polls--
	t.askWebhook(id, r) // a restart forgot to
	return t.assigning(wire.RegistrationOperationStatus{OperationID: r.Operation, Status: wire.RegistrationAssigning,
		RegistrationState: &wire.DeviceRegistrationState{RegistrationID: id, Status: wire.RegistrationAssigning,
			CreatedDateTimeUTC: r.State.CreatedDateTimeUTC, LastUpdatedDateTimeUTC: r.State.LastUpdatedDateTimeUTC}})
}

// assigning is 202 with the time to wait.
func (t *transaction) assigning(status wire.RegistrationOperationStatus) answer {
	wait, _ := t.c.faults.polling()
	a := t.dpsJSON(http.StatusAccepted, status)
	a.header = map[string]string{"Retry-After": strconv.Itoa(int(wait / time.Second))}
	return a
}

// lookUpDevice tells the device what is known of it. The body, a
// wire.DeviceRegistration, may be missing but must not ask for a certificate.
func (t *transaction) lookUpDevice(a applicant, body []byte) answer {
	id, by, refused := t.registrant(a)
	if refused != nil {
		return *refused
	}
	var given wire.DeviceRegistration
	if len(body) > 0 {
		if err := json.Unmarshal(body, &given); err != nil {
			return t.unreadable(err)
		}
	}
	switch r := t.c.state.registrations[id]; {
	case given.RegistrationID != "" && !strings.EqualFold(given.RegistrationID, id):
		return t.refuse(badRequest("registrationId of the body is not that of the path."))
	case given.CSR != "":
		return t.refuse(badRequest("csr is not for a status lookup."))
	case r != nil:
		return t.dpsJSON(http.StatusOK, r.State)
	case by.Group != "":
		return t.refuse(noRegistration)
	}
	return t.dpsJSON(http.StatusOK, wire.DeviceRegistrationState{RegistrationID: id, Status: wire.RegistrationUnassigned,
		CreatedDateTimeUTC: *by.enrollment.created, LastUpdatedDateTimeUTC: *by.enrollment.updated})
}

func (t *transaction) unreadable(err error) answer {
	return t.refuse(badRequest("The request body is not valid: " + wire.CleanMessage(err.Error())))
}
