package app

import (
	"context"
	"crypto"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"edgewright/provisioning"
	"edgewright/provisioning/pki/token"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/target"
)

// ServeTokenHelper is the other end of a signature by a PKCS #11 token: this
// program, started again without any right of its own, loads the token's module
// and asks it to find keys and to sign until its input ends.
func ServeTokenHelper(ctx context.Context, in io.Reader, out io.Writer) error {
	target.HideMemory()
	return token.Serve(ctx, in, out)
}

// PINQuestion is what a person has to know who is asked for the PIN of a token.
type PINQuestion struct {
	// Token is the token's name, Serial its number.
	Token, Serial string
	// Again tells that the last PIN given here was wrong, Low that a wrong one was
	// given anywhere since the last right one, LastTry that another locks the
	// token.
	Again, Low, LastTry bool
}

// tokens are the tokens that this program has opened. One stays open, so that
// its PIN is asked for once, until the program closes or the token is gone.
type tokens struct {
	mu     sync.Mutex
	closed bool
	// slots are kept by address, which is all that is known before the token is
	// found, and by what the token then says of itself: it may have many addresses.
	slots map[any]*tokenSlot
	// refused counts the wrong PINs, of all tokens.
	refused atomic.Int64
}

// tokenIdentity is what a token says of itself, as its module shows it.
type tokenIdentity struct{ module, label, serial, maker, model string }

type tokenSlot struct {
	mu      sync.Mutex // held while the token is opened
	session *token.Session
	// wrong is the error of the last opening if its PIN was wrong, and at which of
	// the wrong PINs that was.
	wrong error
	at    int64
}

func (t *tokens) slot(key any) (*tokenSlot, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, context.Canceled
	}
	if t.slots == nil {
		t.slots = map[any]*tokenSlot{}
	}
	if t.slots[key] == nil {
		t.slots[key] = &tokenSlot{}
	}
	return t.slots[key], nil
}

func (t *tokens) close() {
	t.mu.Lock()
	t.closed = true
	slots := t.slots
	t.mu.Unlock()
	for _, slot := range slots {
		slot.mu.Lock()
		if slot.session != nil {
			slot.session.Close()
		}
		slot.mu.Unlock()
	}
}

// use gives the open session of a slot, or has open make one. Of several that
// want it at the same time one opens it for all, so that one wrong PIN counts
// once: began is how many had been given when the caller began to want it. again
// tells open that the last PIN was wrong.
func (t *tokens) use(s *tokenSlot, began int64, open func(again bool) (*token.Session, error)) (*token.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil && s.session.Alive() {
		return s.session, nil
	}
	if s.wrong != nil && s.at > began {
		return nil, s.wrong // of the one that was waited for
	}
	session, err := open(s.wrong != nil)
	switch {
	case err == nil:
		s.session, s.wrong = session, nil
	case errors.Is(err, token.ErrPIN), errors.Is(err, token.ErrLocked):
		s.wrong, s.at = err, t.refused.Add(1)
	}
	return session, err
}

// tokenSession opens a token, or gives the open one.
func (a *App) tokenSession(ctx context.Context, address token.URI) (*token.Session, error) {
	return a.tokenSince(ctx, address, a.tokens.refused.Load())
}

// tokenSince finds the token of an address, unless that was done, and logs in
// unless that was done by another address.
func (a *App) tokenSince(ctx context.Context, address token.URI, began int64) (*token.Session, error) {
	slot, err := a.tokens.slot(address.OfToken().String())
	if err != nil {
		return nil, err
	}
	return a.tokens.use(slot, began, func(bool) (*token.Session, error) {
		options := token.Options{Address: address, Command: a.config.TokenHelper}
		if ask := a.config.AskPIN; ask != nil {
			options.PIN = func(ctx context.Context, q token.Question) (secret.Value, error) {
				return ask(ctx, PINQuestion{Token: q.Token.Label, Serial: q.Token.Serial, Again: q.Again, Low: q.Token.CountLow, LastTry: q.Token.FinalTry})
			}
		}
		found, err := token.Find(ctx, options)
		if err != nil {
			return nil, translate(err)
		}
		info := found.Info()
		own, err := a.tokens.slot(tokenIdentity{found.Module(), info.Label, info.Serial, info.Manufacturer, info.Model})
		if err != nil {
			found.Close()
			return nil, err
		}
		session, err := a.tokens.use(own, began, func(again bool) (*token.Session, error) {
			return found, translate(found.LogIn(ctx, again))
		})
		if session != found {
			found.Close()
		}
		return session, err
	})
}

