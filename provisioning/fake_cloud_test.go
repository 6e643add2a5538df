package provisioning

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

type fakeHub struct{ w *world }

func (h fakeHub) Host() string { return h.w.hubHost }
func (h fakeHub) Identity(_ context.Context, id string) (Identity, error) {
	found, ok := h.w.identities[id]
	if !ok {
		return Identity{}, fmt.Errorf("device %s: %w", id, ErrNotFound)
	}
	return found, nil
}
func (h fakeHub) CreateIdentity(_ context.Context, identity Identity) (Identity, error) {
	if _, ok := h.w.identities[identity.DeviceID]; ok {
		return Identity{}, ErrConflict
	}
	if identity.Primary.IsEmpty() && identity.Authentication == "sas" {
		identity.Primary, identity.Secondary = secret.New(randomKey(32)), secret.New(randomKey(32))
	}
	h.w.effect("create identity", func() { h.w.identities[identity.DeviceID] = identity; h.w.creates++ })
	return identity, nil
}
func (h fakeHub) DeleteIdentity(_ context.Context, id string) error {
	h.w.effect("delete identity", func() { delete(h.w.identities, id); delete(h.w.active, id) })
	return nil
}
func (h fakeHub) SetThumbprints(_ context.Context, id, primary, secondary string) error {
	h.w.effect("set thumbprints", func() {
		identity := h.w.identities[id]
		identity.Thumbprints = []string{primary, secondary}
		h.w.identities[id] = identity
	})
	return nil
}
func (h fakeHub) SetTags(_ context.Context, id string, tags map[string]any) error {
	h.w.effect("set tags", func() {
		identity := h.w.identities[id]
		identity.Tags = maps.Clone(tags)
		h.w.identities[id] = identity
	})
	return nil
}
func (h fakeHub) Activity(_ context.Context, id string) (Activity, error) {
	return Activity{Device: h.w.active[id]}, nil
}
func (h fakeHub) Now(context.Context) (time.Time, error) { return h.w.now, nil }

type fakeDPS struct{ w *world }

func (d fakeDPS) Endpoint() string { return "https://global.example.test" }
func (d fakeDPS) IDScope() string  { return "0ne00TEST" }
func key(group bool, name string) string {
	return fmt.Sprintf("%t/%s", group, name)
}
func (d fakeDPS) Enrollment(_ context.Context, group bool, name string) (Enrollment, error) {
	found, ok := d.w.enrollments[key(group, name)]
	if !ok {
		return Enrollment{}, ErrNotFound
	}
	found.Primary, found.Secondary = secret.Value{}, secret.Value{}
	if found.Certificate != nil {
		found.Thumbprints = []string{pki.SHA256(found.Certificate)}
		found.Certificate = nil
	}
	if second := d.w.secondaries[name]; second != nil && !group {
		found.Thumbprints = append(found.Thumbprints, pki.SHA256(second))
	}
	return found, nil
}
func (d fakeDPS) CreateEnrollment(_ context.Context, e Enrollment) (Enrollment, error) {
	if _, ok := d.w.enrollments[key(e.Group, e.Name)]; ok {
		return Enrollment{}, ErrConflict
	}
	if e.Primary.IsEmpty() && e.Authentication == SymmetricKey {
		e.Primary, e.Secondary = secret.New(randomKey(64)), secret.New(randomKey(64))
	}
	d.w.effect("create enrollment", func() { d.w.enrollments[key(e.Group, e.Name)] = e; d.w.creates++ })
	return e, nil
}
func (d fakeDPS) DeleteEnrollment(_ context.Context, group bool, name string) error {
	d.w.effect("delete enrollment", func() { delete(d.w.enrollments, key(group, name)) })
	return nil
}
func (d fakeDPS) SetCertificates(_ context.Context, name string, primary, secondary *x509.Certificate) error {
	d.w.effect("set certificates", func() {
		e := d.w.enrollments[key(false, name)]
		e.Certificate = primary
		d.w.enrollments[key(false, name)] = e
		d.w.secondaries[name] = secondary
	})
	return nil
}
func (d fakeDPS) DeviceKey(_ context.Context, group bool, name, id string) (secret.Value, error) {
	e, ok := d.w.enrollments[key(group, name)]
	if !ok {
		return secret.Value{}, ErrNotFound
	}
	if group {
		return derive(e.Primary, id), nil
	}
	return e.Primary, nil
}
func (d fakeDPS) Derive(key secret.Value, id string) secret.Value { return derive(key, id) }

