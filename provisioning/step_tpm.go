package provisioning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"edgewright/provisioning/finding"
)

// tpmStep reads the TPM, or finds the key that was collected from it. It
// changes nothing, and it settles the ID that the device registers under.
type tpmStep struct{}

func (tpmStep) Name() string { return StepTPM }

func (tpmStep) Look(ctx context.Context, x *Execution) (Look, error) {
	if err := x.readTPM(ctx); err != nil {
		return Look{}, err
	}
	if err := x.serviceMayUseTPM(ctx); err != nil {
		return Look{}, err
	}
	for _, f := range x.tpm.Findings {
		x.log(StepTPM, "%s: %s", f.Level, f.Problem)
		if f.Level == finding.Error {
			return Look{}, &Error{Kind: ErrRefused, Message: f.Problem, Hint: f.Fix, Field: f.Field}
		}
	}
	return Look{Done: true, Summary: x.tpm.Summary}, nil
}

func (tpmStep) Do(context.Context, *Execution) (Result, error) { return Result{}, nil }

func (tpmStep) Undo(context.Context, *Execution, json.RawMessage) (Undone, error) {
	return Undone{}, nil
}

// Preview shows the keys. A TPM that cannot be read ends it: what follows goes
// by its key.
func (tpmStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	if err := p.addRefusal("tpm", x.readTPM(ctx)); err != nil {
		return err
	}
	p.TPM = &TPMShown{Summary: x.tpm.Summary, EndorsementKey: x.tpm.Key.Hex, RegistrationID: x.Run.RegistrationID(),
		Template: x.tpm.Template, Certificate: x.tpm.Certificate}
	p.Findings = append(p.Findings, x.tpm.Findings...)
	if err := p.addRefusal("tpm", x.serviceMayUseTPM(ctx)); !errors.Is(err, errPreviewEnds) {
		return err
	}
	return nil
}

// addRefusal makes a finding of what a run would be refused for, and then ends
// the preview; other failures stay what they are.
func (p *Preview) addRefusal(field string, err error) error {
	var refused *Error
	if !errors.As(err, &refused) || errors.Is(err, ErrLocked) || errors.Is(err, ErrUnreachable) {
		return err
	}
	if refused.Field != "" {
		field = refused.Field
	}
	p.Findings.Add(finding.Error, field, refused.Message, refused.Hint)
	return errPreviewEnds
}

func (x *Execution) readTPM(ctx context.Context) error {
	plan := x.Run.Plan
	if id := plan.CollectedKey(); id != "" {
		key, err := x.TPMs.Collected(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return &Error{Kind: ErrNotFound, Message: "The catalog has no endorsement key " + id + ".", Field: "tpm.endorsement_key",
				Hint: "Look at `edgewright tpm list`, or collect the key from the device.", Err: err}
		}
		if err != nil {
			return fmt.Errorf("find endorsement key %s: %w", id, err)
		}
		x.tpm = TPMReading{Summary: "the endorsement key was collected before; no TPM is opened", Key: key}
		return x.settleRegistrationID()
	}
	chip, err := x.TPMs.Open(ctx, plan.TPM)
	if err != nil {
		return fmt.Errorf("open the TPM: %w", err)
	}
	defer func() { _ = chip.Close() }()
	if x.tpm, err = chip.Read(ctx); err != nil {
		return fmt.Errorf("read the TPM: %w", err)
	}
	return x.settleRegistrationID()
}

// settleRegistrationID makes the ID from the endorsement key where the plan
// says so.
func (x *Execution) settleRegistrationID() error {
	switch x.Run.Plan.TPM.RegistrationID {
	case RegisterAsBase32:
		x.Run.Registration = x.tpm.Key.Base32
	case RegisterAsHex:
		x.Run.Registration = x.tpm.Key.Hex
	default:
		x.Run.Registration = x.Run.Plan.RegistrationID()
	}
	if err := CheckDeviceID(x.Run.Registration, x.Run.Plan.Cell); err != nil {
		return &Error{Kind: ErrInvalid, Message: sentence(err), Hint: "Change tpm.registration_id.", Field: "tpm.registration_id"}
	}
	return nil
}

// tpmUser is the user of the runtime's TPM service.
const tpmUser = "aziottpm"

// tpmNodes are the device nodes in the order in which the service takes them:
// that of the kernel's resource manager, and the chip's own, which only one
// program at a time may open.
var tpmNodes = []string{"/dev/tpmrm0", "/dev/tpm0"}

// serviceMayUseTPM asks the device whether the TPM service of the runtime may
// open the node that it will take. A disk has no nodes, and a software TPM is
// not reached by one.
func (x *Execution) serviceMayUseTPM(ctx context.Context) error {
	if !x.Machine.Runs() || SoftwareTPM(x.Run.Plan.TPM.At) {
		return nil
	}
	nodes := tpmNodes
	switch kind, node, _ := strings.Cut(x.Run.Plan.TPM.TCTI, ":"); {
	case kind != tctiDevice && kind != "":
		return nil
	case node != "":
		nodes = []string{node}
	}
	for _, node := range nodes {
		err := x.Machine.MayUse(ctx, tpmUser, node)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrNotFound):
			continue
		case errors.Is(err, fs.ErrPermission):
			return &Error{Kind: ErrRefused, Field: "tpm.at", Message: fmt.Sprintf("The user %s of the runtime's TPM service may not open %s.", tpmUser, node), Err: err,
				Hint: "Write to /etc/udev/rules.d/tpmaccess.rules the lines KERNEL==\"tpm0\", SUBSYSTEM==\"tpm\", OWNER=\"aziottpm\", MODE=\"0660\" and KERNEL==\"tpmrm0\", SUBSYSTEM==\"tpmrm\", OWNER=\"aziottpm\", MODE=\"0660\", run `udevadm trigger --subsystem-match=tpm --subsystem-match=tpmrm`, and try again. Nothing was changed."}
		}
		return fmt.Errorf("ask whether %s may open %s: %w", tpmUser, node, err)
	}
	return &Error{Kind: ErrRefused, Field: "tpm.at", Message: "The device has no node of a TPM: " + strings.Join(nodes, " and ") + " are missing.",
		Hint: "Switch the TPM on in the firmware's setup, load its kernel driver, or name the node in tpm.tcti (device:/dev/tpm1)."}
}
