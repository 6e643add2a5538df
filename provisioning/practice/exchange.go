package practice

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"edgewright/provisioning/wire"
)

// plane decides how errors look.
type plane int

const (
	planeHub plane = iota
	planeDPSService
	planeDPSDevice
	planeARM
)

const (
	maxBody    = 1 << 20   // bytes
	maxMessage = 256 << 10 // bytes of a telemetry message

	defaultPage = 100 // items of a page
	maxPage     = 1000
)

// exchange is one request on its way through the cloud. Handlers run under
// Cloud.mu, change the state, queue writes and give an answer.
type exchange struct {
	transaction
	r        *http.Request
	shown    credential
	plane    plane
	segments []string // of the path, decoded
	vars     map[string]string
	body     []byte
	// after gives the answer once the handler is done, where that has to wait.
	after func() answer
}

// answer is what goes back. code is the error's name or number, for the log.
type answer struct {
	status int
	header map[string]string
	body   []byte
	code   string
}

// json answers with a value, encoded while the state is locked.
func (x *exchange) json(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		return x.internal()
	}
	return answer{status: status, body: body}
}

func (x *exchange) noContent() answer { return answer{status: http.StatusNoContent} }

// decode reads the body as JSON.
func (x *exchange) decode(into any) *answer {
	if err := json.Unmarshal(x.body, into); err != nil {
		text := "The request body is not valid: " + wire.CleanMessage(err.Error())
		if x.plane == planeHub {
			a := x.hubError("DeserializationError", text)
			return &a
		}
		a := x.dpsError(400004, text)
		return &a
	}
	return nil
}

// hubError answers in IoT Hub's shape. A name outside the table is a 404.
func (x *exchange) hubError(name, text string) answer {
	row, ok := wire.HubErrorByName(name)
	if !ok {
		row = wire.HubErrorCode{Status: http.StatusNotFound}
	}
	return x.hubErrorAs(row.Status, name, text)
}

func (x *exchange) hubErrorAs(status int, name, text string) answer {
	body, _ := json.Marshal(wire.HubErrorBody{
		Message:          "ErrorCode:" + name + ";" + text,
		ExceptionMessage: "Tracking ID:" + x.tracking + "-G:0-TimeStamp:" + x.now.Format("01/02/2006 15:04:05"),
	})
	return answer{status: status, body: body, code: name, header: map[string]string{wire.HeaderHubErrorCode: name}}
}

// fail answers with a status in the shape of the plane; name is IoT Hub's word.
func (x *exchange) fail(status int, name, text string) answer {
	switch x.plane {
	case planeHub:
		return x.hubErrorAs(status, name, text)
	case planeARM:
		return x.armError(status, text)
	}
	return x.dpsError(status*1000, text)
}

func (x *exchange) internal() answer {
	return x.fail(http.StatusInternalServerError, "ServerError", "The practice cloud cannot do this now.")
}

// readBody takes the body up to the limit.
func (x *exchange) readBody(w http.ResponseWriter) *answer {
	body, err := io.ReadAll(http.MaxBytesReader(w, x.r.Body, maxBody))
	if err == nil {
		x.body = body
		return nil
	}
	var tooLarge *http.MaxBytesError
	a := x.fail(http.StatusBadRequest, "ArgumentInvalid", "The request body ends early.")
	if errors.As(err, &tooLarge) {
		a = x.fail(http.StatusRequestEntityTooLarge, "MessageTooLarge", "The request body is too large.")
	}
	return &a
}

// checkMediaType refuses a body that is said not to be JSON: DPS lists 415 among
// its errors. Assumed: that a missing header will do.
func (x *exchange) checkMediaType() *answer {
	said := x.r.Header.Get("Content-Type")
	if x.plane != planeDPSService && x.plane != planeDPSDevice || said == "" || len(x.body) == 0 {
		return nil
	}
	if media, _, err := mime.ParseMediaType(said); err == nil && (media == "application/json" || strings.HasSuffix(media, "+json")) {
		return nil
	}
	a := x.dpsError(415000, "The request body is not application/json.")
	return &a
}

// pageSize reads how many items the caller wants in a page; false if the header
// makes no sense. -1 leaves it to the service.
func (x *exchange) pageSize() (size int, ok bool) {
	text := x.r.Header.Get(wire.HeaderMaxItemCount)
	if text == "" {
		return defaultPage, true
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || n < 1 && n != -1:
		return 0, false
	case n == -1:
		return defaultPage, true
	}
	return min(n, maxPage), true
}

// splitPath decodes the segments of a path; one trailing slash does not count.
func splitPath(escaped string) ([]string, error) {
	escaped = strings.TrimSuffix(strings.TrimPrefix(escaped, "/"), "/")
	if escaped == "" {
		return nil, nil
	}
	segments := strings.Split(escaped, "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return nil, err
		}
		segments[i] = decoded
	}
	return segments, nil
}

// etagMatches compares an If-Match header, quoted or not, with the current
// etag; * matches anything.
func etagMatches(header, current string) bool {
	header = unquoteETag(header)
	return header == "*" || header == unquoteETag(current)
}

func unquoteETag(text string) string {
	return strings.Trim(strings.TrimSpace(text), `"`)
}
