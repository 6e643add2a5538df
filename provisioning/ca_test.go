package provisioning

import (
	"testing"
)

// TestUnreadyCAStopsBeforeAnythingIsTouched has a CA whose key is elsewhere.
func TestUnreadyCAStopsBeforeAnythingIsTouched(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"manual x509", "group x509"} {
		w := newWorld(false)
		w.unready = &Error{Kind: ErrInvalid, Message: "The key is not here.", Hint: "Ask its owner."}
		preview, err := LookFirst(t.Context(), w.ports(), ways()[name])
		if err != nil || !preview.Refused() || w.opened {
			t.Errorf("%s: preview %+v, %v, opened %t", name, preview, err, w.opened)
		}
		out := w.provision(t, "r1", ways()[name])
		if out.Outcome != RunFailed || out.Changed || out.Error == nil || out.Error.Message != "The key is not here." || len(w.files) > 0 || w.creates > 0 {
			t.Errorf("%s: %+v, %+v", name, out, out.Error)
		}
		w.unready = nil
		if out := w.provision(t, "r2", ways()[name]); out.Outcome != RunSucceeded || !w.opened {
			t.Errorf("%s: ready: %+v, %+v", name, out, out.Error)
		}
	}
}

// TestReadyIsAskedOnlyForWhatIsMade keeps finished and self-signed runs from
// asking for a PIN.
func TestReadyIsAskedOnlyForWhatIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(false)
	plan := ways()["manual self-signed"]
	w.unready = &Error{Kind: ErrInvalid, Message: "x"}
	if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded {
		t.Errorf("self-signed: %+v", out.Error)
	}
	w = newWorld(false)
	plan = ways()["individual x509"]
	if out := w.provision(t, "r1", plan); out.Outcome != RunSucceeded {
		t.Fatalf("%+v", out.Error)
	}
	w.unready = &Error{Kind: ErrInvalid, Message: "x"}
	if out := w.provision(t, "r2", plan); out.Outcome != RunSucceeded || out.Changed {
		t.Errorf("again: %+v, %+v", out, out.Error)
	}
}
