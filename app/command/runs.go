package command

import (
	"errors"

	"edgewright/app"
	domain "edgewright/provisioning"
)

func runs(s *session, args []string) error {
	var yes bool
	var access accessFlags
	set := s.flags("runs")
	set.BoolVar(&yes, "yes", false, "")
	addAccess(set, &access)
	rest, err := s.parse(set, args)
	if err != nil {
		return err
	}
	name, rest, err := only(rest, "list", "show", "resume", "undo")
	if err != nil {
		return err
	}
	a, err := s.open()
	if err != nil {
		return err
	}
	if name == "list" {
		return s.listRuns(a)
	}
	if len(rest) != 1 {
		return wrongUse("name one run or batch")
	}
	if name == "show" {
		if app.IsKeyRun(rest[0]) {
			return s.showKeyRun(a, rest[0])
		}
		return s.showRun(a, rest[0])
	}
	in, err := s.access(access)
	if err != nil {
		return err
	}
	if name == "resume" {
		s.practiceNotice(a)
		if app.IsKeyRun(rest[0]) {
			return s.enrolled(a.ResumeEnroll(s.ctx, rest[0], s.enrollProgress()))
		}
		return s.oneOrBatch(a.Resume(s.ctx, rest[0], in, s.progress()))
	}
	if err := s.agreed(yes, "Put everything back that "+rest[0]+" made"); err != nil {
		return err
	}
	s.practiceNotice(a)
	if app.IsKeyRun(rest[0]) {
		return s.enrollUndone(a.UndoEnroll(s.ctx, rest[0], s.enrollProgress()))
	}
	return s.oneOrBatch(a.Undo(s.ctx, rest[0], in, s.progress()))
}

// oneOrBatch prints one outcome, or that of a whole batch.
func (s *session) oneOrBatch(outs []domain.Outcome, batch string, err error) error {
	if err != nil {
		return err
	}
	if batch == "" && len(outs) == 1 {
		return s.outcome(outs[0])
	}
	if len(outs) == 0 {
		return errors.New("the batch has no runs")
	}
	return s.batch(app.SumUp(batch, outs))
}

func (s *session) listRuns(a *app.App) error {
	list, err := a.Runs(s.ctx)
	if err != nil {
		return err
	}
	if s.json {
		s.print(list)
		return nil
	}
	rows := [][]string{}
	for _, run := range list {
		rows = append(rows, []string{run.ID, run.Batch, run.Device, run.Target, run.State, run.Started.Local().Format("2006-01-02 15:04:05")})
	}
	s.table([]string{"run", "batch", "device", "target", "state", "started"}, rows)
	return nil
}

func (s *session) showRun(a *app.App, id string) error {
	run, err := a.Run(s.ctx, id)
	if err != nil {
		return err
	}
	if s.json {
		s.print(run)
		return nil
	}
	s.line("run %s: %s on %s, %s", run.ID, run.Device, run.Target, run.State)
	for _, step := range run.Steps {
		took := "-"
		if !step.Ended.IsZero() {
			took = step.Ended.Sub(step.Started).Round(10e6).String()
		}
		s.line("  %-12s %-10s %8s  %s", step.Name, step.State, took, step.Summary)
		if step.Error != nil {
			s.line("               %s", step.Error.Message)
		}
	}
	for _, line := range run.Log {
		s.line("  %s  %-12s %s", line.Time.Local().Format("15:04:05.000"), line.Step, line.Text)
	}
	return nil
}
