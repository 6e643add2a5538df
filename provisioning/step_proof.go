package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"edgewright/provisioning/edgeconfig"
)

// How a proof was had.
const (
	ProofRuntime = "runtime"
	ProofPlayed  = "played"
	ProofNone    = "none"
)

// The proof of a running device is waited for: its services restart, pull
// their certificates and register in their own time.
const (
	proofPatience = 3 * time.Minute
	proofPoll     = 500 * time.Millisecond
)

// proofStep makes both ends agree: the device is healthy, and the cloud has
// seen it since the run began.
type proofStep struct{}

func (proofStep) Name() string { return StepProof }

// Look never finds a proof done: each run has to prove anew.
func (proofStep) Look(context.Context, *Execution) (Look, error) {
	return Look{Summary: "the device and the cloud have to agree"}, nil
}

func (s proofStep) Do(ctx context.Context, x *Execution) (Result, error) {
	x.Run.Outcome.Proof = Proof{How: ProofNone, Rehearsal: x.Cloud.Practice}
	if err := x.settleKeys(ctx); err != nil {
		return Result{}, err
	}
	act := s.played
	switch {
	case x.withoutRuntime:
		if err := x.checkOnDevice(ctx); err != nil {
			return Result{}, err
		}
	case x.Machine.Runs():
		act = s.runtime
	}
	result, err := act(ctx, x)
	return result, x.whyTPMRefused(ctx, err)
}

// Undo has nothing to do: what registering made is undone with the enrollment.
func (proofStep) Undo(context.Context, *Execution, json.RawMessage) (Undone, error) {
	return Undone{}, nil
}

// played reads back the files that lie on the device, and registers and connects
// with them as it would. A key that was born there signs there.
func (proofStep) played(ctx context.Context, x *Execution) (Result, error) {
	proof := &x.Run.Outcome.Proof
	var enrolled Pair
	var waited time.Duration
	if x.Run.Plan.UsesEST() {
		var err error
		if enrolled, waited, err = x.enrolAsDevice(ctx); err != nil {
			return Result{CloudWait: waited}, err
		}
	}
	switch plan := x.Run.Plan; {
	case plan.localCA():
		proof.Reason = reasonLocalCA
		return Result{Summary: reasonLocalCA, CloudWait: waited}, nil
	case plan.CollectedKey() != "":
		proof.Reason = reasonCollected
		return Result{Summary: reasonCollected}, nil
	}
	proof.How = ProofPlayed
	held, err := x.heldCredentials(ctx)
	if err != nil {
		return Result{CloudWait: waited}, err
	}
	if enrolled.Leaf() != nil {
		held.Pair = enrolled
	}
	closeChip, err := x.takeChip(ctx, &held)
	if err != nil {
		return Result{CloudWait: waited}, err
	}
	defer closeChip()
	hub, deviceID := held.Hub, held.DeviceID
	if held.RegistrationID != "" {
		x.waiting(StepProof, "DPS")
		registration, err := x.Player.Register(ctx, held, func(d time.Duration) {
			waited += d
			x.waiting(StepProof, fmt.Sprintf("DPS, which asks to wait %s", d.Round(100*time.Millisecond)))
		})
		if err != nil {
			return Result{CloudWait: waited}, fmt.Errorf("register %s: %w", held.RegistrationID, err)
		}
		hub, deviceID = registration.Hub, registration.DeviceID
		x.log(StepProof, "DPS assigned %s to %s", deviceID, hub)
		release, err := held.takeHubKey(ctx, registration)
		if err != nil {
			return Result{CloudWait: waited}, err
		}
		defer release()
	}
	if deviceID != x.Run.Plan.Device.ID {
		return Result{CloudWait: waited}, &Error{Kind: ErrUnproven, Message: fmt.Sprintf("DPS made a device %s, not %s.", deviceID, x.Run.Plan.Device.ID),
			Hint: "Look at the device ID of the enrollment."}
	}
	if err := x.Player.Connect(ctx, hub, deviceID, held); err != nil {
		return Result{CloudWait: waited}, fmt.Errorf("connect %s to %s: %w", deviceID, hub, err)
	}
	proof.Device = true
	if err := x.seenByCloud(ctx); err != nil {
		return Result{CloudWait: waited}, err
	}
	proof.Cloud = true
	return Result{Summary: "both ends agree", CloudWait: waited}, nil
}

