package provisioning

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Execution is what the steps of one run, or of one preview, share. It lives
// on one goroutine.
type Execution struct {
	Ports
	Run *Run
	// Facts are set by the look step.
	Facts Facts
	// withoutRuntime tells that nothing can be applied on this machine, whose key
	// is proven all the same.
	withoutRuntime bool

	emit func(Event)
	// preview tells that nothing may be written and things may be missing.
	preview bool
	// waitsFor is the wait that was announced last.
	waitsFor string
	// locked is when this execution last set its lock on the device; zero while
	// it holds none.
	locked time.Time
	// pairs are the certificates of the device, set by the certificate step.
	pairs map[CertificateRole]Pair
	// est is the EST server of the plan, set by the certificate step.
	est estFound
	// tpm is what the TPM step read.
	tpm TPMReading
	// keyObstacle is why the device makes no keys, nil before that was asked.
	keyObstacle *string
	// takenUp tells that another process began the run and was cut.
	takenUp bool
	// keepsOld is why a rotation does not take the old pair away, "" if it does.
	keepsOld string
	// logMark is the last line of the services' journal before they took the
	// configuration, "" for none.
	logMark string
}

func newExecution(ports Ports, run *Run, emit func(Event)) *Execution {
	if emit == nil {
		emit = func(Event) {}
	}
	return &Execution{Ports: ports, Run: run, emit: emit}
}

// steps lists the steps of the plan on this machine: a root file system runs
// no commands, so nothing is applied there.
func (x *Execution) steps() []Step {
	if x.Run.Rotate != nil {
		return x.rotationSteps()
	}
	steps := []Step{lookStep{}}
	if len(x.Run.Plan.orders()) > 0 || x.Run.Plan.UsesEST() {
		steps = append(steps, certificateStep{})
	}
	if x.Run.Plan.X509.Onboard {
		steps = append(steps, onboardStep{})
	}
	if x.Run.Plan.Cell.Authentication == TPM {
		steps = append(steps, tpmStep{})
	}
	if x.Run.Plan.Cell.Provisioning == DPS {
		steps = append(steps, enrollmentStep{})
	} else {
		steps = append(steps, identityStep{})
	}
	steps = append(steps, filesStep{})
	if x.Machine.Runs() {
		steps = append(steps, applyStep{})
		if x.Run.Plan.Cell.Provisioning == DPS {
			steps = append(steps, reprovisionStep{})
		}
	}
	return append(steps, proofStep{})
}

// record is the journal's record of a step of this run; a step that has none
// yet is pending.
func (x *Execution) record(name string) StepRecord {
	for _, record := range x.Run.Steps {
		if record.Name == name {
			return record
		}
	}
	return StepRecord{Name: name, State: StepPending}
}

// acted tells whether this run has begun to act on a step, now or before it
// was killed.
func (x *Execution) acted(name string) bool { return x.record(name).Acted }

// undoRecord decodes the undo record of a step into v; without one v stays.
func (x *Execution) undoRecord(name string, v any) error {
	raw := x.record(name).Undo
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("read undo record of step %s: %w", name, err)
	}
	return nil
}

// log adds a line to the run's log.
func (x *Execution) log(step, format string, args ...any) {
	x.emit(Event{Run: x.Run.ID, Step: step, Time: x.Now(), Text: fmt.Sprintf(format, args...)})
}

// waiting says who is slow, once for each wait.
func (x *Execution) waiting(step, who string) {
	if x.waitsFor == step+who {
		return
	}
	x.waitsFor = step + who
	x.emit(Event{Run: x.Run.ID, Step: step, Time: x.Now(), Wait: who})
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// encode makes an undo record. The records are plain structs of ours, so that
// encoding cannot fail.
func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}
