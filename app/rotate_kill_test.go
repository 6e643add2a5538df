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
			whole := mustBench(t, w.way, w.runtime)
			effects, _, err := job{Bench: whole, Rotate: w.what, Cut: -1}.start(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := whole.picture(t)
			cutEach(t, effects, func(t *testing.T, ctx context.Context, dir string, cut int) error {
				b, err := newBench(dir, w.way, w.runtime)
				if err != nil {
					return err
				}
				if _, killed, err := (job{Bench: b, Rotate: w.what, Cut: cut}).start(ctx); err != nil || !killed {
					return fmt.Errorf("killed = %t, %w", killed, err)
				}
				if err := b.resumeRotation(ctx, w.what, w.ends); err != nil {
					return err
				}
				if got := b.picture(t); got.String() != want.String() {
					return fmt.Errorf("the end differs:\n%s", got.against(want))
				}
				return nil
			})
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
