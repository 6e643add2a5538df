package provisioning

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// secondaryStep makes the cloud know the new certificate of an identity beside
// the one in use, so that neither is refused while they change places.
type secondaryStep struct{}

// bothKnown is what the cloud knew before, and the two certificates (DER).
type bothKnown struct {
	Old []byte `json:"old"`
	New []byte `json:"new"`
	// Hub are the thumbprints that the hub had; none where it knows the device
	// by a CA, or cannot be asked.
	Hub []string `json:"hub,omitempty"`
	// Enrolled tells that an individual enrollment names the certificate.
	Enrolled bool `json:"enrolled,omitempty"`
}

func (secondaryStep) Name() string { return StepSecondary }

func (secondaryStep) Look(ctx context.Context, x *Execution) (Look, error) {
	known, err := x.cloudKnew(ctx)
	if err != nil {
		return Look{}, err
	}
	if len(known.Hub) == 0 && !known.Enrolled {
		return Look{Done: true, Summary: "the cloud knows the device by its CA"}, nil
	}
	look := Look{Summary: "the new certificate is not known yet", Undo: encode(known)}
	if x.preview {
		return look, nil
	}
	newer, err := x.cloudNames(ctx, known, known.New)
	if err != nil {
		return Look{}, err
	}
	older, err := x.cloudNames(ctx, known, known.Old)
	if err != nil {
		return Look{}, err
	}
	// Once the device uses the new pair, the cloud may have dropped the old one.
	if newer && (older || x.acted(StepFiles)) {
		look.Done, look.Summary = true, "both certificates are known"
	}
	return look, nil
}

// cloudKnew is the journal's record, or what the cloud knows now.
func (x *Execution) cloudKnew(ctx context.Context) (bothKnown, error) {
	var knew bothKnown
	if err := x.undoRecord(StepSecondary, &knew); err != nil || len(knew.Old) > 0 {
		return knew, err
	}
	before, err := x.rotatedBefore()
	if err != nil {
		return knew, err
	}
	knew.Old = before.Old[RoleIdentity].Leaf
	old, err := before.Old[RoleIdentity].leaf()
	if err != nil {
		return knew, err
	}
	if leaf := x.pairOf(RoleIdentity).Leaf(); leaf != nil {
		knew.New = leaf.Raw
	}
	plan := x.Run.Plan
	if x.Cloud.Hub == nil && plan.Cell.Provisioning == Manual {
		return knew, noHub(x.Cloud.Name)
	}
	if x.Cloud.Hub != nil {
		found, err := x.Cloud.Hub.Identity(ctx, plan.Device.ID)
		if err != nil && !(errors.Is(err, ErrNotFound) && plan.Cell.Provisioning == DPS) {
			return knew, fmt.Errorf("look for device %s in %s: %w", plan.Device.ID, x.Cloud.Hub.Host(), err)
		}
		if err == nil && found.Authentication == authSelfSigned {
			if known(found.Thumbprints, old) == "" {
				return knew, &Error{Kind: ErrConflict, Message: "The hub does not know the certificate that is on " + plan.Device.ID + ".",
					Hint: "Mend the device in the cloud, or provision it again."}
			}
			knew.Hub = found.Thumbprints
		}
	}
	if plan.Cell.Provisioning == DPS && !plan.ByGroup() {
		knew.Enrolled = true
		found, err := x.Cloud.DPS.Enrollment(ctx, false, x.Run.enrollmentName())
		if err != nil {
			return knew, fmt.Errorf("look for %s: %w", x.enrollmentTitle(), err)
		}
		if len(found.Thumbprints) != 1 || known(found.Thumbprints, old) == "" {
			return knew, &Error{Kind: ErrConflict, Message: "The " + x.enrollmentTitle() + " knows other certificates than the one on the device.",
				Hint: "Leave it with that one alone, as its primary certificate, and try again."}
		}
	}
	return knew, nil
}

// cloudNames tells whether everything that names a certificate of the device
// names this one, given as DER.
func (x *Execution) cloudNames(ctx context.Context, knew bothKnown, der []byte) (bool, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return false, fmt.Errorf("read a certificate of the journal: %w", err)
	}
	if len(knew.Hub) > 0 {
		found, err := x.Cloud.Hub.Identity(ctx, x.Run.Plan.Device.ID)
		if err != nil {
			return false, fmt.Errorf("look for device %s: %w", x.Run.Plan.Device.ID, err)
		}
		if known(found.Thumbprints, cert) == "" {
			return false, nil
		}
	}
	if knew.Enrolled {
		found, err := x.Cloud.DPS.Enrollment(ctx, false, x.Run.enrollmentName())
		if err != nil {
			return false, fmt.Errorf("look for %s: %w", x.enrollmentTitle(), err)
		}
		return slices.Contains(found.Thumbprints, pki.SHA256(cert)), nil
	}
	return true, nil
}

