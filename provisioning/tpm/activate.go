package tpm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// Sealed is a key that DPS sealed for one TPM, taken apart: each part with a
// two-byte length in front on the wire (as unpacked by identityd and by Azure's
// npm client).
type Sealed struct {
	Credential, CredentialSecret []byte // TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET to the EK
	Duplicate, DuplicateSecret   []byte // TPM2B_PRIVATE, TPM2B_ENCRYPTED_SECRET to the SRK
	Public                       []byte // TPMT_PUBLIC of an HMAC key
}

// ParseSealed takes a blob apart. The sixth part, a URI, may be missing; it is
// not used.
func ParseSealed(blob []byte) (Sealed, error) {
	var s Sealed
	rest := blob
	for i, part := range []*[]byte{&s.Credential, &s.CredentialSecret, &s.Duplicate, &s.DuplicateSecret, &s.Public, new([]byte)} {
		if i == 5 && len(rest) == 0 {
			break
		}
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return Sealed{}, badKey(fmt.Errorf("part %d is cut off", i+1))
		}
		size := int(binary.BigEndian.Uint16(rest))
		*part, rest = rest[2:2+size], rest[2+size:]
	}
	if len(rest) > 0 {
		return Sealed{}, badKey(fmt.Errorf("%d bytes after the last part", len(rest)))
	}
	return s, nil
}

func badKey(err error) error {
	return &Error{Code: CodeBadKey, Problem: "The key that DPS sent for the TPM does not read.", Fix: "Register again; report it with the correlation ID if it stays.", Err: err}
}

// Identity is a key inside the TPM that signs for the device.
type Identity struct {
	tpm       *TPM
	key       tpm2.AuthHandle
	transient bool
}

// Activate takes a key of DPS into the TPM, loaded for now and kept nowhere:
// ActivateCredential, Import, Load. The caller closes the identity.
func (t *TPM) Activate(ctx context.Context, blob []byte) (*Identity, error) {
	sealed, err := ParseSealed(blob)
	if err != nil {
		return nil, err
	}
	var identity *Identity
	err = t.use(ctx, "take the key of DPS", func(s sender) error {
		srk, done, err := t.primary(s, SRKHandle, t.auth.owner(), tpm2.RSASRKTemplate)
		if err != nil {
			return err
		}
		defer done()
		inner, err := t.credential(s, srk, sealed)
		if err != nil {
			return err
		}
		loaded, err := load(s, srk, sealed, inner)
		clear(inner)
		if err != nil {
			return err
		}
		identity = &Identity{tpm: t, transient: true, key: tpm2.AuthHandle{Handle: loaded.ObjectHandle, Name: loaded.Name, Auth: tpm2.PasswordAuth(nil)}}
		return nil
	})
	return identity, err
}

// primary gives the kept key, or makes it from its template; done flushes what
// was made.
func (t *TPM) primary(s sender, handle uint32, hierarchy tpm2.AuthHandle, template tpm2.TPMTPublic) (key tpm2.AuthHandle, done func(), err error) {
	kept, err := tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(handle)}.Execute(s)
	if err == nil {
		return tpm2.AuthHandle{Handle: tpm2.TPMHandle(handle), Name: kept.Name, Auth: tpm2.PasswordAuth(nil)}, func() {}, nil
	}
	if !errors.Is(err, tpm2.TPMRCHandle) {
		return key, nil, err
	}
	made, err := tpm2.CreatePrimary{PrimaryHandle: hierarchy, InPublic: tpm2.New2B(template)}.Execute(s)
	if err != nil {
		return key, nil, err
	}
	key = tpm2.AuthHandle{Handle: made.ObjectHandle, Name: made.Name, Auth: tpm2.PasswordAuth(nil)}
	return key, func() { _ = flush(s, made.ObjectHandle) }, nil
}

// credential is ActivateCredential. Its first authorisation is the SRK's, the
// second a policy session with PolicySecret(endorsement), which it uses up.
func (t *TPM) credential(s sender, srk tpm2.AuthHandle, sealed Sealed) ([]byte, error) {
	ek, done, err := t.primary(s, EKHandle, t.auth.endorsement(), tpm2.RSAEKTemplate)
	if err != nil {
		return nil, err
	}
	defer done()
	session, closeSession, err := tpm2.PolicySession(s, tpm2.TPMAlgSHA256, 16)
	if err != nil {
		return nil, err
	}
	// A session that is used up is gone already; closing it again fails and
	// does no harm.
	defer func() { _ = closeSession() }()
	_, err = tpm2.PolicySecret{AuthHandle: t.auth.endorsement(), PolicySession: session.Handle(), NonceTPM: session.NonceTPM()}.Execute(s)
	if err != nil {
		return nil, err
	}
	ek.Auth = session
	answer, err := tpm2.ActivateCredential{ActivateHandle: srk, KeyHandle: ek, CredentialBlob: tpm2.TPM2BIDObject{Buffer: sealed.Credential},
		Secret: tpm2.TPM2BEncryptedSecret{Buffer: sealed.CredentialSecret}}.Execute(s)
	if err != nil {
		return nil, refusedKey(s, err)
	}
	return answer.CertInfo.Buffer, nil
}

