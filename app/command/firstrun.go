package command

import (
	"context"
	"errors"
)

// FirstRun does the main job where there is no display: it shows what this
// computer is and what it can become, provisions the practice device
// practice-1 into a folder of the data folder, and prints the proof.
func FirstRun(ctx context.Context, streams Streams, version, data, reason string) int {
	s := &session{Streams: streams, ctx: ctx, version: version, data: data}
	s.note("Edgewright opens no window: %s.", reason)
	s.note("It shows what it found, and rehearses with a practice device. `edgewright help` lists the commands.\n")
	err := s.firstRun()
	if s.app != nil {
		err = errors.Join(err, s.app.Close())
	}
	return s.end(err, "edgewright")
}

func (s *session) firstRun() error {
	a, err := s.open()
	if err != nil {
		return err
	}
	if err := detect(s, []string{"--target", "local:", "--data", s.data}); err != nil {
		return err
	}
	s.practiceNotice(a)
	request, err := a.PracticeRequest("practice-1")
	if err != nil {
		return err
	}
	s.line("")
	s.line("Practice device %s", request.Target)
	out := a.Provision(s.ctx, request, s.progress())
	s.line("device: %s, cloud: %s", agrees(out.Proof.Device), agrees(out.Proof.Cloud))
	return s.outcome(out)
}

func agrees(yes bool) string {
	if yes {
		return "agrees"
	}
	return "does not agree"
}