func (secondaryStep) Do(ctx context.Context, x *Execution) (Result, error) {
	knew, err := x.cloudKnew(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := x.letBothIn(ctx, knew); err != nil {
		return Result{}, err
	}
	return Result{Summary: "the new certificate is known as secondary, the one in use stays"}, nil
}

// letBothIn makes the cloud accept both certificates, the old one first.
func (x *Execution) letBothIn(ctx context.Context, knew bothKnown) error {
	old, err := x509.ParseCertificate(knew.Old)
	if err != nil {
		return fmt.Errorf("read the former certificate in the journal: %w", err)
	}
	fresh, err := x509.ParseCertificate(knew.New)
	if err != nil {
		return fmt.Errorf("read the new certificate in the journal: %w", err)
	}
	if knew.Enrolled {
		if err := x.Cloud.DPS.SetCertificates(ctx, x.Run.enrollmentName(), old, fresh); err != nil {
			return fmt.Errorf("write %s: %w", x.enrollmentTitle(), err)
		}
	}
	if len(knew.Hub) > 0 {
		return x.setThumbprints(ctx, known(knew.Hub, old), x.Run.Plan.hash()(fresh))
	}
	return nil
}

func (x *Execution) setThumbprints(ctx context.Context, primary, secondary string) error {
	if err := x.Cloud.Hub.SetThumbprints(ctx, x.Run.Plan.Device.ID, primary, secondary); err != nil {
		return fmt.Errorf("write the thumbprints of %s: %w", x.Run.Plan.Device.ID, err)
	}
	return nil
}

// letBackIn makes the cloud accept the old certificate again before the device
// gets it back.
func (x *Execution) letBackIn(ctx context.Context) error {
	var knew bothKnown
	if err := x.undoRecord(StepSecondary, &knew); err != nil || len(knew.Old) == 0 || !x.acted(StepSecondary) {
		return err
	}
	return x.letBothIn(ctx, knew)
}

// Undo leaves the cloud as it was: by now the device has its old pair again.
func (secondaryStep) Undo(ctx context.Context, x *Execution, record json.RawMessage) (Undone, error) {
	var knew bothKnown
	if err := json.Unmarshal(record, &knew); err != nil {
		return Undone{}, fmt.Errorf("read undo record: %w", err)
	}
	if knew.Enrolled {
		old, err := x509.ParseCertificate(knew.Old)
		if err != nil {
			return Undone{}, fmt.Errorf("read the former certificate in the journal: %w", err)
		}
		if err := x.Cloud.DPS.SetCertificates(ctx, x.Run.enrollmentName(), old, nil); err != nil {
			return Undone{}, fmt.Errorf("write %s: %w", x.enrollmentTitle(), err)
		}
	}
	if len(knew.Hub) == 2 {
		if err := x.setThumbprints(ctx, knew.Hub[0], knew.Hub[1]); err != nil {
			return Undone{}, err
		}
	}
	return Undone{Summary: "the cloud knows the former certificates only"}, nil
}

func (s secondaryStep) Preview(ctx context.Context, x *Execution, p *Preview) error {
	look, err := s.Look(ctx, x)
	if x.Cloud.Hub == nil && x.Run.Plan.Cell.Provisioning == DPS {
		p.Findings.Add(finding.Care, "cloud", "The cloud "+x.Cloud.Name+" holds no connection of the hub that DPS chose. The hub cannot be told the new certificate beforehand nor asked which one it knows: "+
			"it may refuse the device until that has registered anew, the proof is the registration and a call that the hub accepts, and undo leaves it to the device to bring the former certificate back.",
			"Add the hub's connection with `edgewright clouds add "+x.Cloud.Name+" --hub`, or go on where such a pause does no harm.")
	}
	what := "device " + x.Run.Plan.Device.ID
	if x.Run.Plan.Cell.Provisioning == DPS {
		what = x.enrollmentTitle()
	}
	if err != nil || look.Done {
		return p.addCloud(what, look, err)
	}
	p.Cloud = append(p.Cloud, Write{what, WriteChange, "the new certificate becomes known as secondary; the old one goes when the new one is proven"})
	return nil
}
