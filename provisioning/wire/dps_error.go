package wire

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DPSErrorBody is the body of a failure of DPS, on both of its planes. The
// first three digits of ErrorCode are the HTTP status.
type DPSErrorBody struct {
	ErrorCode    int               `json:"errorCode"`
	TrackingID   string            `json:"trackingId,omitempty"`
	Message      string            `json:"message"`
	Info         map[string]string `json:"info,omitempty"`
	TimestampUTC string            `json:"timestampUtc,omitempty"`
}

// DPSError is a failure of DPS as read from its answer.
type DPSError struct {
	Code       int
	Message    string
	TrackingID string
}

// ParseDPSError reads a failure of DPS. It never fails: without a body that can
// be read, the number comes from the header, else it is 0.
func ParseDPSError(header http.Header, body []byte) DPSError {
	var wide struct {
		ErrorCode    json.RawMessage `json:"errorCode"`
		Code         json.RawMessage `json:"code"`
		Message      string          `json:"message"`
		ErrorMessage string          `json:"errorMessage"`
		TrackingID   string          `json:"trackingId"`
	}
	var e DPSError
	if json.Unmarshal(body, &wide) == nil {
		e.Message = CleanMessage(wide.Message)
		if e.Message == "" {
			e.Message = CleanMessage(wide.ErrorMessage)
		}
		e.TrackingID = CleanID(wide.TrackingID)
	}
	for _, text := range []string{string(wide.ErrorCode), string(wide.Code), header.Get(HeaderDPSErrorCode)} {
		if code, err := strconv.Atoi(strings.Trim(text, `" `)); err == nil {
			e.Code = code
			break
		}
	}
	return e
}

// maxMessageLength bounds what of a service's message is kept, in bytes.
const maxMessageLength = 500

// credentials matches what could be a secret in a text from outside: a token, a
// key of a connection string, or 40 and more characters of base64.
var credentials = regexp.MustCompile(`(?i)(SharedAccessSignature[\s+]+\S+|SharedAccessKey\s*=\s*[^;\s"]+|\bsig=[^&\s"]+|[A-Za-z0-9+/]{40,}={1,2})`)

// CleanMessage makes a text that a service sent fit for an error: one line, no
// control characters, no credentials that it may have echoed, bounded length.
func CleanMessage(text string) string {
	if len(text) > 8*maxMessageLength {
		text = text[:8*maxMessageLength]
	}
	text = credentials.ReplaceAllString(strings.ToValidUTF8(text, "?"), "***")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if len(text) > maxMessageLength {
		cut := maxMessageLength
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return text
}

// CleanID gives text if it looks like a tracking or request ID, else nothing.
func CleanID(text string) string {
	if len(text) > 200 || strings.ContainsFunc(text, func(r rune) bool {
		return !isLetterOrDigit(r) && !strings.ContainsRune("-_:.", r)
	}) {
		return ""
	}
	return text
}

// cleanName gives text if it looks like the name of an error.
func cleanName(text string) string {
	text = strings.TrimSpace(text)
	if len(text) > 80 || strings.ContainsFunc(text, func(r rune) bool { return !isLetterOrDigit(r) }) {
		return ""
	}
	return text
}

// CorrelationID picks the ID of a call from the headers of its answer.
func CorrelationID(header http.Header) string {
	for _, name := range []string{HeaderCorrelationID, HeaderRequestID, HeaderClientID} {
		if id := CleanID(header.Get(name)); id != "" {
			return id
		}
	}
	return ""
}
