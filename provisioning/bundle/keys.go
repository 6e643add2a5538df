package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"edgewright/provisioning/secret"
)

// ParseRecipient reads a public key that bundles can be sealed for: an age
// recipient (age1…), or an SSH public key as authorized_keys and known_hosts
// have it (ssh-ed25519 … or ssh-rsa …, the comment is passed over).
func ParseRecipient(text string) (age.Recipient, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "ssh-") {
		recipient, err := agessh.ParseRecipient(text)
		if err != nil {
			return nil, fmt.Errorf("%w: it is no SSH key of the kind ed25519 or rsa", ErrRecipientText)
		}
		return recipient, nil
	}
	recipient, err := parseX25519Recipient(text)
	if err != nil {
		return nil, fmt.Errorf("%w: it is neither age1… nor an SSH public key", ErrRecipientText)
	}
	return recipient, nil
}

// NewIdentity makes an identity: its secret text (AGE-SECRET-KEY-1…) and the
// recipient that belongs to it.
func NewIdentity() (identity secret.Value, recipient string, err error) {
	made, err := age.GenerateX25519Identity()
	if err != nil {
		return secret.Value{}, "", fmt.Errorf("make identity: %w", err)
	}
	return secret.FromString(made.String()), made.Recipient().String(), nil
}

// RecipientOf gives the recipient of an identity that NewIdentity made.
func RecipientOf(identity secret.Value) (string, error) {
	parsed, err := age.ParseX25519Identity(identity.RevealString())
	if err != nil {
		return "", ErrIdentityText
	}
	return parsed.Recipient().String(), nil
}

// ParseIdentity reads the text of an age identity file or of an SSH private key
// (ed25519 or rsa). passphrase opens one that is encrypted, an age file with a
// passphrase as age -p writes it among them; without it the error is
// ErrPassphrase. Its errors hold nothing of the text.
func ParseIdentity(text, passphrase secret.Value) ([]age.Identity, error) {
	if bytes.HasPrefix(text.Reveal(), []byte("age-encryption.org/v1")) || bytes.HasPrefix(text.Reveal(), []byte(armor.Header)) {
		return encryptedIdentity(text, passphrase)
	}
	if bytes.Contains(text.Reveal(), []byte("-----BEGIN ")) {
		identity, err := sshIdentity(text, passphrase)
		if err != nil {
			return nil, err
		}
		return []age.Identity{identity}, nil
	}
	identities, err := age.ParseIdentities(bytes.NewReader(text.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("%w: it is neither an age identity file nor an SSH private key", ErrIdentityText)
	}
	return identities, nil
}

// sshIdentity reads an SSH private key.
func sshIdentity(text, passphrase secret.Value) (age.Identity, error) {
	identity, err := agessh.ParseIdentity(text.Reveal())
	var missing *ssh.PassphraseMissingError
	if errors.As(err, &missing) {
		if passphrase.IsEmpty() {
			return nil, ErrPassphrase
		}
		var key any
		if key, err = ssh.ParseRawPrivateKeyWithPassphrase(text.Reveal(), passphrase.Reveal()); errors.Is(err, x509.IncorrectPasswordError) {
			return nil, ErrPassphrase
		}
		switch key := key.(type) {
		case *ed25519.PrivateKey:
			identity, err = agessh.NewEd25519Identity(*key)
		case *rsa.PrivateKey:
			identity, err = agessh.NewRSAIdentity(key)
		}
	}
	if err != nil || identity == nil {
		return nil, fmt.Errorf("%w: it is no SSH private key of the kind ed25519 or rsa", ErrIdentityText)
	}
	return identity, nil
}

// maxWorkFactor bounds what a passphrase costs to try: age writes 18, each one more
// takes twice the memory, 1 GB at 20.
const maxWorkFactor = 20

// encryptedIdentity opens an identity file that age has encrypted with a passphrase.
func encryptedIdentity(text, passphrase secret.Value) ([]age.Identity, error) {
	if passphrase.IsEmpty() {
		return nil, ErrPassphrase
	}
	with, err := age.NewScryptIdentity(passphrase.RevealString())
	if err != nil {
		return nil, ErrPassphrase
	}
	with.SetMaxWorkFactor(maxWorkFactor)
	var sealed io.Reader = bytes.NewReader(text.Reveal())
	if bytes.HasPrefix(text.Reveal(), []byte(armor.Header)) {
		sealed = armor.NewReader(sealed)
	}
	opened, err := age.Decrypt(sealed, with)
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other):
		return nil, ErrPassphrase
	case err != nil:
		return nil, fmt.Errorf("%w: it does not open", ErrIdentityText)
	}
	plain, err := io.ReadAll(io.LimitReader(opened, MaxSealed))
	defer clear(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: it does not open", ErrIdentityText)
	}
	identities, err := age.ParseIdentities(bytes.NewReader(plain))
	if err != nil {
		return nil, fmt.Errorf("%w: there is no age identity in it", ErrIdentityText)
	}
	return identities, nil
}
