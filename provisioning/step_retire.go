package provisioning

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strings"
)

// retireStep takes the old pair away, from the cloud and from the device, now
// that the new one is proven.
type retireStep struct{}

func (retireStep) Name() string { return StepRetire }

func (retireStep) Look(ctx context.Context, x *Execution) (Look, error) {
	if x.keepsOld != "" {
		return Look{Done: true, Summary: x.keepsOld}, nil
	}
	files, err := x.oldFiles()
	if err != nil {
		return Look{}, err
	}
	gone, err := x.Machine.Same(ctx, files)
	if err != nil {
		return Look{}, fmt.Errorf("compare files: %w", err)
	}
	cloud, err := x.cloudForgot(ctx)
	if err != nil {
		return Look{}, err
	}
	if gone && cloud && x.acted(StepRetire) {
		return Look{Done: true, Summary: "the old pair is gone", Undo: json.RawMessage(`{}`)}, nil
	}
	return Look{Summary: "the old pair is still there", Undo: json.RawMessage(`{}`)}, nil
}

// oldFiles are the removals of the old pairs, where they lie in Edgewright's
// folders; what lies elsewhere stays.
func (x *Execution) oldFiles() ([]File, error) {
	before, err := x.rotatedBefore()
	if err != nil {
		return nil, err
	}
	var files []File
	for _, order := range x.Run.Rotate.orders(x.Run.Plan) {
		old, ok := before.Old[order.Role]
		if !ok {
			continue
		}
		for path, folder := range map[string]string{old.Certificate: certificateFolder, old.Key: keyFolder} {
			if path == x.pairOf(order.Role).KeyPath {
				continue // it stays in use
			}
			if strings.HasPrefix(path, folder) {
				files = append(files, File{Path: path, Remove: true})
				continue
			}
			x.Run.Outcome.note(path + " stays: it lies outside of the folders that Edgewright uses.")
		}
	}
	return files, nil
}

// cloudForgot tells whether the cloud names the old certificate no more.
func (x *Execution) cloudForgot(ctx context.Context) (bool, error) {
	var knew bothKnown
	if err := x.undoRecord(StepSecondary, &knew); err != nil || len(knew.Old) == 0 {
		return true, err
	}
	old, err := x509.ParseCertificate(knew.Old)
	if err != nil {
		return false, fmt.Errorf("read the former certificate in the journal: %w", err)
	}
	if len(knew.Hub) > 0 {
		found, err := x.Cloud.Hub.Identity(ctx, x.Run.Plan.Device.ID)
		if err != nil {
			return false, fmt.Errorf("look for device %s: %w", x.Run.Plan.Device.ID, err)
		}
		if known(found.Thumbprints, old) != "" {
			return false, nil
		}
	}
	if knew.Enrolled {
		found, err := x.Cloud.DPS.Enrollment(ctx, false, x.Run.enrollmentName())
		if err != nil {
			return false, fmt.Errorf("look for %s: %w", x.enrollmentTitle(), err)
		}
		return known(found.Thumbprints, old) == "", nil
	}
	return true, nil
}

func (retireStep) Do(ctx context.Context, x *Execution) (Result, error) {
	var knew bothKnown
	if err := x.undoRecord(StepSecondary, &knew); err != nil {
		return Result{}, err
	}
	leaf := x.pairOf(RoleIdentity).Leaf()
	if knew.Enrolled {
		if err := x.Cloud.DPS.SetCertificates(ctx, x.Run.enrollmentName(), leaf, nil); err != nil {
			return Result{}, fmt.Errorf("write %s: %w", x.enrollmentTitle(), err)
		}
	}
	if len(knew.Hub) > 0 {
		spare := x.pairOf(RoleSpare).Leaf()
		if spare == nil {
			spare = leaf
		}
		hash := x.Run.Plan.hash()
		if err := x.setThumbprints(ctx, hash(leaf), hash(spare)); err != nil {
			return Result{}, err
		}
	}
	err := x.eachOld(func(role CertificateRole, old *x509.Certificate) error {
		return x.Certificates.Supersede(ctx, x.Run.ID, role, old)
	})
	if err != nil {
		return Result{}, err
	}
	files, err := x.oldFiles()
	if err != nil {
		return Result{}, err
	}
	// In the same set as the new files, so that undo brings all of them back.
	if _, err := x.Machine.Place(ctx, x.Run.ID, files); err != nil {
		return Result{}, fmt.Errorf("remove the old pair: %w", err)
	}
	return Result{Summary: "the old pair is gone; it is kept for undo"}, nil
}

// eachOld calls do for each certificate that is to go.
func (x *Execution) eachOld(do func(CertificateRole, *x509.Certificate) error) error {
	before, err := x.rotatedBefore()
	if err != nil {
		return err
	}
	for role, files := range before.Old {
		old, err := files.leaf()
		if err != nil {
			return err
		}
		if err := do(role, old); err != nil {
			return fmt.Errorf("list the former certificate: %w", err)
		}
	}
	return nil
}

// Undo lets the old certificate back into the cloud and the catalog; its files
// come back with those of the files step.
func (retireStep) Undo(ctx context.Context, x *Execution, _ json.RawMessage) (Undone, error) {
	if err := x.letBackIn(ctx); err != nil {
		return Undone{}, err
	}
	err := x.eachOld(func(role CertificateRole, old *x509.Certificate) error {
		return x.Certificates.Reinstate(ctx, x.Run.ID, role, old)
	})
	return Undone{Summary: "the former certificate counts again"}, err
}
