package token

import (
	"errors"
	"fmt"
)

// The kinds of errors of this package. Each error has a text that says what
// happened, without PINs.
var (
	// ErrURI is an address that is no PKCS #11 address or does not suffice.
	ErrURI = errors.New("PKCS #11 address refused")
	// ErrModule is a module that is not there or does not load.
	ErrModule = errors.New("PKCS #11 module does not load")
	// ErrCrashed, ErrHung and ErrLied are modules that ended their process, gave
	// no answer in time, or gave one that cannot be true.
	ErrCrashed = errors.New("PKCS #11 module crashed")
	ErrHung    = errors.New("PKCS #11 module hangs")
	ErrLied    = errors.New("PKCS #11 module answers falsely")
	// ErrPIN is a wrong PIN; ErrLocked a token that takes none any more.
	ErrPIN    = errors.New("wrong PIN")
	ErrLocked = errors.New("token is locked")
	// ErrNotFound is a token or key that is not there; ErrAmbiguous an address
	// that several fit; ErrExists a new key with the name of another.
	ErrNotFound  = errors.New("not found")
	ErrAmbiguous = errors.New("ambiguous")
	ErrExists    = errors.New("exists already")
	// ErrRemoved is a token that was pulled out.
	ErrRemoved = errors.New("token was removed")
	// ErrUnsupported is a key or mechanism that the token does not have.
	ErrUnsupported = errors.New("not supported by the token")
	// ErrRefused is any other no of the token.
	ErrRefused = errors.New("refused by the token")
)

// kinds are the words for the errors that come from the process of the module.
var kinds = map[string]error{
	"module": ErrModule, "pin": ErrPIN, "locked": ErrLocked, "not-found": ErrNotFound, "ambiguous": ErrAmbiguous,
	"exists": ErrExists, "removed": ErrRemoved, "unsupported": ErrUnsupported, "refused": ErrRefused,
}

// Error is an error with its kind, one of those above.
type Error struct {
	Kind error
	Text string
}

func (e *Error) Error() string { return e.Text }
func (e *Error) Unwrap() error { return e.Kind }

func fail(kind error, format string, args ...any) error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}
