package vault

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"edgewright/provisioning/secret"
)

// header is the one record that is not sealed: it says how the data key is.
// Sum tells a damaged header from a wrong passphrase; it protects from nobody.
// Check is the ID sealed with the data key: what opens it is that key.
type header struct {
	Version    int         `json:"version"`
	ID         string      `json:"id"`
	Check      []byte      `json:"check"`
	Keyring    []byte      `json:"keyring,omitempty"`
	Passphrase *passphrase `json:"passphrase,omitempty"`
	Sum        []byte      `json:"sum,omitempty"`
}

// passphrase holds the data key sealed under argon2id, with its parameters,
// which are bound into what is sealed.
type passphrase struct {
	Time    uint32 `json:"time"`
	Memory  uint32 `json:"memory"` // KiB
	Threads uint8  `json:"threads"`
	Salt    []byte `json:"salt"`
	Sealed  []byte `json:"sealed"`
}

// The parameters of new passphrases: RFC 9106, second recommended option. What
// a file asks for is bounded, because it could come from anywhere.
const (
	argonTime, argonMemory, argonThreads = 3, 64 * 1024, 4
	maxTime, maxMemory, maxThreads       = 20, 1024 * 1024, 64
	saltSize, maxSalt                    = 16, 64
	maxHeader                            = 64 << 10
	headerName                           = "header"
)

func newHeader(dataKey secret.Value) header {
	h := header{Version: 1, ID: strings.ToLower(rand.Text())}
	h.Check = seal(dataKey, h.scope(), "check", []byte(h.ID))
	return h
}

// scope binds everything that the header holds to this vault.
func (h header) scope() string { return headerName + "/" + h.ID }

// parseHeader reads a header's record. Everything that record does not write
// is ErrDamaged.
func parseHeader(data []byte) (header, error) {
	var h header
	if len(data) > maxHeader || json.Unmarshal(data, &h) != nil {
		return header{}, fmt.Errorf("the vault's header: %w", ErrDamaged)
	}
	// Compared as bytes: base64 reads a text whose unused last bits differ too.
	if h.Sum = nil; !bytes.Equal(h.record(), data) {
		return header{}, fmt.Errorf("the vault's header: %w", ErrDamaged)
	}
	if h.Version != 1 || h.ID == "" {
		return header{}, fmt.Errorf("the vault's header has version %d: %w", h.Version, ErrDamaged)
	}
	if p := h.Passphrase; p != nil && (p.Time == 0 || p.Time > maxTime || p.Memory < 8 || p.Memory > maxMemory ||
		p.Threads == 0 || p.Threads > maxThreads || len(p.Salt) < saltSize || len(p.Salt) > maxSalt) {
		return header{}, fmt.Errorf("the vault's header asks for %d KiB, %d times: %w", p.Memory, p.Time, ErrDamaged)
	}
	return h, nil
}

// record is the inverse of parseHeader.
func (h header) record() []byte {
	h.Sum = h.sum()
	return h.encode()
}

func (h header) sum() []byte {
	sum := sha256.Sum256(h.encode())
	return sum[:]
}

func (h header) encode() []byte {
	data, err := json.Marshal(h)
	if err != nil {
		panic(err) // numbers, texts and bytes only
	}
	return data
}

func (h *header) sealWithWrap(wrap, dataKey secret.Value) {
	h.Keyring = seal(wrap, h.scope(), "keyring", dataKey.Reveal())
}

func (h header) openByWrap(wrap secret.Value) (secret.Value, error) {
	plain, err := open(wrap, h.scope(), "keyring", h.Keyring)
	if err != nil {
		return secret.Value{}, fmt.Errorf("the key in the credential store does not fit the vault: %w", err)
	}
	return h.checked(secret.New(plain))
}

func (h *header) sealWithPassphrase(words, dataKey secret.Value) {
	p := &passphrase{Time: argonTime, Memory: argonMemory, Threads: argonThreads, Salt: make([]byte, saltSize)}
	_, _ = rand.Read(p.Salt) // never fails (crypto/rand)
	key := p.derive(words)
	defer key.Wipe()
	p.Sealed = seal(key, h.scope(), p.binding(), dataKey.Reveal())
	h.Passphrase = p
}

// openByPassphrase gives ErrWrongPassphrase where the passphrase does not fit;
// a header that was damaged has been refused by its sum before.
func (h header) openByPassphrase(words secret.Value) (secret.Value, error) {
	key := h.Passphrase.derive(words)
	defer key.Wipe()
	plain, err := open(key, h.scope(), h.Passphrase.binding(), h.Passphrase.Sealed)
	if err != nil {
		return secret.Value{}, ErrWrongPassphrase
	}
	return h.checked(secret.New(plain))
}

// checked gives the data key back if it is this vault's.
func (h header) checked(key secret.Value) (secret.Value, error) {
	id, err := open(key, h.scope(), "check", h.Check)
	if err != nil || string(id) != h.ID {
		return secret.Value{}, fmt.Errorf("the vault's key: %w", ErrDamaged)
	}
	return key, nil
}

func (p *passphrase) binding() string {
	numbers := []string{"passphrase"}
	for _, n := range []uint64{uint64(p.Time), uint64(p.Memory), uint64(p.Threads)} {
		numbers = append(numbers, strconv.FormatUint(n, 10))
	}
	return strings.Join(append(numbers, string(p.Salt)), "/")
}

func (p *passphrase) derive(words secret.Value) secret.Value {
	key := argon2.IDKey(words.Reveal(), p.Salt, p.Time, p.Memory, p.Threads, keySize)
	debug.FreeOSMemory() // the 64 MiB would count as ours until the next collection
	return secret.New(key)
}

func newKey() secret.Value {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return secret.New(key)
}
