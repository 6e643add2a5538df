package command

import (
	"fmt"
	"os"
	"time"

	"edgewright/app"
)

func devices(s *session, args []string) error {
	var search, format, out string
	set := s.flags("devices")
	set.StringVar(&search, "search", "", "")
	set.StringVar(&format, "format", "csv", "")
	set.StringVar(&out, "out", "", "")
	var turn rotateFlags
	turn.add(set)
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "list", "show", "export", "import", "rotate")
	if err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	switch name {
	case "list":
		return s.listDevices(a, search)
	case "export":
		return s.exportDevices(a, format, out)
	}
	if len(rest) != 1 {
		return wrongUse("name one %s", map[string]string{"show": "device", "import": "file", "rotate": "device"}[name])
	}
	if name == "rotate" {
		return s.rotate(a, rest[0], turn)
	}
	if name == "import" {
		return s.importDevices(a, rest[0])
	}
	device, err := a.Device(s.ctx, rest[0])
	if err != nil {
		return err
	}
	if s.json {
		s.print(device)
		return nil
	}
	s.line("%s is %s", device.DeviceID, device.State)
	for _, row := range [][2]string{{"UUID", device.UUID}, {"hub", device.HubHost}, {"registration ID", device.RegistrationID}, {"way", device.Platform + " " + device.Provisioning + " " + device.Authentication},
		{"cloud", device.Cloud}, {"target", device.Target}, {"host name", device.HostName}, {"IoT Edge", device.RuntimeVersion}, {"last proof", when(device.LastProof)}, {"note", device.Note}} {
		if row[1] != "" {
			s.line("  %-16s %s", row[0], row[1])
		}
	}
	s.line("")
	s.line("%s", device.Plan)
	return nil
}

func when(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// listPage is how many devices are read at a time.
const listPage = 2000

func (s *session) listDevices(a *app.App, search string) error {
	list, more, err := s.allDevices(a, search)
	if err != nil {
		return err
	}
	if more {
		s.note("More devices match %q; these are %d of them. Say more of what you look for, or take all with `devices export`.", search, len(list))
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, d := range list {
		rows = append(rows, []string{d.DeviceID, d.State, d.Platform + " " + d.Provisioning + " " + d.Authentication, d.Cloud, d.Target, d.RuntimeVersion, when(d.LastProof)})
	}
	s.table([]string{"device", "state", "way", "cloud", "target", "IoT Edge", "last proof"}, rows)
	return nil
}

// allDevices reads every device, or those that a search pages through; more
// says that it has further hits.
func (s *session) allDevices(a *app.App, search string) (list []app.Device, more bool, err error) {
	if search != "" {
		if _, more, err = a.FoundDevices(s.ctx, app.DeviceQuery{Text: search}); err != nil {
			return nil, false, err
		}
	}
	list = []app.Device{}
	for after := ""; ; {
		page, err := a.Devices(s.ctx, app.DeviceQuery{Text: search, Limit: listPage, After: after})
		if err != nil {
			return nil, false, err
		}
		list = append(list, page...)
		if len(page) < listPage {
			return list, more, nil
		}
		after = page[len(page)-1].UUID
	}
}

func (s *session) exportDevices(a *app.App, format, out string) error {
	if format != "csv" && format != "json" {
		return wrongUse("--format is csv or json")
	}
	if s.json {
		format = "json"
	}
	if out == "" {
		return a.ExportDevices(s.ctx, format, s.Out)
	}
	return a.ExportDevicesTo(s.ctx, format, out)
}

func (s *session) importDevices(a *app.App, name string) error {
	in := s.In
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return wrongUse("the file cannot be read: %v", err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	result, err := a.ImportDevices(s.ctx, in)
	if err != nil {
		return err
	}
	if s.json {
		s.print(result)
	} else {
		s.line("%d devices added, %d updated", result.Added, result.Updated)
		s.findings(result.Findings)
	}
	if result.Findings.Errors() {
		return fmt.Errorf("%d rows were left out: %w", len(result.Findings), exitError(ExitFailed))
	}
	return nil
}
