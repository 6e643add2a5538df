package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"edgewright/app/catalog"
)

// The forms of ExportExpiring.
const (
	ExpiryICS = "ics"
	ExpiryCSV = "csv"
)

// maxExpiring is how many ends a file has at most.
const maxExpiring = 200_000

// ExportExpiring writes what ends when as a calendar file (RFC 5545), whose
// alarms go off when care begins, or as CSV (RFC 4180). The same catalog gives
// the same events: a calendar that reads the file again replaces what it has.
func (a *App) ExportExpiring(ctx context.Context, caring bool, format string) ([]byte, error) {
	if format != ExpiryICS && format != ExpiryCSV {
		return nil, refuseFormat(format, "ics or csv")
	}
	list, _, err := a.Expiring(ctx, caring, maxExpiring)
	if err != nil {
		return nil, err
	}
	if format == ExpiryICS {
		return calendar(list), nil
	}
	return expiryCSV(list)
}

func expiryCSV(list []Expiry) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	rows := [][]string{{"ends", "care_from", "state", "subject", "role", "device", "key", "next", "sha1", "sha256", "id"}}
	for _, e := range list {
		rows = append(rows, []string{e.NotAfter.UTC().Format(time.RFC3339), e.CareFrom.UTC().Format(time.RFC3339), e.State, e.Subject, e.Role, e.Device,
			e.Key.Place, string(e.Next), e.SHA1, e.SHA256, e.ID})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = catalog.Guard(row[i])
		}
		if err := w.Write(row); err != nil {
			return nil, fmt.Errorf("write CSV: %w", err)
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// calendar writes an event for each end.
func calendar(list []Expiry) []byte {
	var c calendarWriter
	c.line("BEGIN:VCALENDAR")
	c.line("VERSION:2.0")
	c.line("PRODID:-//Edgewright//Certificates//EN")
	c.line("CALSCALE:GREGORIAN")
	for _, e := range list {
		c.event(e)
	}
	c.line("END:VCALENDAR")
	return c.out.Bytes()
}

type calendarWriter struct{ out bytes.Buffer }

const calendarTime = "20060102T150405Z"

func (c *calendarWriter) event(e Expiry) {
	what := roleName(e.Role)
	c.line("BEGIN:VEVENT")
	c.line("UID:" + eventID(e) + "@edgewright")
	// The stamp is that of the certificate, not of the export, so that an
	// unchanged certificate gives an unchanged event.
	c.line("DTSTAMP:" + stampOf(e).UTC().Format(calendarTime))
	c.line("DTSTART:" + e.NotAfter.UTC().Format(calendarTime))
	c.line("SUMMARY:" + escapeText(fmt.Sprintf("%s ends (%s)", e.Subject, what)))
	text := "To do: " + e.Next.words()
	if e.Device != "" {
		text += "\nDevice: " + e.Device
	}
	if e.SHA256 != "" {
		text += "\nSHA-256: " + e.SHA256
	}
	c.line("DESCRIPTION:" + escapeText(text))
	c.line("CATEGORIES:" + escapeText("Certificates"))
	c.line("TRANSP:TRANSPARENT")
	c.line("BEGIN:VALARM")
	c.line("ACTION:DISPLAY")
	c.line("DESCRIPTION:" + escapeText(e.Subject+" wants a new certificate"))
	c.line("TRIGGER;VALUE=DATE-TIME:" + e.CareFrom.UTC().Format(calendarTime))
	c.line("END:VALARM")
	c.line("END:VEVENT")
}

func stampOf(e Expiry) time.Time {
	if e.NotBefore.IsZero() {
		return e.CareFrom
	}
	return e.NotBefore
}

// eventID is the thumbprint, or what stands for it where only the end of a
// device's certificate is known.
func eventID(e Expiry) string {
	if e.SHA256 != "" {
		return strings.ToLower(e.SHA256)
	}
	sum := sha256.Sum256([]byte("device\x00" + e.DeviceUUID + "\x00" + e.NotAfter.UTC().Format(calendarTime)))
	return hex.EncodeToString(sum[:])
}

// maxLine is how many bytes a line has before it is folded (RFC 5545, 3.1).
const maxLine = 75

// line writes a content line, folded between characters.
func (c *calendarWriter) line(text string) {
	room := maxLine
	for len(text) > room {
		at := room
		for !utf8.RuneStart(text[at]) {
			at--
		}
		c.out.WriteString(text[:at] + "\r\n ")
		text, room = text[at:], maxLine-1
	}
	c.out.WriteString(text + "\r\n")
}

// escapeText writes a text value (RFC 5545, 3.3.11); controls are left out.
func escapeText(text string) string {
	var out strings.Builder
	for _, r := range strings.ToValidUTF8(text, "") {
		switch {
		case r == '\\' || r == ';' || r == ',':
			out.WriteString(`\` + string(r))
		case r == '\n':
			out.WriteString(`\n`)
		case r >= 0x20 && r != 0x7f:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// words say in English what is next.
func (n Next) words() string {
	switch n {
	case NextRotate:
		return "rotate it on the device"
	case NextRenew:
		return "renew it"
	case NextReissue:
		return "provision the device again"
	case NextReplace:
		return "make a new CA and move what it signed under that"
	}
	return "ask its issuer for a new one and import it"
}

func roleName(role string) string { return strings.ReplaceAll(role, "-", " ") }
