package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"edgewright/provisioning/secret"
)

// What callers tell apart with errors.Is.
var (
	ErrLocked          = errors.New("the vault is locked")
	ErrWrongPassphrase = errors.New("the passphrase is wrong")
	ErrDamaged         = errors.New("a sealed record is damaged")
	ErrNotFound        = errors.New("no such secret")
	ErrPassphraseFile  = errors.New("the passphrase file cannot be used")
)

// Kind says whose secret it is.
type Kind string

// Practice secrets are those of the practice cloud; all others are User's.
const (
	Practice Kind = "practice"
	User     Kind = "user"
)

// Records is where sealed records are kept.
type Records interface {
	Load(ctx context.Context, name string) (data []byte, found bool, err error)
	Save(ctx context.Context, name string, data []byte) error
	// Swap writes the record if it still is what it was: before, or absent if
	// before is nil.
	Swap(ctx context.Context, name string, before, after []byte) (done bool, err error)
	Delete(ctx context.Context, name string) (found bool, err error)
	Names(ctx context.Context) ([]string, error)
}

// Options say where the records are and how the vault is opened without a
// person, or with one.
type Options struct {
	Store Records
	// StateDir holds the key file, DataDir only gives it its name.
	StateDir, DataDir string
	// Keyring is the operating system's store; nil means the real one.
	Keyring Keyring
	// PassphraseFD is a file descriptor to read the passphrase from, 0 for none.
	PassphraseFD int
	// PassphraseFile is a file of mode 0600 that holds it, "" for none.
	PassphraseFile string
	// Ask asks a person; isNew says that the passphrase is about to be set. Nil
	// asks nobody. It may take its time: nothing else of the vault waits for it
	// but what needs the key.
	Ask func(ctx context.Context, isNew bool) (secret.Value, error)
}

// Vault is an open or still locked vault. It may be used from many goroutines.
type Vault struct {
	options Options

	// opening is held while the data key is being had or made, which may ask a
	// person; it is taken before mu.
	opening sync.Mutex
	// given is the passphrase from Options until a vault is made with it.
	given secret.Value

	// mu guards what follows. The keys are used only while it is held, so that
	// Lock never clears one in use.
	mu      sync.RWMutex
	header  header // ID is empty before the vault is made
	stored  []byte // the header's record
	dataKey secret.Value
	fileKey secret.Value // empty until a practice secret needs it
	// canMake says that the vault is not made yet and can be without a person.
	canMake bool
	// shut says that Lock was called; only Unlock opens again.
	shut bool
	// why says in words why the vault did not open without a person.
	why string
}

// Open reads the vault's header and opens it as far as that goes without
// asking a person. A passphrase that was given and does not fit is an error. It
// may take as long as the credential store takes, at most half a minute.
//
// A vault that is not there yet is made when the first secret is stored; until
// then nothing is written, neither to the records nor to the credential store.
func Open(ctx context.Context, o Options) (*Vault, error) {
	if o.Keyring == nil {
		o.Keyring = systemKeyring{}
	}
	v := &Vault{options: o}
	if err := v.reload(ctx); err != nil {
		return nil, err
	}
	given, err := o.givenPassphrase()
	if err != nil {
		return nil, err
	}
	v.given = given
	if err := v.openSilently(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

// PracticeOnly tells that nothing but practice secrets can be kept, because
// there is neither a credential store nor a passphrase, or none yet that a
// person would have to be asked for.
func (v *Vault) PracticeOnly() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.dataKey.IsEmpty() && !v.canMake
}

// HasPassphrase tells whether the vault can be opened by a passphrase.
func (v *Vault) HasPassphrase() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.header.Passphrase != nil
}

// Lock forgets the keys. The vault opens again by Unlock only.
func (v *Vault) Lock() {
	v.opening.Lock()
	defer v.opening.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dataKey.Wipe()
	v.fileKey.Wipe()
	v.dataKey, v.fileKey, v.shut, v.canMake = secret.Value{}, secret.Value{}, true, false
}

// Unlock opens the vault by the credential store, or asks a person.
func (v *Vault) Unlock(ctx context.Context) error {
	v.opening.Lock()
	v.mu.Lock()
	v.shut = false
	v.mu.Unlock()
	err := v.openSilently(ctx)
	v.opening.Unlock()
	if err != nil || !v.PracticeOnly() {
		return err
	}
	return v.need(ctx)
}

// Put seals a secret under a name.
func (v *Vault) Put(ctx context.Context, name string, kind Kind, value secret.Value) error {
	sealed, err := v.Sealer("secret", kind).seal(ctx, name, value.Reveal())
	if err != nil {
		return fmt.Errorf("store secret %s: %w", name, err)
	}
	return v.options.Store.Save(ctx, recordPrefix+string(kind)+"/"+name, sealed)
}

// Get opens a secret; ErrNotFound if there is none of that name.
func (v *Vault) Get(ctx context.Context, name string) (secret.Value, error) {
	for _, kind := range []Kind{User, Practice} {
		sealed, found, err := v.options.Store.Load(ctx, recordPrefix+string(kind)+"/"+name)
		if err != nil {
			return secret.Value{}, err
		}
		if !found {
			continue
		}
		plain, err := v.Sealer("secret", kind).open(ctx, name, sealed)
		if err != nil {
			return secret.Value{}, fmt.Errorf("open secret %s: %w", name, err)
		}
		return secret.New(plain), nil
	}
	return secret.Value{}, fmt.Errorf("secret %s: %w", name, ErrNotFound)
}

// Delete forgets a secret; ErrNotFound if there is none of that name. It needs
// no key.
func (v *Vault) Delete(ctx context.Context, name string) error {
	deleted := false
	for _, kind := range []Kind{User, Practice} {
		found, err := v.options.Store.Delete(ctx, recordPrefix+string(kind)+"/"+name)
		if err != nil {
			return err
		}
		deleted = deleted || found
	}
	if !deleted {
		return fmt.Errorf("secret %s: %w", name, ErrNotFound)
	}
	return nil
}

// Names lists the names of all secrets. It needs no key.
func (v *Vault) Names(ctx context.Context) ([]string, error) {
	all, err := v.options.Store.Names(ctx)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, name := range all {
		if rest, ok := strings.CutPrefix(name, recordPrefix); ok {
			_, plain, _ := strings.Cut(rest, "/")
			names = append(names, plain)
		}
	}
	return names, nil
}

// recordPrefix keeps secrets apart from the vault's own header.
const recordPrefix = "secret/"
