package command

import (
	"fmt"
	"time"

	"edgewright/app"
	"edgewright/provisioning"
)

// tpmCollect reads many TPMs at once.
func (s *session) tpmCollect(f tpmFlags, rest []string) error {
	if len(rest) > 0 {
		return extra(rest, nil)
	}
	targets, err := f.collectTargets()
	if err != nil {
		return err
	}
	request := app.CollectRequest{Targets: targets, EndorsementAuth: f.endorsement, OwnerAuth: f.owner, Parallel: f.parallel}
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
	out, err := a.Collect(s.ctx, request, s.collectProgress())
	if err != nil {
		return err
	}
	return s.collected(out)
}

// collectTargets pairs targets with addresses and IDs: one for each, or one
// address for all.
func (f tpmFlags) collectTargets() ([]app.CollectTarget, error) {
	switch n := len(f.targets); {
	case n == 0:
		return nil, wrongUse("--target is missing; this computer is local:")
	case len(f.addresses) > 1 && len(f.addresses) != n:
		return nil, wrongUse("say --tpm once, or as often as --target")
	case len(f.ids) > 0 && len(f.ids) != n:
		return nil, wrongUse("say --id as often as --target, in the same order")
	case f.parallel < 0:
		return nil, wrongUse("--parallel is a number from 1 on")
	}
	list := make([]app.CollectTarget, len(f.targets))
	for i, at := range f.targets {
		list[i].Target = at
		switch len(f.addresses) {
		case 0:
		case 1:
			list[i].TPM = f.addresses[0]
		default:
			list[i].TPM = f.addresses[i]
		}
		if len(f.ids) > 0 {
			list[i].Device = f.ids[i]
		}
	}
	return list, nil
}

// collectProgress gives the receiver of the events of a collection: one JSON event
// a line with --json, else lines on standard error.
func (s *session) collectProgress() func(app.CollectEvent) {
	return func(e app.CollectEvent) {
		id, problem := "", ""
		if e.Key != nil {
			id = e.Key.ID
		}
		if e.Error != nil {
			problem = e.Error.Message
		}
		switch {
		case s.json:
			s.print(map[string]any{"event": "tpm", "index": e.Index + 1, "of": e.Of, "target": e.Target, "tpm": e.TPM, "state": e.State, "id": id, "problem": problem,
				"time": e.Time.UTC().Format(time.RFC3339Nano)})
		case e.State != app.CollectReading:
			s.note("%d of %d  %s  %s", e.Index+1, e.Of, whereTPM(e.CollectTarget), e.State)
		}
	}
}

// whereTPM is a target with the address of its software TPM.
func whereTPM(t app.CollectTarget) string {
	if t.TPM == "" {
		return t.Target
	}
	return t.Target + " " + t.TPM
}

func (s *session) collected(out app.CollectOutcome) error {
	if s.json {
		s.print(out)
	} else {
		for _, one := range out.Keys {
			if one.Key != nil {
				s.line("%s  %s, firmware %s, key %s", whereTPM(one.CollectTarget), one.Key.Manufacturer, one.Key.Firmware, one.Key.ID[:shortKey])
				s.line("  %s", templateWords[one.Key.EK.Template])
			} else if one.Error != nil {
				s.line("%s  failed: %s", whereTPM(one.CollectTarget), one.Error.Message)
				s.hint(one.Error)
			}
			if one.Change != nil {
				s.line("  %s", changeLine(*one.Change))
			}
		}
		s.line("%d collected, %d failed", out.Collected, out.Failed)
	}
	switch out.Outcome {
	case provisioning.RunSucceeded:
		return nil
	case provisioning.RunCancelled:
		return exitError(ExitCancelled)
	}
	return exitError(ExitFailed)
}

func (s *session) hint(view *provisioning.ErrorView) {
	if view.Hint != "" {
		s.line("  %s", view.Hint)
	}
}

// changeWords say why a key is not the one that was read before.
var changeWords = map[string]string{
	app.ChangeTemplate:   "the TPM and its seed are the same; a program keeps a key of another template at 0x81010001",
	app.ChangeRemoved:    "the TPM and its seed are the same; the key that was kept at 0x81010001 is gone: the TPM was cleared, or a program removed it",
	app.ChangeSeed:       "the TPM is the same by its EK certificate; its endorsement seed was made anew, and the old key does not come back",
	app.ChangeChip:       "another TPM answers there: the board or the TPM was changed, or the address belongs to another device now",
	app.ChangeSeedOrChip: "the endorsement seed is another: it was made anew, or another TPM answers there",
	app.ChangeUnknown:    "why cannot be told without the password of the endorsement hierarchy",
	app.ChangeStorage:    "the endorsement key is the same and the storage root key another: the TPM was cleared, or a program keeps another key at 0x81000001; register again",
}

func changeLine(change app.KeyChange) string {
	if change.Why == app.ChangeStorage {
		return "changed: " + changeWords[change.Why]
	}
	return fmt.Sprintf("changed, was %s: %s", change.Before[:shortKey], changeWords[change.Why])
}
