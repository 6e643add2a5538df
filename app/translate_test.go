package app

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
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

// TestDetailsSayNothingTwice: the cause of an error is not repeated where the
// message is made of it, and follows a colon otherwise.
func TestDetailsSayNothingTwice(t *testing.T) {
	for detail, err := range map[string]error{
		"Certificate refused: the common name has 1 to 64 characters.":                    translate(fmt.Errorf("%w: the common name has 1 to 64 characters", pki.ErrRefused)),
		"There is no room left on the disk: write: there is no room left for the catalog": translate(fmt.Errorf("write: %w", catalog.ErrFull)),
	} {
		if view := provisioning.View(err); view.Detail != detail || view.Kind == "" {
			t.Errorf("%+v, want %q", view, detail)
		}
	}
	if kind := provisioning.View(translate(syscall.ENOSPC)).Kind; kind != "internal" {
		t.Errorf("a full disk is %s, which says that nothing was touched", kind)
	}
}
