//go:build unix

package target

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"testing"

	"edgewright/provisioning/secret"
)

const (
	waitingKey = "/var/aziot/secrets/id.key.new"
	idKey      = "/var/aziot/secrets/id.key"
)

// bornSet has the device make a key; placedSet puts it into its place.
func bornSet(algorithm KeyAlgorithm) FileSet {
	set := fullSet("run-1", "")
	set.Files = []File{{Path: waitingKey, Make: algorithm, Owner: "aziotks", Group: "aziotks", Mode: 0o600}}
	return set
}

func placedSet(from string) FileSet {
	set := fullSet("run-1", "born")
	set.Files[2].Data, set.Files[2].Stays, set.Files[2].From = secret.Value{}, true, from
	return set
}

func mustPlace(t *testing.T, r Root, set FileSet, changed bool) {
	t.Helper()
	placed, err := r.Place(t.Context(), set)
	if err != nil || placed.Changed != changed {
		t.Fatalf("Placed = %+v, %v, want changed %v", placed, err, changed)
	}
}

// bornKeys holds the keys that a device makes against the suite.
func bornKeys(t *testing.T, s subject, r Root) {
	ctx := t.Context()
	if !s.runs {
		if _, err := r.Place(ctx, bornSet("p256")); !errors.Is(err, ErrCannotRun) {
			t.Fatalf("a folder makes a key: %v", err)
		}
		if _, err := os.Stat(s.path("/var/aziot")); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("the refused key left something: %v", err)
		}
		s.put(t, idKey, 0o600, 991, 981, "key")
		if _, err := r.Sign(ctx, idKey, Signing{Hash: "sha256", Digest: make([]byte, 32)}); !errors.Is(err, ErrCannotRun) {
			t.Fatalf("a folder signs: %v", err)
		}
		return
	}
	s.put(t, idKey, 0o640, 0, 0, "the key before")
	before := snapshot(t, s.folder)
	for _, algorithm := range []KeyAlgorithm{"p256", "rsa2048"} {
		mustPlace(t, r, bornSet(algorithm), true)
		text, err := os.ReadFile(s.path(waitingKey))
		if err != nil {
			t.Fatal(err)
		}
		s.checkFile(t, waitingKey, string(text), 0o600, 991, 981)
		mustPlace(t, r, bornSet(algorithm), false) // once for a run
		signs(t, r, text, algorithm)

		if same, err := r.Same(ctx, placedSet(waitingKey)); same || err != nil {
			t.Fatalf("Same = %v, %v with the key waiting", same, err)
		}
		mustPlace(t, r, placedSet(waitingKey), true)
		s.checkFile(t, idKey, string(text), 0o600, 991, 981)
		if _, err := os.Stat(s.path(waitingKey)); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("the key lies in two places: %v", err)
		}
		mustPlace(t, r, placedSet(waitingKey), false)
		if err := errors.Join(os.Chmod(s.path(idKey), 0o644), os.Chown(s.path(idKey), 0, 0)); err != nil {
			t.Fatal(err)
		}
		mustPlace(t, r, placedSet(""), true) // bytes stay, owner and mode are put right
		s.checkFile(t, idKey, string(text), 0o600, 991, 981)
		if err := r.PutBack(ctx, "run-1"); err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, "put back", before, snapshot(t, s.folder))
	}
	asUsers(t, s, r)
}

// signs lets the key sign as TLS does, and checks with the public part.
func signs(t *testing.T, r Root, text []byte, algorithm KeyAlgorithm) {
	t.Helper()
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		t.Fatal("the key is no PKCS #8, PEM")
	}
	der, err := r.PublicKey(t.Context(), "aziotks", waitingKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("what is signed"))
	for _, pss := range []bool{false, true} {
		rsaKey, isRSA := public.(*rsa.PublicKey)
		if pss && !isRSA {
			continue
		}
		signature, err := r.Sign(t.Context(), waitingKey, Signing{Hash: "sha256", Digest: digest[:], RSA: isRSA, PSS: pss})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case pss:
			err = rsa.VerifyPSS(rsaKey, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		case isRSA:
			err = rsa.VerifyPKCS1v15(rsaKey, crypto.SHA256, digest[:], signature)
		case !ecdsa.VerifyASN1(public.(*ecdsa.PublicKey), digest[:], signature):
			err = errors.New("the signature does not verify")
		}
		if err != nil {
			t.Errorf("%s, pss %v: %v", algorithm, pss, err)
		}
	}
	for name, wrong := range map[string]Signing{"an unknown hash": {Hash: "md5 -out /x", Digest: digest[:16]}, "a short digest": {Hash: "sha256", Digest: digest[:8]}} {
		if _, err := r.Sign(t.Context(), waitingKey, wrong); err == nil {
			t.Errorf("%s is signed", name)
		}
	}
}

// asUsers reads as the users of the daemons.
func asUsers(t *testing.T, s subject, r Root) {
	t.Helper()
	ctx := t.Context()
	binary := "a\n\n\x00\xff.\nEW-END-\n"
	s.put(t, "/var/aziot/certs/id.pem", 0o600, 992, 982, binary)
	if got, err := r.ReadAs(ctx, "aziotcs", "/var/aziot/certs/id.pem"); err != nil || !bytes.Equal(got, []byte(binary)) {
		t.Errorf("ReadAs = %q, %v", got, err)
	}
	if _, err := r.ReadAs(ctx, "aziotks", "/var/aziot/certs/id.pem"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("ReadAs as another = %v", err)
	}
	if _, err := r.ReadAs(ctx, "aziotcs", "/var/aziot/certs/none.pem"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadAs of nothing = %v", err)
	}
	for _, user := range []string{"", "nobody", "aziotcs; id"} {
		if _, err := r.ReadAs(ctx, user, "/var/aziot/certs/id.pem"); err == nil {
			t.Errorf("ReadAs as %q is taken", user)
		}
	}
	s.put(t, idKey, 0o600, 0, 0, "no key")
	if _, err := r.PublicKey(ctx, "aziotks", idKey); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("PublicKey of root's key = %v", err)
	}
	if _, err := r.PublicKey(ctx, "root", idKey); err == nil {
		t.Error("PublicKey reads what is no key")
	}
	if _, err := r.PublicKey(ctx, "root", "/etc/shadow"); !errors.Is(err, ErrPath) {
		t.Errorf("PublicKey outside = %v", err)
	}
	if _, err := r.Sign(ctx, "/etc/ssh/ssh_host_ed25519_key", Signing{Hash: "sha256", Digest: make([]byte, 32)}); !errors.Is(err, ErrPath) {
		t.Errorf("Sign outside = %v", err)
	}
}

func TestKeyFilesRefused(t *testing.T) {
	base := File{Path: idKey, Owner: "aziotks", Group: "aziotks", Mode: 0o600}
	for name, change := range map[string]func(*File){
		"unknown algorithm":  func(f *File) { f.Make = "p256 -out /etc/shadow" },
		"made and given":     func(f *File) { f.Make, f.Data = "p256", secret.FromString("x") },
		"stays and given":    func(f *File) { f.Stays, f.Data = true, secret.FromString("x") },
		"made and stays":     func(f *File) { f.Make, f.Stays = "p256", true },
		"from without stays": func(f *File) { f.From = waitingKey },
		"another folder":     func(f *File) { f.Stays, f.From = true, "/var/aziot/certs/x" },
		"itself":             func(f *File) { f.Stays, f.From = true, idKey },
	} {
		f := base
		change(&f)
		if err := (FileSet{RunID: "run-1", Files: []File{f}}).check(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
