package daemontest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
)

// issuer is a CA, or a leaf, with its key.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	der  [][]byte // chain, own certificate first, without the root
}

// issue makes a certificate under parent, or a root where that is nil.
func issue(t *testing.T, name string, parent *issuer, ca bool) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: ca, KeyUsage: x509.KeyUsageDigitalSignature}
	if ca {
		template.KeyUsage = x509.KeyUsageCertSign
	} else {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	signer := &issuer{template, key, nil}
	if parent != nil {
		signer = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	made := &issuer{cert: cert, key: key}
	if parent != nil {
		made.der = append([][]byte{der}, parent.der...)
	}
	return made
}

// json is the certificate as a JSON string of PEM.
func (i *issuer) json() string {
	text, _ := json.Marshal(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw})))
	return string(text)
}

func (i *issuer) chain() *tls.Certificate {
	der := i.der
	if der == nil {
		der = [][]byte{i.cert.Raw}
	}
	return &tls.Certificate{Certificate: der, PrivateKey: i.key, Leaf: i.cert}
}

// withChain is a daemon that shows a certificate and no token.
func (s *stage) withChain(id string, leaf *issuer) daemontest.Identityd {
	d := s.daemon(id, nil)
	d.Chain = leaf.chain()
	return d
}

func TestIdentitydProvisionsByCertificate(t *testing.T) {
	s := serve(t)
	own := issue(t, "single", nil, false)
	s.owner("PUT", "/enrollments/single", `{"registrationId":"single","capabilities":{"iotEdge":true},"attestation":{"type":"x509","x509":{"clientCertificates":{"primary":{"certificate":`+own.json()+`}}}}}`, nil)
	root := issue(t, "root", nil, true)
	between := issue(t, "between", root, true)
	for id, anchor := range map[string]*issuer{"by-root": root, "by-intermediate": between} {
		s.owner("PUT", "/enrollmentGroups/"+id, `{"enrollmentGroupId":"`+id+`","capabilities":{"iotEdge":true},"attestation":{"type":"x509","x509":{"signingCertificates":{"primary":{"certificate":`+anchor.json()+`}}}}}`, nil)
	}
	for id, leaf := range map[string]*issuer{"single": own, "member-1": issue(t, "member-1", between, false), "member-2": issue(t, "member-2", root, false)} {
		d := s.withChain(id, leaf)
		device, err := d.Register(t.Context())
		if err != nil || device.ID != id {
			t.Errorf("%s: %+v, %v", id, device, err)
			continue
		}
		// The hub knows the certificate: its modules are managed with it.
		r := daemontest.Registry{Network: d.Network, Device: device}
		if _, err := r.Reconcile(t.Context(), []string{"$edgeAgent", "$edgeHub", "sensor"}, daemontest.WithKey([]byte("master"))); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		r.Chain = issue(t, id, between, false).chain()
		if _, err := r.Modules(t.Context()); err == nil {
			t.Errorf("%s: another certificate of the same name is taken by the hub", id)
		}
	}
	foreign := issue(t, "root", nil, true)
	for name, d := range map[string]daemontest.Identityd{
		"a foreign CA of the same name": s.withChain("member-3", issue(t, "member-3", foreign, false)),
		"another name":                  s.withChain("member-4", issue(t, "member-5", between, false)),
		"another leaf of the same name": s.withChain("single", issue(t, "single", nil, false)),
		"a leaf that signs":             s.withChain("member-6", issue(t, "member-6", issue(t, "member-7", between, false), false)),
		"no certificate":                s.daemon("single", nil),
	} {
		_, err := d.Register(t.Context())
		if status, _ := code(err); status != 401 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentitydProvisionsByTPM(t *testing.T) {
	s := serve(t)
	chip, err := daemontest.NewSoftTPM()
	if err != nil {
		t.Fatal(err)
	}
	endorsement, storageRoot, err := chip.PublicKeys()
	if err != nil || len(endorsement) != 424 || len(storageRoot) != 380 { // base64 of 316 and 284 bytes
		t.Fatalf("keys of %d and %d characters, %v", len(endorsement), len(storageRoot), err)
	}
	s.owner("PUT", "/enrollments/chip", fmt.Sprintf(`{"registrationId":"chip","capabilities":{"iotEdge":true},"attestation":{"type":"tpm","tpm":{"endorsementKey":%q}}}`, endorsement), nil)
	d := s.daemon("chip", nil)
	d.TPM = chip
	for range 2 { // a second time after a restart
		device, err := d.Register(t.Context())
		if err != nil || device.ID != "chip" || device.Sign == nil {
			t.Fatalf("%+v, %v", device, err)
		}
		r := daemontest.Registry{Network: s.network, Device: device}
		modules, err := r.Modules(t.Context())
		if err != nil || !slices.ContainsFunc(modules, func(m daemontest.Module) bool { return m.ModuleID == "$edgeAgent" }) {
			t.Errorf("modules %+v, %v", modules, err)
		}
	}
	other, err := daemontest.NewSoftTPM()
	if err != nil {
		t.Fatal(err)
	}
	d.TPM = other
	if _, err := d.Register(t.Context()); err == nil {
		t.Error("another chip gets in")
	}
	if _, err := s.daemon("chip", daemontest.WithKey([]byte("0123456789abcdef"))).Register(t.Context()); err == nil {
		t.Error("a key of no TPM gets in")
	}
}
