package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/tpm"
)

// CollectedKey is an endorsement key of the catalog. It holds nothing secret.
type CollectedKey struct {
	// ID is SHA-256 over TPM2B_PUBLIC in lower-case hexadecimal; a plan names the
	// key as catalog:ID, or by an unambiguous beginning of it.
	ID string `json:"id"`
	// Device is the device ID that it shall be, "" for not said.
	Device string `json:"device"`
	// Target and TPM are where it was read: a target, and the address of a software
	// TPM behind it.
	Target          string            `json:"target"`
	TPM             string            `json:"tpm"`
	Manufacturer    string            `json:"manufacturer"`
	Firmware        string            `json:"firmware"`
	EK              TPMKey            `json:"ek"`
	EKCertificate   TPMCertificate    `json:"ek_certificate"`
	SRK             string            `json:"srk"`
	RegistrationIDs TPMRegistrationID `json:"registration_ids"`
	// Station read it at that time.
	Station string    `json:"station"`
	Taken   time.Time `json:"taken"`
	// Origin is read, signed or unsigned; Signer the fingerprint of the station
	// that signed the list.
	Origin string `json:"origin"`
	Signer string `json:"signer"`
	// ReplacedBy is the key that was found at the same place later, Change why.
	ReplacedBy string `json:"replaced_by"`
	Change     string `json:"change"`

	// Public is TPM2B_PUBLIC of the endorsement key, 316 bytes.
	Public []byte `json:"-"`
	// Certificate is the EK certificate (DER), nil for none.
	Certificate []byte `json:"-"`
}

// TPMKeyQuery narrows the list of collected keys.
type TPMKeyQuery = catalog.TPMKeyQuery

// catalogPrefix is how a plan names a collected key.
const catalogPrefix = "catalog:"

// CollectedKey finds a key by its ID or an unambiguous beginning of it, with or
// without "catalog:" in front.
func (a *App) CollectedKey(ctx context.Context, id string) (CollectedKey, error) {
	id = strings.TrimPrefix(id, catalogPrefix)
	row, err := a.catalog.TPMKey(ctx, id)
	switch {
	case errors.Is(err, catalog.ErrNotFound):
		return CollectedKey{}, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: fmt.Sprintf("The catalog has no endorsement key %s.", id),
			Hint: "`edgewright tpm list` names them; collect it with `edgewright tpm collect`, or import a list."}
	case errors.Is(err, catalog.ErrAmbiguous):
		return CollectedKey{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("More than one endorsement key begins with %s.", id), Hint: "Write more of its ID."}
	case err != nil:
		return CollectedKey{}, translate(err)
	}
	return collectedKey(row), nil
}

// CollectedKeys lists keys, the newest reading first.
func (a *App) CollectedKeys(ctx context.Context, q TPMKeyQuery) ([]CollectedKey, error) {
	rows, err := a.catalog.TPMKeys(ctx, q)
	list := make([]CollectedKey, len(rows))
	for i, row := range rows {
		list[i] = collectedKey(row)
	}
	return list, translate(err)
}

// FoundCollectedKeys counts what a query finds beyond its limit; more says that
// not even all of that was counted.
func (a *App) FoundCollectedKeys(ctx context.Context, q TPMKeyQuery) (n int, more bool, err error) {
	n, more, err = a.catalog.FoundTPMKeys(ctx, q)
	return n, more, translate(err)
}

// KeyBefore is the key that was read at the same place before this one; ok is
// false where there is none.
func (a *App) KeyBefore(ctx context.Context, id string) (key CollectedKey, ok bool, err error) {
	row, err := a.catalog.TPMKeyBefore(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) {
		return key, false, nil
	}
	return collectedKey(row), err == nil, translate(err)
}

// NameKey says which device a collected key shall be; "" takes that back.
func (a *App) NameKey(ctx context.Context, id, device string) error {
	if device != "" {
		if err := provisioning.CheckDeviceID(device, tpmCell); err != nil {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err), Hint: "Change the device ID."}
		}
	}
	return translate(a.catalog.SetTPMDevice(ctx, id, device))
}

// ForgetKey takes a key out of the catalog, and out of nothing else.
func (a *App) ForgetKey(ctx context.Context, id string) error {
	return translate(a.catalog.RemoveTPMKey(ctx, id))
}

// tpmCell is the way that collected keys come in.
var tpmCell = provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.TPM}

func collectedKey(k catalog.TPMKey) CollectedKey {
	key := CollectedKey{ID: k.SHA256, Device: k.DeviceID, Target: k.Target, TPM: k.Address, Manufacturer: k.Manufacturer, Firmware: k.Firmware,
		EK:            TPMKey{Handle: k.Handle, Template: k.Template, Public: base64.StdEncoding.EncodeToString(k.Public), SHA256: k.SHA256},
		EKCertificate: TPMCertificate{State: k.CertificateState, Problem: k.CertificateProblem, Chain: []string{}}, SRK: base64.StdEncoding.EncodeToString(k.SRK),
		RegistrationIDs: TPMRegistrationID{k.Base32, k.SHA256}, Station: k.Station, Taken: k.Taken, Origin: k.Origin, Signer: k.Signer,
		ReplacedBy: k.ReplacedBy, Change: k.ReplacedWhy, Public: k.Public, Certificate: k.Certificate}
	if len(k.Certificate) > 0 {
		key.EKCertificate.Index = fmt.Sprintf("0x%08x", tpm.EKCertificateIndex)
	}
	return key
}
