package app

import (
	"context"
	"strings"

	"edgewright/provisioning"
	"edgewright/provisioning/target"
	"edgewright/provisioning/tpm"
)

// mostAttached is how many devices of the catalog a station is offered.
const mostAttached = 200

// AttachedDevices are devices that may have a TPM to read: this computer, and those
// of the catalog that are machines or practice devices with a software TPM, the one
// that was proven last first.
func (a *App) AttachedDevices(ctx context.Context) ([]CollectTarget, error) {
	devices, err := a.Devices(ctx, DeviceQuery{SortBy: "proof", Descending: true, Limit: mostAttached})
	if err != nil {
		return nil, err
	}
	list, known := []CollectTarget{{Target: "local:"}}, map[string]bool{"local:": true}
	for _, device := range devices {
		spec, err := target.ParseSpec(device.Target)
		switch {
		case err != nil, known[device.Target], spec.Kind == target.KindRootfs, device.State == StateReplaced,
			spec.Kind == target.KindPractice && !a.HasSoftwareTPM(spec.Name):
			continue
		}
		known[device.Target] = true
		id := device.RegistrationID
		if id == "" {
			id = device.DeviceID
		}
		if provisioning.CheckDeviceID(id, tpmCell) != nil {
			id = ""
		}
		list = append(list, CollectTarget{Target: device.Target, Device: id})
	}
	return list, nil
}

// ParseCollectTarget reads what a person types: a target, or user@host for one by
// SSH, and behind it the address of a software TPM, if that is meant.
func ParseCollectTarget(text string) (CollectTarget, error) {
	refused := func(problem string) (CollectTarget, error) {
		return CollectTarget{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: problem,
			Hint: "Write local:, user@host, ssh://user@host or practice:NAME; behind it unix:/path or tcp:host:port for a software TPM."}
	}
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > 2 {
		return refused("That is not one device.")
	}
	spec, err := target.ParseShorthand(words[0])
	if err != nil {
		return refused("The target does not read: " + err.Error() + ".")
	}
	at := CollectTarget{Target: spec.String()}
	if len(words) == 2 {
		at.TPM = words[1]
		if err := tpm.CheckAddress(at.TPM); err != nil {
			return refused("The address of the TPM does not read: " + err.Error() + ".")
		}
	} else if spec.Kind == target.KindRootfs {
		return refused("A folder has no TPM.")
	}
	return at, nil
}
