//go:build !linux && !windows

package tpm

import "errors"

func openLocal() (Transport, error) {
	return nil, noTPM(errors.New("this system has no way to a TPM that Edgewright knows"))
}
