package daemontest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// SoftTPM does what a TPM does with a key that DPS sends: activate the
// credential, import the duplicate, sign with it (TPM 2.0 Library, Part 1, 23
// and 24). Its keys are RSA 2048 as in the TCG's template L-1 and its storage
// root key's.
type SoftTPM struct{ endorsement, storageRoot *rsa.PrivateKey }

// NewSoftTPM makes keys.
func NewSoftTPM() (*SoftTPM, error) {
	endorsement, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	storageRoot, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &SoftTPM{endorsement, storageRoot}, nil
}

// endorsementPolicy is PolicySecret(endorsement), of the template L-1.
var endorsementPolicy = []byte{0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xB3, 0xF8, 0x1A, 0x90, 0xCC, 0x8D, 0x46, 0xA5, 0xD7, 0x24,
	0xFD, 0x52, 0xD7, 0x6E, 0x06, 0x52, 0x0B, 0x64, 0xF2, 0xA1, 0xDA, 0x1B, 0x33, 0x14, 0x69, 0xAA}

// PublicKeys gives the endorsement key and the storage root key as DPS wants
// them in an enrollment: TPM2B_PUBLIC in base64.
func (s *SoftTPM) PublicKeys() (endorsement, storageRoot string, err error) {
	ek, srk, err := s.publicKeys()
	return base64.StdEncoding.EncodeToString(ek), base64.StdEncoding.EncodeToString(srk), err
}

func (s *SoftTPM) publicKeys() (endorsement, storageRoot []byte, err error) {
	if len(s.endorsement.N.Bytes()) != 256 || len(s.storageRoot.N.Bytes()) != 256 {
		return nil, nil, errors.New("a key is not of 2048 bits")
	}
	// fixedTPM, fixedParent, sensitiveDataOrigin, restricted, decrypt, and
	// adminWithPolicy or userWithAuth and noDA.
	return sized(rsaPublic(0x000300B2, endorsementPolicy, s.endorsement)),
		sized(rsaPublic(0x00030472, nil, s.storageRoot)), nil
}

// rsaPublic is TPMT_PUBLIC of a storage key: RSA, SHA-256, AES-128-CFB, no
// scheme, exponent 65537. The unique field is the modulus.
func rsaPublic(attributes uint32, policy []byte, key *rsa.PrivateKey) []byte {
	var out bytes.Buffer
	for _, field := range []any{uint16(0x0001), uint16(0x000B), attributes} {
		_ = binary.Write(&out, binary.BigEndian, field)
	}
	out.Write(sized(policy))
	for _, field := range []any{uint16(0x0006), uint16(128), uint16(0x0043), uint16(0x0010), uint16(2048), uint32(0)} {
		_ = binary.Write(&out, binary.BigEndian, field)
	}
	out.Write(sized(key.N.Bytes()))
	return out.Bytes()
}

// sized puts a two-byte length in front.
func sized(data []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(data))), data...)
}

// cut takes a field with a two-byte length off the front.
func cut(data []byte) (field, rest []byte, err error) {
	if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
		return nil, nil, errors.New("a field is cut off")
	}
	n := 2 + int(binary.BigEndian.Uint16(data))
	return data[2:n], data[n:], nil
}

func (s *SoftTPM) importBase64(text string) (Sign, error) {
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("TPM key: %w", err)
	}
	sign, err := s.Import(blob)
	if err != nil {
		return nil, fmt.Errorf("TPM key of %d bytes: %w", len(blob), err)
	}
	return sign, nil
}

// Import takes a key from the six parts that DPS sends and gives what signs with
// it.
func (s *SoftTPM) Import(blob []byte) (Sign, error) {
	var parts [6][]byte
	rest := blob
	for i := range parts {
		var err error
		if parts[i], rest, err = cut(rest); err != nil {
			return nil, fmt.Errorf("part %d: %w", i+1, err)
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%d bytes after the last part", len(rest))
	}
	storageRoot := rsaPublic(0x00030472, nil, s.storageRoot)
	inner, err := s.activate(parts[0], parts[1], name(storageRoot))
	if err != nil {
		return nil, fmt.Errorf("activate: %w", err)
	}
	key, err := s.unwrap(parts[2], parts[3], parts[4], inner)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	return WithKey(key), nil
}

// name is nameAlg and digest of a public area (Part 1, 16).
func name(public []byte) []byte {
	sum := sha256.Sum256(public)
	return append([]byte{0x00, 0x0B}, sum[:]...)
}

// activate is TPM2_ActivateCredential.
func (s *SoftTPM) activate(idObject, secret, objectName []byte) ([]byte, error) {
	seed, err := rsa.DecryptOAEP(sha256.New(), nil, s.endorsement, secret, []byte("IDENTITY\x00"))
	if err != nil {
		return nil, err
	}
	outer, encrypted, err := cut(idObject)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, kdf(seed, "INTEGRITY", nil, 256))
	mac.Write(encrypted)
	mac.Write(objectName)
	if !hmac.Equal(mac.Sum(nil), outer) {
		return nil, errors.New("the integrity value is wrong")
	}
	credential, rest, err := cut(decryptCFB(kdf(seed, "STORAGE", objectName, 128), encrypted))
	if err == nil && len(rest) > 0 {
		err = errors.New("bytes after the credential")
	}
	return credential, err
}

