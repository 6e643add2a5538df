package provisioning

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/secret"
)

// enrollmentOfTPM looks for an enrollment of this TPM under the other names that
// it commonly has: DPS cannot be asked for an endorsement key. One that is
// adopted settles the ID that the device registers under.
func (x *Execution) enrollmentOfTPM(ctx context.Context) (found Enrollment, exists bool, err error) {
	own := x.Run.RegistrationID()
	for _, name := range []string{x.Run.Plan.Device.ID, x.tpm.Key.Base32, x.tpm.Key.Hex} {
		if name == own {
			continue
		}
		found, err := x.Cloud.DPS.Enrollment(ctx, false, name)
		switch {
		case errors.Is(err, ErrNotFound):
			continue
		case err != nil:
			return Enrollment{}, false, fmt.Errorf("look for %s: %w", enrollmentTitle(false, name), err)
		case found.Authentication != TPM || !x.tpm.Key.same(found.EndorsementKey):
			continue
		case x.Run.Plan.Cloud.Existing != Adopt:
			return Enrollment{}, false, &Error{Kind: ErrConflict, Field: "tpm.registration_id",
				Message: fmt.Sprintf("The enrollment %s has the endorsement key of this TPM already.", name),
				Hint:    fmt.Sprintf("Write registration_id = %q under [tpm], or existing = \"adopt\" to use it as it is.", name)}
		}
		x.Run.Registration = name
		return found, true, nil
	}
	return Enrollment{}, false, nil
}

// otherTPM says why an enrollment is not for this TPM as it is, as a clause for
// a person, or gives "". Keys are compared, and nothing else.
func (x *Execution) otherTPM(found Enrollment) string {
	own := x.tpm.Key
	if !own.same(found.EndorsementKey) {
		if template, ok := own.Matches(found.EndorsementKey); ok {
			return "it is for another endorsement key of this TPM, from the template " + template + ", and the TPM uses another one (SHA-256 " + own.Hex + ")"
		}
		return "it is for the endorsement key of another TPM, or of this one before it was cleared; this one's has the SHA-256 " + own.Hex
	}
	if root := x.tpm.StorageRoot; len(found.StorageRoot) > 0 && len(root) > 0 && string(root) != string(found.StorageRoot) {
		return "it names another storage root key than this TPM has"
	}
	return ""
}

// tpmChanges set the section [tpm], where the runtime has one.
func (x *Execution) tpmChanges(ctx context.Context, changes *edgeconfig.Changes) error {
	plan := x.Run.Plan
	if plan.Cell.Authentication != TPM || !plan.hasTPMSection() {
		return nil
	}
	section := edgeconfig.TPM{TCTI: plan.TPM.TCTI}
	for _, word := range []struct {
		field, reference string
		value            *secret.Value
	}{{"tpm.endorsement_auth", plan.TPM.EndorsementAuth, &section.EndorsementAuth}, {"tpm.owner_auth", plan.TPM.OwnerAuth, &section.OwnerAuth}} {
		name := strings.TrimPrefix(word.reference, vaultPrefix)
		if name == "" {
			continue
		}
		password, err := x.Secrets.Secret(ctx, name)
		if err != nil {
			return fmt.Errorf("%s, secret %s of the vault: %w", word.field, name, err)
		}
		if text := password.Reveal(); !utf8.Valid(text) || strings.ContainsAny(string(text), "\r\n\x00") {
			return &Error{Kind: ErrInvalid, Field: word.field, Message: fmt.Sprintf("The secret %s cannot stand in config.toml: it is not one line of text.", name),
				Hint: "Store the password of the hierarchy without a line break."}
		}
		*word.value = password
	}
	changes.SetTPM(section)
	return nil
}

// nameServiceKey says which key an undo leaves in the TPM: the one that the
// device's own service keeps. It is worth nothing without its registration.
func (x *Execution) nameServiceKey(config []byte) {
	read, err := edgeconfig.Read(config)
	if err != nil || read.Provisioning.Attestation.Method != edgeconfig.MethodTPM {
		return
	}
	x.Run.Outcome.note(fmt.Sprintf("The key that the device's TPM service keeps at 0x%08x is the device's own and stays in the TPM.", 0x81000000+keyIndex(read)))
}

// keyIndex is where the TPM service of a configuration keeps the key of DPS.
func keyIndex(config edgeconfig.Config) int64 {
	if index := config.TPM.KeyIndex; index != nil {
		return *index
	}
	return edgeconfig.AuthKeyIndex
}
