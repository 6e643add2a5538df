package bundle

import (
	"bytes"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"

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
// (ed25519 or rsa, not encrypted). Its errors hold nothing of the text.
func ParseIdentity(text secret.Value) ([]age.Identity, error) {
	if bytes.Contains(text.Reveal(), []byte("-----BEGIN ")) {
		identity, err := agessh.ParseIdentity(text.Reveal())
		if err != nil {
			return nil, fmt.Errorf("%w: it is no SSH private key of the kind ed25519 or rsa, or it has a passphrase", ErrIdentityText)
		}
		return []age.Identity{identity}, nil
	}
	identities, err := age.ParseIdentities(bytes.NewReader(text.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("%w: it is neither an age identity file nor an SSH private key", ErrIdentityText)
	}
	return identities, nil
}
