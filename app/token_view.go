package app

import (
	"context"
	"errors"
	"slices"
	"strings"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/pki/token"
)

// KnownToken is a PKCS #11 token that a certificate of the catalog has its key in.
type KnownToken struct {
	// Name is what the token is called, Address where it is (RFC 7512), without a
	// key.
	Name, Address string
}

// KnownTokens lists the tokens that keys of the catalog are in, by name.
func (a *App) KnownTokens(ctx context.Context) ([]KnownToken, error) {
	rows, err := a.catalog.Certificates(ctx, catalog.CertificateQuery{Roles: caRoles, Limit: maxListed})
	if err != nil {
		return nil, translate(err)
	}
	known := map[string]string{}
	for _, row := range rows {
		if !inToken(row) {
			continue
		}
		address, err := token.ParseURI(strings.TrimPrefix(row.KeyPlace, keyInToken))
		if err != nil {
			return nil, translate(err)
		}
		known[address.OfToken().String()] = address.Token()
	}
	list := make([]KnownToken, 0, len(known))
	for address, name := range known {
		list = append(list, KnownToken{name, address})
	}
	slices.SortFunc(list, func(a, b KnownToken) int {
		return strings.Compare(a.Name+"\x00"+a.Address, b.Name+"\x00"+b.Address)
	})
	return list, nil
}

// TokenKeyPlace is where a key goes that is made in a token: its address, and the
// name of the key, which may be empty. An address may be written with or without
// "token:" in front and may name the key itself.
func TokenKeyPlace(address, name string) (string, error) {
	parsed, err := token.ParseURI(strings.TrimPrefix(strings.TrimSpace(address), keyInToken))
	if err != nil {
		return "", translate(err)
	}
	if name != "" {
		parsed = parsed.WithKey(name, nil)
	}
	return keyInToken + parsed.String(), nil
}

// TokenState is what an open token says of itself and of a key in it.
type TokenState struct {
	Name, Serial, Maker, Model string
	// CountLow tells that a wrong PIN was given before this opening, PINPad that the
	// PIN is typed on the reader.
	CountLow, PINPad bool
	// Key is the kind of the key that the place names, "" where it is not there and
	// would be made.
	Key pki.Algorithm
}

// LookAtToken opens the token of a place, which asks for its PIN unless it is open,
// and looks for the key that the place names. Nothing is made.
func (a *App) LookAtToken(ctx context.Context, place string) (TokenState, error) {
	address, err := token.ParseURI(strings.TrimPrefix(place, keyInToken))
	if err != nil {
		return TokenState{}, translate(err)
	}
	session, err := a.tokenSession(ctx, address)
	if err != nil {
		return TokenState{}, err
	}
	info := session.Info()
	state := TokenState{Name: info.Label, Serial: info.Serial, Maker: info.Manufacturer, Model: info.Model, CountLow: info.CountLow, PINPad: info.PINPad}
	if !address.NamesKey() {
		return state, nil
	}
	key, err := session.Key(ctx, address)
	switch {
	case err == nil:
		state.Key = pki.AlgorithmOf(key.Public())
	case !errors.Is(err, token.ErrNotFound):
		return state, translate(err)
	case address.Object() == "":
		return state, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The token has no key of that ID.", Hint: "Name the key with object=; then it is made."}
	}
	return state, nil
}
