// Package hunt looks for secrets where none belongs, for tests that know them: in
// every form that a program might have written them in by mistake.
package hunt

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// shortest is how many bytes a secret has to have: fewer stand in any file.
const shortest = 8

// Hunt knows secrets. The zero Hunt knows none.
type Hunt struct{ needles map[string][]byte }

// Add takes a secret as bytes: raw, hexadecimal in both cases, and base64 in both
// alphabets at three alignments.
func (h *Hunt) Add(name string, raw []byte) {
	if len(raw) < shortest {
		panic("the secret " + name + " is too short to be looked for")
	}
	if h.needles == nil {
		h.needles = map[string][]byte{}
	}
	h.needles[name+" raw"] = raw
	h.needles[name+" hex"] = []byte(hex.EncodeToString(raw))
	h.needles[name+" HEX"] = []byte(strings.ToUpper(hex.EncodeToString(raw)))
	for shift := range 3 {
		for form, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, shift), raw...))
			// Only the characters that the secret alone decides.
			first, last := (shift*8+5)/6, (shift+len(raw))*8/6
			h.needles[fmt.Sprintf("%s %s+%d", name, form, shift)] = []byte(text[first:last])
		}
	}
}

// AddKey takes a private key, PEM with PKCS #8: the numbers that make it one, of
// which any DER and PEM of it is made. It fails if it does not find them in the
// key's own text.
func (h *Hunt) AddKey(name string, text []byte) error {
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("%s is no PEM", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("%s is no PKCS #8 key: %w", name, err)
	}
	numbers := map[string][]byte{}
	switch key := parsed.(type) {
	case *ecdsa.PrivateKey:
		if numbers["scalar"], err = key.Bytes(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	case *rsa.PrivateKey:
		numbers["exponent"], numbers["prime"] = key.D.Bytes(), key.Primes[0].Bytes()
	default:
		return fmt.Errorf("%s is a key of the kind %T", name, parsed)
	}
	for what, number := range numbers {
		var one Hunt
		one.Add(name, number)
		if len(one.In(block.Bytes)) == 0 || len(one.In(bytes.ReplaceAll(text, []byte("\n"), nil))) == 0 {
			return fmt.Errorf("the %s of %s is not found in its own file, as DER or as PEM", what, name)
		}
		h.Add(name+" "+what, number)
	}
	return nil
}

// Len counts the forms that are looked for.
func (h *Hunt) Len() int { return len(h.needles) }

// In names the secrets and their forms that a text holds. PEM breaks its lines
// within a number, so a text is looked at without line ends, too.
func (h *Hunt) In(text []byte) (found []string) {
	joined := bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\n"), nil), []byte("\r"), nil)
	for name, needle := range h.needles {
		if bytes.Contains(text, needle) || bytes.Contains(joined, needle) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// Below looks into names and texts of all files below a folder but those that skip
// tells, which gets paths with slashes, below the folder. Each problem names a
// file and what it holds.
func (h *Hunt) Below(root string, skip func(name string) bool) (problems []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || skip != nil && skip(filepath.ToSlash(name)) {
			return err
		}
		text, err := os.ReadFile(path)
		if found := h.In(append(text, path...)); len(found) > 0 {
			problems = append(problems, fmt.Sprintf("%s holds %q", path, found))
		}
		return err
	})
	return problems, err
}
