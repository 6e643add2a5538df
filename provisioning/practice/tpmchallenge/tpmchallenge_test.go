package tpmchallenge_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/practice/tpmchallenge"
	"edgewright/provisioning/practice/tpmchallenge/swtpmtest"
)

func parse(t testing.TB, raw []byte) *tpmchallenge.PublicKey {
	t.Helper()
	key, err := tpmchallenge.ParsePublic(raw)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sha(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

func TestTPMTakesTheKey(t *testing.T) {
	device, other := swtpmtest.Start(t), swtpmtest.Start(t)
	key := make([]byte, tpmchallenge.KeySize)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	ek, srk := parse(t, device.EndorsementKey()), parse(t, device.StorageRootKey())
	sealed, err := tpmchallenge.Seal(rand.Reader, ek, srk, key)
	if err != nil {
		t.Fatal(err)
	}
	if len(sealed) != 766 || !bytes.HasSuffix(sealed, []byte{0, 0}) {
		t.Errorf("%d bytes", len(sealed))
	}
	sign, err := device.Activate(sealed)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("0ne00PRACTICE/registrations/x\n1")
	if got, err := sign(message); err != nil || !bytes.Equal(got, sha(key, message)) {
		t.Errorf("signature %x, %v", got, err)
	}
	if _, err := other.Activate(sealed); err == nil {
		t.Error("another TPM takes the key")
	}
	for name, keys := range map[string][2]*tpmchallenge.PublicKey{
		"other endorsement key":  {parse(t, other.EndorsementKey()), srk},
		"other storage root key": {ek, parse(t, other.StorageRootKey())},
	} {
		sealed, err := tpmchallenge.Seal(rand.Reader, keys[0], keys[1], key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := device.Activate(sealed); err == nil {
			t.Errorf("%s: the key is taken", name)
		}
	}
}

// TestSecondReading holds the six parts against a reading of the standard that
// shares no code, without a TPM.
func TestSecondReading(t *testing.T) {
	soft, err := daemontest.NewSoftTPM()
	if err != nil {
		t.Fatal(err)
	}
	ekText, srkText, err := soft.PublicKeys()
	if err != nil {
		t.Fatal(err)
	}
	ek, _ := base64.StdEncoding.DecodeString(ekText)
	srk, _ := base64.StdEncoding.DecodeString(srkText)
	key := bytes.Repeat([]byte{7}, tpmchallenge.KeySize)
	sealed, err := tpmchallenge.Seal(rand.Reader, parse(t, ek), parse(t, srk), key)
	if err != nil {
		t.Fatal(err)
	}
	sign, err := soft.Import(sealed)
	if err != nil || !bytes.Equal(sign([]byte("m")), sha(key, []byte("m"))) {
		t.Errorf("import: %v", err)
	}
}

func marshal(area tpm2.TPMTPublic) []byte { return tpm2.Marshal(tpm2.New2B(area)) }

func TestParsePublicRefuses(t *testing.T) {
	modulus := bytes.Repeat([]byte{0xff}, 256)
	template := func(change func(*tpm2.TPMTPublic)) []byte {
		area := tpm2.RSAEKTemplate
		area.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: modulus})
		change(&area)
		return marshal(area)
	}
	good := template(func(*tpm2.TPMTPublic) {})
	parse(t, good)
	for name, raw := range map[string][]byte{
		"nothing":       nil,
		"size only":     {0, 0},
		"cut off":       good[:len(good)-1],
		"without size":  good[2:],
		"more after it": append(bytes.Clone(good), 0),
		"more inside": func() []byte {
			b := append(bytes.Clone(good), 0)
			binary.BigEndian.PutUint16(b, uint16(len(b)-2))
			return b
		}(),
		"not restricted": template(func(a *tpm2.TPMTPublic) { a.ObjectAttributes.Restricted = false }),
		"signs":          template(func(a *tpm2.TPMTPublic) { a.ObjectAttributes.SignEncrypt = true }),
		"ECC":            marshal(tpm2.ECCEKTemplate),
		"no modulus":     template(func(a *tpm2.TPMTPublic) { a.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{}) }),
		"even modulus": template(func(a *tpm2.TPMTPublic) {
			a.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: append(bytes.Clone(modulus[:255]), 0xfe)})
		}),
	} {
		if _, err := tpmchallenge.ParsePublic(raw); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := tpmchallenge.Seal(rand.Reader, parse(t, good), parse(t, good), make([]byte, 16)); err == nil || !strings.Contains(err.Error(), "16 bytes") {
		t.Errorf("short key: %v", err)
	}
}

func FuzzParsePublic(f *testing.F) {
	area := tpm2.RSASRKTemplate
	area.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: bytes.Repeat([]byte{0xff}, 256)})
	f.Add(marshal(area))
	f.Add(marshal(tpm2.ECCEKTemplate))
	f.Add([]byte{0, 1, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		key, err := tpmchallenge.ParsePublic(raw)
		if err != nil {
			return
		}
		if _, err := tpmchallenge.Seal(rand.Reader, key, key, make([]byte, tpmchallenge.KeySize)); err != nil {
			t.Errorf("a key that is taken cannot be sealed for: %v", err)
		}
	})
}
