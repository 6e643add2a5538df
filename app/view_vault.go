package app

import (
	"context"

	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
)

// VaultState says how far the vault is open.
type VaultState string

const (
	// VaultOpen takes and gives every secret.
	VaultOpen VaultState = "open"
	// VaultLocked has a passphrase that nobody has given yet.
	VaultLocked VaultState = "locked"
	// VaultPracticeOnly keeps nothing but secrets of the practice cloud, until
	// a passphrase is set.
	VaultPracticeOnly VaultState = "practice-only"
)

// VaultView is the vault as the settings show it.
type VaultView struct {
	State VaultState
	// Passphrase tells that one is set, beside the credential store or alone.
	Passphrase bool
}

// ShortestPassphrase is the least number of characters of a new passphrase.
const ShortestPassphrase = 8

// VaultState says how far the vault is open. It asks nobody.
func (a *App) VaultState(ctx context.Context) (VaultView, error) {
	v, err := a.openVault(ctx)
	if err != nil {
		return VaultView{}, err
	}
	view := VaultView{State: VaultOpen, Passphrase: v.HasPassphrase()}
	switch {
	case v.PracticeOnly() && view.Passphrase:
		view.State = VaultLocked
	case v.PracticeOnly():
		view.State = VaultPracticeOnly
	}
	return view, nil
}

// UnlockVault opens the vault as storing a secret of a user would: by asking
// for the passphrase, or for a new one where there is none.
func (a *App) UnlockVault(ctx context.Context) error {
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	return translate(unlock(ctx, v))
}

// unlock seals something that is thrown away: sealing is what asks.
func unlock(ctx context.Context, v *vault.Vault) error {
	if !v.PracticeOnly() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := v.Sealer("unlock", vault.User).Seal("unlock", nil)
	return err
}

// SetPassphrase sets or changes the passphrase. A vault that is not open is
// opened first, see UnlockVault. What was sealed stays as it is.
func (a *App) SetPassphrase(ctx context.Context, passphrase secret.Value) error {
	if len([]rune(passphrase.RevealString())) < ShortestPassphrase {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The passphrase is too short.", Hint: "Use 8 characters or more."}
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	if err := unlock(ctx, v); err != nil {
		return translate(err)
	}
	return translate(v.SetPassphrase(ctx, passphrase))
}

// CheckSecretName says what is wrong with the name of a secret, nil for nothing.
func CheckSecretName(name string) error { return checkSecretName(name) }
