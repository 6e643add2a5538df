package app

import (
	"context"
	"crypto"
	"errors"
	"io"
	"strings"
	"sync"

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
	slots  map[string]*tokenSlot // by address
}

type tokenSlot struct {
	mu      sync.Mutex // held while the token is opened
	session *token.Session
	// attempts counts openings; wrong is the error of the last one if its PIN
	// was wrong.
	attempts int
	wrong    error
}

func (t *tokens) slot(address token.URI) (*tokenSlot, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, context.Canceled
	}
	name := address.OfToken().String()
	if t.slots == nil {
		t.slots = map[string]*tokenSlot{}
	}
	if t.slots[name] == nil {
		t.slots[name] = &tokenSlot{}
	}
	return t.slots[name], nil
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

func (s *tokenSlot) tried() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts
}

// tokenSession opens a token, or gives the open one. Of several that want it at
// the same time one opens it for all, so that one wrong PIN counts once.
func (a *App) tokenSession(ctx context.Context, address token.URI) (*token.Session, error) {
	slot, err := a.tokens.slot(address)
	if err != nil {
		return nil, err
	}
	return slot.open(ctx, a, address, slot.tried())
}

// open is called with the number of attempts when its caller began to want the
// token.
func (s *tokenSlot) open(ctx context.Context, a *App, address token.URI, seen int) (*token.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil && s.session.Alive() {
		return s.session, nil
	}
	if s.attempts > seen && s.wrong != nil {
		return nil, s.wrong // of the one that was waited for
	}
	again := s.wrong != nil
	options := token.Options{Address: address, Command: a.config.TokenHelper, Again: again}
	if ask := a.config.AskPIN; ask != nil {
		options.PIN = func(ctx context.Context, q token.Question) (secret.Value, error) {
			return ask(ctx, PINQuestion{Token: q.Token.Label, Serial: q.Token.Serial, Again: q.Again, Low: q.Token.CountLow, LastTry: q.Token.FinalTry})
		}
	}
	session, err := token.Open(ctx, options)
	err = translate(err)
	s.attempts++
	switch {
	case err == nil:
		s.session, s.wrong = session, nil
	case errors.Is(err, token.ErrPIN), errors.Is(err, token.ErrLocked):
		s.wrong = err
	}
	return session, err
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

// tokenErrors tells signers' errors that have passed through a library, which
// wraps them, from others.
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
