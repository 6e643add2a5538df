package bundle

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"filippo.io/age"
	"github.com/cloudflare/circl/dh/x25519"
	"golang.org/x/crypto/chacha20poly1305"
)

// x25519Recipient wraps file keys for an age1… recipient, as the stanza X25519 of
// age-encryption.org/v1 says. age's own does four multiplications on the curve
// where two are enough, and circl does each in half the time: together they were
// half of what it takes to mint a device.
type x25519Recipient struct{ public x25519.Key }

// x25519Label is the info of its HKDF.
const x25519Label = "age-encryption.org/v1/X25519"

func parseX25519Recipient(text string) (age.Recipient, error) {
	if _, err := age.ParseX25519Recipient(text); err != nil { // checks prefix, digits and sum
		return nil, err
	}
	to := x25519Recipient{}
	copy(to.public[:], bech32Data(text))
	return to, nil
}

// bech32Data is what a text that has been checked stands for (BIP 173): behind the
// last 1 five bits a character, the last six of which are the sum.
func bech32Data(text string) []byte {
	const digits, sum = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", 6
	text = text[strings.LastIndexByte(text, '1')+1 : len(text)-sum]
	var data []byte
	bits, have := 0, 0
	for _, char := range []byte(text) {
		bits, have = bits<<5|strings.IndexByte(digits, char), have+5
		if have >= 8 {
			have -= 8
			data = append(data, byte(bits>>have))
			bits &= 1<<have - 1
		}
	}
	return data
}

// Wrap implements age.Recipient.
func (r x25519Recipient) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	var ephemeral, share, shared x25519.Key
	defer clear(ephemeral[:])
	_, _ = rand.Read(ephemeral[:]) // never fails
	x25519.KeyGen(&share, &ephemeral)
	if !x25519.Shared(&shared, &ephemeral, &r.public) {
		return nil, errors.New("agree on a key: the recipient is a point of low order")
	}
	key, err := hkdf.Key(sha256.New, shared[:], slices.Concat(share[:], r.public[:]), x25519Label, chacha20poly1305.KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	// The key wraps once, so the nonce may be zero.
	wrapped := aead.Seal(nil, make([]byte, chacha20poly1305.NonceSize), fileKey, nil)
	return []*age.Stanza{{Type: "X25519", Args: []string{base64.RawStdEncoding.EncodeToString(share[:])}, Body: wrapped}}, nil
}
