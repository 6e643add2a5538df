package provisioning

import (
	"context"
	"strings"
	"time"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// fakeMachine keeps files in a map. Its runtime registers and connects when
// the configuration is applied, with the player's own code.
type fakeMachine struct{ w *world }

func (m fakeMachine) Name() string { return "rootfs:///device" }
func (m fakeMachine) Runs() bool   { return m.w.runs }
func (m fakeMachine) Read(_ context.Context, path string) (FileState, error) {
	return m.w.files[path], nil
}
func (m fakeMachine) Same(_ context.Context, files []File) (bool, error) {
	for _, f := range files {
		have := m.w.files[f.Path]
		if f.Remove {
			if have.Exists {
				return false, nil
			}
			continue
		}
		if !have.Exists || m.w.files[f.From].Exists || !f.Stays && !have.Data.Equal(f.Data) || have.Owner != f.Owner || have.Mode != f.Mode {
			return false, nil
		}
	}
	return true, nil
}
func (m fakeMachine) Place(_ context.Context, run string, files []File) (Placed, error) {
	m.w.effect("place", func() { m.put(run, files) })
	return Placed{Changed: true}, nil
}
func (m fakeMachine) PutBack(_ context.Context, run string) error {
	m.w.effect("put back", func() {
		for path, state := range m.w.kept[run] {
			if state.Exists {
				m.w.files[path] = state
			} else {
				delete(m.w.files, path)
			}
		}
		delete(m.w.kept, run)
	})
	return nil
}
func (m fakeMachine) Act(ctx context.Context, action Action, _ func(string)) (Output, error) {
	m.w.acts = append(m.w.acts, action)
	switch action {
	case ActStatus:
		if !m.w.applied {
			return Output{Stdout: "    aziot-edged             Down - inactive\n"}, nil
		}
		return Output{Stdout: "System services:\n    aziot-edged             Running\n    aziot-identityd         Running\n    aziot-keyd              Ready\n"}, nil
	case ActModules:
		if m.w.edgeHub {
			return Output{Stdout: "NAME STATUS DESCRIPTION Config\nedgeHub running\n"}, nil
		}
		return Output{Stdout: "NAME STATUS DESCRIPTION Config\n"}, nil
	case ActCheck:
		return Output{Exit: 1, Stdout: `{"checks":{"hostname":{"result":{"result":"ok"}},"identityd-running":{"result":{"result":"ok"}},"edge-hub-storage-mounted-from-host":{"result":{"result":"error","details":["no edgeHub"]}}}}`}, nil
	case ActConfigApply, ActReprovision:
		m.w.effect(string(action), func() {
			m.w.applied = true
			m.w.files[superPath] = FileState{Exists: true, Owner: "aziotid", Mode: 0o600, Modified: m.w.now.Add(time.Second)}
			m.take()
			if !m.w.deaf {
				m.connect(ctx)
			}
		})
	case ActStop:
		m.w.effect("stop", func() { m.w.applied = false })
	case ActRemoveGenerated:
		m.w.effect("remove generated", func() { delete(m.w.files, superPath) })
	}
	return Output{}, nil
}

// connect plays the daemon. It has no effects of its own: it is cut with apply.
func (m fakeMachine) connect(ctx context.Context) {
	saved := m.w.effect
	m.w.effect = func(_ string, do func()) { do() }
	defer func() { m.w.effect = saved }()
	config, err := edgeconfig.Read(m.w.files[ConfigPath].Data.Reveal())
	if err != nil {
		return
	}
	p := config.Provisioning
	player := fakePlayer(m)
	if p.Attestation.Method == edgeconfig.MethodTPM {
		m.connectTPM(ctx, p.Attestation.RegistrationID)
		return
	}
	held := Credentials{RegistrationID: p.Attestation.RegistrationID, Key: p.DeviceKey, Pair: m.pair(ctx, config, p.Authentication.Certificate)}
	if p.Source == "dps" {
		held.Key, held.Pair = p.Attestation.SymmetricKey, m.pair(ctx, config, p.Attestation.Certificate)
		if _, err := player.Register(ctx, held, func(time.Duration) {}); err == nil {
			_ = player.Connect(ctx, m.w.hubHost, p.Attestation.RegistrationID, held)
		}
		return
	}
	_ = player.Connect(ctx, p.HubHostname, p.DeviceID, held)
}

// pair reads the certificate that a configuration names, or obtains it as the
// daemon does.
func (m fakeMachine) pair(ctx context.Context, config edgeconfig.Config, named edgeconfig.Certificate) Pair {
	x := newExecution(m.w.ports(), &Run{Plan: Plan{Cell: Cell{Linux, Manual, X509}}}, nil)
	switch issued := named.Issued; {
	case issued != nil && issued.Method == edgeconfig.IssuedByEST:
		access, err := x.heldEST(ctx)
		if err != nil {
			return Pair{}
		}
		pair, _ := x.EST.Enroll(ctx, access, ESTOrder{CommonName: issued.CommonName})
		return pair
	case issued != nil:
		ca, found, err := x.readPair(ctx, config.LocalCA.Cert, config.LocalCA.Key)
		if err != nil || !found || ca.Signer == nil {
			return Pair{}
		}
		profile, _ := pki.ProfileByName("device identity")
		pair := issuedBy(pki.Issuer{Certificate: ca.Chain[0], Chain: ca.Chain[1:], Signer: ca.Signer}, profile, issued.CommonName, int(issued.ExpiryDays))
		pair.Chain = append(pair.Chain[:1], ca.Chain...)
		return pair
	}
	content, err := pki.Read(m.w.files[strings.TrimPrefix(named.Cert, "file://")].Data.Reveal(), secret.Value{})
	if err != nil {
		return Pair{}
	}
	return Pair{Chain: content.Certificates}
}

func (m fakeMachine) Lock(_ context.Context, run string, _ time.Time) error {
	if m.w.lock != "" && m.w.lock != run {
		return &Error{Kind: ErrBusy, Message: "The device is being worked on by run " + m.w.lock + "."}
	}
	m.w.effect("lock", func() { m.w.lock = run })
	return nil
}
func (m fakeMachine) Unlock(context.Context, string) error {
	m.w.effect("unlock", func() { m.w.lock = "" })
	return nil
}
