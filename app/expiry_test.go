package app

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning/pki"
)

// office is an app whose vault has a passphrase and whose clock is set.
type office struct {
	*App
	t     *testing.T
	clock time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(file, []byte("a passphrase of a test"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, clock: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	a, err := New(t.Context(), Config{DataDir: filepath.Join(dir, "data"), StateDir: filepath.Join(dir, "state"), PassphraseFile: file,
		Now: func() time.Time { return o.clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	o.App = a
	return o
}

func (o *office) makes(profile, name, ca string, days int) CertificateView {
	o.t.Helper()
	view, err := o.MakeCertificate(context.Background(), NewCertificate{Profile: profile, CommonName: name, CA: ca, Days: days})
	if err != nil {
		o.t.Fatal(err)
	}
	return view
}

// plant has a root, a CA, a device that ends soon and one that does not, a
// revoked one, and a device of which only the end is known.
func (o *office) plant() {
	o.t.Helper()
	o.makes("root CA", "Plant Root", "", 0)
	o.makes("intermediate CA", "Line 7 issuing", "Plant Root", 0)
	o.makes("device identity", "soon, \"and\"; so", "Line 7 issuing", 10)
	o.makes("device identity", "later", "Line 7 issuing", 0)
	gone := o.makes("device identity", "gone", "Line 7 issuing", 9)
	if _, err := o.RevokeCertificate(o.t.Context(), gone.ID, "superseded"); err != nil {
		o.t.Fatal(err)
	}
	ends := o.clock.AddDate(0, 0, 20)
	if _, err := o.catalog.PutDevice(o.t.Context(), catalog.Device{HubHost: "plant.azure-devices.net", DeviceID: "told-7", State: StateProven, Platform: "linux",
		Provisioning: "dps", Authentication: "x509", Cloud: "plant", CertificateEnds: &ends, Tags: "{}", Facts: "{}"}); err != nil {
		o.t.Fatal(err)
	}
	o.clock = o.clock.AddDate(0, 0, 9)
}

func TestWhatEndsWhen(t *testing.T) {
	o := newOffice(t)
	o.plant()
	words := func(caring bool) string {
		list, more, err := o.Expiring(t.Context(), caring, 100)
		if err != nil || more {
			t.Fatalf("%v %v", more, err)
		}
		var all []string
		for _, e := range list {
			all = append(all, fmt.Sprintf("%s %s %s", e.Subject, e.State, e.Next))
		}
		return strings.Join(all, " | ")
	}
	if got, want := words(true), `soon, "and"; so renew-soon renew | told-7 renew-soon reissue`; got != want {
		t.Errorf("wants care:\n%s\nwant\n%s", got, want)
	}
	want := `soon, "and"; so renew-soon renew | told-7 renew-soon reissue | later good renew | Line 7 issuing good replace | Plant Root good replace`
	if got := words(false); got != want {
		t.Errorf("all:\n%s\nwant\n%s", got, want)
	}
	if list, more, err := o.Expiring(t.Context(), false, 2); err != nil || !more || len(list) != 2 || list[1].Device != "told-7" {
		t.Errorf("the first two: %v %v %v", list, more, err)
	}
	o.clock = o.clock.AddDate(0, 0, 12)
	if got := words(true); !strings.Contains(got, "ended renew | told-7 ended reissue") {
		t.Errorf("later: %s", got)
	}
	counts, err := o.Counts(t.Context())
	if err != nil || counts.Certificates != 5 || counts.CertificatesEnded != 1 || counts.CertificatesEndSoon != 0 {
		t.Errorf("%+v %v", counts, err)
	}
}

func TestEndsAsCSV(t *testing.T) {
	o := newOffice(t)
	o.plant()
	data, err := o.ExportExpiring(t.Context(), false, ExpiryCSV)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) != 6 || rows[1][3] != `soon, "and"; so` || rows[1][7] != "renew" || rows[2][5] != "told-7" {
		t.Errorf("%q %v", rows, err)
	}
	if _, err := o.ExportExpiring(t.Context(), false, "xml"); err == nil || !strings.Contains(err.Error(), "format") {
		t.Errorf("xml: %v", err)
	}
}

// calendarEvent is an event as a reader of RFC 5545 sees it.
type calendarEvent map[string]string

// readCalendar reads a calendar by the grammar of RFC 5545, 3.1 and 3.4 to 3.6,
// and fails on what it forbids. It shares nothing with the writer.
func readCalendar(t *testing.T, data []byte) (events []calendarEvent) {
	t.Helper()
	if bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\r")) {
		t.Fatal("a line end is not CRLF")
	}
	physical := strings.Split(strings.TrimSuffix(string(data), "\r\n"), "\r\n")
	var lines []string
	for _, line := range physical {
		if len(line) > 75 {
			t.Errorf("a line has %d bytes: %q", len(line), line)
		}
		if strings.HasPrefix(line, " ") {
			lines[len(lines)-1] += line[1:]
			continue
		}
		lines = append(lines, line)
	}
	var open []string
	var event calendarEvent
	calendar := calendarEvent{}
	for _, line := range lines {
		nameAndParameters, value, ok := strings.Cut(line, ":")
		name, parameters, _ := strings.Cut(nameAndParameters, ";")
		if !ok || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "" {
			t.Fatalf("no content line: %q", line)
		}
		switch name {
		case "BEGIN":
			open = append(open, value)
			if value == "VEVENT" {
				event = calendarEvent{}
			}
			continue
		case "END":
			if len(open) == 0 || open[len(open)-1] != value {
				t.Fatalf("%q ends inside of %v", value, open)
			}
			open = open[:len(open)-1]
			if value == "VEVENT" {
				events = append(events, event)
			}
			continue
		}
		into, prefix := calendar, ""
		switch strings.Join(open, "/") {
		case "VCALENDAR":
		case "VCALENDAR/VEVENT":
			into = event
		case "VCALENDAR/VEVENT/VALARM":
			into, prefix = event, "ALARM-"
		default:
			t.Fatalf("%q inside of %v", line, open)
		}
		if _, twice := into[prefix+name]; twice {
			t.Errorf("%s stands twice", name)
		}
		switch name {
		case "DTSTAMP", "DTSTART", "TRIGGER":
			if _, err := time.Parse("20060102T150405Z", value); err != nil || name == "TRIGGER" && parameters != "VALUE=DATE-TIME" {
				t.Errorf("%q: %v", line, err)
			}
		case "SUMMARY", "DESCRIPTION":
			value = unescape(t, value)
		}
		into[prefix+name] = value
	}
	if len(open) > 0 || calendar["VERSION"] != "2.0" || calendar["PRODID"] == "" {
		t.Errorf("open %v, calendar %v", open, calendar)
	}
	for _, e := range events {
		for _, required := range []string{"UID", "DTSTAMP", "DTSTART", "SUMMARY", "ALARM-ACTION", "ALARM-DESCRIPTION", "ALARM-TRIGGER"} {
			if e[required] == "" {
				t.Errorf("an event has no %s: %v", required, e)
			}
		}
	}
	return events
}

// unescape reads a TEXT value (RFC 5545, 3.3.11).
func unescape(t *testing.T, value string) string {
	t.Helper()
	var out strings.Builder
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == ',' || c == ';':
			t.Errorf("%q has a bare %c", value, c)
		case c != '\\':
			out.WriteByte(c)
		default:
			i++
			switch value[i] {
			case 'n', 'N':
				out.WriteByte('\n')
			case '\\', ',', ';':
				out.WriteByte(value[i])
			default:
				t.Errorf("%q escapes %c", value, value[i])
			}
		}
	}
	return out.String()
}

func TestEndsAsCalendar(t *testing.T) {
	o := newOffice(t)
	o.plant()
	o.makes("device identity", strings.Repeat("ä", 60)+"\\", "Line 7 issuing", 400) // two bytes each, so that a fold can meet the middle of one
	write := func() []byte {
		data, err := o.ExportExpiring(t.Context(), false, ExpiryICS)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	first := write()
	events := readCalendar(t, first)
	if len(events) != 6 {
		t.Fatalf("%d events", len(events))
	}
	list, _, err := o.Expiring(t.Context(), false, 100)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, e := range events {
		if seen[e["UID"]] || e["UID"] != eventID(list[i])+"@edgewright" {
			t.Errorf("UID %q", e["UID"])
		}
		seen[e["UID"]] = true
		if e["DTSTART"] != list[i].NotAfter.UTC().Format("20060102T150405Z") || e["ALARM-TRIGGER"] != list[i].CareFrom.UTC().Format("20060102T150405Z") ||
			!strings.HasPrefix(e["SUMMARY"], list[i].Subject+" ends (") || !strings.Contains(e["DESCRIPTION"], "\n") && list[i].Device != "" {
			t.Errorf("%v for %+v", e, list[i].CertificateView)
		}
	}
	if !strings.Contains(events[0]["SUMMARY"], `soon, "and"; so`) {
		t.Errorf("the first is %v", events[0])
	}
	// The same certificates give the same file, at any time.
	o.clock = o.clock.Add(36 * time.Hour)
	if !bytes.Equal(first, write()) {
		t.Error("the file differs although nothing but the time did")
	}
}

func TestProfilesOfTheUser(t *testing.T) {
	o := newOffice(t)
	o.makes("root CA", "Plant Root", "", 0)
	p := pki.Profile{Name: "Plant server", Role: pki.RoleServer, Usages: []pki.Usage{pki.DigitalSignature, pki.ServerAuth}, Days: 90, Algorithm: pki.P384}
	if err := o.SaveProfile(t.Context(), p, ""); err != nil {
		t.Fatal(err)
	}
	made, err := o.MakeCertificate(t.Context(), NewCertificate{Profile: "plant SERVER", CommonName: "gw.plant.example", CA: "Plant Root"})
	if err != nil || made.Key.Algorithm != "p384" || made.Profile != "Plant server" || made.NotAfter.Sub(o.clock).Hours() != 90*24 {
		t.Errorf("made %+v %v", made, err)
	}
	for says, change := range map[string]func(*pki.Profile){
		"4.2.1.3":                func(p *pki.Profile) { p.Usages = append(p.Usages, pki.KeyCertSign) },
		"comes with the program": func(p *pki.Profile) { p.Name = "Edge ca" },
		"a profile plant server": func(p *pki.Profile) { p.Name = "plant server" },
		"1 to 10950":             func(p *pki.Profile) { p.Days = 0; p.Name = "other" },
	} {
		broken := p
		change(&broken)
		if err := o.SaveProfile(t.Context(), broken, ""); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	renamed := p
	renamed.Name, renamed.Days = "Plant gateway", 30
	if err := o.SaveProfile(t.Context(), renamed, "Plant server"); err != nil {
		t.Fatal(err)
	}
	all, err := o.CertificateProfiles(t.Context())
	if last := all[len(all)-1]; err != nil || len(all) != len(pki.Profiles())+1 || last.Name != "Plant gateway" || !last.Own || last.Days != 30 {
		t.Errorf("%+v %v", all, err)
	}
	if _, err := o.RenewCertificate(t.Context(), made.ID, false); err == nil || !strings.Contains(err.Error(), "profile") {
		t.Errorf("renewed by a profile that is gone: %v", err)
	}
	if detail, err := o.CertificateDetail(t.Context(), made.ID); err != nil || detail.Renewable {
		t.Errorf("renewable: %v %v", detail.Renewable, err)
	}
	if err := o.RemoveProfile(t.Context(), "root CA"); err == nil {
		t.Error("a profile of the program was removed")
	}
	if err := o.RemoveProfile(t.Context(), "PLANT gateway"); err != nil {
		t.Error(err)
	}
}

// A certificate and the one that took its place name each other.
func TestDetailNamesNeighbours(t *testing.T) {
	o := newOffice(t)
	o.makes("root CA", "Plant Root", "", 0)
	o.makes("intermediate CA", "Line 7 issuing", "Plant Root", 0)
	old := o.makes("device identity", "line-7-0001", "Line 7 issuing", 0)
	renewed, err := o.RenewCertificate(t.Context(), old.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	before, err := o.CertificateDetail(t.Context(), old.ID)
	if err != nil || before.ReplacedBy == nil || before.ReplacedBy.ID != renewed.ID || before.Renewable {
		t.Errorf("%+v %v", before, err)
	}
	after, err := o.CertificateDetail(t.Context(), renewed.ID)
	if err != nil || after.Replaces == nil || after.Replaces.ID != old.ID || !after.Renewable || len(after.Above) != 2 || after.Above[1].Subject != "Plant Root" ||
		strings.Join(after.Usages, " ") != "digitalSignature clientAuth" {
		t.Errorf("%+v %v", after, err)
	}
	hits, err := o.FindCertificates(t.Context(), "line-7-0001", 1)
	if err != nil || !hits.More || len(hits.Nodes) != 3 || !hits.Nodes[0].Hit || hits.Nodes[1].Hit {
		t.Errorf("%+v %v", hits, err)
	}
}
