package command

import (
	"path/filepath"

	"edgewright/app"
)

// tpmExport writes a list of collected keys.
func (s *session) tpmExport(f tpmFlags, rest []string) error {
	switch {
	case len(rest) != 1:
		return wrongUse("name one file that does not exist yet")
	case f.format != "csv" && f.format != "json":
		return wrongUse("--format is csv or json")
	}
	file, err := filepath.Abs(rest[0])
	if err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	out, err := a.ExportKeys(s.ctx, app.KeyExport{File: file, Format: f.format, Sign: f.sign, Query: app.TPMKeyQuery{Text: f.search}})
	if err != nil {
		return err
	}
	if s.json {
		s.print(out)
		return nil
	}
	s.line("%d keys are in %s", out.Keys, out.File)
	if out.Signature != "" {
		s.line("  its signature lies beside it: %s", out.Signature)
	}
	if out.Station != nil {
		s.line("  signed by station %s, %s", out.Station.Station, out.Station.Fingerprint)
	} else {
		s.note("The list is not signed: whoever imports it cannot tell whether it was changed (--sign).")
	}
	return nil
}

// tpmImport takes a list into the catalog.
func (s *session) tpmImport(f tpmFlags, rest []string) error {
	if len(rest) != 1 {
		return wrongUse("name one list")
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	in, err := a.ImportKeys(s.ctx, rest[0], s.keyTrust(f))
	if err != nil {
		return err
	}
	if s.json {
		s.print(in)
	} else {
		s.line("%d keys came in, %d were known already, %d rows were left out", in.Added, in.Known, len(in.Refused))
		if in.Station != nil {
			s.line("  signed by station %s, %s", in.Station.Station, in.Station.Fingerprint)
		} else {
			s.note("The list is not signed: nothing shows that it is as it was exported.")
		}
		s.findings(in.Refused[:min(len(in.Refused), findingsShown)])
	}
	if len(in.Refused) > 0 {
		return exitError(ExitFailed)
	}
	return nil
}

// keyTrust is whose signature is taken: that of --station-key, or of whom a person
// accepts.
func (s *session) keyTrust(f tpmFlags) app.KeyTrust {
	trust := app.KeyTrust{Fingerprint: f.stationKey}
	if s.Terminal && f.stationKey == "" {
		trust.Ask = func(key app.StationKey) bool {
			s.note("First time: is this the key of station %s?\n  %s", key.Station, key.Fingerprint)
			return s.confirm("Accept and remember")
		}
	}
	return trust
}

// tpmStation shows the key that lists are signed with here.
func (s *session) tpmStation(_ tpmFlags, rest []string) error {
	if len(rest) > 0 {
		return extra(rest, nil)
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	key, err := a.StationKey(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(key)
		return nil
	}
	s.line("Station %s signs its lists with %s", key.Station, key.Fingerprint)
	return nil
}
