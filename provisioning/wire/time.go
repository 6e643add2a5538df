package wire

import (
	"encoding/json"
	"fmt"
	"time"
)

// Time is a time of a JSON model, in UTC. The services write what never
// happened as 0001-01-01T00:00:00, with or without a Z: it is the zero time
// here. Models hold *Time, where nil is an absent member.
type Time struct{ time.Time }

// wireLayout is how IoT Hub and DPS write times: up to seven digits of a second.
const wireLayout = "2006-01-02T15:04:05.9999999Z07:00"

// At makes a *Time for a model; the zero time means never.
func At(t time.Time) *Time { return &Time{t.UTC()} }

// Moment gives the time itself, zero for nil and for never.
func (t *Time) Moment() time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// AppendTime writes t in UTC with Z, as a JSON text without its quotes.
func AppendTime(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, wireLayout) }

// MarshalJSON writes UTC with Z.
func (t Time) MarshalJSON() ([]byte, error) {
	return append(AppendTime([]byte{'"'}, t.Time), '"'), nil
}

// UnmarshalJSON reads an RFC 3339 time; one without an offset is UTC. An empty
// text and null are never.
func (t *Time) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("time: %w", err)
	}
	if text == "" {
		*t = Time{}
		return nil
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		if parsed, err = time.Parse("2006-01-02T15:04:05.999999999", text); err != nil {
			return fmt.Errorf("time: %q is not an RFC 3339 time", text)
		}
	}
	*t = Time{parsed.UTC()}
	return nil
}