// tokenSigner finds a key in a token, by its place or by an address that a
// person gave.
func (a *App) tokenSigner(ctx context.Context, place string) (*token.Key, error) {
	address, err := token.ParseURI(strings.TrimPrefix(place, keyInToken))
	if err != nil {
		return nil, translate(err)
	}
	session, err := a.tokenSession(ctx, address)
	if err != nil {
		return nil, err
	}
	key, err := session.Key(ctx, address)
	if err != nil {
		return nil, translate(err)
	}
	return key, nil
}

// tokenPlace is where the key of a certificate is, for the catalog.
func tokenPlace(key *token.Key) string { return keyInToken + key.Address().String() }

// fromToken knows a signer's errors also where they have passed through a library
// that wraps them.
func fromToken(err error) *provisioning.Error {
	made := &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err)}
	var said *token.Error
	if errors.As(err, &said) {
		made.Message = sentence(said)
	}
	switch {
	case errors.Is(err, token.ErrURI):
		made.Hint = "Write it as pkcs11:token=NAME;object=KEY?module-path=/FILE/OF/THE/MODULE.so (RFC 7512)."
	case errors.Is(err, token.ErrNoPIN):
		made.Kind, made.Hint = provisioning.ErrLocked, "Give the PIN with --pin-fd N, or work at a terminal or in the window."
	case errors.Is(err, token.ErrLocked):
		made.Kind, made.Hint = provisioning.ErrLocked, "Unlock it with the tool of its maker and the PUK or the security officer's PIN."
	case errors.Is(err, token.ErrPIN):
		made.Kind, made.Hint = provisioning.ErrUnauthorized, "It is not tried again by itself, because a token locks after a few wrong PINs. Look it up, then try again."
	case errors.Is(err, token.ErrModule):
		made.Kind, made.Hint = provisioning.ErrNotFound, "Install the module of the token's maker, and name its file with ?module-path= in the address."
	case errors.Is(err, token.ErrNotFound):
		made.Kind, made.Hint = provisioning.ErrNotFound, "Plug the token in and look at the names in the address."
	case errors.Is(err, token.ErrRemoved):
		made.Kind, made.Hint = provisioning.ErrUnreachable, "Plug the token in and try again."
	case errors.Is(err, token.ErrAmbiguous):
		made.Kind, made.Hint = provisioning.ErrConflict, "Add serial= for the token or id= for the key to the address."
	case errors.Is(err, token.ErrExists):
		made.Kind, made.Hint = provisioning.ErrConflict, "Name that key with object= to use it, or choose another name."
	case errors.Is(err, token.ErrCrashed), errors.Is(err, token.ErrHung), errors.Is(err, token.ErrLied):
		made.Kind, made.Hint = provisioning.ErrUnreachable, "Nothing was signed. Try again; if it stays so, ask the maker of the token for another module."
	case errors.Is(err, token.ErrUnsupported):
		made.Kind, made.Hint = provisioning.ErrUnsupported, "Choose another kind of key, or another token."
	case errors.Is(err, token.ErrRefused):
		made.Kind, made.Hint = provisioning.ErrRefused, "Look at the token with the tool of its maker."
	default:
		return nil
	}
	return made
}

// signsAs gives the key of a certificate that lies in a token.
func (a *App) signsAs(ctx context.Context, place string, public crypto.PublicKey) (crypto.Signer, error) {
	key, err := a.tokenSigner(ctx, place)
	if err != nil {
		return nil, err
	}
	if same, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !same.Equal(public) {
		return nil, &provisioning.Error{Kind: provisioning.ErrConflict, Message: "The key in the token is not the one of the certificate.",
			Hint: "Plug in the token that the key was made in."}
	}
	return key, nil
}
