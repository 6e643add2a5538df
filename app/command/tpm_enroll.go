package command

import (
	"fmt"
	"time"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// tpmEnroll enrols the key of one TPM, or those of a list.
func (s *session) tpmEnroll(f tpmFlags, rest []string) error {
	switch {
	case len(rest) > 0:
		return extra(rest, nil)
	case f.resume != "" && f.list == "" && f.cloud == "" && len(f.targets) == 0:
		a, err := s.open()
		if err != nil {
			return err
		}
		s.practiceNotice(a)
		return s.enrolled(a.ResumeEnroll(s.ctx, f.resume, s.enrollProgress()))
	case f.cloud == "":
		return wrongUse("--cloud is missing; the practice cloud is practice")
	case (f.list == "") == (len(f.targets) == 0):
		return wrongUse("say --target T, or --list F")
	case f.list == "":
		return s.enrollTarget(f)
	case len(f.ids) > 0:
		return wrongUse("--id goes with --target; a list has its own")
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	keys, found, err := a.ReadKeyEnrollments(s.ctx, f.list, s.keyTrust(f))
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return s.keysRefused(found)
	}
	s.practiceNotice(a)
	if f.resume != "" {
		if err := a.SameEnroll(s.ctx, f.resume, f.cloud, keys); err != nil {
			return err
		}
		return s.enrolled(a.ResumeEnroll(s.ctx, f.resume, s.enrollProgress()))
	}
	return s.enrolled(a.EnrollKeys(s.ctx, f.cloud, keys, s.enrollProgress()))
}

// enrollTarget reads a TPM into the catalog and enrols its key.
func (s *session) enrollTarget(f tpmFlags) error {
	if f.resume != "" || f.stationKey != "" {
		return wrongUse("--resume and --station-key go with --list")
	}
	if len(f.targets) > 1 {
		return wrongUse("say --target once; tpm collect and tpm export make a list of several")
	}
	targets, err := f.collectTargets()
	if err != nil {
		return err
	}
	request := app.CollectRequest{Targets: targets, EndorsementAuth: f.endorsement, OwnerAuth: f.owner}
	if request.Roots, err = f.makerRoots(); err != nil {
		return err
	}
	if request.Access, err = s.access(f.accessFlags); err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	key, err := a.CollectKey(s.ctx, request)
	if err != nil {
		return err
	}
	s.practiceNotice(a)
	return s.enrolled(a.EnrollKeys(s.ctx, f.cloud, []app.KeyEnrollment{key.Enrollment()}, s.enrollProgress()))
}

// keysRefused prints what is wrong with a list and ends with the code for refused.
func (s *session) keysRefused(found finding.List) error {
	if s.json {
		s.print(map[string]any{"outcome": provisioning.RunFailed, "run": "", "enrolled": 0, "skipped": 0, "failed": []any{}, "findings": found,
			"error": provisioning.ErrorView{Kind: "invalid", Message: "The list cannot be enrolled.", Hint: "Mend the lines that are named."}})
		return exitError(ExitUsage)
	}
	return s.listRefused("The list cannot be enrolled; nothing was made:", found)
}

// enrollProgress gives the receiver of the events of a bulk enrollment: one JSON event
// a line with --json, else what failed and every hundredth row on standard error.
func (s *session) enrollProgress() func(app.EnrollEvent) {
	return func(e app.EnrollEvent) {
		switch {
		case s.json:
			s.print(map[string]any{"event": "row", "run": e.Run, "row": e.Row, "of": e.Of, "id": e.ID, "state": e.State, "problem": e.Problem,
				"time": e.Time.UTC().Format(time.RFC3339Nano)})
		case e.Problem != "":
			s.note("%s  %s  %s", e.Run, e.ID, e.Problem)
		case e.Row%100 == 0 || e.Row == e.Of:
			s.note("%s  %s %s (%d of %d)", e.Run, e.ID, e.State, e.Row, e.Of)
		}
	}
}

// enrolled prints the result of a bulk enrollment.
func (s *session) enrolled(out app.EnrollOutcome, err error) error {
	if err != nil {
		return err
	}
	if s.json {
		s.print(out)
	} else {
		s.enrollLines(out)
		if out.Error != nil {
			s.printError(out.Error)
		}
		if out.Outcome != provisioning.RunSucceeded {
			s.note("Go on with: edgewright tpm enroll --resume %s", out.Run)
		}
	}
	return enrollCode(out.Outcome)
}

func enrollCode(outcome provisioning.RunState) error {
	switch outcome {
	case provisioning.RunSucceeded, provisioning.RunUndone:
		return nil
	case provisioning.RunCancelled:
		return exitError(ExitCancelled)
	}
	return exitError(ExitFailed)
}

func (s *session) enrollLines(out app.EnrollOutcome) {
	s.line("run %s: %d enrolled, %d were enrolled with the same key before, %d failed", out.Run, out.Enrolled, out.Skipped, len(out.Failed))
	for _, failed := range out.Failed[:min(len(out.Failed), findingsShown)] {
		s.line("  %s  %s", failed.ID, failed.Problem)
	}
	if more := len(out.Failed) - findingsShown; more > 0 {
		s.line("  and %d more; --json lists them all", more)
	}
}

// enrollUndone prints what came of putting a bulk enrollment back.
func (s *session) enrollUndone(out app.EnrollUndone, err error) error {
	if err != nil {
		return err
	}
	if s.json {
		s.print(out)
	} else {
		s.line("run %s: %d enrollments removed", out.Run, out.Removed)
		for _, left := range out.Left {
			s.line("  left in place: %s  %s", left.ID, left.Problem)
		}
		if out.Error != nil {
			s.printError(out.Error)
		}
	}
	return enrollCode(out.Outcome)
}

// showKeyRun shows what came of a bulk enrollment until now.
func (s *session) showKeyRun(a *app.App, id string) error {
	out, err := a.KeyRunOutcome(s.ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		s.print(out)
		return nil
	}
	s.line("state: %s", out.Outcome)
	s.enrollLines(out)
	return nil
}

// tpmRuns lists the bulk enrollments.
func (s *session) tpmRuns(_ tpmFlags, rest []string) error {
	if len(rest) > 0 {
		return extra(rest, nil)
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	list, err := a.KeyRuns(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, r := range list {
		rows = append(rows, []string{r.ID, r.State, r.Cloud, fmt.Sprint(r.Keys), fmt.Sprint(r.Enrolled), fmt.Sprint(r.Skipped), fmt.Sprint(r.Failed), r.Started.Local().Format(time.DateTime)})
	}
	s.table([]string{"run", "state", "cloud", "keys", "enrolled", "skipped", "failed", "started"}, rows)
	return nil
}
