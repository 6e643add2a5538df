package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/target"
	"edgewright/provisioning/wire"
)

// translate turns the errors of the rooms below into kinds of the domain, with
// what a person can do about them. An error that is of a kind already, nil and
// a cancelled context stay as they are.
func translate(err error) error {
	var typed *provisioning.Error
	if err == nil || errors.As(err, &typed) || errors.Is(err, context.Canceled) {
		return err
	}
	for _, known := range []func(error) *provisioning.Error{fromCloud, fromTPM, fromTarget, fromVault, fromCatalog, fromToken, fromPKI, fromEST} {
		if made := known(err); made != nil {
			made.Err = err
			return made
		}
	}
	return err
}

func fromCloud(err error) *provisioning.Error {
	var cloud *wire.Error
	if !errors.As(err, &cloud) {
		return nil
	}
	made := &provisioning.Error{Kind: provisioning.ErrInvalid, CorrelationID: cloud.CorrelationID}
	what := strings.TrimSpace(cloud.Service + " " + cloud.Operation + " " + cloud.Subject)
	switch {
	case wire.IsConflict(err), cloud.Status == http.StatusPreconditionFailed:
		made.Kind, made.Message = provisioning.ErrConflict, "It exists already or was changed meanwhile ("+what+")."
	case cloud.Status == 0:
		made.Kind, made.Message = provisioning.ErrUnreachable, "The cloud cannot be reached ("+what+")."
	case cloud.Status == http.StatusUnauthorized, cloud.Status == http.StatusForbidden:
		made.Kind, made.Message = provisioning.ErrUnauthorized, "The cloud refuses the key or its rights ("+what+")."
	case cloud.Status == http.StatusNotFound:
		made.Kind, made.Message = provisioning.ErrNotFound, "The cloud does not know it ("+what+")."
	case cloud.Status == http.StatusTooManyRequests:
		made.Kind, made.Message = provisioning.ErrThrottled, "The cloud asks to slow down ("+what+")."
	case cloud.Status >= http.StatusInternalServerError:
		made.Kind, made.Message = provisioning.ErrUnreachable, "The cloud has trouble of its own ("+what+")."
		made.Hint = "Try again in a minute."
	default:
		made.Message = "The cloud refuses the request (" + what + "): " + cloud.Message
	}
	return made
}

func fromTarget(err error) *provisioning.Error {
	var key *target.HostKeyError
	var locked *target.LockedError
	var user *target.MissingUserError
	switch {
	case errors.As(err, &key) && key.Changed:
		return &provisioning.Error{Kind: provisioning.ErrUnauthorized, Message: "The SSH key of " + key.Host + " has changed: known is " + key.Known + ", shown is " + key.Fingerprint + ".",
			Hint: "If the device was installed anew, remove its line from " + key.Source + "; otherwise somebody else may be answering."}
	case errors.As(err, &key):
		return &provisioning.Error{Kind: provisioning.ErrUnauthorized, Message: "The SSH key of " + key.Host + " is not known: " + key.Type + " " + key.Fingerprint + ".",
			Hint: "Compare it with the device's own and give it with --host-key " + key.Fingerprint + "."}
	case errors.As(err, &locked):
		return &provisioning.Error{Kind: provisioning.ErrBusy, Message: "The device is being worked on by run " + locked.RunID + ".",
			Hint: "Wait for it, or resume it with `edgewright runs resume " + locked.RunID + "`."}
	case errors.As(err, &user):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The device has no user %s.", user.User),
			Hint: "Install the package " + user.Package + " there."}
	case errors.Is(err, target.ErrAuth):
		return &provisioning.Error{Kind: provisioning.ErrUnauthorized, Message: "The device refuses the login.", Hint: "Check the user, the key or the password."}
	case errors.Is(err, target.ErrNoElevation):
		return &provisioning.Error{Kind: provisioning.ErrUnauthorized, Message: "Administrator rights are needed on the device and cannot be had.",
			Hint: "Use a user that may run sudo, or give its password."}
	case errors.Is(err, target.ErrUnknownResult):
		return &provisioning.Error{Kind: provisioning.ErrUnreachable, Message: "The connection to the device was lost in the middle of a command.",
			Hint: "Resume the run; it looks before it acts."}
	case errors.Is(err, target.ErrUnreachable):
		return &provisioning.Error{Kind: provisioning.ErrUnreachable, Message: "The device cannot be reached.", Hint: "Check its name, the network and whether it is on."}
	case errors.Is(err, target.ErrCannotRun), errors.Is(err, target.ErrUnsupported):
		return &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "That cannot be done on this target."}
	case errors.Is(err, fs.ErrPermission):
		return &provisioning.Error{Kind: provisioning.ErrUnauthorized, Message: "A file may not be read or written.", Hint: "Look at the owner and mode of the path in the details."}
	}
	return nil
}

