package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/target"
	"edgewright/provisioning/tpm"
)

// TPMRequest names a TPM and how to read it.
type TPMRequest struct {
	Target string
	Access Access
	// Address is that of a software TPM ("unix:/path", "tcp:host:port"), or
	// "local" for this computer's; empty or "target" is the TPM of the target.
	Address string
	// EndorsementAuth and OwnerAuth are "vault:NAME", or empty.
	EndorsementAuth, OwnerAuth string
	// Roots are certificates of TPM makers, as the user supplied them (PEM).
	Roots []byte
}

// TPMView is what `tpm show` tells. It holds nothing secret.
type TPMView struct {
	TPM             string            `json:"tpm"` // the target or the address
	Manufacturer    string            `json:"manufacturer"`
	Firmware        string            `json:"firmware"`
	Family          string            `json:"family"`
	Lockout         TPMLockout        `json:"lockout"`
	Auth            TPMAuth           `json:"auth"`
	EK              TPMKey            `json:"ek"`
	EKCertificate   TPMCertificate    `json:"ek_certificate"`
	SRK             string            `json:"srk"` // base64 of TPM2B_PUBLIC
	RegistrationIDs TPMRegistrationID `json:"registration_ids"`

	pem string
}

// TPMLockout is the protection against guessing.
type TPMLockout struct {
	Active   bool `json:"active"`
	Count    int  `json:"count"`
	Max      int  `json:"max"`
	Interval int  `json:"interval_s"`
}

// TPMAuth tells which hierarchies have a password.
type TPMAuth struct {
	Owner       bool `json:"owner"`
	Endorsement bool `json:"endorsement"`
}

// TPMKey is the endorsement key. Handle is empty for one that the TPM does not
// keep; Public is base64 of TPM2B_PUBLIC.
type TPMKey struct {
	Handle   string `json:"handle"`
	Template string `json:"template"`
	Public   string `json:"public"`
	SHA256   string `json:"sha256"`
}

// TPMCertificate is the EK certificate. Chain are the subjects from it to the
// root, where one was found.
type TPMCertificate struct {
	Index   string   `json:"index"`
	State   string   `json:"state"`
	Chain   []string `json:"chain"`
	Problem string   `json:"-"`
}

// TPMRegistrationID are the common forms besides the device ID.
type TPMRegistrationID struct {
	Base32 string `json:"base32"`
	Hex    string `json:"hex"`
}

// PEM is the endorsement key as a SubjectPublicKeyInfo.
func (v TPMView) PEM() string { return v.pem }

// ShowTPM reads a TPM. It changes nothing there.
func (a *App) ShowTPM(ctx context.Context, r TPMRequest) (TPMView, error) {
	read, err := a.readTPM(ctx, r)
	if err != nil {
		return TPMView{}, err
	}
	text, err := read.keys.EK.PEM()
	if err != nil {
		return TPMView{}, translate(err)
	}
	return tpmView(read.where, read.properties, read.keys, read.cert, text), nil
}

// tpmReading is all that is read of a TPM.
type tpmReading struct {
	where      string
	properties tpm.Properties
	keys       tpm.Keys
	cert       tpm.EKCertificate
}

func (a *App) readTPM(ctx context.Context, r TPMRequest) (read tpmReading, err error) {
	roots, err := makerRoots(r.Roots)
	if err != nil {
		return read, err
	}
	device, err := a.openTarget(ctx, r.Target, r.Access)
	if err != nil {
		return read, err
	}
	defer func() { _ = device.Close() }()
	chip, where, err := a.openTPM(ctx, device, r)
	if err != nil {
		return read, err
	}
	defer func() { _ = chip.Close() }()
	read.where = where
	if read.properties, err = chip.Properties(ctx); err != nil {
		return read, translate(err)
	}
	if read.keys, err = chip.Keys(ctx); err != nil {
		return read, translate(err)
	}
	read.cert, err = chip.EKCertificate(ctx, read.keys.EK, roots, a.now())
	return read, translate(err)
}

// makerRoots reads certificates of TPM makers (PEM); the self-signed ones are
// roots.
func makerRoots(text []byte) (roots tpm.Roots, err error) {
	if len(text) == 0 {
		return roots, nil
	}
	read, err := pki.Read(text, secret.Value{})
	if err != nil {
		return roots, translate(err)
	}
	for _, cert := range read.Certificates {
		if pki.IsSelfSigned(cert) {
			roots.Roots = append(roots.Roots, cert)
		} else {
			roots.Issuers = append(roots.Issuers, cert)
		}
	}
	return roots, nil
}

func tpmView(where string, p tpm.Properties, keys tpm.Keys, cert tpm.EKCertificate, pem string) TPMView {
	view := TPMView{TPM: where, Manufacturer: p.Manufacturer, Firmware: p.Firmware, Family: p.Family,
		Lockout: TPMLockout{p.Lockout.Active, p.Lockout.Count, p.Lockout.Max, int(p.Lockout.Interval.Seconds())},
		Auth:    TPMAuth{p.OwnerAuth, p.EndorsementAuth},
		EK:      TPMKey{Template: string(keys.EK.Template), Public: keys.EK.Base64(), SHA256: keys.EK.Sum()},
		SRK:     keys.SRK.Base64(), RegistrationIDs: TPMRegistrationID{keys.EK.Base32(), keys.EK.Sum()},
		EKCertificate: TPMCertificate{State: string(cert.State), Problem: cert.Problem, Chain: []string{}}, pem: pem}
	if keys.EK.Handle != 0 {
		view.EK.Handle = fmt.Sprintf("0x%08x", keys.EK.Handle)
	}
	if cert.State != tpm.ChainNone {
		view.EKCertificate.Index = fmt.Sprintf("0x%08x", tpm.EKCertificateIndex)
	}
	for _, link := range cert.Chain {
		view.EKCertificate.Chain = append(view.EKCertificate.Chain, link.Subject.String())
	}
	return view
}

