package provisioning

import (
	"context"
	"encoding/json"
	"time"
)

// The names of the steps, as they stand in journals and events.
const (
	StepLook        = "look"
	StepCertificate = "certificate"
	StepOnboard     = "onboard"
	StepTPM         = "tpm"
	StepIdentity    = "identity"
	StepEnrollment  = "enrollment"
	StepFiles       = "files"
	StepApply       = "apply"
	StepReprovision = "reprovision"
	StepProof       = "proof"
	// Those of a rotation.
	StepSecondary = "secondary"
	StepRetire    = "retire"
)

// Step is one thing that a run does. Steps are idempotent: doing a step whose
// Look says Done changes nothing, and a step that was cut short can be done
// again.
type Step interface {
	Name() string
	// Look finds out, at the device or the cloud, whether the step is done
	// already, and what has to be known to undo it should it now be done.
	Look(ctx context.Context, run *Execution) (Look, error)
	// Do acts. It is called only if Look said that it is not done.
	Do(ctx context.Context, run *Execution) (Result, error)
	// Undo takes back what Do did, by the record that Look gave before Do. It
	// may be called after a Do that failed or was killed in the middle.
	Undo(ctx context.Context, run *Execution, record json.RawMessage) (Undone, error)
}

// A Guarded step that has something to do holds something from before a second
// Look until after its Do. Guard gives nil where there is nothing to hold.
type Guarded interface {
	Guard(ctx context.Context, run *Execution) (release func(), err error)
}

// Look is what a step found before acting.
type Look struct {
	Done bool
	// Summary is a line for a person about what was found.
	Summary string
	// Undo is what Undo will need; it holds no secret.
	Undo json.RawMessage
}

// summaryFound says of a thing that it was as wanted before the run.
const summaryFound = "was there already; nothing changed"

// Result is what a step did.
type Result struct {
	Summary string
	// CloudWait is the part of the time that the cloud asked to wait.
	CloudWait time.Duration
}

// Undone is what an Undo did. Left names things that it may not remove.
type Undone struct {
	Summary string
	Left    []string
}

// StepState is the state of one step in a run's journal.
type StepState string

// A step is acting from just before its first effect to its recorded end;
// a killed run therefore shows which step was cut.
const (
	StepPending   StepState = "pending"
	StepLooking   StepState = "looking"
	StepActing    StepState = "acting"
	StepDone      StepState = "done"
	StepUnchanged StepState = "unchanged"
	StepFailed    StepState = "failed"
	StepUndoing   StepState = "undoing"
	StepUndone    StepState = "undone"
	StepKept      StepState = "kept"
)

// StepRecord is a step as the journal holds it.
type StepRecord struct {
	Seq   int       `json:"seq"`
	Name  string    `json:"step"`
	State StepState `json:"state"`
	// Acted tells that the run has begun to change something in this step.
	Acted   bool            `json:"acted"`
	Summary string          `json:"summary"`
	Started time.Time       `json:"started"`
	Ended   time.Time       `json:"ended"`
	Undo    json.RawMessage `json:"-"`
	Error   *ErrorView      `json:"error,omitempty"`
	Left    []string        `json:"left,omitempty"`
	// Waited is the part of the step's time that the cloud imposed.
	Waited time.Duration `json:"waited"`
}

// Made tells whether the step changed something that undo has to take back.
func (r StepRecord) Made() bool {
	return len(r.Undo) > 0 && r.State != StepUndone && r.State != StepKept
}
