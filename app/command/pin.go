package command

import (
	"context"
	"fmt"
	"sync"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
)

// askPIN gives the PIN of a token: from the descriptor that the command names,
// once, or from a person at the terminal. Without either nobody is asked.
func (s *session) askPIN() func(context.Context, app.PINQuestion) (secret.Value, error) {
	switch {
	case s.pinFD != 0:
		read := sync.OnceValues(func() (secret.Value, error) { return readFD(s.pinFD) })
		return func(_ context.Context, q app.PINQuestion) (secret.Value, error) {
			if q.LastTry {
				return secret.Value{}, &provisioning.Error{Kind: provisioning.ErrRefused, Message: fmt.Sprintf("Another wrong PIN would lock the token %q, so none is tried from --pin-fd.", q.Token),
					Hint: "Work at a terminal or in the window and type it."}
			}
			if q.Again {
				return secret.Value{}, &provisioning.Error{Kind: provisioning.ErrRefused, Message: fmt.Sprintf("The PIN from --pin-fd was wrong for the token %q; it is not tried again.", q.Token),
					Hint: "Look the PIN up: a token locks after a few wrong ones."}
			}
			pin, err := read()
			if err != nil {
				return pin, wrongUse("--pin-fd: %v", err)
			}
			return pin, nil
		}
	case s.Terminal:
		return func(_ context.Context, q app.PINQuestion) (secret.Value, error) {
			switch {
			case q.LastTry:
				s.note("Another wrong PIN locks the token %s.", q.Token)
			case q.Again, q.Low:
				s.note("The last PIN for the token %s was wrong; a few more lock it.", q.Token)
			}
			return s.askSecret(fmt.Sprintf("PIN of the token %s (serial %s): ", q.Token, q.Serial))
		}
	}
	return nil
}
