package practice

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// batchType is the content type of several telemetry messages in one request:
//
//	[{"body":"aGVsbG8=","properties":{"iothub-app-a":"b"}},{"body":"hello","base64Encoded":false}]
//
// as the SDKs for Node.js and C write it.
const batchType = "application/vnd.microsoft.iothub.json"

type batchedEvent struct {
	Body       *string           `json:"body"`
	Encoded    *bool             `json:"base64Encoded"` // true if it is left out
	Properties map[string]string `json:"properties"`
}

// batchSize checks a batch and gives its bytes, bodies decoded, with their
// properties.
func batchSize(raw []byte) (int, *identityError) {
	var events []batchedEvent
	if err := json.Unmarshal(raw, &events); err != nil || len(events) == 0 {
		return 0, &identityError{"DeserializationError", "The batch is no array of messages."}
	}
	size := 0
	for i, event := range events {
		if event.Body == nil {
			return 0, invalid("Message %d has no body.", i)
		}
		body := []byte(*event.Body)
		if event.Encoded == nil || *event.Encoded {
			var err error
			if body, err = base64.StdEncoding.DecodeString(*event.Body); err != nil {
				return 0, invalid("The body of message %d is not base64.", i)
			}
		}
		size += len(body)
		for name, value := range event.Properties {
			size += len(strings.TrimPrefix(name, appHeader)) + len(value)
		}
	}
	return size, nil
}

// eventSize gives the bytes of one message with its application properties,
// which are headers.
func eventSize(header http.Header, body []byte) (int, *identityError) {
	size := len(body)
	for name, values := range header {
		property, ok := strings.CutPrefix(strings.ToLower(name), appHeader)
		if !ok {
			continue
		}
		if property == "" {
			return 0, invalid("A property has no name.")
		}
		for _, value := range values {
			size += len(property) + len(value)
		}
	}
	return size, nil
}
