package command

import (
	"edgewright/app"
	domain "edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// maxConfig is how large a config.toml may be, in bytes.
const maxConfig = 4 << 20

func config(s *session, args []string) error {
	var plan, runtime string
	set := s.flags("config")
	set.StringVar(&plan, "plan", "", "")
	set.StringVar(&runtime, "runtime", "1.6", "")
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "lint", "show")
	if err != nil {
		return err
	}
	if name == "show" {
		return s.showConfig(plan)
	}
	if len(rest) != 1 {
		return wrongUse("name one config.toml")
	}
	text, err := app.ReadFile(rest[0], maxConfig)
	if err != nil {
		return err
	}
	findings := app.LintConfig(text, runtime)
	if s.json {
		s.print(findings)
	} else {
		for _, f := range findings {
			s.line("%s:%d:%d: %s: %s: %s", rest[0], f.Line, f.Column, f.Level, f.Field, f.Problem)
			if f.Fix != "" {
				s.line("        %s", f.Fix)
			}
		}
		if len(findings) == 0 {
			s.line("%s: nothing found", rest[0])
		}
	}
	for _, f := range findings {
		if f.Level == string(finding.Error) {
			return exitError(ExitFailed)
		}
	}
	return nil
}

// showConfig prints the config.toml that a plan makes on an empty device, with
// its secrets masked.
func (s *session) showConfig(name string) error {
	text, err := readPlan(name)
	if err != nil {
		return err
	}
	plan, findings, err := domain.ParsePlan(text)
	if err != nil {
		return err
	}
	if findings.Errors() {
		return s.refusedBy(findings)
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	config, err := a.ShowConfig(s.ctx, plan)
	if err != nil {
		return err
	}
	if s.json {
		s.print(map[string]string{"path": domain.ConfigPath, "config": string(config)})
		return nil
	}
	_, err = s.Out.Write(config)
	return err
}