func fromVault(err error) *provisioning.Error {
	switch {
	case errors.Is(err, vault.ErrLocked):
		return &provisioning.Error{Kind: provisioning.ErrLocked, Message: "The vault is locked.",
			Hint: "Give its passphrase with --passphrase-file or --passphrase-fd, or unlock the credential store of the desktop."}
	case errors.Is(err, vault.ErrWrongPassphrase):
		return &provisioning.Error{Kind: provisioning.ErrLocked, Message: "The passphrase does not open the vault.", Hint: "Try again."}
	case errors.Is(err, vault.ErrPassphraseFile):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err), Hint: "Name a file of mode 0600 that holds the passphrase, or an open descriptor."}
	case errors.Is(err, vault.ErrDamaged):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "A sealed record of the vault is damaged.", Hint: "Restore a backup."}
	case errors.Is(err, vault.ErrNotFound):
		return &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The vault has no such secret.", Hint: "`edgewright secrets list` shows the names."}
	}
	return nil
}

func fromCatalog(err error) *provisioning.Error {
	switch {
	case errors.Is(err, catalog.ErrFull), diskFull(err):
		return &provisioning.Error{Kind: catalog.ErrFull, Message: "There is no room left on the disk.", Hint: "Make room there, then try again; what was finished is kept."}
	case errors.Is(err, catalog.ErrNewer):
		return &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "The data folder was written by a newer Edgewright.", Hint: "Update this program, or choose another folder with --data."}
	case errors.Is(err, catalog.ErrForeign):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The catalog in the data folder is not Edgewright's.", Hint: "Choose another folder with --data."}
	case errors.Is(err, catalog.ErrDamaged):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The catalog is damaged; the file is kept.", Hint: "Bring back a copy with `edgewright backup restore`."}
	case errors.Is(err, catalog.ErrAmbiguous):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "More than one thing has that name.", Hint: "Name it by more of its UUID."}
	case errors.Is(err, catalog.ErrInUse):
		return &provisioning.Error{Kind: provisioning.ErrConflict, Message: sentence(err), Hint: "Undo or remove those devices first."}
	case errors.Is(err, catalog.ErrNetwork):
		return &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "The data folder lies on a network drive, which cannot hold the catalog safely.", Hint: "Choose a folder of this computer with --data."}
	case errors.Is(err, catalog.ErrBusy):
		return &provisioning.Error{Kind: provisioning.ErrBusy, Message: "Another process is writing to the catalog.", Hint: "Try again in a moment."}
	case errors.Is(err, catalog.ErrExists):
		return &provisioning.Error{Kind: provisioning.ErrConflict, Message: sentence(err), Hint: "Choose another name."}
	case errors.Is(err, catalog.ErrInvalid):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err)}
	case errors.Is(err, catalog.ErrLocked):
		return &provisioning.Error{Kind: provisioning.ErrBusy, Message: sentence(err)}
	case errors.Is(err, catalog.ErrNotFound):
		return &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The catalog does not know that.", Hint: "Look at the list."}
	}
	return nil
}

func fromPKI(err error) *provisioning.Error {
	switch {
	case errors.Is(err, pki.ErrRefused):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err), Hint: "Change what is named and try again."}
	case errors.Is(err, pki.ErrPassphrase):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err), Hint: "Give the passphrase of the file."}
	case errors.Is(err, pki.ErrUnreadable):
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err), Hint: "Choose a PEM, DER, PKCS #7 or PFX file."}
	}
	return nil
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
