package provisioning

import (
	"context"
	"time"
)

// RunState is the state of a run; only the runner changes it.
type RunState string

// A run that is running, cancelling or undoing and whose holder is dead can be
// resumed; the others are ends.
const (
	RunRunning      RunState = "running"
	RunCancelling   RunState = "cancelling"
	RunUndoing      RunState = "undoing"
	RunSucceeded    RunState = "succeeded"
	RunConfigured   RunState = "configured"
	RunFailed       RunState = "failed"
	RunCancelled    RunState = "cancelled"
	RunUndone       RunState = "undone"
	RunPartlyUndone RunState = "partly-undone"
)

// Ended tells whether s is one of the ends.
func (s RunState) Ended() bool {
	return s != RunRunning && s != RunCancelling && s != RunUndoing
}

// Run is one execution of a plan on a target.
type Run struct {
	ID    string
	Batch string
	Plan  Plan
	// Rotate makes the run change a pair on a device that the plan provisioned;
	// nil for a run that provisions.
	Rotate  *Rotation
	Target  string
	State   RunState
	Started time.Time
	Ended   time.Time
	// CloudStart is the cloud's own clock at the start: proofs must be newer.
	CloudStart time.Time
	// Hub is the host name of the hub that the device belongs to, as soon as
	// it is known.
	Hub string
	// Registration is the ID that the device registers under where that is not
	// the plan's, as soon as it is known; it is found anew when a run is resumed.
	Registration string
	Steps        []StepRecord
	Outcome      Outcome
}

// RegistrationID is the ID that the device registers under with DPS.
func (r *Run) RegistrationID() string {
	if r.Registration != "" {
		return r.Registration
	}
	return r.Plan.RegistrationID()
}

// enrollmentName is the name of the enrollment or group that the run needs.
func (r *Run) enrollmentName() string {
	if r.Plan.ByGroup() {
		return r.Plan.EnrollmentName()
	}
	return r.RegistrationID()
}

// Proof tells which end confirmed the device, and how.
type Proof struct {
	Device    bool   `json:"device"`
	Cloud     bool   `json:"cloud"`
	How       string `json:"how"` // runtime | played | none
	Rehearsal bool   `json:"rehearsal"`
	Reason    string `json:"reason"`
}

// Outcome is the result of a run as commands print it.
type Outcome struct {
	Outcome RunState   `json:"outcome"`
	Changed bool       `json:"changed"`
	Proof   Proof      `json:"proof"`
	Run     string     `json:"run"`
	Device  string     `json:"device"`
	Batch   string     `json:"batch"`
	Error   *ErrorView `json:"error"`
	// Left names what an undo could not or may not remove.
	Left []string `json:"left,omitempty"`
	// Notes are things worth knowing, such as owners that were only recorded.
	Notes []string `json:"notes,omitempty"`
	// CloudWait is the part of the time that the cloud asked to wait.
	CloudWait time.Duration `json:"cloud_wait_ns,omitempty"`
}

// Event is one thing that happened in a run. State is a StepState or, with an
// empty Step, a RunState. Line carries a line for the log instead.
type Event struct {
	Run   string
	Step  string
	State string
	Time  time.Time
	Text  string
	// Wait names who is slow while a step waits: device, cloud, person.
	Wait string
}

// Journal is the memory of runs that survives a kill at any instant: a write
// has reached the disk when the call returns.
type Journal interface {
	// SaveRun writes state, outcome, end and cloud start of the run.
	SaveRun(ctx context.Context, run Run) error
	// SaveStep writes one step of the run.
	SaveStep(ctx context.Context, runID string, step StepRecord) error
	// Log appends a line to the run's log; losing the last lines is allowed.
	Log(ctx context.Context, event Event)
}
