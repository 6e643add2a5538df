package app

import (
	"context"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// rotateWays are what is rotated with the real parts on a folder.
var rotateWays = []struct{ way, what string }{
	{"manual x509", "identity"}, {"manual x509", "edge-ca"}, {"individual x509", "identity"}, {"group issue", "identity"},
}

// TestRotation provisions, rotates, and undoes that. All the while the pair
// that the device has in use calls the practice cloud, around every effect.
func TestRotation(t *testing.T) {
	t.Parallel()
	for _, w := range rotateWays {
		t.Run(w.way+" "+w.what, func(t *testing.T) {
			t.Parallel()
			b := mustBench(t, w.way, false)
			a, err := b.open(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = a.Close() }()
			if out := a.Provision(t.Context(), b.request(), nil); out.Outcome != provisioning.RunSucceeded {
				t.Fatalf("provision: %+v", out.Error)
			}
			before := b.heldLeaf(t, w.what)
			calls := 0
			plain := a.decorate
			a.decorate = func(p provisioning.Ports) provisioning.Ports {
				p = plain(p)
				probe := func(when string) {
					calls++
					if err := b.call(context.WithoutCancel(t.Context()), p); err != nil {
						t.Errorf("%s: the pair in use is refused: %v", when, err)
					}
				}
				p.Machine = probedMachine{p.Machine, probe}
				p.Cloud.Hub = probedHub{p.Cloud.Hub, probe}
				p.Cloud.DPS = probedDPS{p.Cloud.DPS, probe}
				return p
			}
			request, err := a.RotationRequest(t.Context(), Rotation{Device: benchDevice, What: w.what, NewKey: true})
			if err != nil {
				t.Fatal(err)
			}
			out := a.Provision(t.Context(), request, nil)
			want := provisioning.RunSucceeded
			if w.what == "edge-ca" {
				want = provisioning.RunConfigured
			}
			if out.Outcome != want || out.Error != nil {
				t.Fatalf("rotate: %+v, error %+v", out, out.Error)
			}
			if calls < 3 {
				t.Errorf("only %d calls of the probe", calls)
			}
			after := b.heldLeaf(t, w.what)
			row, err := a.catalog.Certificate(t.Context(), pki.SHA256(before))
			if err != nil || row.State != catalog.CertificateSuperseded || after.Equal(before) {
				t.Errorf("the former certificate is %s, %v", row.State, err)
			}
			if newer, err := a.catalog.Certificate(t.Context(), row.Superseded); err != nil || newer.SHA256 != pki.SHA256(after) {
				t.Errorf("superseded by %s, %v", newer.SHA256, err)
			}
			device, err := a.Device(t.Context(), benchDevice)
			if err != nil || device.State != StateRehearsed {
				t.Errorf("the device is %s, %v", device.State, err)
			}
			undone, _, err := a.Undo(t.Context(), out.Run, Access{}, nil)
			if err != nil || undone[0].Outcome != provisioning.RunUndone {
				t.Fatalf("undo: %+v, %v", undone, err)
			}
			if !b.heldLeaf(t, w.what).Equal(before) {
				t.Error("undone, the device has another certificate")
			}
			if row, err = a.catalog.Certificate(t.Context(), pki.SHA256(before)); err != nil || row.State != catalog.CertificateValid {
				t.Errorf("undone, the former certificate is %s, %v", row.State, err)
			}
			a.decorate = plain // nothing is left to call with
			if outs, _, err := a.Undo(t.Context(), "0001", Access{}, nil); err != nil || outs[0].Outcome != provisioning.RunUndone {
				t.Errorf("undo of the provisioning: %+v, %v", outs, err)
			}
		})
	}
}

// heldPair reads what the configuration on the folder names.
func (b bench) heldPair(what string) (provisioning.Pair, error) {
	text, err := os.ReadFile(filepath.Join(b.folder(), "etc/aziot/config.toml"))
	if err != nil {
		return provisioning.Pair{}, err
	}
	config, err := edgeconfig.Read(text)
	if err != nil {
		return provisioning.Pair{}, err
	}
	named := config.Provisioning.Authentication.Certificate
	if config.Provisioning.Source == "dps" {
		named = config.Provisioning.Attestation.Certificate
	}
	if what == "edge-ca" {
		named.Cert, named.Key = config.EdgeCA.Cert, config.EdgeCA.Key
	}
	cert, err := os.ReadFile(filepath.Join(b.folder(), strings.TrimPrefix(named.Cert, "file://")))
	if err != nil {
		return provisioning.Pair{}, err
	}
	key, err := os.ReadFile(filepath.Join(b.folder(), strings.TrimPrefix(named.Key, "file://")))
	if err != nil {
		return provisioning.Pair{}, err
	}
	content, err := pki.Read(cert, secret.Value{})
	return provisioning.Pair{Chain: content.Certificates, Key: secret.New(key)}, err
}

func (b bench) heldLeaf(t *testing.T, what string) *x509.Certificate {
	t.Helper()
	pair, err := b.heldPair(what)
	if err != nil || pair.Leaf() == nil {
		t.Fatalf("the %s on the device: %v", what, err)
	}
	return pair.Leaf()
}

// call is the device with its pair in use.
func (b bench) call(ctx context.Context, p provisioning.Ports) error {
	pair, err := b.heldPair("identity")
	if err != nil {
		return err
	}
	return p.Player.Connect(ctx, p.Cloud.Hub.Host(), benchDevice, provisioning.Credentials{Pair: pair})
}

type probedMachine struct {
	provisioning.Machine
	probe func(string)
}

func (m probedMachine) Place(ctx context.Context, id string, files []provisioning.File) (provisioning.Placed, error) {
	m.probe("before place")
	placed, err := m.Machine.Place(ctx, id, files)
	m.probe("after place")
	return placed, err
}

func (m probedMachine) PutBack(ctx context.Context, id string) error {
	m.probe("before put back")
	err := m.Machine.PutBack(ctx, id)
	m.probe("after put back")
	return err
}

type probedHub struct {
	provisioning.Registry
	probe func(string)
}

func (h probedHub) SetThumbprints(ctx context.Context, id, primary, secondary string) error {
	err := h.Registry.SetThumbprints(ctx, id, primary, secondary)
	h.probe("after thumbprints")
	return err
}

type probedDPS struct {
	provisioning.Enroller
	probe func(string)
}

func (d probedDPS) SetCertificates(ctx context.Context, name string, primary, secondary *x509.Certificate) error {
	err := d.Enroller.SetCertificates(ctx, name, primary, secondary)
	d.probe("after certificates")
	return err
}
