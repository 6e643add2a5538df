package provisioning

import (
	"context"

	"edgewright/provisioning/finding"
)

// EndorsementKey is the public part of the key that DPS knows a TPM by.
type EndorsementKey struct {
	// Public is TPM2B_PUBLIC with its size.
	Public []byte
	// Hex is SHA-256 over Public; Base32 the same hash in the form that Azure's
	// clients take as a registration ID.
	Hex, Base32 string
	// Matches names the template from which the same TPM makes a public key, or
	// tells that it makes it from none that is known. The key itself matches.
	Matches func(public []byte) (template string, ok bool)
}

// same tells whether a public key is this one, and not only of the same TPM.
func (k EndorsementKey) same(public []byte) bool { return string(public) == string(k.Public) }

// TPMReading is what a look at a TPM brought up.
type TPMReading struct {
	// Summary is one line for a person: whose TPM, its firmware.
	Summary string
	Key     EndorsementKey
	// StorageRoot is the storage root key, TPM2B_PUBLIC with its size.
	StorageRoot []byte
	// Template is what the key was made from, with what that means; Certificate
	// the state of its maker's certificate. Both are sentences for a person.
	Template, Certificate string
	Findings              finding.List
}

// TPMs are where endorsement keys come from.
type TPMs interface {
	// Open opens the TPM that a plan names. What is refused names the field of
	// the plan.
	Open(ctx context.Context, plan TPMPlan) (Chip, error)
	// Collected gives an endorsement key of the catalog by its ID; ErrNotFound.
	Collected(ctx context.Context, id string) (EndorsementKey, error)
}

// Chip is an open TPM. Nothing of this changes it: what is loaded is flushed.
// Close it before anybody else is to use it.
type Chip interface {
	Read(ctx context.Context) (TPMReading, error)
	// Activate takes a key that DPS sealed for this TPM into it. sign is
	// HMAC-SHA256 with that key until release. It is ErrConflict for a key that
	// is sealed for another one.
	Activate(ctx context.Context, sealed []byte) (sign Sign, release func(), err error)
	// Kept signs with the key that the device's own service keeps at an index
	// above 0x81000000; it is nil where there is none.
	Kept(ctx context.Context, index int64) (Sign, error)
	Close() error
}

// Sign is HMAC-SHA256 over a message with a key that stays where it is.
type Sign func(message []byte) (signature []byte, err error)

// TPMShown is what a preview shows of a TPM.
type TPMShown struct {
	Summary        string `json:"summary"`
	EndorsementKey string `json:"endorsement_key_sha256"`
	RegistrationID string `json:"registration_id"`
	Template       string `json:"template,omitempty"`
	Certificate    string `json:"certificate,omitempty"`
}
