package vault

import (
	"context"
	"crypto/rand"
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
	// asks nobody.
	Ask func(ctx context.Context, isNew bool) (secret.Value, error)
}

// Vault is an open or still locked vault. It may be used from many goroutines.
type Vault struct {
	options Options

	mu      sync.Mutex
	header  header
	dataKey secret.Value // empty while locked
	fileKey secret.Value // empty until a practice secret needs it
}

// Open reads the vault's header and opens it as far as that goes without
// asking a person. A passphrase that was given and does not fit is an error.
func Open(ctx context.Context, o Options) (*Vault, error) {
	if o.Keyring == nil {
		o.Keyring = systemKeyring{}
	}
	v := &Vault{options: o}
	var err error
	if v.header, err = loadHeader(ctx, o.Store); err != nil {
		return nil, err
	}
	given, err := o.givenPassphrase()
	if err != nil {
		return nil, err
	}
	if !given.IsEmpty() {
		return v, v.openWith(ctx, given)
	}
	return v, v.openByKeyring(ctx)
}

// openWith opens the vault with a passphrase, or sets it where there is none.
func (v *Vault) openWith(ctx context.Context, passphrase secret.Value) error {
	if v.header.Passphrase != nil {
		key, err := v.header.Passphrase.open(passphrase)
		v.dataKey = key
		return err
	}
	// A vault that opened by the keyring so far gets the passphrase as well.
	if err := v.openByKeyring(ctx); err != nil {
		return err
	}
	if v.dataKey.IsEmpty() {
		if v.header.Keyring != nil {
			return fmt.Errorf("%w: it was made with the credential store of this computer, which does not answer", ErrLocked)
		}
		v.dataKey = newKey()
	}
	return v.SetPassphrase(ctx, passphrase)
}

// openByKeyring opens the vault by the credential store; where the store does
// not answer, the vault stays locked. A vault that has no header yet gets one.
func (v *Vault) openByKeyring(ctx context.Context) error {
	switch {
	case v.header.Keyring != nil:
		wrap, err := v.options.Keyring.Get(ctx, v.header.ID)
		if err != nil {
			return nil
		}
		key, err := open(wrap, "header", "keyring", v.header.Keyring)
		if err != nil {
			return fmt.Errorf("the credential store's key does not fit: %w", err)
		}
		v.dataKey = secret.New(key)
	case v.header.Passphrase == nil:
		header := header{Version: 1, ID: newID()}
		wrap, key := newKey(), newKey()
		if v.options.Keyring.Set(ctx, header.ID, wrap) != nil {
			return nil
		}
		header.Keyring = seal(wrap, "header", "keyring", key.Reveal())
		if err := header.save(ctx, v.options.Store); err != nil {
			return err
		}
		v.header, v.dataKey = header, key
	}
	return nil
}

// SetPassphrase sets or changes the passphrase of an open vault.
func (v *Vault) SetPassphrase(ctx context.Context, passphrase secret.Value) error {
	if v.dataKey.IsEmpty() {
		return ErrLocked
	}
	header := v.header
	if header.ID == "" {
		header.Version, header.ID = 1, newID()
	}
	header.Passphrase = sealWithPassphrase(passphrase, v.dataKey)
	if err := header.save(ctx, v.options.Store); err != nil {
		return err
	}
	v.header = header
	return nil
}

// HasPassphrase tells whether the vault can be opened by a passphrase.
func (v *Vault) HasPassphrase() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.header.Passphrase != nil
}

// PracticeOnly tells that nothing but practice secrets can be kept, because
// there is neither a credential store nor a passphrase.
func (v *Vault) PracticeOnly() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.dataKey.IsEmpty()
}

// unlock makes the data key available, by asking a person if need be.
func (v *Vault) unlock(ctx context.Context) error {
	if !v.dataKey.IsEmpty() {
		return nil
	}
	if v.options.Ask == nil {
		return ErrLocked
	}
	isNew := v.header.Passphrase == nil
	if isNew && v.header.Keyring != nil {
		return ErrLocked
	}
	passphrase, err := v.options.Ask(ctx, isNew)
	if err != nil {
		return err
	}
	if passphrase.IsEmpty() {
		return ErrLocked
	}
	return v.openWith(ctx, passphrase)
}

// keyFor gives the key that a new record of a kind is sealed with, and its
// mark.
func (v *Vault) keyFor(ctx context.Context, kind Kind) (secret.Value, byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if kind == Practice && v.dataKey.IsEmpty() {
		err := v.needFileKey(true)
		return v.fileKey, markFile, err
	}
	err := v.unlock(ctx)
	return v.dataKey, markData, err
}

// keyOf gives the key that a record was sealed with.
func (v *Vault) keyOf(ctx context.Context, mark byte) (secret.Value, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch mark {
	case markFile:
		err := v.needFileKey(false)
		return v.fileKey, err
	case markData:
		err := v.unlock(ctx)
		return v.dataKey, err
	}
	return secret.Value{}, ErrDamaged
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

// Delete forgets a secret; ErrNotFound if there is none of that name.
func (v *Vault) Delete(ctx context.Context, name string) error {
	any := false
	for _, kind := range []Kind{User, Practice} {
		found, err := v.options.Store.Delete(ctx, recordPrefix+string(kind)+"/"+name)
		if err != nil {
			return err
		}
		any = any || found
	}
	if !any {
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

// Sealer seals what another store keeps. Scope and record name are bound into
// what is sealed.
type Sealer struct {
	vault *Vault
	scope string
	kind  Kind
}

// Sealer gives the sealer of a scope.
func (v *Vault) Sealer(scope string, kind Kind) Sealer { return Sealer{v, scope, kind} }

// Seal seals plain for the record of that name.
func (s Sealer) Seal(record string, plain []byte) ([]byte, error) {
	return s.seal(context.Background(), record, plain)
}

// Open opens what Seal gave for the record of that name.
func (s Sealer) Open(record string, sealed []byte) ([]byte, error) {
	return s.open(context.Background(), record, sealed)
}

func (s Sealer) seal(ctx context.Context, record string, plain []byte) ([]byte, error) {
	key, mark, err := s.vault.keyFor(ctx, s.kind)
	if err != nil {
		return nil, err
	}
	return append([]byte{formatVersion, mark}, seal(key, s.scope+"/"+string(s.kind), record, plain)...), nil
}

func (s Sealer) open(ctx context.Context, record string, sealed []byte) ([]byte, error) {
	if len(sealed) < 2 || sealed[0] != formatVersion {
		return nil, ErrDamaged
	}
	key, err := s.vault.keyOf(ctx, sealed[1])
	if err != nil {
		return nil, err
	}
	return open(key, s.scope+"/"+string(s.kind), record, sealed[2:])
}

func newKey() secret.Value {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return secret.New(key)
}

func newID() string { return strings.ToLower(rand.Text()) }
