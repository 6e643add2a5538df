package tpm

import (
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2/transport/windowstpm"
	"github.com/google/go-tpm/tpmutil/tbs"
)

// openLocal opens the TPM through TBS, Windows's own resource manager.
func openLocal() (Transport, error) {
	opened, err := windowstpm.Open()
	if err != nil { // opened may be something all the same
		return nil, tbsError(err)
	}
	return tbsTransport{opened}, nil
}

// tbsTransport words what TBS refuses in the middle.
type tbsTransport struct{ Transport }

func (t tbsTransport) Send(command []byte) ([]byte, error) {
	response, err := t.Transport.Send(command)
	var code tbs.Error
	if errors.As(err, &code) && code == 0x80280400 { // TPM_E_COMMAND_BLOCKED
		return nil, noPermission("this command of the TPM", err)
	}
	return response, err
}

// tbsError words what TBS answers. Source: learn.microsoft.com, "TBS Return
// Codes".
func tbsError(err error) error {
	var code tbs.Error
	switch {
	case errors.Is(err, windowstpm.ErrNotTPM20):
		return oldTPM(err)
	case !errors.As(err, &code):
		return explain("open the TPM", err)
	}
	switch code {
	case 0x8028400F:
		return noTPM(err)
	case 0x80284008:
		return &Error{Code: CodeNoTPM, Problem: "The service TPM Base Services does not run.", Fix: "Start the Windows service TBS.", Err: err}
	case 0x80284010:
		return &Error{Code: CodeNoTPM, Problem: "The TPM is switched off.", Fix: "Switch it on in the firmware's setup.", Err: err}
	case 0x80284012: // TBS_E_ACCESS_DENIED
		return noPermission("TPM Base Services", err)
	}
	return &Error{Code: CodeFailed, Problem: fmt.Sprintf("TPM Base Services answers 0x%08X.", uint32(code)), Fix: "Start the computer anew.", Err: err}
}
