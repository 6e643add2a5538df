package vault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"golang.org/x/crypto/argon2"

	"edgewright/provisioning/secret"
)

// header is the one record that is not sealed: it says how the data key is.
type header struct {
	Version    int         `json:"version"`
	ID         string      `json:"id"`
	Keyring    []byte      `json:"keyring,omitempty"`
	Passphrase *passphrase `json:"passphrase,omitempty"`
}

// passphrase holds the data key sealed under argon2id, with its parameters.
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
	maxTime, maxMemory                   = 20, 1024 * 1024
	headerName                           = "header"
)

func loadHeader(ctx context.Context, store Records) (header, error) {
	data, found, err := store.Load(ctx, headerName)
	if err != nil || !found {
		return header{}, err
	}
	return parseHeader(data)
}

func parseHeader(data []byte) (header, error) {
	var h header
	if err := json.Unmarshal(data, &h); err != nil {
		return header{}, fmt.Errorf("the vault's header: %w", ErrDamaged)
	}
	if h.Version != 1 || h.ID == "" {
		return header{}, fmt.Errorf("the vault's header has version %d: %w", h.Version, ErrDamaged)
	}
	if p := h.Passphrase; p != nil && (p.Time == 0 || p.Time > maxTime || p.Memory == 0 || p.Memory > maxMemory || p.Threads == 0) {
		return header{}, fmt.Errorf("the vault's header asks for %d KiB: %w", p.Memory, ErrDamaged)
	}
	return h, nil
}

func (h header) save(ctx context.Context, store Records) error {
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("write the vault's header: %w", err)
	}
	return store.Save(ctx, headerName, data)
}

func sealWithPassphrase(words, dataKey secret.Value) *passphrase {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	p := &passphrase{Time: argonTime, Memory: argonMemory, Threads: argonThreads, Salt: salt}
	key := p.derive(words)
	defer key.Wipe()
	p.Sealed = seal(key, headerName, "passphrase", dataKey.Reveal())
	return p
}

func (p *passphrase) open(words secret.Value) (secret.Value, error) {
	key := p.derive(words)
	defer key.Wipe()
	plain, err := open(key, headerName, "passphrase", p.Sealed)
	if err != nil || len(plain) != keySize {
		return secret.Value{}, ErrWrongPassphrase
	}
	return secret.New(plain), nil
}

func (p *passphrase) derive(words secret.Value) secret.Value {
	key := argon2.IDKey(words.Reveal(), p.Salt, p.Time, p.Memory, p.Threads, keySize)
	debug.FreeOSMemory() // the 64 MiB would count as ours until the next collection
	return secret.New(key)
}