// derive stands for the HMAC: any function of key and ID does.
func derive(key secret.Value, id string) secret.Value {
	return secret.New(append(bytes.Clone(key.Reveal()), id...))
}
func (d fakeDPS) Registration(_ context.Context, id string) (Registration, error) {
	r, ok := d.w.registered[id]
	if !ok {
		return Registration{}, ErrNotFound
	}
	return r, nil
}
func (d fakeDPS) DeleteRegistration(_ context.Context, id string) error {
	d.w.effect("delete registration", func() { delete(d.w.registered, id) })
	return nil
}
func (d fakeDPS) OthersInGroup(_ context.Context, _, id string) (bool, error) {
	for other := range d.w.registered {
		if other != id {
			return true, nil
		}
	}
	return false, nil
}
func (d fakeDPS) Now(context.Context) (time.Time, error) { return d.w.now, nil }

type fakePlayer struct{ w *world }

func (p fakePlayer) Register(ctx context.Context, c Credentials, wait func(time.Duration)) (Registration, error) {
	wait(3 * time.Second)
	if c.Chip != nil {
		return p.registerTPM(ctx, c)
	}
	for _, e := range p.w.enrollments {
		key := e.Primary
		if e.Group {
			key = derive(e.Primary, c.RegistrationID)
		}
		if leaf := c.Pair.Leaf(); leaf != nil {
			if known := p.w.cas["DPS/"+e.Uploaded]; e.Group && known.Verified {
				e.Certificate = known.Certificate
			}
			second := p.w.secondaries[e.Name]
			if e.Certificate == nil || !e.Certificate.Equal(leaf) && !(!e.Group && second != nil && second.Equal(leaf)) && !(e.Group && slices.ContainsFunc(c.Pair.Chain, func(c *x509.Certificate) bool { return pki.Signed(e.Certificate, c) })) {
				continue
			}
		} else if !key.Equal(c.Key) {
			continue
		}
		r := Registration{RegistrationID: c.RegistrationID, Status: "assigned", Hub: p.w.hubHost, DeviceID: c.RegistrationID, Updated: p.w.now}
		p.w.effect("register", func() {
			p.w.registered[c.RegistrationID] = r
			made := Identity{DeviceID: r.DeviceID, Edge: true, Enabled: true, Authentication: "sas", Primary: key}
			if leaf := c.Pair.Leaf(); leaf != nil {
				made.Authentication, made.Primary, made.Thumbprints = "selfSigned", secret.Value{}, []string{pki.SHA256(leaf), pki.SHA256(leaf)}
			}
			p.w.identities[r.DeviceID] = made
		})
		return r, nil
	}
	return Registration{}, ErrUnauthorized
}
func (p fakePlayer) Connect(_ context.Context, hub, id string, c Credentials) error {
	identity := p.w.identities[id]
	proves := identity.Primary.Equal(c.Key)
	if leaf := c.Pair.Leaf(); leaf != nil {
		byCA := false
		for name, ca := range p.w.cas {
			byCA = byCA || identity.Authentication == "certificateAuthority" && strings.HasPrefix(name, "hub/") && ca.Verified && pki.Signed(ca.Certificate, leaf)
		}
		proves = byCA || knowsPair(identity.Thumbprints, c.Pair)
	}
	if c.Sign != nil {
		signed, err := c.Sign([]byte(id))
		proves = err == nil && identity.Enabled && bytes.Equal(signed, append(bytes.Clone(identity.Primary.Reveal()), id...))
	}
	if hub != p.w.hubHost || !proves {
		return ErrUnauthorized
	}
	p.w.effect("connect", func() { p.w.active[id] = p.w.now })
	return nil
}
