package vault

import (
	"crypto/rand"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"

	"edgewright/provisioning/secret"
)

const keySize = chacha20poly1305.KeySize

// minimum is what nonce and tag take.
const minimum = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// seal gives nonce and ciphertext. scope and record are authenticated with it.
func seal(key secret.Value, scope, record string, plain []byte) []byte {
	aead, err := chacha20poly1305.NewX(key.Reveal())
	if err != nil {
		panic(err) // the key has a fixed size
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return aead.Seal(nonce, nonce, plain, binding(scope, record))
}

// open is the inverse of seal; it gives ErrDamaged for everything that seal did
// not make with the same key, scope and record.
func open(key secret.Value, scope, record string, sealed []byte) ([]byte, error) {
	if len(key.Reveal()) != keySize {
		return nil, ErrDamaged
	}
	aead, err := chacha20poly1305.NewX(key.Reveal())
	if err != nil {
		panic(err) // the key has a fixed size
	}
	if len(sealed) < minimum {
		return nil, ErrDamaged
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], binding(scope, record))
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// binding joins both names with their lengths, so that no two pairs give the
// same bytes.
func binding(scope, record string) []byte {
	data := []byte{formatVersion}
	for _, part := range []string{scope, record} {
		data = binary.BigEndian.AppendUint32(data, uint32(len(part)))
		data = append(data, part...)
	}
	return data
}
