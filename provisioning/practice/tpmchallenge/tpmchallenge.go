// Package tpmchallenge makes what DPS sends to a device with a TPM: a key that
// only this TPM can take in, as it is encrypted for its endorsement key and its
// storage root key. The device activates the credential, imports the key and
// signs tokens with it (TPM 2.0 Library, Part 1, 23 and 24); by a signature it
// proves that both keys are in its TPM.
//
// The recipe was checked with Azure's npm client and with the identity daemon's
// order of commands against a software TPM. Everything here is made with public
// keys; no TPM is needed.
package tpmchallenge

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-tpm/tpm2"
)

// KeySize is the length of the key that is sent, in bytes.
const KeySize = 32

// The inner key has 16 bytes: the identity daemon takes no other length.
const innerSize = 16

// PublicKey is the public area of a restricted decryption key: an endorsement
// or a storage root key.
type PublicKey struct {
	area tpm2.TPMTPublic
	name []byte
	seal tpm2.LabeledEncapsulationKey
}

// ParsePublic reads TPM2B_PUBLIC with its two-byte size. The key must be RSA
// with 2048 bits or more, for that is what every known client of DPS sends, and
// protect with AES-128 in CFB mode.
func ParsePublic(raw []byte) (*PublicKey, error) {
	if len(raw) < 2 || int(binary.BigEndian.Uint16(raw)) != len(raw)-2 {
		return nil, errors.New("it is no TPM2B_PUBLIC: its size is not its first two bytes")
	}
	public, err := tpm2.Unmarshal[tpm2.TPM2BPublic](raw)
	if err != nil {
		return nil, fmt.Errorf("it is no TPM2B_PUBLIC: %w", err)
	}
	area, err := public.Contents()
	if err != nil {
		return nil, fmt.Errorf("it is no TPM2B_PUBLIC: %w", err)
	}
	// What was left over inside would not be part of the key's name.
	if !bytes.Equal(tpm2.Marshal(*area), raw[2:]) {
		return nil, errors.New("it is no TPM2B_PUBLIC: bytes are left over")
	}
	if area.Type != tpm2.TPMAlgRSA || area.NameAlg != tpm2.TPMAlgSHA256 {
		return nil, errors.New("it is not an RSA key named by SHA-256")
	}
	a := area.ObjectAttributes
	if !a.Restricted || !a.Decrypt || a.SignEncrypt {
		return nil, errors.New("it is not a restricted decryption key")
	}
	if err := checkRSA(area); err != nil {
		return nil, err
	}
	seal, err := tpm2.ImportEncapsulationKey(area)
	if err != nil {
		return nil, fmt.Errorf("it cannot encrypt: %w", err)
	}
	name, err := tpm2.ObjectName(area)
	if err != nil {
		return nil, fmt.Errorf("it has no name: %w", err)
	}
	return &PublicKey{*area, name.Buffer, seal}, nil
}

func checkRSA(area *tpm2.TPMTPublic) error {
	parameters, err := area.Parameters.RSADetail()
	if err != nil {
		return errors.New("it has no RSA parameters")
	}
	unique, err := area.Unique.RSA()
	if err != nil || parameters.KeyBits < 2048 || parameters.KeyBits > 4096 || len(unique.Buffer) != int(parameters.KeyBits)/8 || unique.Buffer[0] < 0x80 || unique.Buffer[len(unique.Buffer)-1]&1 == 0 {
		return errors.New("it has no modulus of 2048 to 4096 bits")
	}
	if parameters.Exponent != 0 && parameters.Exponent != 65537 {
		return errors.New("its exponent is not 65537")
	}
	bits, err := parameters.Symmetric.KeyBits.AES()
	if err != nil || parameters.Symmetric.Algorithm != tpm2.TPMAlgAES || *bits != 128 {
		return errors.New("it does not protect with AES-128")
	}
	if mode, err := parameters.Symmetric.Mode.AES(); err != nil || *mode != tpm2.TPMAlgCFB {
		return errors.New("it does not protect in CFB mode")
	}
	return nil
}

