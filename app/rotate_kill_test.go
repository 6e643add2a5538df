package app

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"edgewright/provisioning"
)

// TestKilledRotationResumes kills a real process around each effect of a
// rotation; taken up, or begun where it had not, it ends as an unbroken one.
func TestKilledRotationResumes(t *testing.T) {
	for _, w := range []struct {
		way, what string
		runtime   bool
		ends      provisioning.RunState
	}{
		{"manual x509", "identity", false, provisioning.RunSucceeded}, {"individual x509", "identity", true, provisioning.RunSucceeded},
		{"manual x509", "edge-ca", false, provisioning.RunConfigured}, // nothing runs that could show it
	} {
		t.Run(fmt.Sprintf("%s/%s/runtime=%t", w.way, w.what, w.runtime), func(t *testing.T) {
			t.Parallel()
			cutEverywhere(t, w.way, w.runtime, job{Rotate: w.what}, func(before, want picture) {
				if len(want.Runs) != 2 {
					t.Fatalf("the unbroken rotation ends in %s", want)
				}
			}, func(b bench, ctx context.Context) error { return b.resumeRotation(ctx, w.what, w.ends) }, nil)
		})
	}
}

// resumeRotation takes up the second run of a bench, or begins it where not even
// its row was written.
func (b bench) resumeRotation(ctx context.Context, what string, ends provisioning.RunState) error {
	a, err := b.open(ctx, nil)
	if err != nil {
		return err
	}
	outs, _, err := a.Resume(ctx, "0002", Access{}, nil)
	if errors.Is(err, provisioning.ErrNotFound) {
		var request Request
		if request, err = a.RotationRequest(ctx, Rotation{Device: benchDevice, What: what, NewKey: true}); err == nil {
			outs = []provisioning.Outcome{a.Provision(ctx, request, nil)}
		}
	}
	if err == nil {
		err = wanted(outs, ends)
	}
	return errors.Join(err, a.Close())
}
