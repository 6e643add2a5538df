package conformance

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"edgewright/provisioning/dps"
	"edgewright/provisioning/iothub"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
	"edgewright/provisioning/tpm/softtpm"
	"edgewright/provisioning/wire"
)

// chip is a software TPM and its keys.
type chip struct {
	*tpm.TPM
	keys tpm.Keys
}

func newChip(t *testing.T) chip {
	t.Helper()
	if softtpm.Available() != nil {
		t.Skip("needs swtpm")
	}
	process, err := softtpm.Start(t.Context(), t.TempDir(), secret.Value{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Close() })
	transport, err := tpm.Open(t.Context(), process.Address)
	if err != nil {
		t.Fatal(err)
	}
	made := chip{TPM: tpm.New(transport, tpm.Auth{})}
	t.Cleanup(func() { _ = made.Close() })
	if made.keys, err = made.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	return made
}

// activate is what the program does with a key of DPS.
func (c chip) activate(ctx context.Context, sealed []byte) (func([]byte) ([]byte, error), func(), error) {
	identity, err := c.Activate(ctx, sealed)
	if err != nil {
		return nil, nil, err
	}
	return func(message []byte) ([]byte, error) { return identity.Sign(ctx, message) }, func() { _ = identity.Close() }, nil
}

func (c *cloud) registerByTPM(id string, with chip, ek []byte) (dps.Registered, error) {
	return dps.Register(c.Context(), dps.Registration{GlobalEndpoint: c.global, IDScope: c.scope, RegistrationID: id, Options: c.options,
		TPM: &dps.TPM{EndorsementKey: ek, StorageRootKey: with.keys.SRK.Public, Activate: with.activate}})
}

func TestDPSByTPM(t *testing.T) {
	c := reachDPS(t)
	own, other := newChip(t), newChip(t)
	made := c.enrollment(wire.IndividualEnrollment{RegistrationID: "tpm", Capabilities: &wire.Capabilities{IotEdge: true},
		Attestation: &wire.AttestationMechanism{Type: wire.AttestationTPM, TPM: &wire.TPMAttestation{EndorsementKey: own.keys.EK.Base64()}}})
	id := made.RegistrationID
	for range 2 { // a second registration, with a key of its own, is as good
		registered, err := c.registerByTPM(id, own, own.keys.EK.Public)
		if err != nil || registered.State.TPM == nil || registered.State.DeviceID != id {
			t.Fatalf("registered %+v, %v", registered, err)
		}
		sealed, err := base64.StdEncoding.DecodeString(registered.State.TPM.AuthenticationKey)
		if err != nil {
			t.Fatal(err)
		}
		sign, release, err := own.activate(t.Context(), sealed)
		if err != nil {
			t.Fatal(err)
		}
		device, err := iothub.NewSigningDeviceClient(registered.State.AssignedHub, registered.State.DeviceID, sign, c.options)
		if err != nil {
			t.Fatal(err)
		}
		if err := device.SendEvent(t.Context(), []byte("{}")); err != nil {
			t.Error(err)
		}
		_ = device.Close()
		release()
		_, _, err = other.activate(t.Context(), sealed)
		var refused *tpm.Error
		if !errors.As(err, &refused) || refused.Code != tpm.CodeOtherEK {
			t.Errorf("the hub key in another TPM: %v", err)
		}
	}

	// Another TPM, and one that shows a key that it does not have.
	_, err := c.registerByTPM(id, other, other.keys.EK.Public)
	c.failed(err, 401, "register with another TPM")
	_, err = c.registerByTPM(id, other, own.keys.EK.Public)
	var refused *tpm.Error
	if !errors.As(err, &refused) {
		t.Errorf("register with a borrowed key: %v", err)
	}
	_, err = c.registerByTPM(c.prefix+"nobody", own, own.keys.EK.Public)
	c.failed(err, 401, "register without an enrollment")
}
