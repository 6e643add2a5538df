package bundle

import (
	"archive/tar"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"
)

// manifest is the first member. Its bytes are what the identity key signs.
type manifest struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	Batch   string          `json:"batch"`
	Device  string          `json:"device"`
	Made    time.Time       `json:"made"`
	Files   []manifestEntry `json:"files"`
}

type manifestEntry struct {
	Name   string `json:"name"`
	Size   int    `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // 64 small hexadecimal digits
}

const formatName = "edgewright-bundle"

// signedPrefix keeps the signature of a manifest from being one of anything else.
const signedPrefix = "edgewright-bundle manifest 1\n"

// Seal packs a bundle and encrypts it for the recipients.
func Seal(b Bundle, to ...age.Recipient) ([]byte, error) {
	if b.Signer == nil {
		return nil, errors.New("seal bundle " + b.Device + ": there is no key to sign with")
	}
	plain, err := pack(b)
	defer clear(plain)
	if err != nil {
		return nil, fmt.Errorf("seal bundle %s: %w", b.Device, err)
	}
	var sealed bytes.Buffer
	sealed.Grow(len(plain) + 512)
	w, err := age.Encrypt(&sealed, to...)
	if err != nil {
		return nil, fmt.Errorf("seal bundle %s: %w", b.Device, err)
	}
	if _, err := w.Write(plain); err != nil {
		return nil, fmt.Errorf("seal bundle %s: %w", b.Device, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal bundle %s: %w", b.Device, err)
	}
	if sealed.Len() > MaxSealed {
		return nil, fmt.Errorf("seal bundle %s: it has %d bytes, more than %d", b.Device, sealed.Len(), MaxSealed)
	}
	return sealed.Bytes(), nil
}

// pack makes the archive.
func pack(b Bundle) ([]byte, error) {
	files := b.members()
	list := manifest{Format: formatName, Version: Version, Batch: b.Batch, Device: b.Device, Made: b.Made.UTC().Truncate(time.Second)}
	size := 4096
	for _, file := range files {
		sum := sha256.Sum256(file.data)
		list.Files = append(list.Files, manifestEntry{file.name, len(file.data), hex.EncodeToString(sum[:])})
		size += 1024 + len(file.data)
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	signature, err := sign(b.Signer, text)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, size)) // never grows, so that no copy of a key stays behind
	w := tar.NewWriter(out)
	all := append(append([]member{{manifestName, text}}, files...), member{signatureName, signature})
	for _, file := range all {
		header := tar.Header{Typeflag: tar.TypeReg, Name: file.name, Mode: 0o600, Size: int64(len(file.data)), ModTime: list.Made, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(&header); err != nil {
			return out.Bytes(), err
		}
		if _, err := w.Write(file.data); err != nil {
			return out.Bytes(), err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

func signed(text []byte) []byte {
	sum := sha256.Sum256(append([]byte(signedPrefix), text...))
	return sum[:]
}

// sign signs a manifest: ECDSA in ASN.1, or RSA by PKCS #1 v1.5, over SHA-256.
func sign(key crypto.Signer, text []byte) ([]byte, error) {
	return key.Sign(rand.Reader, signed(text), crypto.SHA256)
}

// verify is the other end of sign.
func verify(public crypto.PublicKey, text, signature []byte) bool {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, signed(text), signature)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, signed(text), signature) == nil
	}
	return false
}
