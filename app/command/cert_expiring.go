package command

import (
	"fmt"
	"strings"
	"time"

	"edgewright/app"
)

// certProfiles lists the profiles, or adds one from a TOML file or removes one.
func (s *session) certProfiles(a *app.App, _ certFlags, args []string) error {
	if len(args) == 2 {
		return s.changeProfiles(a, args[0], args[1])
	}
	profiles, err := a.CertificateProfiles(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(profiles)
		return nil
	}
	rows := [][]string{}
	for _, p := range profiles {
		usages := []string{}
		for _, usage := range p.Usages {
			usages = append(usages, string(usage))
		}
		from := "program"
		if p.Own {
			from = "own"
		}
		rows = append(rows, []string{p.Name, string(p.Role), fmt.Sprint(p.Days), p.Algorithm.String(), strings.Join(usages, " "), from})
	}
	s.table([]string{"profile", "role", "days", "key", "usages", "from"}, rows)
	return nil
}

func (s *session) changeProfiles(a *app.App, verb, name string) error {
	switch verb {
	case "add":
		p, err := a.SaveProfileFile(s.ctx, name)
		if err != nil {
			return err
		}
		if s.json {
			s.print(p)
			return nil
		}
		for _, f := range app.CheckProfile(p) {
			s.note("%s: %s %s", f.Field, f.Problem, f.Fix)
		}
		s.line("the profile %s is saved", p.Name)
	case "remove":
		if err := a.RemoveProfile(s.ctx, name); err != nil {
			return err
		}
		if s.json {
			s.print(map[string]any{"removed": name})
			return nil
		}
		s.line("the profile %s is removed", name)
	default:
		return wrongUse("cert profiles takes nothing, or add FILE, or remove NAME")
	}
	return nil
}

// maxExpiring is how many ends are listed at most; a file has all of them.
const maxExpiring = 1000

// certExpiring lists what ends and wants care, with --all everything that counts;
// as a file it goes to --out or to standard output.
func (s *session) certExpiring(a *app.App, f certFlags) error {
	if f.format != "" {
		data, err := a.ExportExpiring(s.ctx, !f.all, f.format)
		if err != nil {
			return err
		}
		if f.out == "" {
			_, err := s.Out.Write(data)
			return err
		}
		if err := app.WriteNew(f.out, data); err != nil {
			return err
		}
		s.note("%s is written", f.out)
		return nil
	}
	list, more, err := a.Expiring(s.ctx, !f.all, maxExpiring)
	if err != nil {
		return err
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, e := range list {
		id := e.ID
		if len(id) > 8 {
			id = id[:8]
		}
		rows = append(rows, []string{e.NotAfter.Local().Format(time.DateOnly), e.State, e.Subject, e.Role, e.Device, string(e.Next), id})
	}
	s.table([]string{"ends", "state", "subject", "role", "device", "next", "ID"}, rows)
	if more {
		s.note("these are the first %d; --format csv has all", maxExpiring)
	}
	return nil
}

// disable says what a revocation does not stop, and stops it where it is asked to.
func (s *session) disable(a *app.App, f certFlags, id string) error {
	if !f.disable {
		s.note("Azure reads no revocation lists: disable the device or its enrollment there, too. For a device of the catalog --disable does it.")
		return nil
	}
	done, err := a.DisableDevice(s.ctx, id)
	if err != nil {
		return err
	}
	for _, what := range done {
		s.note("%s is disabled", what)
	}
	if len(done) == 0 {
		s.note("the device was disabled already")
	}
	return nil
}
