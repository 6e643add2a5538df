package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"

	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/target"
)

// BenchIdentity is a key of the vault that bundles are sealed for.
type BenchIdentity struct {
	Name      string `json:"name"`
	Recipient string `json:"recipient"` // age1…
}

const benchPrefix = "bench/"

// MakeBenchIdentity makes an identity that opens bundles on this computer; its
// secret never leaves the vault. A name that is taken is refused.
func (a *App) MakeBenchIdentity(ctx context.Context, name string) (BenchIdentity, error) {
	if err := checkSecretName(name); err != nil {
		return BenchIdentity{}, err
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return BenchIdentity{}, err
	}
	if _, err := v.Get(ctx, benchPrefix+name); !errors.Is(err, vault.ErrNotFound) {
		if err != nil {
			return BenchIdentity{}, translate(err)
		}
		return BenchIdentity{}, &provisioning.Error{Kind: provisioning.ErrConflict, Message: "There is a bench identity " + name + " already.",
			Hint: "Choose another name; a new key would not open the bundles that are sealed for the old one."}
	}
	identity, recipient, err := bundle.NewIdentity()
	if err != nil {
		return BenchIdentity{}, err
	}
	return BenchIdentity{Name: name, Recipient: recipient}, translate(v.Put(ctx, benchPrefix+name, vault.User, identity))
}

// BenchIdentities lists the bench identities of the vault by name.
func (a *App) BenchIdentities(ctx context.Context) ([]BenchIdentity, error) {
	list := []BenchIdentity{}
	err := a.eachBenchIdentity(ctx, func(name string, identity secret.Value) error {
		recipient, err := bundle.RecipientOf(identity)
		list = append(list, BenchIdentity{Name: name, Recipient: recipient})
		return err
	})
	return list, err
}

// BenchIdentity finds one by name.
func (a *App) BenchIdentity(ctx context.Context, name string) (BenchIdentity, error) {
	list, err := a.BenchIdentities(ctx)
	if err != nil {
		return BenchIdentity{}, err
	}
	at := slices.IndexFunc(list, func(b BenchIdentity) bool { return b.Name == name })
	if at < 0 {
		return BenchIdentity{}, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The vault has no bench identity " + name + ".",
			Hint: "Make it with `edgewright secrets bench make " + name + "`."}
	}
	return list[at], nil
}

func (a *App) eachBenchIdentity(ctx context.Context, do func(name string, identity secret.Value) error) error {
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	names, err := v.Names(ctx)
	if err != nil {
		return translate(err)
	}
	slices.Sort(names)
	for _, full := range names {
		name, ok := strings.CutPrefix(full, benchPrefix)
		if !ok {
			continue
		}
		identity, err := v.Get(ctx, full)
		if err != nil {
			return translate(err)
		}
		if err := do(name, identity); err != nil {
			return fmt.Errorf("bench identity %s: %w", name, err)
		}
	}
	return nil
}

// BundleKey is an identity that opens a bundle: that in a file, or the text of one
// that was typed. The zero value stands for the bench identities of the vault.
type BundleKey struct {
	// File is an age identity file or an SSH private key, Passphrase its own, if it
	// has one.
	File       string
	Passphrase secret.Value
	// Text is AGE-SECRET-KEY-1…; it counts where no file is named.
	Text secret.Value
}

// identities reads the key.
func (k BundleKey) identities() ([]age.Identity, error) {
	text, name := k.Text, ""
	if k.File != "" {
		data, err := ReadFile(k.File, bundle.MaxSealed)
		if err != nil {
			return nil, err
		}
		text, name = secret.New(data), " "+k.File
	}
	identities, err := bundle.ParseIdentity(text, k.Passphrase)
	if err == nil {
		return identities, nil
	}
	refused := &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The identity%s cannot be used: %s.", name, err),
		Hint: "Name an age identity file, or the device's SSH host key.", Err: err}
	if errors.Is(err, bundle.ErrPassphrase) {
		refused.Kind, refused.Hint = provisioning.ErrLocked, "Give its passphrase in the window, or name one without a passphrase."
	}
	return nil, refused
}

// openers are the identities that open bundles here: those of the vault, or the
// key, if one is given.
func (a *App) openers(ctx context.Context, key BundleKey) ([]age.Identity, error) {
	if key.File != "" || !key.Text.IsEmpty() {
		return key.identities()
	}
	var identities []age.Identity
	err := a.eachBenchIdentity(ctx, func(_ string, text secret.Value) error {
		found, err := bundle.ParseIdentity(text, secret.Value{})
		identities = append(identities, found...)
		return err
	})
	if err == nil && len(identities) == 0 {
		err = &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The vault has no bench identity that could open a bundle.",
			Hint: "Make one with `edgewright secrets bench make NAME` and have bundles sealed for it, or name a file with --bundle-identity."}
	}
	return identities, err
}

// sshRecipient is how a recipient asks for recorded SSH host keys.
const sshRecipient = "ssh:"

// recipientFor finds the public key that a row's bundle is sealed for: text is
// the name of a bench identity, a public key itself, or ssh:HOST, in which {id}
// and {hostname} stand for those of the row.
func (a *App) recipientFor(ctx context.Context, text string, row MintRow) (string, error) {
	host, recorded := strings.CutPrefix(text, sshRecipient)
	if recorded {
		return a.hostRecipient(ctx, strings.NewReplacer("{id}", row.ID, "{hostname}", row.Hostname).Replace(host))
	}
	if strings.HasPrefix(text, "age1") || strings.HasPrefix(text, "ssh-") {
		if _, err := bundle.ParseRecipient(text); err != nil {
			return "", &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The recipient cannot be used: %s.", err),
				Hint: "Name a bench identity, age1…, an SSH public key, or ssh:HOST."}
		}
		return text, nil
	}
	found, err := a.BenchIdentity(ctx, text)
	return found.Recipient, err
}

// hostRecipient takes the recorded key of a host, ed25519 before rsa.
func (a *App) hostRecipient(ctx context.Context, host string) (string, error) {
	spec, err := target.ParseSpec("ssh://" + host)
	if err != nil {
		return "", &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The host %q of the recipient does not read.", host), Hint: "Write ssh:HOST or ssh:HOST:PORT."}
	}
	keys, err := target.KnownHostKeys(ctx, spec, target.Options{Dir: filepath.Join(a.config.DataDir, "ssh")})
	if err != nil {
		return "", translate(err)
	}
	for _, kind := range []string{"ssh-ed25519 ", "ssh-rsa "} {
		for _, key := range keys {
			if strings.HasPrefix(key, kind) {
				return key, nil
			}
		}
	}
	return "", &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "No ed25519 or rsa host key of " + host + " is recorded.",
		Hint: "Connect to it once (`edgewright detect --target ssh://" + host + "`), or name another recipient."}
}
