package provisioning

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"edgewright/provisioning/edgeconfig"
)

// applyStep makes the runtime take the configuration.
type applyStep struct{}

func (applyStep) Name() string { return StepApply }

func (applyStep) Look(ctx context.Context, x *Execution) (Look, error) {
	if x.withoutRuntime {
		return Look{Done: true, Summary: reasonNoRuntime}, nil
	}
	pending := Look{Summary: "the runtime has an older configuration", Undo: json.RawMessage(`{}`)}
	if x.takenUp && x.acted(StepApply) {
		// A practice cloud that was killed with the run may not know any more
		// that the runtime called; only a runtime that starts anew calls again.
		pending.Summary = "the run was cut; the runtime has to call again"
		return pending, nil
	}
	if x.record(StepFiles).State == StepDone && x.record(StepApply).State != StepDone {
		return pending, nil
	}
	config, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return Look{}, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	super, err := x.Machine.Read(ctx, superPath)
	if err != nil {
		return Look{}, fmt.Errorf("read %s: %w", superPath, err)
	}
	if !super.Exists || super.Modified.Before(config.Modified) {
		return pending, nil
	}
	status, err := x.Machine.Act(ctx, ActStatus, nil)
	if err != nil {
		return Look{}, fmt.Errorf("ask for the services: %w", err)
	}
	if services := parseStatus(status.Stdout); !services.good() {
		return pending, nil
	}
	return Look{Done: true, Summary: "applied already"}, nil
}

func (applyStep) Do(ctx context.Context, x *Execution) (Result, error) {
	if err := x.checkOnDevice(ctx); err != nil {
		return Result{}, err
	}
	if x.reaches() {
		x.waiting(StepApply, "the device learning to trust the practice cloud")
		if _, err := x.act(ctx, StepApply, ActAddTrust); err != nil {
			return Result{}, err
		}
	}
	x.markLog(ctx)
	x.waiting(StepApply, "the device restarting its services")
	if _, err := x.act(ctx, StepApply, ActConfigApply); err != nil {
		return Result{}, err
	}
	return Result{Summary: "configuration taken, services restarted"}, nil
}

// Undo has nothing to do: the undo of the files step applies what was before.
func (applyStep) Undo(context.Context, *Execution, json.RawMessage) (Undone, error) {
	return Undone{}, nil
}

func (applyStep) Preview(_ context.Context, x *Execution, p *Preview) error {
	if !p.Changed() || x.withoutRuntime {
		return nil
	}
	if x.reaches() {
		p.Actions = append(p.Actions, actionTitles[ActAddTrust])
	}
	p.Actions = append(p.Actions, "iotedge config apply")
	return nil
}

// reprovisionStep makes a runtime that had another registration give it up;
// without it identityd keeps its old identity whatever config.toml says.
type reprovisionStep struct{}

func (reprovisionStep) Name() string { return StepReprovision }

func (reprovisionStep) Look(_ context.Context, x *Execution) (Look, error) {
	if x.withoutRuntime {
		return Look{Done: true, Summary: reasonNoRuntime}, nil
	}
	var files filesUndo
	if err := x.undoRecord(StepFiles, &files); err != nil {
		return Look{}, err
	}
	if x.record(StepReprovision).State == StepDone {
		return Look{Done: true, Summary: "registered anew"}, nil
	}
	if !x.acted(StepFiles) || !files.Configured || files.DPSBefore == x.dpsWanted() {
		return Look{Done: true, Summary: "not needed"}, nil
	}
	return Look{Summary: "the runtime has another registration", Undo: json.RawMessage(`{}`)}, nil
}

func (reprovisionStep) Do(ctx context.Context, x *Execution) (Result, error) {
	x.waiting(StepReprovision, "the device registering anew")
	if _, err := x.act(ctx, StepReprovision, ActReprovision); err != nil {
		return Result{}, err
	}
	return Result{Summary: "registered anew"}, nil
}