// runtime waits until the services are good and the decisive checks pass, and
// until the cloud has seen the device.
func (s proofStep) runtime(ctx context.Context, x *Execution) (Result, error) {
	proof := &x.Run.Outcome.Proof
	proof.How = ProofRuntime
	ctx, cancel := context.WithTimeoutCause(ctx, proofPatience, ErrUnproven)
	defer cancel()

	if err := x.poll(ctx, "the device starting its services", x.healthy); err != nil {
		return Result{}, x.whyDown(ctx, err)
	}
	checked, err := s.checks(ctx, x)
	if err != nil {
		return Result{}, err
	}
	proof.Device = true
	var kept Sign
	if !x.changedDevice() {
		sign, release, err := x.keptKey(ctx)
		defer release()
		if err != nil {
			return Result{}, err
		}
		kept = sign
	}
	if !x.changedDevice() && (x.Run.Plan.IssuedOnDevice() || x.Run.Plan.Cell.Authentication == TPM && kept == nil) {
		if proof.Cloud, err = x.seenWithoutCall(ctx); err != nil || proof.Cloud {
			return Result{Summary: "both ends agree; " + checked}, err
		}
		proof.Reason = reasonUnchanged
		return Result{Summary: reasonUnchanged + "; " + checked}, nil
	}
	if !x.changedDevice() {
		// Nothing was restarted, so nothing made the runtime call. The cloud is
		// asked with the device's own key instead, read back from the device.
		if err := x.connectAsHeld(ctx, kept); err != nil {
			return Result{}, err
		}
		proof.Reason = "nothing had to change; the cloud was called with the key that lies on the device"
	}
	if err := x.poll(ctx, "the device calling the cloud", x.seenByCloud); err != nil {
		return Result{}, err
	}
	proof.Cloud = true
	return Result{Summary: "both ends agree; " + checked}, nil
}

// poll repeats try until it gives nil or something that waiting cannot mend.
func (x *Execution) poll(ctx context.Context, waitingFor string, try func(context.Context) error) error {
	for {
		err := try(ctx)
		if err == nil || !errors.Is(err, ErrUnproven) {
			return err
		}
		x.waiting(StepProof, waitingFor)
		if pause(ctx, proofPoll) != nil {
			if errors.Is(context.Cause(ctx), ErrUnproven) {
				return err
			}
			return ctx.Err()
		}
	}
}

// healthy asks the services and the module list once.
func (x *Execution) healthy(ctx context.Context) error {
	status, err := x.Machine.Act(ctx, ActStatus, nil)
	if err != nil {
		return fmt.Errorf("ask for the services: %w", err)
	}
	found := parseStatus(status.Stdout)
	if !found.good() {
		if err := x.refusedByEST(ctx); err != nil {
			return err
		}
		return &Error{Kind: ErrUnproven, Message: "The services of IoT Edge do not all run.",
			Hint: "Read `iotedge system logs` on the device.", Err: errors.New(strings.TrimSpace(status.Stdout + status.Stderr))}
	}
	if found["aziot-identityd"] != "Running" {
		return &Error{Kind: ErrUnproven, Message: "The identity service does not run.", Hint: "Read `iotedge system logs` on the device.",
			Err: errors.New(strings.TrimSpace(status.Stdout))}
	}
	modules, err := x.Machine.Act(ctx, ActModules, nil)
	if err != nil {
		return fmt.Errorf("ask for the modules: %w", err)
	}
	if modules.Exit != 0 {
		return &Error{Kind: ErrUnproven, Message: "IoT Edge does not answer: " + lastLine(modules) + ".",
			Hint: "Read `iotedge system logs` on the device.", Err: errors.New(strings.TrimSpace(modules.Stderr))}
	}
	return nil
}

// decisiveChecks are the checks of `iotedge check` that a device without a
// deployment passes; the others are shown and do not decide.
var decisiveChecks = map[string]bool{
	"keyd-config-well-formed": true, "certd-config-well-formed": true, "tpmd-config-well-formed": true,
	"identityd-config-well-formed": true, "aziot-edged-config-well-formed": true,
	"certs-preloaded": true, "certs-match-private-keys": true, "key-pairs-read": true, "identity-certificate-expiry": true,
	"keyd-running": true, "certd-running": true, "identityd-running": true,
	"hostname": true, "host-connect-dps-endpoint": true, "host-connect-iothub-https": true,
	"container-engine-uri": true, "connect-management-uri": true,
}

// checkReport is the part of `iotedge check --output json` that is read.
// Source: the result word is nested twice.
type checkReport struct {
	Checks map[string]struct {
		Result struct {
			Result  string   `json:"result"`
			Details []string `json:"details"`
		} `json:"result"`
	} `json:"checks"`
}