// Seal encrypts a key of KeySize bytes for a TPM. The six parts of the result
// each have a two-byte length: the credential (TPMS_ID_OBJECT) and its secret
// for the endorsement key, the private area of an HMAC key and its secret for
// the storage root key, the HMAC key's public area, and a TPM2B_DATA that is
// empty but must be there for the npm client.
func Seal(random io.Reader, endorsement, storageRoot *PublicKey, key []byte) ([]byte, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("seal for a TPM: the key has %d bytes, not %d", len(key), KeySize)
	}
	inner := make([]byte, innerSize)
	seed := make([]byte, sha256.Size)
	for _, raw := range [][]byte{inner, seed} {
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, fmt.Errorf("seal for a TPM: %w", err)
		}
	}
	credential, credentialSecret, err := tpm2.CreateCredential(random, endorsement.seal, storageRoot.name, inner)
	if err != nil {
		return nil, fmt.Errorf("seal for a TPM: credential: %w", err)
	}
	public, sensitive := hmacKey(seed, key)
	private, privateSecret, err := duplicate(random, storageRoot.seal, public, sensitive, inner)
	if err != nil {
		return nil, fmt.Errorf("seal for a TPM: duplicate: %w", err)
	}
	var sealed []byte
	for _, part := range [][]byte{credential, credentialSecret, private, privateSecret, public, nil} {
		sealed = append(sealed, sized(part)...)
	}
	return sealed, nil
}

// hmacKey gives the public area of an HMAC-SHA256 key, and TPM2B_SENSITIVE with
// it. The seed hides the key in the public area's unique field (Part 1, 27.5.3).
func hmacKey(seed, key []byte) (public, sensitive []byte) {
	unique := sha256.Sum256(append(bytes.Clone(seed), key...))
	public = tpm2.Marshal(tpm2.TPMTPublic{
		Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{UserWithAuth: true, SignEncrypt: true, NoDA: true},
		Parameters: tpm2.NewTPMUPublicParms(tpm2.TPMAlgKeyedHash, &tpm2.TPMSKeyedHashParms{Scheme: tpm2.TPMTKeyedHashScheme{
			Scheme: tpm2.TPMAlgHMAC, Details: tpm2.NewTPMUSchemeKeyedHash(tpm2.TPMAlgHMAC, &tpm2.TPMSSchemeHMAC{HashAlg: tpm2.TPMAlgSHA256})}}),
		Unique: tpm2.NewTPMUPublicID(tpm2.TPMAlgKeyedHash, &tpm2.TPM2BDigest{Buffer: unique[:]}),
	})
	sensitive = sized(tpm2.Marshal(tpm2.TPMTSensitive{
		SensitiveType: tpm2.TPMAlgKeyedHash,
		SeedValue:     tpm2.TPM2BDigest{Buffer: seed},
		Sensitive:     tpm2.NewTPMUSensitiveComposite(tpm2.TPMAlgKeyedHash, &tpm2.TPM2BSensitiveData{Buffer: key}),
	}))
	return public, sensitive
}

// duplicate wraps a sensitive area for TPM2_Import: inside with the inner key,
// outside for the parent (Part 1, 23.3). tpm2.CreateDuplicate makes the outer
// wrapper only, and the clients import with both.
func duplicate(random io.Reader, parent tpm2.LabeledEncapsulationKey, public, sensitive, inner []byte) (private, secret []byte, err error) {
	sum := sha256.Sum256(public)
	name := append(binary.BigEndian.AppendUint16(nil, uint16(tpm2.TPMAlgSHA256)), sum[:]...)
	integrity := sha256.Sum256(append(bytes.Clone(sensitive), name...))
	wrapped, err := encrypt(inner, append(sized(integrity[:]), sensitive...))
	if err != nil {
		return nil, nil, err
	}
	seed, secret, err := parent.Encapsulate(random, "DUPLICATE")
	if err != nil {
		return nil, nil, err
	}
	wrapped, err = encrypt(tpm2.KDFa(crypto.SHA256, seed, "STORAGE", name, nil, 128), wrapped)
	if err != nil {
		return nil, nil, err
	}
	mac := hmac.New(sha256.New, tpm2.KDFa(crypto.SHA256, seed, "INTEGRITY", nil, nil, 256))
	mac.Write(wrapped)
	mac.Write(name)
	return append(sized(mac.Sum(nil)), wrapped...), secret, nil
}

// encrypt is AES-CFB with a zero vector, as the TPM has it: each key is used once.
func encrypt(key, plain []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(plain))
	//lint:ignore SA1019 the TPM wraps with this mode and checks integrity apart from it
	cipher.NewCFBEncrypter(block, make([]byte, aes.BlockSize)).XORKeyStream(out, plain)
	return out, nil
}

// sized puts a two-byte length in front.
func sized(data []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(data))), data...)
}
