package app

import (
	"context"

	"edgewright/provisioning/secret"
)

// Access is how to get into a target, and whom to ask on the way. The zero
// value asks nobody: what needs a person is then refused.
type Access struct {
	// Identity is a private key file for SSH, tried first.
	Identity string
	// HostKey is the fingerprint (SHA256:...) of an SSH host key that may be
	// trusted without asking.
	HostKey string
	// BundleKey opens a bundle in place of the bench identities of the vault.
	BundleKey BundleKey
	// SSHPassword and SudoPassword answer without a person.
	SSHPassword, SudoPassword secret.Value
	// Ask answers a question for a secret; nil asks nobody.
	Ask func(ctx context.Context, q Question) (secret.Value, error)
	// TrustHostKey decides about a host key seen for the first time; nil
	// trusts none.
	TrustHostKey func(HostKey) bool
}

// Question asks for a secret. Kind is password, passphrase, sudo or code.
type Question struct {
	Kind   string
	Target string
	Prompt string
}

// HostKey is the key that an SSH server shows.
type HostKey struct {
	Host        string
	Type        string
	Fingerprint string // SHA256:...
}
