package provisioning

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/secret"
)

// softChip is a TPM in memory: its seed makes its keys, and what is sealed for
// it names both.
type softChip struct {
	seed string
	// standard tells that the key is that of the standard template; else it is
	// the one with the empty unique field.
	empty    bool
	findings []string // problems that stop a run
	open     int      // openings that are not closed
	opened   int
	closed   error // why it does not open
	loaded   int   // keys that are not flushed
	kept     []byte
	node     error // what MayUse says of /dev/tpmrm0
	user     error // and of its user
}

func (c *softChip) key() []byte {
	if c.empty {
		return []byte("EK without unique of " + c.seed)
	}
	return []byte("EK of " + c.seed)
}

func endorsementKey(public []byte, other []byte) EndorsementKey {
	sum := sha256.Sum256(public)
	return EndorsementKey{Public: public, Hex: hex.EncodeToString(sum[:]), Base32: "b32-" + hex.EncodeToString(sum[:8]),
		Matches: func(asked []byte) (string, bool) {
			switch {
			case bytes.Equal(asked, public):
				return "in use", true
			case other != nil && bytes.Equal(asked, other):
				return "other", true
			}
			return "", false
		}}
}

type fakeTPMs struct{ w *world }

func (t fakeTPMs) Open(context.Context, TPMPlan) (Chip, error) {
	if t.w.chip.closed != nil {
		return nil, t.w.chip.closed
	}
	if t.w.chip.open > 0 {
		return nil, &Error{Kind: ErrBusy, Message: "opened twice"}
	}
	t.w.chip.open++
	t.w.chip.opened++
	return fakeChip(t), nil
}

func (t fakeTPMs) Collected(_ context.Context, id string) (EndorsementKey, error) {
	if id != "collected" {
		return EndorsementKey{}, ErrNotFound
	}
	return endorsementKey(t.w.chip.key(), nil), nil
}

type fakeChip struct{ w *world }

func (c fakeChip) Read(context.Context) (TPMReading, error) {
	chip := c.w.chip
	other := *chip
	other.empty = !chip.empty
	reading := TPMReading{Summary: "a soft chip", Key: endorsementKey(chip.key(), other.key()), StorageRoot: []byte("SRK of " + chip.seed), Template: "Some template.", Certificate: "None."}
	for _, problem := range chip.findings {
		reading.Findings.Add("error", "tpm.endorsement_auth", problem, "Mend it.")
	}
	return reading, nil
}

// sealFor is what DPS does.
func sealFor(endorsement, storageRoot, key []byte) []byte {
	return []byte(string(endorsement) + "|" + string(storageRoot) + "|" + string(key))
}

func (c fakeChip) Activate(_ context.Context, sealed []byte) (Sign, func(), error) {
	chip := c.w.chip
	key, ok := bytes.CutPrefix(sealed, sealFor(chip.key(), []byte("SRK of "+chip.seed), nil))
	if !ok {
		return nil, nil, ErrConflict
	}
	chip.loaded++
	return signWith(key), func() { chip.loaded-- }, nil
}

func signWith(key []byte) Sign {
	return func(message []byte) ([]byte, error) { return append(bytes.Clone(key), message...), nil }
}

func (c fakeChip) Kept(_ context.Context, index int64) (Sign, error) {
	if c.w.chip.kept == nil || index != edgeconfig.AuthKeyIndex {
		return nil, nil
	}
	return signWith(c.w.chip.kept), nil
}

func (c fakeChip) Close() error {
	c.w.chip.open--
	return nil
}

// registerTPM is DPS's side of a registration with a TPM.
func (p fakePlayer) registerTPM(ctx context.Context, c Credentials) (Registration, error) {
	e, ok := p.w.enrollments[key(false, c.RegistrationID)]
	if !ok || !e.Enabled || e.Authentication != TPM || !bytes.Equal(e.EndorsementKey, c.EndorsementKey) {
		return Registration{}, ErrUnauthorized
	}
	nonce := randomKey(8)
	sign, release, err := c.Chip.Activate(ctx, sealFor(c.EndorsementKey, c.StorageRoot, nonce))
	if err != nil {
		return Registration{}, err
	}
	signed, _ := sign([]byte("registration"))
	release()
	if !bytes.Equal(signed, append(bytes.Clone(nonce), "registration"...)) {
		return Registration{}, ErrUnauthorized
	}
	hubKey := randomKey(8)
	device := e.DeviceID
	r := Registration{RegistrationID: c.RegistrationID, Status: "assigned", Hub: p.w.hubHost, DeviceID: device, Updated: p.w.now, Sealed: sealFor(c.EndorsementKey, c.StorageRoot, hubKey)}
	p.w.effect("register", func() {
		p.w.registered[c.RegistrationID] = r
		identity, exists := p.w.identities[device]
		if !exists {
			identity = Identity{DeviceID: device, Edge: true, Enabled: true, Authentication: "sas"}
		}
		identity.Primary = secret.New(hubKey)
		p.w.identities[device] = identity
	})
	return r, nil
}

// connectTPM is the device's own service, with a TPM that is for it alone.
func (m fakeMachine) connectTPM(ctx context.Context, registrationID string) {
	if m.w.chip.open > 0 {
		return // somebody else holds it
	}
	player := fakePlayer(m)
	held := Credentials{RegistrationID: registrationID, Chip: fakeChip(m), EndorsementKey: m.w.chip.key(), StorageRoot: []byte("SRK of " + m.w.chip.seed)}
	r, err := player.registerTPM(ctx, held)
	if err != nil {
		return
	}
	release, err := held.takeHubKey(ctx, r)
	if err != nil {
		return
	}
	defer release()
	m.w.chip.kept = m.w.identities[r.DeviceID].Primary.Reveal()
	_ = player.Connect(ctx, r.Hub, r.DeviceID, held)
}

func (m fakeMachine) MayUse(_ context.Context, user, node string) error {
	switch {
	case user != tpmUser || !strings.HasPrefix(node, "/dev/"):
		return errors.New("not in the list")
	case node == "/dev/tpm0":
		return m.w.chip.user
	}
	return m.w.chip.node
}

var errNoPermission = &fs.PathError{Op: "open", Path: "/dev/tpmrm0", Err: fs.ErrPermission}