// openTPM opens the TPM that a request names, and says which one that is. The
// address of a software TPM is reached from an attached device where the target
// is one, else from this computer.
func (a *App) openTPM(ctx context.Context, device target.Target, r TPMRequest) (*tpm.TPM, string, error) {
	auth, err := a.tpmAuth(ctx, r)
	if err != nil {
		return nil, "", err
	}
	address := r.Address
	if address == "target" {
		address = ""
	}
	if address != "" {
		if err := tpm.CheckAddress(address); err != nil {
			return nil, "", &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The address of the TPM does not read: " + err.Error() + ".",
				Hint: "Write target, local, unix:/path or tcp:host:port."}
		}
	}
	opener, relayed := device.(target.TPMOpener)
	attached := relayed && device.Kind() != target.KindLocal
	var transport tpm.Transport
	where := address
	switch {
	case attached && address != tpm.Local:
		if where == "" {
			where = device.Spec().String()
		}
		transport, err = opener.OpenTPM(ctx, address)
	case address == "" && device.Kind() == target.KindPractice:
		where = device.Spec().String()
		transport, err = a.openSoftwareTPM(ctx, device.Spec().Name)
	case address == "" && !device.CanRun():
		return nil, "", &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "A folder has no TPM.",
			Hint: "Name one by --tpm, or in a plan by tpm.at: local for this computer's, unix:/path or tcp:host:port for a software TPM."}
	case address == "":
		where = tpm.Local
		transport, err = tpm.Open(ctx, tpm.Local)
		var refused *tpm.Error
		if relayed && errors.As(err, &refused) && (refused.Code == tpm.CodeNoPermission || refused.Code == tpm.CodeBusy) {
			transport, err = opener.OpenTPM(ctx, "")
		}
	default:
		transport, err = tpm.Open(ctx, address)
	}
	if err != nil {
		return nil, "", translate(fmt.Errorf("open the TPM of %s: %w", device.Spec(), nodeError(err)))
	}
	if by, ok := transport.(target.TPM); ok && by.Way() != "" {
		where += " by " + by.Way()
	}
	return tpm.New(transport, auth), where, nil
}

// nodeError words why an attached device's TPM could not be opened.
func nodeError(err error) error {
	var refused *target.TPMError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Reason {
	case target.TPMMissing:
		return tpm.NodeError(refused.Where, fs.ErrNotExist)
	case target.TPMPermission:
		return tpm.NodeError(refused.Where, fs.ErrPermission)
	case target.TPMBusy:
		return tpm.NodeError(refused.Where, syscall.EBUSY)
	case target.TPMNoProgram:
		return &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "The device lacks a program that reaching its TPM takes: " + refused.Where + ".",
			Hint: "Install coreutils, a busybox that has it, or tpm2-tools.", Err: err}
	}
	return &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "No software TPM answers the device at " + refused.Where + ".",
		Hint: "Start swtpm there, or correct the address.", Err: err}
}

func (a *App) tpmAuth(ctx context.Context, r TPMRequest) (auth tpm.Auth, err error) {
	for _, word := range []struct {
		reference, field string
		value            *secret.Value
	}{{r.EndorsementAuth, "endorsement", &auth.Endorsement}, {r.OwnerAuth, "owner", &auth.Owner}} {
		if word.reference == "" {
			continue
		}
		name, ok := strings.CutPrefix(word.reference, "vault:")
		if !ok {
			return auth, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The password of the " + word.field + " hierarchy is not a name of the vault.",
				Hint: "Store it with `edgewright secrets set NAME` and write vault:NAME."}
		}
		if *word.value, err = (secretsPort{a}).Secret(ctx, name); err != nil {
			return auth, err
		}
	}
	return auth, nil
}

// tpmKinds are the kinds of the TPM's failures that are not simply a failure.
var tpmKinds = map[tpm.Code]error{
	tpm.CodeNoTPM: provisioning.ErrNotFound, tpm.CodeOldTPM: provisioning.ErrUnsupported, tpm.CodeNoPermission: provisioning.ErrUnauthorized,
	tpm.CodeBusy: provisioning.ErrBusy, tpm.CodeAuth: provisioning.ErrUnauthorized, tpm.CodeKeyAuth: provisioning.ErrUnauthorized,
	tpm.CodeLockout: provisioning.ErrBusy, tpm.CodeLost: provisioning.ErrUnreachable, tpm.CodeNotRSA: provisioning.ErrUnsupported,
	tpm.CodeObjectMemory: provisioning.ErrBusy, tpm.CodeSessionMemory: provisioning.ErrBusy, tpm.CodeNotStarted: provisioning.ErrUnreachable,
	tpm.CodeFailed: provisioning.ErrUnreachable, tpm.CodeOtherEK: provisioning.ErrConflict, tpm.CodeOtherSRK: provisioning.ErrConflict,
}

func fromTPM(err error) *provisioning.Error {
	var found *tpm.Error
	if !errors.As(err, &found) {
		return nil
	}
	kind, ok := tpmKinds[found.Code]
	if !ok {
		kind = provisioning.ErrInvalid
	}
	return &provisioning.Error{Kind: kind, Message: found.Problem, Hint: found.Fix}
}
