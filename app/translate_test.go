package app

import (
	"errors"
	"testing"

	"edgewright/provisioning"
	"edgewright/provisioning/wire"
)

// TestWhatExistsIsAConflict: a client that looked first sent nothing, and its
// error has no status.
func TestWhatExistsIsAConflict(t *testing.T) {
	err := translate(&wire.Error{Service: wire.ServiceDPS, Operation: "create enrollment group", Subject: "line-7", Err: wire.ErrExists})
	if !errors.Is(err, provisioning.ErrConflict) || errors.Is(err, provisioning.ErrUnreachable) {
		t.Errorf("%v is %s", err, provisioning.View(err).Kind)
	}
}
