package tpm

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/google/go-tpm/tpm2"
)

// Code tells the failures apart that a person meets.
type Code string

// The codes.
const (
	CodeNoTPM         Code = "no-tpm"
	CodeOldTPM        Code = "tpm-1.2"
	CodeNoPermission  Code = "no-permission"
	CodeBusy          Code = "busy"
	CodeLockout       Code = "lockout"
	CodeAuth          Code = "hierarchy-auth"
	CodeKeyAuth       Code = "key-auth"
	CodeHierarchyOff  Code = "hierarchy-off"
	CodeObjectMemory  Code = "object-memory"
	CodeSessionMemory Code = "session-memory"
	CodeNotStarted    Code = "not-started"
	CodeFailed        Code = "failed"
	CodeLost          Code = "lost"
	CodeOtherEK       Code = "other-ek"
	CodeOtherSRK      Code = "other-srk"
	CodeNotRSA        Code = "not-rsa"
	CodeBadKey        Code = "bad-key"
)

// Error is a failure with its cause in a person's words (Problem), what to do
// (Fix) and the TPM's or the system's own error. No part holds a secret.
type Error struct {
	Code         Code
	Problem, Fix string
	Err          error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Problem
	}
	return e.Problem + " " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

func noTPM(err error) *Error {
	return &Error{Code: CodeNoTPM, Problem: "No TPM is found.",
		Fix: "Switch it on in the firmware's setup (it may be called PTT or fTPM), or load the kernel's driver.", Err: err}
}

func oldTPM(err error) *Error {
	return &Error{Code: CodeOldTPM, Problem: "The TPM is of version 1.2.",
		Fix: "DPS takes TPM 2.0 only: switch the firmware to 2.0 if it can, or provision with a certificate or a symmetric key.", Err: err}
}

func noPermission(what string, err error) *Error {
	return &Error{Code: CodeNoPermission, Problem: "You may not open " + what + ".",
		Fix: "Give administrator rights, or add the user to the group that owns it (tss on Debian, for /dev/tpmrm0 only) and log in anew.", Err: err}
}

func busyTPM(err error) *Error {
	return &Error{Code: CodeBusy, Problem: "The TPM, or the resource manager before it, is busy with other commands.",
		Fix: "Try again in a minute; if it stays so, end the program that keeps the TPM busy.", Err: err}
}

// errOldTPM is the answer in the form of TPM 1.2.
var errOldTPM error = oldTPM(nil)

// NodeError words why a device node could not be opened: the system's error,
// also one that came from another machine.
func NodeError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noTPM(err)
	case errors.Is(err, fs.ErrPermission):
		return noPermission(path, err)
	case errors.Is(err, syscall.EBUSY):
		return &Error{Code: CodeBusy, Problem: "Another program holds " + path + " for itself.",
			Fix: "Stop it, or let it use /dev/tpmrm0; if it is tpm2-abrmd, install tpm2-tools there, which go through it.", Err: err}
	}
	return &Error{Code: CodeNoTPM, Problem: path + " cannot be opened.", Fix: "Look at the node and at the kernel's log.", Err: err}
}

// responses words the response codes that mean the same wherever they come
// (TPM 2.0 Part 2, 6.6).
var responses = []struct {
	rc tpm2.TPMRC
	Error
}{
	{tpm2.TPMRCLockout, Error{Code: CodeLockout, Problem: "The TPM is locked out after too many wrong passwords.",
		Fix: "Wait until it forgives one (tpm show says how long), or reset it with the lockout password. Reading and enrolling work meanwhile."}},
	{tpm2.TPMRCBadAuth, Error{Code: CodeAuth, Problem: "The TPM's endorsement or owner hierarchy has a password, and none or a wrong one was given.",
		Fix: "Store it with `edgewright secrets set NAME` and name it in tpm.endorsement_auth or tpm.owner_auth. This does not count towards the lockout."}},
	{tpm2.TPMRCAuthFail, Error{Code: CodeKeyAuth, Problem: "A key in the TPM refuses the password.",
		Fix: "Each further try counts towards the lockout: find out who set a password on the storage root key, and remove it."}},
	{tpm2.TPMRCHierarchy, Error{Code: CodeHierarchyOff, Problem: "A hierarchy of the TPM is switched off.",
		Fix: "Switch the endorsement and the storage hierarchy on in the firmware's setup and start anew."}},
	{tpm2.TPMRCObjectMemory, Error{Code: CodeObjectMemory, Problem: "The TPM has no room for a further key: another program keeps keys loaded.",
		Fix: "Let programs use /dev/tpmrm0 instead of /dev/tpm0, end the one that holds keys, or start the device anew."}},
	{tpm2.TPMRCSessionMemory, Error{Code: CodeSessionMemory, Problem: "The TPM has no room for a further session: another program left sessions open.",
		Fix: "Let programs use /dev/tpmrm0, flush the sessions (tpm2_flushcontext -l), or start the device anew."}},
	{tpm2.TPMRCInitialize, Error{Code: CodeNotStarted, Problem: "The TPM was not started.",
		Fix: "Start the device anew; a software TPM wants the flags not-need-init,startup-clear."}},
	{tpm2.TPMRCFailure, Error{Code: CodeFailed, Problem: "The TPM is in failure mode and takes no commands.",
		Fix: "Switch the device off and on. If that does not help, update the TPM's firmware; a software TPM may have lost its state folder."}},
}

// explain gives an error its text. What is worded already stays.
func explain(operation string, err error) error {
	if err == nil {
		return nil
	}
	var worded *Error
	if errors.As(err, &worded) {
		return err
	}
	cause := fmt.Errorf("%s: %w", operation, err)
	var lost *transportError
	if errors.As(err, &lost) && errors.Is(err, syscall.EBUSY) {
		return busyTPM(cause)
	}
	if errors.As(err, &lost) {
		return &Error{Code: CodeLost, Problem: "The connection to the TPM broke.", Fix: "Try again; a software TPM serves one program at a time.", Err: cause}
	}
	for _, code := range later {
		if errors.Is(err, code) {
			return busyTPM(cause)
		}
	}
	for _, response := range responses {
		if errors.Is(err, response.rc) {
			found := response.Error
			found.Err = cause
			return &found
		}
	}
	return cause
}
