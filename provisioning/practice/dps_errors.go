package practice

import (
	"encoding/json"
	"strconv"

	"edgewright/provisioning/wire"
)

// Numbers of DPS errors. The service documents that the first three digits are
// the HTTP status; of the rest only 401000, 401002, 404201 and 404202 have been
// seen in public reports, the others are assumed.
const (
	dpsBadRequest     = 400004
	dpsUnauthorized   = 401000
	dpsBadCertificate = 401002 // "Invalid certificate", "CA certificate not found"
	dpsNotFound       = 404201
	dpsScopeNotFound  = 404202
	dpsExists         = 409201
	dpsPrecondition   = 412201
)

// refusal is why DPS does not do something.
type refusal struct {
	code int
	text string
}

func badRequest(text string) *refusal { return &refusal{dpsBadRequest, text} }

var unauthorized = &refusal{dpsUnauthorized, "Unauthorized"}

// dpsError answers in the shape of DPS; the first three digits of code are the
// status.
func (t *transaction) dpsError(code int, text string) answer {
	body, _ := json.Marshal(wire.DPSErrorBody{ErrorCode: code, TrackingID: t.tracking, Message: text,
		TimestampUTC: t.now.Format("2006-01-02T15:04:05.9999999Z")})
	return answer{status: code / 1000, body: body, code: strconv.Itoa(code),
		header: map[string]string{wire.HeaderDPSErrorCode: strconv.Itoa(code)}}
}

func (t *transaction) refuse(r *refusal) answer { return t.dpsError(r.code, r.text) }

// dpsJSON answers with a value, encoded while the state is locked.
func (t *transaction) dpsJSON(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		return t.dpsError(500000, "The practice cloud cannot do this now.")
	}
	return answer{status: status, body: body}
}
