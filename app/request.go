package app

import (
	"edgewright/provisioning"
)

// Request is a plan for a target.
type Request struct {
	Plan   provisioning.Plan
	Target string
	Access Access
	// UndoOnFailure puts everything back where the run fails.
	UndoOnFailure bool
	// Rotate asks for a rotation on the device of the plan; nil to provision.
	Rotate *provisioning.Rotation
	// Batch joins the runs of a list; empty for a single run.
	Batch string
}

// Emit hears of everything that happens in a run. It is called on the run's
// goroutine and must not wait.
type Emit func(provisioning.Event)
