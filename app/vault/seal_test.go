package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"testing"

	"edgewright/provisioning/secret"
)

// aHeader is a header under a passphrase with parameters that cost nothing.
func aHeader(t testing.TB, words string) (header, secret.Value) {
	t.Helper()
	key := newKey()
	h := newHeader(key)
	p := &passphrase{Time: 1, Memory: 8, Threads: 1, Salt: bytes.Repeat([]byte{7}, saltSize)}
	wrap := p.derive(secret.FromString(words))
	p.Sealed = seal(wrap, h.scope(), p.binding(), key.Reveal())
	h.Passphrase = p
	h.sealWithWrap(wrap, key)
	return h, key
}

func TestEveryBitOfTheHeaderCounts(t *testing.T) {
	h, _ := aHeader(t, "words")
	record := h.record()
	if again, err := parseHeader(record); err != nil || !bytes.Equal(again.record(), record) {
		t.Fatalf("its own record: %v", err)
	}
	for i := range record {
		broken := bytes.Clone(record)
		broken[i] ^= 1
		if _, err := parseHeader(broken); !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}

func TestAWrongPassphraseIsNoDamage(t *testing.T) {
	h, key := aHeader(t, "words")
	if got, err := h.openByPassphrase(secret.FromString("words")); err != nil || !got.Equal(key) {
		t.Errorf("the right one: %v", err)
	}
	if _, err := h.openByPassphrase(secret.FromString("Words")); !errors.Is(err, ErrWrongPassphrase) || errors.Is(err, ErrDamaged) {
		t.Errorf("a wrong one: %v", err)
	}
	// Parameters that somebody changed, and made a sum for, do not open.
	p := *h.Passphrase
	p.Time = 2
	h.Passphrase = &p
	if again, err := parseHeader(h.record()); err != nil {
		t.Error(err)
	} else if _, err := again.openByPassphrase(secret.FromString("words")); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("other parameters: %v", err)
	}
}

func TestTheKeyOfAnotherVaultIsNoticed(t *testing.T) {
	one, _ := aHeader(t, "words")
	two, _ := aHeader(t, "words")
	mixed := one
	mixed.Passphrase, mixed.Keyring = two.Passphrase, two.Keyring
	if _, err := mixed.openByPassphrase(secret.FromString("words")); err == nil {
		t.Error("opened by the other passphrase")
	}
	mixed = one
	mixed.Check = two.Check
	if _, err := mixed.openByPassphrase(secret.FromString("words")); !errors.Is(err, ErrDamaged) {
		t.Errorf("the check of the other: %v", err)
	}
}

func TestWhatAHeaderMayAskFor(t *testing.T) {
	for name, change := range map[string]func(*passphrase){
		"2 GiB":       func(p *passphrase) { p.Memory = 2 << 20 },
		"no memory":   func(p *passphrase) { p.Memory = 0 },
		"no time":     func(p *passphrase) { p.Time = 0 },
		"long time":   func(p *passphrase) { p.Time = 1 << 30 },
		"no threads":  func(p *passphrase) { p.Threads = 0 },
		"short salt":  func(p *passphrase) { p.Salt = p.Salt[:8] },
		"endless one": func(p *passphrase) { p.Salt = make([]byte, 10000) },
	} {
		h, _ := aHeader(t, "words")
		change(h.Passphrase)
		if _, err := parseHeader(h.record()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h, _ := aHeader(t, "words")
	h.Version = 2
	if _, err := parseHeader(h.record()); !errors.Is(err, ErrDamaged) {
		t.Errorf("version 2: %v", err)
	}
}

func TestBindingsDoNotRunTogether(t *testing.T) {
	key := newKey()
	sealed := seal(key, "ab", "c", []byte("x"))
	for _, other := range [][2]string{{"a", "bc"}, {"abc", ""}, {"ab", "C"}, {"", "abc"}} {
		if _, err := open(key, other[0], other[1], sealed); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %v", other, err)
		}
	}
	if plain, err := open(key, "ab", "c", sealed); err != nil || string(plain) != "x" {
		t.Errorf("%q %v", plain, err)
	}
	if bytes.Equal(sealed, seal(key, "ab", "c", []byte("x"))) {
		t.Error("the same twice")
	}
}

func FuzzHeader(f *testing.F) {
	h, _ := aHeader(f, "words")
	f.Add(h.record())
	f.Add([]byte(`{"version":1,"id":"x","passphrase":{"time":3,"memory":65536,"threads":4,"salt":"YQ==","sealed":"YQ=="}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHeader(withSum(data))
		if err == nil && h.Passphrase != nil && (h.Passphrase.Memory > maxMemory || h.Passphrase.Time > maxTime) {
			t.Errorf("accepts %d KiB", h.Passphrase.Memory)
		}
		if err == nil && !bytes.Equal(h.record(), mustParse(t, h.record()).record()) {
			t.Errorf("%s does not come back", data)
		}
	})
}

// withSum gives a header the sum that it should have, so that what is behind
// the sum is reached.
func withSum(data []byte) []byte {
	var h header
	if json.Unmarshal(data, &h) != nil {
		return data
	}
	h.Sum = nil
	sum := sha256.Sum256(h.encode())
	h.Sum = sum[:]
	return h.encode()
}

func mustParse(t *testing.T, record []byte) header {
	t.Helper()
	h, err := parseHeader(record)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func FuzzSealedRecord(f *testing.F) {
	v, err := Open(f.Context(), Options{Store: memory{}, Keyring: ring{}, StateDir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := v.Sealer("s", User).Seal("other", []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{formatVersion, markFile})
	f.Add([]byte{formatVersion, 'x', 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if plain, err := v.Sealer("s", User).Open("r", data); !errors.Is(err, ErrDamaged) {
			t.Errorf("opened %q, %v", plain, err)
		}
	})
}
