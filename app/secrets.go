package app

import (
	"context"
	"errors"
	"fmt"

	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
)

// openVault opens the vault once. What it cannot do without a passphrase is
// refused by the vault itself.
func (a *App) openVault(ctx context.Context) (*vault.Vault, error) {
	a.vaultMu.Lock()
	defer a.vaultMu.Unlock()
	if a.vault != nil {
		return a.vault, nil
	}
	opened, err := vault.Open(ctx, vault.Options{
		Store:          a.catalog.Vault(),
		StateDir:       a.config.StateDir,
		DataDir:        a.config.DataDir,
		PassphraseFD:   a.config.PassphraseFD,
		PassphraseFile: a.config.PassphraseFile,
		Ask:            a.config.AskPassphrase,
	})
	if err != nil {
		return nil, translate(err)
	}
	a.vault = opened
	return opened, nil
}

// PracticeOnly tells whether the vault can keep nothing but secrets of the
// practice cloud, because there is neither a credential store nor a
// passphrase.
func (a *App) PracticeOnly(ctx context.Context) bool {
	v, err := a.openVault(ctx)
	return err == nil && v.PracticeOnly()
}

// SetSecret stores a secret under a name that plans refer to as vault:NAME.
func (a *App) SetSecret(ctx context.Context, name string, value secret.Value) error {
	if err := checkSecretName(name); err != nil {
		return err
	}
	if value.IsEmpty() {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The secret is empty.", Hint: "Give it on standard input."}
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	return translate(v.Put(ctx, userSecret(name), vault.User, value))
}

// RemoveSecret forgets a secret.
func (a *App) RemoveSecret(ctx context.Context, name string) error {
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	return translate(v.Delete(ctx, userSecret(name)))
}

// Secrets lists the names of the secrets that users stored.
func (a *App) Secrets(ctx context.Context) ([]string, error) {
	v, err := a.openVault(ctx)
	if err != nil {
		return nil, err
	}
	names, err := v.Names(ctx)
	if err != nil {
		return nil, translate(err)
	}
	mine := []string{}
	for _, name := range names {
		if plain, ok := cutUserSecret(name); ok {
			mine = append(mine, plain)
		}
	}
	return mine, nil
}

// secretsPort resolves the references of a plan.
type secretsPort struct{ app *App }

func (s secretsPort) Secret(ctx context.Context, name string) (secret.Value, error) {
	v, err := s.app.openVault(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	value, err := v.Get(ctx, userSecret(name))
	if errors.Is(err, vault.ErrNotFound) {
		return secret.Value{}, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: fmt.Sprintf("The vault has no secret %s.", name),
			Hint: "Store it with `edgewright secrets set " + name + "`."}
	}
	return value, translate(err)
}

// Users' secrets and those of clouds share the vault and not their names.
const userPrefix = "user/"

func userSecret(name string) string { return userPrefix + name }

func cutUserSecret(name string) (string, bool) {
	if len(name) > len(userPrefix) && name[:len(userPrefix)] == userPrefix {
		return name[len(userPrefix):], true
	}
	return "", false
}

func checkSecretName(name string) error {
	if name == "" || len(name) > 64 {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The secret's name must have 1 to 64 characters.", Hint: "Choose another name."}
	}
	for _, c := range name {
		if !(c == '-' || c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The secret's name has the character %q.", c),
				Hint: "Use letters, digits, dots, dashes and underscores."}
		}
	}
	return nil
}
