package app

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/pki/token"
	"edgewright/provisioning/secret"
)

// certificateKey is the key of a certificate that is made: where it is, what
// signs with it, and its text if it goes into the vault. The zero value is a key
// that is elsewhere.
type certificateKey struct {
	place  string
	signer crypto.Signer
	text   secret.Value
}

// makeKey makes a key where a form or command wants it: in the vault ("" or
// "vault"), or in a token ("token:" and an address). In a token the key that the
// address names is taken if it is there; name is what a new one is called if the
// address leaves that open.
func (a *App) makeKey(ctx context.Context, place string, algorithm pki.Algorithm, chosen bool, name string) (certificateKey, error) {
	if uri, inToken := strings.CutPrefix(place, keyInToken); inToken {
		return a.keyInToken(ctx, uri, algorithm, chosen, name)
	}
	if place != "" && place != keyInVault {
		return certificateKey{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("A key cannot be at %q.", place), Hint: "Use vault, token:URI or none."}
	}
	key, err := pki.GenerateKey(rand.Reader, algorithm)
	if err != nil {
		return certificateKey{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err), Hint: "Choose another algorithm."}
	}
	text, err := pki.DeviceKeyPEM(key)
	return certificateKey{keyInVault, key, text}, err
}

// keyInToken takes or makes a key in a token. A key that is there must be of the
// algorithm if that was chosen and is not just the profile's.
func (a *App) keyInToken(ctx context.Context, uri string, algorithm pki.Algorithm, chosen bool, name string) (certificateKey, error) {
	address, err := token.ParseURI(uri)
	if err != nil {
		return certificateKey{}, translate(err)
	}
	session, err := a.tokenSession(ctx, address)
	if err != nil {
		return certificateKey{}, err
	}
	var key *token.Key
	if address.NamesKey() {
		key, err = session.Key(ctx, address)
		if err == nil && chosen && pki.AlgorithmOf(key.Public()) != algorithm {
			return certificateKey{}, &provisioning.Error{Kind: provisioning.ErrConflict, Message: fmt.Sprintf("The key %q in the token is %s, not %s.", key.Address().Object(), pki.AlgorithmOf(key.Public()), algorithm),
				Hint: "Leave the algorithm open, or name another key."}
		}
	}
	// An ID is the token's to give, so nothing is made for one that is not there.
	if !address.NamesKey() || errors.Is(err, token.ErrNotFound) && address.Object() != "" && address.ID() == nil {
		if address.Object() != "" {
			name = address.Object()
		}
		key, err = session.MakeKey(ctx, algorithm, name)
	}
	if err != nil {
		return certificateKey{}, translate(err)
	}
	return certificateKey{place: tokenPlace(key), signer: key}, nil
}

// signerOf opens the key of a certificate for signing, in the vault or in a
// token.
func (a *App) signerOf(ctx context.Context, row catalog.Certificate) (certificateKey, error) {
	key := certificateKey{place: row.KeyPlace}
	cert, err := x509.ParseCertificate(row.DER)
	if err != nil {
		return key, fmt.Errorf("read certificate %s of the catalog: %w", row.ID, err)
	}
	if !canSign(row) {
		return key, noKeyHere(row)
	}
	if inToken(row) {
		key.signer, err = a.signsAs(ctx, row.KeyPlace, cert.PublicKey)
		return key, err
	}
	if key.text, err = a.keyOf(ctx, row); err != nil {
		return key, err
	}
	if key.signer, err = pki.ParseKey(key.text.Reveal(), secret.Value{}); err != nil {
		return key, fmt.Errorf("read the key of %s: %w", row.Subject, err)
	}
	return key, nil
}

func inToken(row catalog.Certificate) bool { return strings.HasPrefix(row.KeyPlace, keyInToken) }

// canSign tells whether the key of a certificate is where this program signs
// with it.
func canSign(row catalog.Certificate) bool { return row.KeyPlace == keyInVault || inToken(row) }

// renewalName is what the new key of a certificate is called in its token, where
// names are taken once.
func (a *App) renewalName(row catalog.Certificate) string {
	return row.Subject + a.now().UTC().Format(" 2006-01-02T15:04:05Z")
}
