package app

import (
	"bytes"

	"edgewright/app/catalog"
	"edgewright/provisioning/tpm"
)

// KeyChange says that a place has another endorsement key than before, or that its
// TPM has another storage root key.
type KeyChange struct {
	// Before is the ID of the key that was there.
	Before string `json:"before"`
	Why    string `json:"why"`
}

// The values of KeyChange.Why, as far as two readings can tell.
const (
	// ChangeTemplate: the seed is the same, and a program keeps a key of another
	// template at 0x81010001.
	ChangeTemplate = "other-template"
	// ChangeRemoved: the seed is the same, and the key that was kept is gone, by
	// TPM2_Clear or TPM2_EvictControl.
	ChangeRemoved = "kept-key-gone"
	// ChangeSeed: the same chip, by its EK certificate, has a new endorsement seed.
	ChangeSeed = "new-seed"
	// ChangeChip: another TPM answers at this place.
	ChangeChip = "other-tpm"
	// ChangeSeedOrChip: one of the last two.
	ChangeSeedOrChip = "new-seed-or-other-tpm"
	// ChangeUnknown: the keys of the templates could not be made.
	ChangeUnknown = "unknown"
	// ChangeStorage: the endorsement key is the same and the storage root key
	// another: the TPM was cleared, or a program keeps another key at 0x81000001.
	ChangeStorage = "other-srk"
)

// whyChanged compares two readings of one place with different endorsement keys.
// A TPM makes the same key from a template as long as its seed is the same (TPM
// 2.0 Part 1, primary seeds); TPM2_Clear removes kept keys and the storage seed and
// leaves the endorsement seed (Part 3).
func whyChanged(old, now catalog.TPMKey) string {
	switch {
	case old.Manufacturer != now.Manufacturer:
		return ChangeChip
	case old.Standard == "" || now.Standard == "":
		return ChangeUnknown
	case old.Standard == now.Standard && now.Template == string(tpm.TemplateStandard) && old.Handle != "" && now.Handle == "":
		return ChangeRemoved
	case old.Standard == now.Standard:
		return ChangeTemplate
	case len(old.Certificate) == 0 || len(now.Certificate) == 0:
		return ChangeSeedOrChip
	case bytes.Equal(old.Certificate, now.Certificate):
		return ChangeSeed
	}
	return ChangeChip
}