// Undo has nothing to do: the undo of the files step reprovisions if needed.
func (reprovisionStep) Undo(context.Context, *Execution, json.RawMessage) (Undone, error) {
	return Undone{}, nil
}

// dpsWanted is what dpsIdentity gives for the plan's own configuration.
func (x *Execution) dpsWanted() string {
	plan := x.Run.Plan
	method := attestationMethods[plan.Cell.Authentication]
	if plan.IssuedOnDevice() {
		method += "/" + plan.issuedIdentity().Method
	}
	return strings.Join([]string{x.Cloud.DPS.Endpoint(), x.Cloud.DPS.IDScope(), method, x.Run.RegistrationID()}, " ")
}

// attestationMethods are the words of config.toml.
var attestationMethods = map[Authentication]string{SymmetricKey: edgeconfig.MethodSymmetricKey, X509: edgeconfig.MethodX509, TPM: edgeconfig.MethodTPM}

// act runs an action and makes an error of an exit code other than 0.
func (x *Execution) act(ctx context.Context, step string, action Action) (Output, error) {
	x.log(step, "%s", actionTitles[action])
	out, err := x.Machine.Act(ctx, action, func(line string) { x.log(step, "%s", line) })
	if err != nil {
		return out, fmt.Errorf("%s: %w", actionTitles[action], err)
	}
	if out.Exit != 0 {
		return out, &Error{Kind: ErrRefused, Message: "The device refused " + actionTitles[action] + ": " + lastLine(out) + ".",
			Hint: actionHint(out), Err: fmt.Errorf("exit %d: %s", out.Exit, strings.TrimSpace(out.Stderr))}
	}
	return out, nil
}

// actionTitles are the commands as a technician knows them.
var actionTitles = map[Action]string{
	ActConfigApply:     "iotedge config apply",
	ActReprovision:     "iotedge system reprovision",
	ActStatus:          "iotedge system status",
	ActStop:            "iotedge system stop",
	ActModules:         "iotedge list",
	ActCheck:           "iotedge check",
	ActLogs:            "iotedge system logs",
	ActAddTrust:        "adding the practice CA to the system's certificates",
	ActRefreshTrust:    "update-ca-certificates",
	ActRemoveGenerated: "removing the generated configuration",
}

func lastLine(out Output) string {
	text := strings.TrimSpace(out.Stderr)
	if text == "" {
		text = strings.TrimSpace(out.Stdout)
	}
	lines := strings.Split(text, "\n")
	return strings.TrimRight(strings.TrimSpace(lines[len(lines)-1]), ".")
}

// actionHint knows the messages of `iotedge config apply` that have a remedy.
func actionHint(out Output) string {
	text := out.Stdout + out.Stderr
	hints := []struct{ part, hint string }{
		{"because the hostname", "The host name changed while module containers exist. Run `iotedge system stop`, remove the containers, and try again."},
		{"user information", "The IoT Edge packages are not installed completely. Install aziot-edge and try again."},
		{"did not match any variant", "A table of config.toml has a field that is missing or wrong. `edgewright config lint` names it."},
		{"Docker", "The container engine does not answer. Start it and try again."},
		{"docker", "The container engine does not answer. Start it and try again."},
	}
	for _, known := range hints {
		if strings.Contains(text, known.part) {
			return known.hint
		}
	}
	return "Read the details; the device says what it did not like."
}

// services are the lines of `iotedge system status`, by name.
type services map[string]string

// parseStatus reads the output of `iotedge system status`: a line per service,
// its name padded and then Running, Ready or "Down - STATE".
func parseStatus(text string) services {
	found := services{}
	for line := range strings.SplitSeq(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) >= 2 && strings.HasPrefix(fields[0], "aziot-") {
			found[fields[0]] = fields[1]
		}
	}
	return found
}

// good tells whether IoT Edge runs: edged itself is running, and the others run
// or are ready to be started by their sockets.
func (s services) good() bool {
	if s["aziot-edged"] != "Running" {
		return false
	}
	for _, state := range s {
		if state != "Running" && state != "Ready" {
			return false
		}
	}
	return true
}
