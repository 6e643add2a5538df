package command

import (
	"strings"

	"edgewright/hostdetect"
)

func detect(s *session, args []string) error {
	var target string
	var access accessFlags
	set := s.flags("detect")
	set.StringVar(&target, "target", "", "")
	addAccess(set, &access)
	if rest, err := s.parse(set, args); err != nil || len(rest) > 0 {
		return extra(rest, err)
	}
	if target == "" {
		return wrongUse("--target is missing; this computer is local:")
	}
	in, err := s.access(access)
	if err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	found, err := a.Detect(s.ctx, target, in)
	if err != nil {
		return err
	}
	if s.json {
		s.print(found)
		return nil
	}
	s.line("%s", found.Advice.Title.English)
	s.line("  %s", found.Advice.Reason.English)
	for _, obstacle := range found.Advice.Obstacles {
		s.line("  %-5s %s", obstacle.Level, obstacle.Problem.English)
		if obstacle.Fix.English != "" {
			s.line("        %s", obstacle.Fix.English)
		}
	}
	rows := [][]string{}
	for _, fact := range found.Report.Facts {
		value := fact.Value
		switch fact.Found {
		case hostdetect.Absent:
			value = "none"
		case hostdetect.Unknown:
			value = "could not be found out: " + fact.Why
		}
		rows = append(rows, []string{"  " + fact.Key, strings.ReplaceAll(value, "\n", ", "), fact.How})
	}
	s.table([]string{"  fact", "value", "found by"}, rows)
	return nil
}
