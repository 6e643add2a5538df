package app

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/wire"
)

// keyColumns are the columns of a list of endorsement keys in their order, and the
// members of a key in its JSON form. Only endorsement_key must be there.
var keyColumns = []string{"registration_id", "device_id", "endorsement_key", "storage_root_key", "sha256", "template", "manufacturer", "firmware",
	"certificate", "target", "tpm", "station", "read"}

// keyTime is how a list writes a time: in UTC, and so that a spreadsheet leaves it
// alone.
const keyTime = "2006-01-02 15:04:05 UTC"

// maxListedKeys is how many keys a list has at most.
const maxListedKeys = 100_000

// listRow is a row of a list of keys while it is read.
type listRow struct {
	line int // of the file in CSV, number of the key in JSON; both from 1
	// registrationID is what the enrollment is called.
	registrationID string
	key            catalog.TPMKey
}

// cells are the texts of a key in the order of keyColumns.
func keyCells(k catalog.TPMKey) []string {
	id := k.DeviceID
	if id == "" {
		id = k.Base32
	}
	return []string{id, k.DeviceID, base64.StdEncoding.EncodeToString(k.Public), base64.StdEncoding.EncodeToString(k.SRK), k.SHA256, k.Template, k.Manufacturer, k.Firmware,
		base64.StdEncoding.EncodeToString(k.Certificate), k.Target, k.Address, k.Station, k.Taken.UTC().Format(keyTime)}
}

// set takes one cell; problem and fix are empty if it is good.
func (r *listRow) set(column, value string) (problem, fix string) {
	switch column {
	case "registration_id":
		r.registrationID = value
		if value == "" {
			return "", ""
		}
		if err := wire.ValidateRegistrationID(value); err != nil {
			return sentence(err), "Change the registration ID, or leave it out."
		}
	case "device_id":
		r.key.DeviceID = value
		if value == "" {
			return "", ""
		}
		if err := provisioning.CheckDeviceID(value, tpmCell); err != nil {
			return sentence(err), "Change the device ID, or leave it out."
		}
	case "endorsement_key":
		return r.setPublic(value)
	case "storage_root_key", "certificate":
		raw, err := base64.StdEncoding.Strict().DecodeString(value)
		if err != nil {
			return "The value is no base64.", "Copy it again, whole and without spaces."
		}
		if column == "certificate" && len(raw) > 0 {
			r.key.Certificate = raw
		} else if column == "storage_root_key" {
			r.key.SRK = raw
		}
	case "sha256":
		r.key.SHA256 = strings.ToLower(value)
	case "template":
		if !slices.Contains([]string{"", string(tpm.TemplateStandard), string(tpm.TemplateEmptyUnique), string(tpm.TemplateOther), string(tpm.TemplateUnknown)}, value) {
			return fmt.Sprintf("There is no template %q.", value), "Write tcg-l1, empty-unique, other or unknown, or leave it out."
		}
		r.key.Template = value
	case "read":
		if value == "" {
			return "", ""
		}
		at, err := time.Parse(keyTime, value)
		if err != nil {
			return fmt.Sprintf("The time %q does not read.", value), "Write it like " + keyTime + ", or leave it out."
		}
		r.key.Taken = at
	default:
		if len(value) > 300 || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return "The text is too long or has control characters.", "Write at most 300 characters on one line."
		}
		*map[string]*string{"manufacturer": &r.key.Manufacturer, "firmware": &r.key.Firmware, "target": &r.key.Target, "tpm": &r.key.Address, "station": &r.key.Station}[column] = value
	}
	return "", ""
}

// setPublic takes the endorsement key.
func (r *listRow) setPublic(value string) (problem, fix string) {
	const whole = "Copy the whole TPM2B_PUBLIC of the endorsement key as base64, as `edgewright tpm ek` prints it."
	if value == "" {
		return "The row has no endorsement key.", whole
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(value)
	if err != nil {
		return "The endorsement key is no base64.", whole
	}
	if err := tpm.CheckEK(raw); err != nil {
		return "The endorsement key cannot be used: " + err.Error() + ".", whole
	}
	r.key.Public = raw
	return "", ""
}

// finish fills what follows from the key. What a list says of the key's own
// certificate is not believed but looked at.
func (r *listRow) finish(now time.Time) (field, problem, fix string) {
	ek := tpm.Key{Template: tpm.Template(r.key.Template), Public: r.key.Public}
	if r.key.SHA256 != "" && r.key.SHA256 != ek.Sum() {
		return "sha256", "The hash is not that of the endorsement key.", "Copy key and hash from the same TPM."
	}
	cert := tpm.Judge(r.key.Certificate, ek, tpm.Roots{}, now)
	if cert.State == tpm.ChainUnread {
		return "certificate", cert.Problem, "Copy the EK certificate as base64 of its DER form, or leave it out."
	}
	r.key.SHA256, r.key.Base32 = ek.Sum(), ek.Base32()
	r.key.CertificateState, r.key.CertificateProblem = string(cert.State), cert.Problem
	if r.key.Template == "" {
		r.key.Template = string(tpm.TemplateUnknown)
	}
	if r.key.Taken.IsZero() {
		r.key.Taken = now
	}
	if r.registrationID == "" {
		r.registrationID = r.key.DeviceID
	}
	if r.registrationID == "" {
		r.registrationID = r.key.Base32
	}
	return "", "", ""
}
