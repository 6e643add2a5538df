package tpm

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"edgewright/provisioning/secret"
)

func TestABareTPMIsReadAndNotChanged(t *testing.T) {
	chip := bare(t)
	before := inventory(t, chip)
	p, err := chip.Properties(t.Context())
	if err != nil || p.Manufacturer != "IBM" || p.Family != "2.0" || p.Lockout.Active || p.Lockout.Max != 3 || p.Lockout.Interval != 1000*time.Second ||
		p.EndorsementAuth || p.OwnerAuth || p.EndorsementOff || p.FreePersistent == 0 {
		t.Fatalf("%+v %v", p, err)
	}
	for range 4 { // more often than there are slots: nothing stays loaded
		keys, err := chip.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ek := keys.EK
		if ek.Handle != 0 || ek.Template != TemplateStandard || len(ek.Public) != 316 || len(keys.SRK.Public) != 284 || len(ek.Base32()) != 52 || len(ek.Sum()) != 64 {
			t.Fatalf("%+v", keys)
		}
		if template, ok := ek.Matches(ek.Variants[TemplateEmptyUnique]); !ok || template != TemplateEmptyUnique {
			t.Error("the variant with the empty unique field is not told")
		}
		if _, ok := ek.Matches(keys.SRK.Public); ok {
			t.Error("a foreign key matches")
		}
	}
	cert, err := chip.EKCertificate(t.Context(), Key{}, Roots{}, time.Now())
	if err != nil || cert.State != ChainNone || cert.Problem == "" {
		t.Errorf("%+v %v", cert, err)
	}
	if after := inventory(t, chip); before != after {
		t.Errorf("the TPM changed: %s became %s", before, after)
	}
}

// inventory lists what a TPM holds: loaded and kept objects, sessions, indices.
func inventory(t *testing.T, chip *TPM) string {
	t.Helper()
	var list bytes.Buffer
	err := chip.use(t.Context(), "list", func(s sender) error {
		for _, first := range []uint32{0x80000000, 0x81000000, 0x02000000, 0x03000000, 0x01000000} {
			answer, err := tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: first, PropertyCount: 64}.Execute(s)
			if err != nil {
				return err
			}
			list.Write(tpm2.Marshal(answer.CapabilityData))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}

func TestAManufacturedTPM(t *testing.T) {
	state, ca := manufactured(t)
	chip := open(t, soft(t, state), Auth{})
	keys, err := chip.Keys(t.Context())
	if err != nil || keys.EK.Handle != EKHandle || keys.EK.Template != TemplateStandard || keys.SRK.Handle != SRKHandle {
		t.Fatalf("%+v %v", keys, err)
	}
	roots := Roots{Roots: certificates(t, filepath.Join(ca, "swtpm-localca-rootca-cert.pem")), Issuers: certificates(t, filepath.Join(ca, "cert.pem"))}
	for name, row := range map[string]struct {
		ek    Key
		roots Roots
		now   time.Time
		want  ChainState
	}{
		"trusted":         {keys.EK, roots, time.Now(), ChainTrusted},
		"no roots":        {keys.EK, Roots{}, time.Now(), ChainUnchecked},
		"other root":      {keys.EK, Roots{Roots: roots.Issuers[:0:0]}, time.Now(), ChainUnchecked},
		"no issuer":       {keys.EK, Roots{Roots: roots.Roots}, time.Now(), ChainUntrusted},
		"before its time": {keys.EK, roots, time.Now().AddDate(-30, 0, 0), ChainUntrusted},
		"other key":       {keys.SRK, roots, time.Now(), ChainOtherKey},
	} {
		cert, err := chip.EKCertificate(t.Context(), row.ek, row.roots, row.now)
		if err != nil || cert.State != row.want {
			t.Errorf("%s: %s %q %v", name, cert.State, cert.Problem, err)
		}
	}
}

func certificates(t *testing.T, path string) (list []*x509.Certificate) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, cert)
	}
	return list
}

// A second reading of the same TPM: tpm2-tools make and hash the same key.
func TestAgreesWithTPM2Tools(t *testing.T) {
	if _, err := exec.LookPath("tpm2_createek"); err != nil {
		t.Skip("needs tpm2_createek")
	}
	process := soft(t, t.TempDir())
	transport, err := Open(t.Context(), process.Address)
	if err != nil {
		t.Fatal(err)
	}
	chip := New(transport, Auth{})
	keys, err := chip.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = chip.Close() // it serves one connection at a time
	dir := t.TempDir()
	cmd := exec.Command("tpm2_createek", "-G", "rsa", "-c", filepath.Join(dir, "ek.ctx"), "-u", filepath.Join(dir, "ek.pub"))
	cmd.Env = append(os.Environ(), "TPM2TOOLS_TCTI=swtpm:path="+process.Address[len("unix:"):])
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	theirs, err := os.ReadFile(filepath.Join(dir, "ek.pub"))
	if err != nil || !bytes.Equal(theirs, keys.EK.Public) {
		t.Errorf("%v\n%x\n%x", err, theirs, keys.EK.Public)
	}
}

