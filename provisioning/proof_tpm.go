package provisioning

import (
	"context"
	"errors"
	"fmt"

	"edgewright/provisioning/edgeconfig"
)

// reasonCollected is why a run with a collected endorsement key ends without a
// proof where nothing runs.
const reasonCollected = "the endorsement key comes from the catalog, and its TPM is not at hand"

// takeChip opens the TPM of a plan that has one and gives it to the credentials
// that the device is played with.
func (x *Execution) takeChip(ctx context.Context, held *Credentials) (release func(), err error) {
	if x.Run.Plan.Cell.Authentication != TPM {
		return func() {}, nil
	}
	chip, err := x.TPMs.Open(ctx, x.Run.Plan.TPM)
	if err != nil {
		return nil, fmt.Errorf("open the TPM: %w", err)
	}
	held.Chip, held.EndorsementKey, held.StorageRoot = chip, x.tpm.Key.Public, x.tpm.StorageRoot
	return func() { _ = chip.Close() }, nil
}

// takeHubKey takes the key of the hub into the TPM that registered.
func (c *Credentials) takeHubKey(ctx context.Context, registration Registration) (release func(), err error) {
	if c.Chip == nil {
		return func() {}, nil
	}
	c.Sign, release, err = c.Chip.Activate(ctx, registration.Sealed)
	if err != nil {
		return nil, fmt.Errorf("take the key of %s: %w", registration.Hub, err)
	}
	return release, nil
}

// keptKey signs with the key that the device's own service keeps in its TPM;
// nil where that cannot be had from here.
func (x *Execution) keptKey(ctx context.Context) (sign Sign, release func(), err error) {
	release = func() {}
	if x.Run.Plan.Cell.Authentication != TPM || x.Run.Plan.CollectedKey() != "" {
		return nil, release, nil
	}
	file, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return nil, release, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	config, err := edgeconfig.Read(file.Data.Reveal())
	if err != nil {
		return nil, release, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	chip, err := x.TPMs.Open(ctx, x.Run.Plan.TPM)
	if err != nil {
		return nil, release, fmt.Errorf("open the TPM: %w", err)
	}
	release = func() { _ = chip.Close() }
	sign, err = chip.Kept(ctx, keyIndex(config))
	if err != nil {
		return nil, release, fmt.Errorf("look for the key of the device's TPM service: %w", err)
	}
	return sign, release, nil
}

// whyTPMRefused looks for the cause of a refusal where it can be seen: in the
// enrollment, whose keys are compared, and in the device at the hub. Neither
// DPS's answer nor the TPM's tells it. Where nothing is found, err stays.
func (x *Execution) whyTPMRefused(ctx context.Context, err error) error {
	if x.Run.Plan.Cell.Authentication != TPM || !errors.Is(err, ErrUnauthorized) && !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnproven) || ctx.Err() != nil {
		return err
	}
	name := x.Run.enrollmentName()
	cause := func(message, hint string) error {
		return &Error{Kind: ErrUnauthorized, Message: message, Hint: hint, Err: err}
	}
	found, lookErr := x.Cloud.DPS.Enrollment(ctx, false, name)
	switch {
	case errors.Is(lookErr, ErrNotFound):
		return cause("The enrollment "+name+" is not there any more.", "Try again, which makes it anew.")
	case lookErr != nil:
		return err
	case !found.Enabled:
		return cause("The enrollment "+name+" is disabled, so DPS lets its device register no more.", "Enable it in DPS and try again, or remove it there if the device is to stay out.")
	case found.Authentication != TPM:
		return cause("The enrollment "+name+" attests by "+string(found.Authentication)+".", "Remove it in DPS and try again.")
	}
	if problem := x.otherTPM(found); problem != "" {
		return cause("The enrollment "+name+" does not let this TPM in: "+problem+".",
			"Compare with `edgewright tpm ek`. Remove the enrollment in DPS and try again if this is the device that it was made for.")
	}
	if x.Cloud.Hub == nil {
		return err
	}
	if device, lookErr := x.Cloud.Hub.Identity(ctx, x.Run.Plan.Device.ID); lookErr == nil && !device.Enabled {
		return cause("The device "+device.DeviceID+" is disabled in "+x.Cloud.Hub.Host()+".", "Enable it in the hub and try again.")
	}
	return err
}
