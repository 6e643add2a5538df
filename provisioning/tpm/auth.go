package tpm

import (
	"github.com/google/go-tpm/tpm2"

	"edgewright/provisioning/secret"
)

// Auth are the passwords of the hierarchies; empty where none is set. They go
// to the TPM and nowhere else.
type Auth struct{ Endorsement, Owner secret.Value }

func (a Auth) endorsement() tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: tpm2.TPMRHEndorsement, Auth: tpm2.PasswordAuth(a.Endorsement.Reveal())}
}

func (a Auth) owner() tpm2.AuthHandle {
	return tpm2.AuthHandle{Handle: tpm2.TPMRHOwner, Auth: tpm2.PasswordAuth(a.Owner.Reveal())}
}
