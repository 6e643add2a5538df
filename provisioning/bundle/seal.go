package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"filippo.io/age"
)

// manifest is the first member.
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

// Seal packs a bundle and encrypts it for the recipients.
func Seal(b Bundle, to ...age.Recipient) ([]byte, error) {
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
	for _, file := range files {
		sum := sha256.Sum256(file.data)
		list.Files = append(list.Files, manifestEntry{file.name, len(file.data), hex.EncodeToString(sum[:])})
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	files = append([]member{{manifestName, text}}, files...)
	out := bytes.NewBuffer(make([]byte, 0, archiveSize(files))) // never grows, so that no copy of a key stays behind
	w := tar.NewWriter(out)
	for _, file := range files {
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

// archiveSize is how many bytes the archive of the files has: for each a block with
// its header and those that its content begins, and two at the end (POSIX, ustar).
func archiveSize(files []member) int {
	const block = 512
	size := 2 * block
	for _, file := range files {
		size += block + (len(file.data)+block-1)/block*block
	}
	return size
}
