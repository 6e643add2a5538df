package practice

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"edgewright/provisioning/practice/tpmchallenge"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// A nonce proves a TPM for so long; register, its polls and a status lookup
// fit in. Assumed.
const challengeLife = 5 * time.Minute

// nonceName is the keyName of a challenge. Assumed: every known client reads
// the key only.
const nonceName = "registration"

// challenge is a key that was sent to a TPM. It is never stored: a device that
// fails after a restart asks for another.
type challenge struct {
	tpm     wire.TPMAttestation // the public keys that it was sealed for
	nonce   secret.Value
	expires time.Time
}

// tpmKey reads a public key of an enrollment or a register call.
func tpmKey(text string) (*tpmchallenge.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("it is not base64")
	}
	return tpmchallenge.ParsePublic(raw)
}

// sealFor encrypts a key for a TPM, as base64.
func (c *Cloud) sealFor(tpm wire.TPMAttestation, key secret.Value) (string, error) {
	endorsement, err := tpmKey(tpm.EndorsementKey)
	if err != nil {
		return "", fmt.Errorf("endorsementKey: %w", err)
	}
	storageRoot, err := tpmKey(tpm.StorageRootKey)
	if err != nil {
		return "", fmt.Errorf("storageRootKey: %w", err)
	}
	sealed, err := tpmchallenge.Seal(c.rand, endorsement, storageRoot, key.Reveal())
	return base64.StdEncoding.EncodeToString(sealed), err
}

// challengeTPM answers the first register call of a device with a TPM: 401 with
// a nonce that only a TPM with both keys can sign with. The endorsement key has
// to be that of the enrollment, and so has the storage root key if it is there.
//
// https://learn.microsoft.com/azure/iot-dps/concepts-tpm-attestation
func (t *transaction) challengeTPM(id string, shown wire.TPMAttestation) answer {
	e := t.c.state.enrollments[id]
	if e == nil || e.ProvisioningStatus == wire.StatusDisabled || e.Attestation.Type != wire.AttestationTPM || !matchesTPM(*e.Attestation.TPM, shown) {
		return t.refuse(unauthorized)
	}
	nonce := secret.New(t.c.random(tpmchallenge.KeySize))
	sealed, err := t.c.sealFor(shown, nonce)
	if err != nil {
		return t.refuse(badRequest("tpm." + err.Error() + "."))
	}
	t.c.challenges[id] = challenge{tpm: shown, nonce: nonce, expires: t.now.Add(challengeLife)}
	a := t.dpsJSON(http.StatusUnauthorized, wire.TPMChallenge{AuthenticationKey: sealed, KeyName: nonceName})
	a.code = "challenge"
	return a
}

// matchesTPM compares the keys that a device shows with the enrolled ones.
func matchesTPM(enrolled, shown wire.TPMAttestation) bool {
	return sameBase64(enrolled.EndorsementKey, shown.EndorsementKey) &&
		(enrolled.StorageRootKey == "" || sameBase64(enrolled.StorageRootKey, shown.StorageRootKey))
}

func sameBase64(a, b string) bool {
	rawA, errA := base64.StdEncoding.DecodeString(a)
	rawB, errB := base64.StdEncoding.DecodeString(b)
	return errA == nil && errB == nil && string(rawA) == string(rawB)
}

// byTPM proves an individual enrollment by a token that the nonce signed. It
// counts for the keys that it was sealed for, as long as they are enrolled.
func (t *transaction) byTPM(a applicant, by *attested) *refusal {
	sent, known := t.c.challenges[a.id]
	if known && !t.now.Before(sent.expires) {
		delete(t.c.challenges, a.id)
		known = false
	}
	nonce := wire.SymmetricKey{PrimaryKey: wire.NewKey(sent.nonce), SecondaryKey: wire.NewKey(sent.nonce)}
	if !known || !a.https || !matchesTPM(*(*by.enrollment.attestation).TPM, sent.tpm) || !t.ownRegistration(a) || !a.shown.signedBy(&nonce) {
		return unauthorized
	}
	by.TPM = &sent.tpm
	return nil
}

// makeHubKey gives a claim of a TPM its identity: each registration makes a new
// key, sealed for the TPM. Assumed: both slots of the identity have it.
func (c *Cloud) makeHubKey(by *claim) (sealed string, err error) {
	key := secret.New(c.random(tpmchallenge.KeySize))
	by.Authentication = &wire.Authentication{Type: wire.AuthSAS, SymmetricKey: &wire.SymmetricKey{PrimaryKey: wire.NewKey(key), SecondaryKey: wire.NewKey(key)}}
	return c.sealFor(*by.TPM, key)
}
