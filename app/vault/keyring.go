package vault

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/zalando/go-keyring"

	"edgewright/provisioning/secret"
)

// Keyring is the operating system's credential store. It keeps one key of 32
// bytes per vault.
type Keyring interface {
	// Get gives errNoKey from a store that answers and has no such key; any
	// other error means that there is no store to use.
	Get(ctx context.Context, id string) (secret.Value, error)
	Set(ctx context.Context, id string, key secret.Value) error
	Delete(ctx context.Context, id string) error
}

// probeID is asked for to learn whether a store answers; no vault has it.
const probeID = "probe"

const keyringService = "Edgewright vault"

// keyringPatience bounds the wait for a store, which may be asking a person to
// unlock it.
const keyringPatience = 30 * time.Second

var (
	errNoStore = errors.New("no credential store")
	errNoKey   = errors.New("no such key in the credential store")
)

// systemKeyring is the Secret Service on Linux and the Credential Manager on
// Windows.
type systemKeyring struct{}

func (systemKeyring) Get(ctx context.Context, id string) (secret.Value, error) {
	text, err := patiently(ctx, func() (string, error) { return keyring.Get(keyringService, id) })
	if errors.Is(err, keyring.ErrNotFound) {
		return secret.Value{}, errNoKey
	}
	if err != nil {
		return secret.Value{}, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != keySize {
		return secret.Value{}, fmt.Errorf("key in the credential store: %w", ErrDamaged)
	}
	return secret.New(key), nil
}

func (systemKeyring) Set(ctx context.Context, id string, key secret.Value) error {
	_, err := patiently(ctx, func() (string, error) { return "", keyring.Set(keyringService, id, key.RevealBase64()) })
	return err
}

func (systemKeyring) Delete(ctx context.Context, id string) error {
	_, err := patiently(ctx, func() (string, error) { return "", keyring.Delete(keyringService, id) })
	return err
}

// patiently calls the store in a goroutine of its own: it knows no context.
func patiently(ctx context.Context, call func() (string, error)) (string, error) {
	if !storeReachable() {
		return "", errNoStore
	}
	ctx, cancel := context.WithTimeout(ctx, keyringPatience)
	defer cancel()
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := call()
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// storeReachable looks for a session bus first: without one the library would
// start a bus of its own and leave it behind.
func storeReachable() bool {
	if runtime.GOOS != "linux" {
		return true
	}
	if address := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); address != "" && address != "autolaunch:" {
		return true
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "bus"))
	return err == nil
}