func load(s sender, srk tpm2.AuthHandle, sealed Sealed, inner []byte) (*tpm2.LoadResponse, error) {
	area := tpm2.BytesAs2B[tpm2.TPMTPublic](sealed.Public)
	imported, err := tpm2.Import{ParentHandle: srk, EncryptionKey: tpm2.TPM2BData{Buffer: inner}, ObjectPublic: area,
		Duplicate: tpm2.TPM2BPrivate{Buffer: sealed.Duplicate}, InSymSeed: tpm2.TPM2BEncryptedSecret{Buffer: sealed.DuplicateSecret},
		Symmetric: tpm2.TPMTSymDef{Algorithm: tpm2.TPMAlgAES, KeyBits: tpm2.NewTPMUSymKeyBits(tpm2.TPMAlgAES, tpm2.TPMKeyBits(8*len(inner))),
			Mode: tpm2.NewTPMUSymMode(tpm2.TPMAlgAES, tpm2.TPMAlgCFB)}}.Execute(s)
	if err != nil {
		return nil, refusedKey(s, err)
	}
	return tpm2.Load{ParentHandle: srk, InPrivate: imported.OutPrivate, InPublic: area}.Execute(s)
}

// refusedKey words what a TPM answers to a key that was sealed for another one.
// libtpms reports it with the code of a dead TPM, so a command that works tells
// the two apart; chips may answer with others (Part 3, 12.5 and 13.3).
func refusedKey(s sender, err error) error {
	if errors.Is(err, tpm2.TPMRCIntegrity) {
		return &Error{Code: CodeOtherSRK, Problem: "The key of DPS is for another storage root key of this TPM.",
			Fix: "The storage root key changed since the registration began: register again. If it stays, the enrollment names another storage root key.", Err: err}
	}
	for _, code := range []tpm2.TPMRC{tpm2.TPMRCFailure, tpm2.TPMRCValue, tpm2.TPMRCSize} {
		if !errors.Is(err, code) {
			continue
		}
		if _, dead := (tpm2.GetRandom{BytesRequested: 8}).Execute(s); dead != nil {
			return err
		}
		return &Error{Code: CodeOtherEK, Problem: "The key of DPS is sealed for another endorsement key or storage root key.",
			Fix: "Compare the enrollment's endorsement key with the one that `edgewright tpm ek` shows: a clear of the TPM or another template makes another key.", Err: err}
	}
	return err
}

// Persisted is the key that the device's own daemon keeps at an index above
// 0x81000000. It is used and not changed; nil if there is none.
func (t *TPM) Persisted(ctx context.Context, index uint32) (identity *Identity, err error) {
	err = t.use(ctx, "look for the daemon's key", func(s sender) error {
		handle := tpm2.TPMHandle(PersistentBase + index)
		found, err := tpm2.ReadPublic{ObjectHandle: handle}.Execute(s)
		if errors.Is(err, tpm2.TPMRCHandle) {
			return nil
		}
		if err == nil {
			identity = &Identity{tpm: t, key: tpm2.AuthHandle{Handle: handle, Name: found.Name, Auth: tpm2.PasswordAuth(nil)}}
		}
		return err
	})
	return identity, err
}

// maxSigned is the least buffer for HMAC that TPMs have, in bytes.
const maxSigned = 1024

// Sign is HMAC-SHA256 over message, made inside the TPM.
func (i *Identity) Sign(ctx context.Context, message []byte) (signature []byte, err error) {
	if len(message) > maxSigned {
		return nil, fmt.Errorf("sign with the TPM: %d bytes are more than %d", len(message), maxSigned)
	}
	err = i.tpm.use(ctx, "sign with the TPM", func(s sender) error {
		made, err := tpm2.Hmac{Handle: i.key, Buffer: tpm2.TPM2BMaxBuffer{Buffer: message}, HashAlg: tpm2.TPMAlgSHA256}.Execute(s)
		if err == nil {
			signature = made.OutHMAC.Buffer
		}
		return err
	})
	return signature, err
}

// Close flushes a key that was loaded. It also works after ctx of its making
// ended, unless that closed the transport.
func (i *Identity) Close() error {
	if !i.transient {
		return nil
	}
	return i.tpm.use(context.Background(), "flush the key of DPS", func(s sender) error {
		return flush(s, i.key.Handle)
	})
}