// persist keeps a primary key, as another program would.
func persist(t *testing.T, chip *TPM, handle uint32, hierarchy tpm2.AuthHandle, template tpm2.TPMTPublic) {
	t.Helper()
	err := chip.use(t.Context(), "persist", func(s sender) error {
		made, err := tpm2.CreatePrimary{PrimaryHandle: hierarchy, InPublic: tpm2.New2B(template)}.Execute(s)
		if err != nil {
			return err
		}
		_, err = tpm2.EvictControl{Auth: chip.auth.owner(), ObjectHandle: &tpm2.NamedHandle{Handle: made.ObjectHandle, Name: made.Name},
			PersistentHandle: tpm2.TPMHandle(handle)}.Execute(s)
		return errors.Join(err, flush(s, made.ObjectHandle))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTemplatesOfAKeptKeyAreTold(t *testing.T) {
	chip := bare(t)
	persist(t, chip, EKHandle, chip.auth.endorsement(), emptyUnique(tpm2.RSAEKTemplate))
	keys, err := chip.Keys(t.Context())
	if err != nil || keys.EK.Handle != EKHandle || keys.EK.Template != TemplateEmptyUnique {
		t.Fatalf("%+v %v", keys.EK, err)
	}
	other := bare(t)
	persist(t, other, EKHandle, other.auth.owner(), tpm2.RSAEKTemplate)
	if keys, err = other.Keys(t.Context()); err != nil || keys.EK.Template != TemplateOther {
		t.Errorf("%+v %v", keys.EK, err)
	}
	ecc := bare(t)
	persist(t, ecc, EKHandle, ecc.auth.endorsement(), tpm2.ECCEKTemplate)
	_, err = ecc.Keys(t.Context())
	wants(t, err, CodeNotRSA)
}

// wants checks that a failure has its code and a text with cause and fix.
func wants(t *testing.T, err error, code Code) {
	t.Helper()
	var found *Error
	if !errors.As(err, &found) || found.Code != code || found.Problem == "" || found.Fix == "" {
		t.Errorf("want %s, got %v", code, err)
	}
}

func TestPasswordsOfHierarchies(t *testing.T) {
	process := soft(t, t.TempDir())
	chip := open(t, process, Auth{})
	first, err := chip.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = chip.use(t.Context(), "set passwords", func(s sender) error {
		for _, hierarchy := range []tpm2.AuthHandle{chip.auth.endorsement(), chip.auth.owner()} {
			if _, err := (tpm2.HierarchyChangeAuth{AuthHandle: hierarchy, NewAuth: tpm2.TPM2BAuth{Buffer: []byte("word")}}).Execute(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = chip.Keys(t.Context())
	wants(t, err, CodeAuth)
	chip.auth = Auth{Endorsement: secret.FromString("wrong"), Owner: secret.FromString("wrong")}
	for range 5 {
		_, err = chip.Keys(t.Context())
		wants(t, err, CodeAuth)
	}
	chip.auth = Auth{Endorsement: secret.FromString("word"), Owner: secret.FromString("word")}
	again, err := chip.Keys(t.Context())
	if err != nil || !bytes.Equal(again.EK.Public, first.EK.Public) || !bytes.Equal(again.SRK.Public, first.SRK.Public) {
		t.Errorf("%v", err)
	}
	p, err := chip.Properties(t.Context())
	if err != nil || !p.EndorsementAuth || !p.OwnerAuth || p.Lockout.Count != 0 {
		t.Errorf("%+v %v", p, err)
	}
	persist(t, chip, EKHandle, chip.auth.endorsement(), tpm2.RSAEKTemplate)
	persist(t, chip, SRKHandle, chip.auth.owner(), tpm2.RSASRKTemplate)
	chip.auth = Auth{}
	if kept, err := chip.Keys(t.Context()); err != nil || kept.EK.Template != TemplateUnknown {
		t.Errorf("%+v %v", kept.EK, err)
	}
}

func TestMemoryOfTheTPM(t *testing.T) {
	chip := bare(t)
	var held []tpm2.TPMHandle
	err := chip.use(t.Context(), "fill", func(s sender) error {
		for range 3 {
			made, err := tpm2.CreatePrimary{PrimaryHandle: chip.auth.owner(), InPublic: tpm2.New2B(tpm2.RSASRKTemplate)}.Execute(s)
			if err != nil {
				return err
			}
			held = append(held, made.ObjectHandle)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = chip.Keys(t.Context())
	wants(t, err, CodeObjectMemory)
	err = chip.use(t.Context(), "empty", func(s sender) error {
		for _, handle := range held {
			err = errors.Join(err, flush(s, handle))
		}
		for range 3 {
			_, _, err := tpm2.PolicySession(s, tpm2.TPMAlgSHA256, 16)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		wants(t, err, "none")
	}
	_, err = chip.Activate(t.Context(), sealedFor(t, chip))
	wants(t, err, CodeSessionMemory)
}

func TestNoTPM(t *testing.T) {
	for _, address := range []string{"unix:/nowhere/s", "tcp:127.0.0.1:1", "", "unix:relative", "tcp:", "serial:"} {
		_, err := Open(context.Background(), address)
		wants(t, err, CodeNoTPM)
	}
}
