package tpm

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-tpm/tpm2"
)

// Where keys are kept for good (TCG TPM v2.0 Provisioning Guidance, 7.8), and
// where identityd and Azure's clients keep the key that DPS gave.
const (
	EKHandle       = 0x81010001
	SRKHandle      = 0x81000001
	PersistentBase = 0x81000000
	AuthKeyIndex   = 0x000100
)

// Template is what a key was made from.
type Template string

// The templates. Each gives another key, and so another registration ID.
const (
	// TemplateStandard is L-1 of the TCG EK Credential Profile, low range, with
	// 256 zero bytes in the unique field: the key that a vendor certifies.
	TemplateStandard Template = "tcg-l1"
	// TemplateEmptyUnique is the same with an empty unique field, which Azure's
	// npm client makes persistent on a bare TPM. No vendor certificate is for it.
	TemplateEmptyUnique Template = "empty-unique"
	// TemplateOther is a key from neither.
	TemplateOther Template = "other"
	// TemplateUnknown: the two cannot be made anew to compare with, because the
	// hierarchy has a password that was not given, or is switched off.
	TemplateUnknown Template = "unknown"
)

// Key is the public part of a key of the TPM.
type Key struct {
	// Handle is where the key is kept; 0 for one made from its template and
	// flushed.
	Handle   uint32
	Template Template
	// Public is TPM2B_PUBLIC with its size: what DPS takes, 316 bytes for an
	// endorsement key of 2048 bits.
	Public []byte
	// Variants are the keys that the same TPM makes from known templates, by
	// template; only of an endorsement key.
	Variants map[Template][]byte
}

// Keys are what a TPM is enrolled by.
type Keys struct{ EK, SRK Key }

// Base64 is the form of a public key in DPS.
func (k Key) Base64() string { return base64.StdEncoding.EncodeToString(k.Public) }

// Sum is SHA-256 over Public in lower-case hexadecimal: the registration ID of
// the product documentation's script.
func (k Key) Sum() string {
	sum := sha256.Sum256(k.Public)
	return hex.EncodeToString(sum[:])
}

// Base32 is the registration ID that Azure's clients take by themselves: RFC
// 4648 base32 of the same hash, lower case, no padding, 52 characters.
func (k Key) Base32() string {
	sum := sha256.Sum256(k.Public)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
}

// Matches names the template from which this TPM makes the given public key
// (TPM2B_PUBLIC), or tells that it makes it from none. The key in use comes
// first.
func (k Key) Matches(public []byte) (Template, bool) {
	if bytes.Equal(k.Public, public) {
		return k.Template, true
	}
	for _, template := range []Template{TemplateStandard, TemplateEmptyUnique} {
		if made, ok := k.Variants[template]; ok && bytes.Equal(made, public) {
			return template, true
		}
	}
	return "", false
}

// Keys reads the endorsement key and the storage root key: the ones that are
// kept, else those that the standard templates make, which changes nothing.
func (t *TPM) Keys(ctx context.Context) (keys Keys, err error) {
	err = t.use(ctx, "read the keys of the TPM", func(s sender) error {
		if keys.EK, err = t.readEK(s); err != nil {
			return err
		}
		keys.SRK, err = t.readSRK(s)
		return err
	})
	return keys, err
}

func (t *TPM) readEK(s sender) (Key, error) {
	kept, err := readPublic(s, EKHandle)
	if err != nil {
		return Key{}, err
	}
	key := Key{Variants: map[Template][]byte{}}
	var failed error
	for template, area := range map[Template]tpm2.TPMTPublic{TemplateStandard: tpm2.RSAEKTemplate, TemplateEmptyUnique: emptyUnique(tpm2.RSAEKTemplate)} {
		made, err := makePublic(s, t.auth.endorsement(), area)
		if err != nil {
			if kept == nil || !hierarchyClosed(err) {
				return Key{}, err
			}
			failed = err
			continue
		}
		key.Variants[template] = made
	}
	if kept == nil {
		key.Public, key.Template = key.Variants[TemplateStandard], TemplateStandard
		return key, nil
	}
	if !isRSA2048(kept) {
		return Key{}, &Error{Code: CodeNotRSA, Problem: "The endorsement key that the TPM keeps is not RSA of 2048 bits.",
			Fix: "DPS's clients use RSA of 2048 bits. Another program made the key at 0x81010001: look who needs it before it is evicted."}
	}
	key.Handle, key.Public, key.Template = EKHandle, kept, TemplateOther
	if failed != nil {
		key.Template = TemplateUnknown
	}
	for template, made := range key.Variants {
		if bytes.Equal(made, kept) {
			key.Template = template
		}
	}
	return key, nil
}

