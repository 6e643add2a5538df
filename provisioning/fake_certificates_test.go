package provisioning

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"strings"
	"sync"
	"time"

	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// fakeCertificates issues by one CA below a root, and keeps the pairs of runs
// in memory.
type fakeCertificates struct{ w *world }

// plantCA is the CA of all tests: making one takes longer than a run.
var plantCA = sync.OnceValue(func() pki.Issuer {
	made := func(name, profile string, by pki.Issuer) pki.Issuer {
		p, _ := pki.ProfileByName(profile)
		key, err := pki.GenerateKey(rand.Reader, pki.P256)
		if err != nil {
			panic(err)
		}
		cert, err := pki.Issue(rand.Reader, worldBegins, by, pki.Order{Profile: p, Subject: pkix.Name{CommonName: name}, Public: key.Public(), Key: key})
		if err != nil {
			panic(err)
		}
		return pki.Issuer{Certificate: cert, Chain: append([]*x509.Certificate{}, append(chainOf(by), by.Chain...)...), Signer: key}
	}
	return made("Plant issuing", "intermediate CA", made("Plant root", "root CA", pki.Issuer{}))
})

func chainOf(by pki.Issuer) []*x509.Certificate {
	if by.Certificate == nil {
		return nil
	}
	return []*x509.Certificate{by.Certificate}
}

func (c fakeCertificates) Authority(_ context.Context, name string) (Authority, error) {
	if name != "Plant issuing" {
		return Authority{}, &Error{Kind: ErrNotFound, Message: "There is no CA " + name + ".", Hint: "Name another."}
	}
	by := plantCA()
	return Authority{Name: name, Chain: append(chainOf(by), by.Chain...)}, nil
}

func (c fakeCertificates) IssuerOf(_ context.Context, cert *x509.Certificate) (Authority, error) {
	if by := plantCA(); pki.Signed(by.Certificate, cert) {
		return Authority{Name: "Plant issuing", Chain: append(chainOf(by), by.Chain...)}, nil
	}
	return Authority{}, ErrNotFound
}

func (c fakeCertificates) Prove(_ context.Context, _, ca, code string) (*x509.Certificate, error) {
	if ca != "Plant issuing" && ca != pki.SHA256(plantCA().Certificate) {
		return nil, ErrNotFound
	}
	profile, _ := pki.ProfileByName("verification")
	return issuedBy(plantCA(), profile, code, 0).Leaf(), nil
}

func (c fakeCertificates) Ready(_ context.Context, _ string, open bool) error {
	c.w.opened = c.w.opened || open
	return c.w.unready
}

func (c fakeCertificates) Made(_ context.Context, run string, role CertificateRole) (Pair, error) {
	pair, ok := c.w.made[run+"/"+string(role)]
	if !ok {
		return Pair{}, ErrNotFound
	}
	return pair, nil
}

func (c fakeCertificates) Make(ctx context.Context, run string, o CertificateOrder) (Pair, error) {
	pair, err := c.Made(ctx, run, o.Role)
	if err == nil && (o.Signer == nil && !pair.Key.IsEmpty() || o.Signer != nil && pki.SamePublicKey(o.Signer.Public(), pair.Leaf().PublicKey)) {
		return pair, nil
	}
	name := map[CertificateRole]string{RoleIdentity: "device identity", RoleSpare: "device identity", RoleEdgeCA: "Edge CA", RoleLocalCA: "device CA"}[o.Role]
	if o.SelfSigned {
		name = "self-signed " + name
	}
	profile, _ := pki.ProfileByName(name)
	key, text := o.Signer, secret.Value{}
	if key == nil {
		key, err = pki.GenerateKey(rand.Reader, o.Algorithm)
		if !o.Key.IsEmpty() {
			key, err = pki.ParseKey(o.Key.Reveal(), secret.Value{})
		}
		if err != nil {
			return Pair{}, err
		}
		if text, err = pki.DeviceKeyPEM(key); err != nil {
			return Pair{}, err
		}
	} else if !o.SelfSigned {
		request, err := pki.ParseRequest(o.Request)
		if err != nil || request.Subject.CommonName != o.CommonName {
			return Pair{}, ErrInvalid
		}
	}
	cert, err := pki.Issue(rand.Reader, c.w.now, plantCA(), pki.Order{Profile: profile, Subject: pkix.Name{CommonName: o.CommonName}, Public: key.Public(), Key: key, Days: o.Days})
	if err != nil {
		return Pair{}, err
	}
	pair = Pair{Chain: []*x509.Certificate{cert}, Key: text}
	if !o.SelfSigned {
		pair.Chain = append(pair.Chain, plantCA().Certificate)
	}
	c.w.effect("make "+string(o.Role), func() { c.w.made[run+"/"+string(o.Role)] = pair })
	return pair, nil
}

func (c fakeCertificates) FromFiles(context.Context, CertificateFiles) (Pair, error) {
	return c.w.given, nil
}

// plantBootstrap is a certificate that devices may enrol with.
var plantBootstrap = sync.OnceValue(func() Pair {
	profile, _ := pki.ProfileByName("EST bootstrap")
	return issuedBy(plantCA(), profile, "Plant bootstrap", 0)
})

