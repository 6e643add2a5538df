package practice

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"edgewright/provisioning/wire"
)

// Message is a cloud-to-device message. All but the body may be left out.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-messages-construct
type Message struct {
	ID              string `json:"id"` // one is made if it is empty
	CorrelationID   string `json:"correlation_id,omitempty"`
	UserID          string `json:"user_id,omitempty"`
	ContentType     string `json:"content_type,omitempty"`
	ContentEncoding string `json:"content_encoding,omitempty"`
	// Ack says of which outcomes the service wants feedback: none, positive,
	// negative or full; empty is none. The device is told. Feedback itself is
	// not given, as every SDK asks for it by AMQP.
	Ack string `json:"ack,omitempty"`
	// Expires is when the message is of no more use; zero is an hour from now.
	Expires    time.Time         `json:"expires,omitzero"`
	Properties map[string]string `json:"properties,omitempty"`
	Body       []byte            `json:"body"`
}

const (
	maxToDevice = 64 << 10 // bytes of a message, with its properties
	maxTopic    = 1<<16 - 1
	usualLife   = time.Hour
	longestLife = 48 * time.Hour
)

var messageAcks = []string{"", "none", "positive", "negative", "full"}

// check refuses what the hub does not take. The characters of names are those
// of HTTP tokens, as the product page wants; that values are text without
// control characters is assumed.
func (m *Message) check(device string, now time.Time) *identityError {
	size := len(m.Body)
	for name, value := range m.Properties {
		if !isToken(name) {
			return invalid("%q is no name of a property", wire.CleanMessage(name))
		}
		if !isLine(value) {
			return invalid("the property %s is not plain text", name)
		}
		size += len(name) + len(value)
	}
	for name, value := range map[string]string{"messageId": m.ID, "correlationId": m.CorrelationID, "userId": m.UserID,
		"contentType": m.ContentType, "contentEncoding": m.ContentEncoding} {
		if len(value) > maxSystemProperty || !isLine(value) {
			return invalid("%s is not plain text of at most %d characters", name, maxSystemProperty)
		}
		size += len(value)
	}
	switch {
	case !slices.Contains(messageAcks, m.Ack):
		return invalid("ack is none, positive, negative or full")
	case !m.Expires.IsZero() && !m.Expires.After(now):
		return invalid("the message has expired already")
	case m.Expires.Sub(now) > longestLife:
		return invalid("a message lives at most %d hours", int(longestLife.Hours()))
	case size > maxToDevice || len(m.topic(device)) > maxTopic:
		return &identityError{"MessageTooLarge", "The message has more than " + strconv.Itoa(maxToDevice) + " bytes."}
	}
	return nil
}

const maxSystemProperty = 128

// isToken tells a name that may be a part of a header (RFC 9110, 5.6.2).
func isToken(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}) < 0
}

func isLine(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text, unicode.IsControl) < 0
}

// to is the address of the message as devices see it.
func (m *Message) to(device string) string { return "/devices/" + device + "/messages/deviceBound" }

// topic is the topic by which MQTT delivers the message, with its property bag:
// system properties first, then the others by name.
//
// https://learn.microsoft.com/azure/iot/iot-mqtt-connect-to-iot-hub
func (m *Message) topic(device string) string {
	bag := []string{}
	add := func(name, value string) {
		if value != "" {
			bag = append(bag, wire.EscapeSegment(name)+"="+wire.EscapeSegment(value))
		}
	}
	add("$.mid", m.ID)
	add("$.to", m.to(device))
	add("$.cid", m.CorrelationID)
	add("$.uid", m.UserID)
	add("$.ct", m.ContentType)
	add("$.ce", m.ContentEncoding)
	if !m.Expires.IsZero() {
		add("$.exp", m.Expires.UTC().Format(time.RFC3339Nano))
	}
	if m.Ack != "none" {
		add("iothub-ack", m.Ack)
	}
	for _, name := range sortedIDs(m.Properties) {
		bag = append(bag, wire.EscapeSegment(name)+"="+wire.EscapeSegment(m.Properties[name]))
	}
	return "devices/" + device + "/messages/devicebound/" + strings.Join(bag, "&")
}
