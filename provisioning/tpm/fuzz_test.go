package tpm

import (
	"bytes"
	"testing"
)

// What comes from a TPM and from DPS: a stream of responses, a certificate in
// an NV area, a sealed key.
func FuzzParsers(f *testing.F) {
	f.Add([]byte{0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0})
	f.Add([]byte{0, 1, 7, 0, 1, 7, 0, 1, 7, 0, 1, 7, 0, 1, 7, 0, 0})
	f.Add([]byte{0x30, 0x82, 0, 1, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, data []byte) {
		if response, err := readResponse(bytes.NewReader(data)); err == nil && checkHead(response) != nil && response[0] != 0 {
			t.Errorf("read %x, and refuses it", response)
		}
		if len(data) >= headSize {
			dropLayer(bytes.Clone(data))
		}
		_, _ = ParseEKCertificate(data)
		sealed, err := ParseSealed(data)
		if err == nil && len(sealed.Credential)+len(sealed.CredentialSecret)+len(sealed.Duplicate)+len(sealed.DuplicateSecret)+len(sealed.Public)+10 > len(data) {
			t.Error("parts are longer than the whole")
		}
		if CheckEK(data) == nil && !isRSA2048(data) {
			t.Error("taken, and no RSA key of 2048 bits")
		}
	})
}