func (proofStep) checks(ctx context.Context, x *Execution) (summary string, err error) {
	x.waiting(StepProof, "the device checking itself")
	out, err := x.Machine.Act(ctx, ActCheck, nil)
	if err != nil {
		return "", fmt.Errorf("iotedge check: %w", err)
	}
	var report checkReport
	if err := json.Unmarshal([]byte(out.Stdout), &report); err != nil {
		return "", &Error{Kind: ErrUnproven, Message: "The answer of `iotedge check` does not read.",
			Hint: "Run it on the device and look.", Err: fmt.Errorf("%w: %s", err, lastLine(out))}
	}
	passed := 0
	for name, check := range report.Checks {
		result := check.Result
		if result.Result == "ok" {
			passed++
			continue
		}
		if result.Result == "error" || result.Result == "fatal" || result.Result == "warning" {
			x.log(StepProof, "check %s: %s: %s", name, result.Result, strings.Join(result.Details, ": "))
		}
		if decisiveChecks[name] && (result.Result == "error" || result.Result == "fatal") {
			return "", &Error{Kind: ErrUnproven, Message: fmt.Sprintf("The device's check %s fails: %s.", name, strings.TrimRight(strings.Join(result.Details, ": "), ".")),
				Hint: "Mend that on the device and try again."}
		}
	}
	return fmt.Sprintf("%d of %d checks", passed, len(report.Checks)), nil
}

// changedDevice tells whether this run made the runtime start anew.
func (x *Execution) changedDevice() bool { return x.acted(StepApply) || x.acted(StepReprovision) }

// seenByCloud asks the cloud whether it has seen the device since the run
// began. Times are compared by the cloud's own clock, which counts in whole
// seconds in its Date header.
func (x *Execution) seenByCloud(ctx context.Context) error {
	plan := x.Run.Plan
	start := x.Run.CloudStart.Truncate(time.Second)
	if plan.Cell.Provisioning == DPS {
		registration, err := x.Cloud.DPS.Registration(ctx, x.Run.RegistrationID())
		if errors.Is(err, ErrNotFound) {
			return unseen("DPS has no registration of " + x.Run.RegistrationID() + ".")
		}
		if err != nil {
			return fmt.Errorf("ask DPS for %s: %w", x.Run.RegistrationID(), err)
		}
		if registration.Status != "assigned" {
			return unseen("DPS reports " + x.Run.RegistrationID() + " as " + registration.Status + ".")
		}
		x.Run.Hub = registration.Hub
		if !registration.Updated.Before(start) {
			return nil
		}
		if !x.changedDevice() && x.Machine.Runs() {
			return x.seenByHub(ctx, start)
		}
		return unseen("DPS has not seen " + x.Run.RegistrationID() + " since the run began.")
	}
	return x.seenByHub(ctx, start)
}

func (x *Execution) seenByHub(ctx context.Context, start time.Time) error {
	id := x.Run.Plan.Device.ID
	if x.Cloud.Hub == nil {
		return nil // an assigned registration and an accepted call are all that can be asked
	}
	activity, err := x.Cloud.Hub.Activity(ctx, id)
	if err != nil {
		return fmt.Errorf("ask the hub for %s: %w", id, err)
	}
	if activity.Latest().Before(start) {
		return unseen("The hub has not seen " + id + " since the run began.")
	}
	return nil
}

func unseen(message string) error {
	return &Error{Kind: ErrUnproven, Message: message, Hint: "Look whether the device reaches the cloud, and read `iotedge system logs` there."}
}

// connectAsHeld calls the hub with the credentials that lie on the device; sign
// is the key of a TPM, nil for none.
func (x *Execution) connectAsHeld(ctx context.Context, sign Sign) error {
	held, err := x.heldCredentials(ctx)
	if err != nil {
		return err
	}
	held.Sign = sign
	hub, deviceID := held.Hub, held.DeviceID
	if held.RegistrationID != "" {
		registration, err := x.Cloud.DPS.Registration(ctx, held.RegistrationID)
		if err != nil {
			return fmt.Errorf("ask DPS for %s: %w", held.RegistrationID, err)
		}
		hub, deviceID = registration.Hub, registration.DeviceID
	}
	return x.Player.Connect(ctx, hub, deviceID, held)
}

// heldCredentials reads back what lies on the device.
func (x *Execution) heldCredentials(ctx context.Context) (Credentials, error) {
	file, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return Credentials{}, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	config, err := edgeconfig.Read(file.Data.Reveal())
	if err != nil {
		return Credentials{}, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	p := config.Provisioning
	var pair Pair
	if x.Run.Plan.Cell.Authentication == X509 && !x.Run.Plan.IssuedOnDevice() {
		var found bool
		if pair, found, err = x.readHeld(ctx, RoleIdentity); err != nil {
			return Credentials{}, err
		}
		if !found {
			return Credentials{}, &Error{Kind: ErrUnproven, Message: "The certificate and key that config.toml names do not read.", Hint: "Provision the device again."}
		}
	}
	if p.Source == edgeconfig.SourceDPS {
		return Credentials{Endpoint: p.GlobalEndpoint, IDScope: p.IDScope, RegistrationID: p.Attestation.RegistrationID,
			Key: p.Attestation.SymmetricKey, Pair: pair}, nil
	}
	return Credentials{Hub: p.HubHostname, DeviceID: p.DeviceID, Key: p.DeviceKey, Pair: pair}, nil
}
