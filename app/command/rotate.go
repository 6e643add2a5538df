package command

import (
	"flag"

	"edgewright/app"
)

// rotateFlags are the flags of `devices rotate`.
type rotateFlags struct {
	what        string
	newKey, yes bool
	accessFlags
}

func (f *rotateFlags) add(set *flag.FlagSet) {
	set.StringVar(&f.what, "what", "", "")
	set.BoolVar(&f.newKey, "new-key", false, "")
	set.BoolVar(&f.yes, "yes", false, "")
	addAccess(set, &f.accessFlags)
}

// rotate gives a device of the catalog a new pair. What it will do, the restart
// of the services with it, is shown before a person agrees.
func (s *session) rotate(a *app.App, id string, f rotateFlags) error {
	if f.what == "" {
		return wrongUse("--what is missing; it is identity or edge-ca")
	}
	access, err := s.access(f.accessFlags)
	if err != nil {
		return err
	}
	request, err := a.RotationRequest(s.ctx, app.Rotation{Device: id, What: f.what, NewKey: f.newKey, Access: access})
	if err != nil {
		return err
	}
	if !f.yes {
		if err := s.reviewed(a, request, "Rotate the "+f.what+" of "+request.Plan.Device.ID+"; the services restart"); err != nil {
			return err
		}
	}
	s.note("A device that runs restarts its services now, and with them its modules.")
	s.practiceNotice(a)
	return s.outcome(a.Provision(s.ctx, request, s.progress()))
}
