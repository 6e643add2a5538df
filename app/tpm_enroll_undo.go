package app

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"edgewright/app/catalog"
	"edgewright/provisioning"
)

// EnrollUndone is what came of putting a bulk enrollment back.
type EnrollUndone struct {
	Outcome provisioning.RunState `json:"outcome"` // undone | partly-undone | failed | cancelled
	Run     string                `json:"run"`
	Removed int                   `json:"removed"`
	// Left names the enrollments that stay, and why.
	Left  []FailedKey             `json:"left"`
	Error *provisioning.ErrorView `json:"error,omitempty"`
}

// IsKeyRun tells that an ID is one of a bulk enrollment.
func IsKeyRun(id string) bool { return strings.HasPrefix(id, keyRunPrefix) }

// UndoEnroll removes the enrollments that a run made. One whose device has registered
// since is in use and stays; so does one that somebody changed. What was skipped was
// there before and is not touched.
func (a *App) UndoEnroll(ctx context.Context, id string, emit func(EnrollEvent)) (EnrollUndone, error) {
	run, err := a.keyRun(ctx, id)
	if err != nil {
		return EnrollUndone{}, err
	}
	ctx, leave := a.live.enter(ctx, a.ctx, run.ID)
	defer leave()
	k, done, err := a.holdKeyRun(ctx, run, emit)
	if err != nil {
		return EnrollUndone{}, err
	}
	defer done()
	out := EnrollUndone{Run: id, Left: []FailedKey{}}
	failure := k.undoAll(ctx, &out)
	switch {
	case ctx.Err() != nil:
		out.Outcome = provisioning.RunCancelled
	case failure != nil:
		out.Outcome, out.Error = provisioning.RunFailed, provisioning.View(failure)
	case len(out.Left) > 0:
		out.Outcome = provisioning.RunPartlyUndone
	default:
		out.Outcome = provisioning.RunUndone
	}
	ended := a.now()
	return out, translate(a.catalog.SetTPMRun(context.WithoutCancel(ctx), id, string(out.Outcome), &ended))
}

func (k *keyEnrolling) undoAll(ctx context.Context, out *EnrollUndone) error {
	return k.eachTen(ctx, []string{catalog.KeySent, catalog.KeyEnrolled}, func(rows []catalog.TPMRunRow) error {
		for _, row := range rows {
			left, err := k.undoOne(ctx, row)
			if err != nil {
				return err
			}
			if left != "" {
				out.Left = append(out.Left, FailedKey{ID: row.RegistrationID, Problem: left})
				continue
			}
			row.State, row.Code, row.Problem = catalog.KeyUndone, 0, ""
			if err := k.app.catalog.SetTPMRunRows(context.WithoutCancel(ctx), k.run.ID, []catalog.TPMRunRow{row}); err != nil {
				return translate(err)
			}
			out.Removed++
			k.tell(row)
		}
		return nil
	})
}

// undoOne removes the enrollment of a row, or says why it stays.
func (k *keyEnrolling) undoOne(ctx context.Context, row catalog.TPMRunRow) (left string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	found, err := k.service.EnrolledKey(ctx, row.RegistrationID)
	switch {
	case errors.Is(err, provisioning.ErrNotFound):
		return "", nil // removed already, or never made
	case err != nil:
		return "", err
	case found.by != provisioning.TPM || !bytes.Equal(found.public, row.Public):
		return "It is no longer for the key of this run.", nil
	case row.State == catalog.KeySent && (row.Sent == nil || found.created.Before(*row.Sent)):
		return "It was there before this run.", nil
	}
	registration, err := k.service.Registration(ctx, row.RegistrationID)
	switch {
	case err == nil && registration.Status != "unassigned":
		return "The device has registered with it (" + registration.Status + ").", nil
	case err != nil && !errors.Is(err, provisioning.ErrNotFound):
		return "", err
	}
	if err := k.service.DeleteEnrollment(ctx, false, row.RegistrationID); err != nil && !errors.Is(err, provisioning.ErrNotFound) {
		return "", err
	}
	k.step("removed " + row.RegistrationID)
	return "", nil
}