// unwrap is TPM2_Import and TPM2_Load of a keyed-hash object.
func (s *SoftTPM) unwrap(duplicate, secret, public, inner []byte) ([]byte, error) {
	if len(inner) != 16 {
		return nil, fmt.Errorf("an inner key of %d bytes; identityd takes 16", len(inner))
	}
	seed, err := rsa.DecryptOAEP(sha256.New(), nil, s.storageRoot, secret, []byte("DUPLICATE\x00"))
	if err != nil {
		return nil, err
	}
	objectName := name(public)
	outer, wrapped, err := cut(duplicate)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, kdf(seed, "INTEGRITY", nil, 256))
	mac.Write(wrapped)
	mac.Write(objectName)
	if !hmac.Equal(mac.Sum(nil), outer) {
		return nil, errors.New("the outer integrity value is wrong")
	}
	plain := decryptCFB(inner, decryptCFB(kdf(seed, "STORAGE", objectName, 128), wrapped))
	digest, sensitive, err := cut(plain)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(append(bytes.Clone(sensitive), objectName...)); !bytes.Equal(sum[:], digest) {
		return nil, errors.New("the inner integrity value is wrong")
	}
	area, rest, err := cut(sensitive)
	if err != nil || len(rest) > 0 || len(area) < 2 || binary.BigEndian.Uint16(area) != 0x0008 {
		return nil, errors.New("the sensitive area is not that of a keyed hash")
	}
	var fields [3][]byte // authValue, seedValue, the key
	rest = area[2:]
	for i := range fields {
		if fields[i], rest, err = cut(rest); err != nil {
			return nil, err
		}
	}
	sum := sha256.Sum256(append(bytes.Clone(fields[1]), fields[2]...))
	return fields[2], checkKeyedHash(public, sum[:])
}

// checkKeyedHash holds the public area against HMAC with SHA-256 and the unique
// value of the sensitive area.
func checkKeyedHash(public, unique []byte) error {
	if len(public) < 10 || binary.BigEndian.Uint16(public) != 0x0008 || binary.BigEndian.Uint16(public[2:]) != 0x000B {
		return errors.New("the public area is not that of a keyed hash with SHA-256")
	}
	attributes := binary.BigEndian.Uint32(public[4:])
	if attributes&0x00040000 == 0 || attributes&0x00000040 == 0 || attributes&0x00000012 != 0 {
		return fmt.Errorf("attributes %08x: sign and userWithAuth, neither fixedTPM nor fixedParent", attributes)
	}
	_, rest, err := cut(public[8:])
	if err != nil || len(rest) < 4 || binary.BigEndian.Uint16(rest) != 0x0005 || binary.BigEndian.Uint16(rest[2:]) != 0x000B {
		return errors.New("the scheme is not HMAC with SHA-256")
	}
	if have, _, err := cut(rest[4:]); err != nil || !bytes.Equal(have, unique) {
		return errors.New("the unique value is not that of the key")
	}
	return nil
}

// kdf is KDFa with SHA-256, without contextV (Part 1, 11.4.10.2).
func kdf(key []byte, label string, context []byte, bits uint32) []byte {
	mac := hmac.New(sha256.New, key)
	_ = binary.Write(mac, binary.BigEndian, uint32(1))
	mac.Write(append([]byte(label), 0))
	mac.Write(context)
	_ = binary.Write(mac, binary.BigEndian, bits)
	return mac.Sum(nil)[:bits/8]
}

// decryptCFB is AES-CFB with a zero vector, as the TPM uses it.
func decryptCFB(key, data []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the keys here are of 16 bytes
	}
	out := make([]byte, len(data))
	//lint:ignore SA1019 the TPM wraps with this mode and checks integrity apart from it
	cipher.NewCFBDecrypter(block, make([]byte, 16)).XORKeyStream(out, data)
	return out
}