// issuedBy makes a key and its certificate.
func issuedBy(by pki.Issuer, profile pki.Profile, name string, days int) Pair {
	key, err := pki.GenerateKey(rand.Reader, pki.P256)
	if err != nil {
		panic(err)
	}
	cert, err := pki.Issue(rand.Reader, worldBegins, by, pki.Order{Profile: profile, Subject: pkix.Name{CommonName: name}, Public: key.Public(), Key: key, Days: days})
	if err != nil {
		panic(err)
	}
	text, err := pki.DeviceKeyPEM(key)
	if err != nil {
		panic(err)
	}
	return Pair{Chain: []*x509.Certificate{cert, by.Certificate}, Key: text}
}

func (c fakeCertificates) Bootstrap(_ context.Context, name string) (Pair, error) {
	if name != "Plant bootstrap" {
		return Pair{}, &Error{Kind: ErrNotFound, Message: "There is no certificate " + name + ".", Hint: "Name another."}
	}
	return plantBootstrap(), nil
}

// fakeEST issues by the plant's CA to whoever shows the plant's bootstrap
// certificate or its password, and trusts the plant's root.
type fakeEST struct{ w *world }

func (e fakeEST) CAs(_ context.Context, server ESTAccess) ([]*x509.Certificate, error) {
	if server.URL != "https://est.example.test/.well-known/est" || len(server.Trust) != 1 || !server.Trust[0].Equal(plantCA().Chain[0]) {
		return nil, &Error{Kind: ErrUnreachable, Message: "The EST server cannot be reached.", Hint: "Try again."}
	}
	return e.w.estCAs, nil
}

func (e fakeEST) Enroll(ctx context.Context, server ESTAccess, order ESTOrder) (Pair, error) {
	if _, err := e.CAs(ctx, server); err != nil {
		return Pair{}, err
	}
	leaf, login := server.Bootstrap.Leaf(), server.Username+":"+server.Password.RevealString()
	if leaf != nil && slices.Contains(e.w.enrolled, leaf.Subject.CommonName) && pki.Signed(plantCA().Certificate, leaf) {
		login = "plant:secret" // what was issued here serves, too
	}
	if (leaf == nil || !leaf.Equal(plantBootstrap().Leaf()) || !provesBootstrap(server.Bootstrap)) && login != "plant:secret" {
		return Pair{}, ErrUnauthorized
	}
	name := "device identity"
	if order.CA && !e.w.estLeavesOnly {
		name = "Edge CA"
	}
	profile, _ := pki.ProfileByName(name)
	var pair Pair
	e.w.effect("enrol "+order.CommonName, func() {
		if order.Wait != nil {
			order.Wait(time.Second)
		}
		pair = issuedBy(plantCA(), profile, order.CommonName, 0)
		e.w.enrolled = append(e.w.enrolled, order.CommonName)
	})
	return pair, nil
}

// Settle forgets keys; like the catalog it keeps the certificates.
func (c fakeCertificates) KeyOnDevice(_ context.Context, cert *x509.Certificate, lies bool) error {
	c.w.effect("note key", func() {
		c.w.lying = slices.DeleteFunc(c.w.lying, func(sum string) bool { return sum == pki.SHA256(cert) })
		if lies {
			c.w.lying = append(c.w.lying, pki.SHA256(cert))
		}
	})
	return nil
}

func (c fakeCertificates) Settle(_ context.Context, run string) error {
	c.w.effect("settle", func() { c.forget(run) })
	return nil
}

func (c fakeCertificates) Supersede(_ context.Context, _ string, _ CertificateRole, former *x509.Certificate) error {
	c.w.effect("supersede", func() { c.w.superseded[pki.SHA256(former)] = true })
	return nil
}

func (c fakeCertificates) Reinstate(_ context.Context, _ string, _ CertificateRole, former *x509.Certificate) error {
	c.w.effect("reinstate", func() { delete(c.w.superseded, pki.SHA256(former)) })
	return nil
}

func (c fakeCertificates) Revoke(_ context.Context, run string) error {
	c.w.effect("revoke", func() { c.forget(run); c.w.revoked++ })
	return nil
}

func (c fakeCertificates) forget(run string) {
	for name := range c.w.made {
		if strings.HasPrefix(name, run+"/") {
			delete(c.w.made, name)
		}
	}
}

func (c fakeCertificates) Roots(_ context.Context, names []string) ([]*x509.Certificate, error) {
	if len(names) != 1 || names[0] != "Plant root" {
		return nil, &Error{Kind: ErrNotFound, Message: "There is no such root.", Hint: "Name another."}
	}
	return plantCA().Chain, nil
}

// provesBootstrap tells whether a pair has the bootstrap key, given or used
// where it lies.
func provesBootstrap(pair Pair) bool {
	if pair.Signer != nil {
		return pki.SamePublicKey(pair.Signer.Public(), plantBootstrap().Leaf().PublicKey)
	}
	return pair.Key.Equal(plantBootstrap().Key)
}
