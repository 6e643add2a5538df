package catalog

import (
	"fmt"
	"time"
)

// timeFormat sorts as text in the order of time; times are stored in UTC.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

func timeText(t time.Time) string { return t.UTC().Format(timeFormat) }

func optionalTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return timeText(*t)
}

// storedTime reads a time column that may be NULL.
type storedTime struct{ at **time.Time }

// Scan implements sql.Scanner.
func (s storedTime) Scan(value any) error {
	if value == nil {
		*s.at = nil
		return nil
	}
	var t time.Time
	if err := (setTime{&t}).Scan(value); err != nil {
		return err
	}
	*s.at = &t
	return nil
}

// setTime reads a time column that is never NULL.
type setTime struct{ at *time.Time }

// Scan implements sql.Scanner.
func (s setTime) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("time column holds %T", value)
	}
	t, err := time.Parse(timeFormat, text)
	if err != nil {
		return err
	}
	*s.at = t
	return nil
}
