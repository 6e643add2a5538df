package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"edgewright/provisioning/secret"
)

// reload reads the header's record.
func (v *Vault) reload(ctx context.Context) error {
	data, found, err := v.options.Store.Load(ctx, headerName)
	if err != nil {
		return fmt.Errorf("read the vault's header: %w", err)
	}
	h := header{}
	if found {
		if h, err = parseHeader(data); err != nil {
			return err
		}
	} else {
		data = nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.header, v.stored = h, data
	return nil
}

// openSilently opens the vault without a person, or finds out whether it could
// be made without one. It stays locked, without an error, where neither goes.
func (v *Vault) openSilently(ctx context.Context) error {
	switch {
	case v.header.ID == "" && !v.given.IsEmpty():
		v.setCanMake(true, "")
		return nil
	case v.header.ID == "":
		_, err := v.options.Keyring.Get(ctx, probeID)
		working := errors.Is(err, errNoKey)
		v.setCanMake(working, "there is neither a passphrase nor a credential store")
		return nil
	case !v.given.IsEmpty():
		return v.openWith(ctx, v.given)
	}
	return v.openByKeyring(ctx)
}

func (v *Vault) setCanMake(can bool, why string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.canMake, v.why = can, why
}

// openWith opens a vault that is there with a passphrase. One that was made
// with the credential store, and opens by it now, gets the passphrase as well:
// that is how a data folder moves to a machine without a desktop.
func (v *Vault) openWith(ctx context.Context, passphrase secret.Value) error {
	if v.header.Passphrase != nil {
		key, err := v.header.openByPassphrase(passphrase)
		if err != nil {
			return err
		}
		v.opened(key)
		return nil
	}
	if err := v.openByKeyring(ctx); err != nil {
		return err
	}
	if !v.isOpen() {
		return v.locked()
	}
	return v.writePassphrase(ctx, passphrase)
}

// openByKeyring opens a vault that is there by the credential store; where the
// store does not answer, the vault stays locked. Nothing but "no key" is told
// apart: the store's errors are not typed.
func (v *Vault) openByKeyring(ctx context.Context) error {
	if v.header.Keyring == nil {
		v.setCanMake(false, "it was made with a passphrase")
		return nil
	}
	wrap, err := v.options.Keyring.Get(ctx, v.header.ID)
	switch {
	case errors.Is(err, errNoKey):
		v.setCanMake(false, "the credential store of this computer does not have its key")
		return nil
	case err != nil:
		v.setCanMake(false, "the credential store of this computer, which has its key, does not answer")
		return nil
	}
	defer wrap.Wipe()
	key, err := v.header.openByWrap(wrap)
	if err != nil {
		return err
	}
	v.opened(key)
	return nil
}

func (v *Vault) opened(key secret.Value) {
	v.given = secret.Value{}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dataKey, v.canMake, v.why = key, false, ""
}

func (v *Vault) isOpen() bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return !v.dataKey.IsEmpty()
}

func (v *Vault) locked() error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.shut || v.why == "" {
		return ErrLocked
	}
	return fmt.Errorf("%w: %s", ErrLocked, v.why)
}

// need makes the data key available: makes the vault, or asks a person.
func (v *Vault) need(ctx context.Context) error {
	v.opening.Lock()
	defer v.opening.Unlock()
	v.mu.RLock()
	open, shut, canMake := !v.dataKey.IsEmpty(), v.shut, v.canMake
	v.mu.RUnlock()
	switch {
	case open:
		return nil
	case shut:
		return ErrLocked
	case canMake:
		return v.create(ctx, v.given)
	case v.options.Ask == nil || v.header.ID != "" && v.header.Passphrase == nil:
		return v.locked()
	}
	passphrase, err := v.options.Ask(ctx, v.header.ID == "")
	if err != nil {
		return err
	}
	if passphrase.IsEmpty() {
		return v.locked()
	}
	if v.header.ID == "" {
		return v.create(ctx, passphrase)
	}
	return v.openWith(ctx, passphrase)
}

// create makes the vault under a passphrase or, with none, under a new key in
// the credential store. If another process was faster, its vault is opened.
func (v *Vault) create(ctx context.Context, passphrase secret.Value) error {
	key := newKey()
	h := newHeader(key)
	if passphrase.IsEmpty() {
		wrap := newKey()
		if err := v.options.Keyring.Set(ctx, h.ID, wrap); err != nil {
			v.setCanMake(false, "the credential store took no key")
			return v.locked()
		}
		h.sealWithWrap(wrap, key)
	} else {
		h.sealWithPassphrase(passphrase, key)
	}
	done, err := v.writeHeader(ctx, h)
	if err == nil && done {
		v.opened(key)
		return nil
	}
	if passphrase.IsEmpty() {
		// Nobody will ever ask for this key; one that stays does no harm.
		_ = v.options.Keyring.Delete(ctx, h.ID)
	}
	if err != nil {
		return err
	}
	if err := v.reload(ctx); err != nil {
		return err
	}
	if passphrase.IsEmpty() {
		err = v.openByKeyring(ctx)
	} else {
		err = v.openWith(ctx, passphrase)
	}
	if err == nil && !v.isOpen() {
		err = v.locked()
	}
	return err
}

// writeHeader writes the header unless somebody else has since it was read.
func (v *Vault) writeHeader(ctx context.Context, h header) (done bool, err error) {
	data := h.record()
	done, err = v.options.Store.Swap(ctx, headerName, v.stored, data)
	if err != nil {
		return false, fmt.Errorf("write the vault's header: %w", err)
	}
	if done {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.header, v.stored = h, data
	}
	return done, nil
}

// SetPassphrase sets or changes the passphrase of an open vault. Only the
// header is written; the secrets stay as they are.
func (v *Vault) SetPassphrase(ctx context.Context, passphrase secret.Value) error {
	if passphrase.IsEmpty() {
		return fmt.Errorf("%w: it is empty", ErrWrongPassphrase)
	}
	v.opening.Lock()
	defer v.opening.Unlock()
	if v.header.ID == "" {
		return v.create(ctx, passphrase)
	}
	if !v.isOpen() {
		return v.locked()
	}
	return v.writePassphrase(ctx, passphrase)
}

// writePassphrase seals the data key under the passphrase. Another process may
// change the header at the same time, but not the data key.
func (v *Vault) writePassphrase(ctx context.Context, passphrase secret.Value) error {
	for {
		h := v.header
		v.mu.RLock()
		h.sealWithPassphrase(passphrase, v.dataKey)
		v.mu.RUnlock()
		done, err := v.writeHeader(ctx, h)
		if err != nil || done {
			return err
		}
		before := v.header.Check
		if err := v.reload(ctx); err != nil {
			return err
		}
		if !bytes.Equal(before, v.header.Check) {
			return fmt.Errorf("%w: its records were replaced by those of another vault", ErrDamaged)
		}
	}
}
