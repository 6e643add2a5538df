package tpm

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"edgewright/provisioning/practice/tpmchallenge"
)

var nonce = bytes.Repeat([]byte{7}, tpmchallenge.KeySize)

// seal is what DPS does: the practice cloud's own reading of the standard.
func seal(t *testing.T, ek, srk []byte) []byte {
	t.Helper()
	endorsement, err := tpmchallenge.ParsePublic(ek)
	if err != nil {
		t.Fatal(err)
	}
	storageRoot, err := tpmchallenge.ParsePublic(srk)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := tpmchallenge.Seal(rand.Reader, endorsement, storageRoot, nonce)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func sealedFor(t *testing.T, chip *TPM) []byte {
	t.Helper()
	keys, err := chip.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return seal(t, keys.EK.Public, keys.SRK.Public)
}

func TestActivationSignsAndLeavesNothing(t *testing.T) {
	kept := bare(t)
	persist(t, kept, EKHandle, kept.auth.endorsement(), tpm2.RSAEKTemplate)
	persist(t, kept, SRKHandle, kept.auth.owner(), tpm2.RSASRKTemplate)
	// The SRK of the product documentation's script answers TPM_RC_RETRY once.
	script := bare(t)
	srk := tpm2.RSASRKTemplate
	srk.ObjectAttributes.NoDA = false
	persist(t, script, SRKHandle, script.auth.owner(), srk)
	for name, chip := range map[string]*TPM{"bare": bare(t), "kept": kept, "script": script} {
		before := inventory(t, chip)
		blob := sealedFor(t, chip)
		for range 4 {
			identity, err := chip.Activate(t.Context(), blob)
			if err != nil {
				t.Fatal(name, err)
			}
			signature, err := identity.Sign(t.Context(), []byte("text"))
			mac := hmac.New(sha256.New, nonce)
			mac.Write([]byte("text"))
			if err != nil || !hmac.Equal(signature, mac.Sum(nil)) {
				t.Errorf("%s: %x %v", name, signature, err)
			}
			if err := identity.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if after := inventory(t, chip); after != before {
			t.Errorf("%s: the TPM changed: %s became %s", name, before, after)
		}
		if identity, err := chip.Persisted(t.Context(), AuthKeyIndex); identity != nil || err != nil {
			t.Errorf("%s: a daemon's key %v %v", name, identity, err)
		}
	}
}

func TestKeysForAnotherTPMAreTold(t *testing.T) {
	chip, other := bare(t), bare(t)
	ours, err := chip.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := other.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := inventory(t, chip)
	for _, row := range []struct {
		ek, srk []byte
		want    Code
	}{
		{theirs.EK.Public, ours.SRK.Public, CodeOtherEK},
		{ours.EK.Public, theirs.SRK.Public, CodeOtherSRK},
		{ours.EK.Variants[TemplateEmptyUnique], ours.SRK.Public, CodeOtherEK},
	} {
		for range 4 { // no session or key stays behind
			_, err := chip.Activate(t.Context(), seal(t, row.ek, row.srk))
			wants(t, err, row.want)
		}
	}
	if inventory(t, chip) != before {
		t.Error("a failure leaves something in the TPM")
	}
	for _, blob := range [][]byte{nil, {0}, bytes.Repeat([]byte{0, 0}, 7)} {
		_, err := chip.Activate(t.Context(), blob)
		wants(t, err, CodeBadKey)
	}
}