func (t *TPM) readSRK(s sender) (Key, error) {
	kept, err := readPublic(s, SRKHandle)
	if err != nil {
		return Key{}, err
	}
	if kept != nil {
		return Key{Handle: SRKHandle, Template: TemplateUnknown, Public: kept}, nil
	}
	made, err := makePublic(s, t.auth.owner(), tpm2.RSASRKTemplate)
	return Key{Template: TemplateStandard, Public: made}, err
}

// hierarchyClosed tells that a primary key cannot be made for want of a
// password or of the hierarchy. A wrong hierarchy password does not count
// towards the lockout.
func hierarchyClosed(err error) bool {
	return errors.Is(err, tpm2.TPMRCBadAuth) || errors.Is(err, tpm2.TPMRCHierarchy)
}

// readPublic reads a kept key as TPM2B_PUBLIC; nil if there is none.
func readPublic(s sender, handle uint32) ([]byte, error) {
	answer, err := tpm2.ReadPublic{ObjectHandle: tpm2.TPMHandle(handle)}.Execute(s)
	if errors.Is(err, tpm2.TPMRCHandle) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return tpm2.Marshal(answer.OutPublic), nil
}

// makePublic makes a primary key and flushes it.
func makePublic(s sender, hierarchy tpm2.AuthHandle, template tpm2.TPMTPublic) ([]byte, error) {
	made, err := tpm2.CreatePrimary{PrimaryHandle: hierarchy, InPublic: tpm2.New2B(template)}.Execute(s)
	if err != nil {
		return nil, err
	}
	public := tpm2.Marshal(made.OutPublic)
	return public, flush(s, made.ObjectHandle)
}

func flush(s sender, handle tpm2.TPMHandle) error {
	_, err := tpm2.FlushContext{FlushHandle: handle}.Execute(s)
	return err
}

// emptyUnique is a template of an RSA key without its unique field.
func emptyUnique(template tpm2.TPMTPublic) tpm2.TPMTPublic {
	template.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{})
	return template
}

// PEM is the key as a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in PEM.
func (k Key) PEM() (string, error) {
	key, err := publicKey(k.Public)
	if err != nil {
		return "", fmt.Errorf("read the public key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("write the public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// publicKey reads TPM2B_PUBLIC.
func publicKey(public []byte) (crypto.PublicKey, error) {
	area, err := tpm2.Unmarshal[tpm2.TPM2BPublic](public)
	if err != nil {
		return nil, err
	}
	contents, err := area.Contents()
	if err != nil {
		return nil, err
	}
	return tpm2.Pub(*contents)
}

// CheckEK tells why bytes cannot be the endorsement key of a device in DPS: exactly
// one TPM2B_PUBLIC of an RSA key of 2048 bits.
func CheckEK(public []byte) error {
	area, err := tpm2.Unmarshal[tpm2.TPM2BPublic](public)
	if err != nil {
		return errors.New("it is no TPM2B_PUBLIC")
	}
	if !bytes.Equal(tpm2.Marshal(area), public) {
		return errors.New("more than a TPM2B_PUBLIC is there")
	}
	if _, err := publicKey(public); err != nil || !isRSA2048(public) {
		return errors.New("it is no RSA key of 2048 bits")
	}
	return nil
}

func isRSA2048(public []byte) bool {
	area, err := tpm2.Unmarshal[tpm2.TPM2BPublic](public)
	if err != nil {
		return false
	}
	contents, err := area.Contents()
	if err != nil || contents.Type != tpm2.TPMAlgRSA {
		return false
	}
	detail, err := contents.Parameters.RSADetail()
	return err == nil && detail.KeyBits == 2048
}
