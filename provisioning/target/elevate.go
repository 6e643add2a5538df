package target

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"edgewright/provisioning/secret"
)

// randomMark is a word that nothing else prints.
func randomMark(prefix string) string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	return prefix + hex.EncodeToString(random[:])
}

// sudoWatch is the standard error of `sudo -S -p MARK`: it finds the mark,
// which has no line end, keeps what else is said, and once the command is
// ready passes everything on.
type sudoWatch struct {
	mark []byte
	asks chan struct{}
	said tail

	mu    sync.Mutex
	seen  []byte
	after io.Writer
}

func newSudoWatch(mark string) *sudoWatch {
	return &sudoWatch{mark: []byte(mark), asks: make(chan struct{}, 16)}
}

func (w *sudoWatch) Write(p []byte) (int, error) {
	w.mu.Lock()
	if w.after != nil {
		after := w.after
		w.mu.Unlock()
		return after.Write(p)
	}
	defer w.mu.Unlock()
	w.seen = append(w.seen, p...)
	for {
		at := bytes.Index(w.seen, w.mark)
		if at < 0 {
			break
		}
		_, _ = w.said.Write(w.seen[:at])
		w.seen = append([]byte(nil), w.seen[at+len(w.mark):]...)
		select {
		case w.asks <- struct{}{}:
		default:
		}
	}
	if keep := len(w.mark) - 1; len(w.seen) > keep {
		_, _ = w.said.Write(w.seen[:len(w.seen)-keep])
		w.seen = append([]byte(nil), w.seen[len(w.seen)-keep:]...)
	}
	return len(p), nil
}

// passOn sends what follows to another writer.
func (w *sudoWatch) passOn(after io.Writer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.after = after
}

func (w *sudoWatch) text() string {
	w.mu.Lock()
	rest := string(w.seen)
	w.mu.Unlock()
	if text := w.said.String(); text != "" {
		return text + rest
	}
	return rest
}

// passwords gives the password for sudo: what is known first, then what a
// person says. It fails when there is no further answer.
type passwords struct {
	known []secret.Value
	ask   func(context.Context, Question) (secret.Value, error)
	host  string
	tries int
}

func (p *passwords) next(ctx context.Context) (secret.Value, error) {
	p.tries++
	again := p.tries > 1
	for len(p.known) > 0 {
		value := p.known[0]
		p.known = nil // a second known one would be a guess at somebody's cost
		if !value.IsEmpty() {
			return value, nil
		}
	}
	if p.ask == nil && again {
		return secret.Value{}, fmt.Errorf("%w: sudo refuses the password", ErrNoElevation)
	}
	if p.ask == nil {
		return secret.Value{}, fmt.Errorf("%w: sudo wants a password and none was given", ErrNoElevation)
	}
	if p.tries > 3 {
		return secret.Value{}, fmt.Errorf("%w: sudo refuses the passwords", ErrNoElevation)
	}
	return p.ask(ctx, Question{Kind: AskSudo, Host: p.host, Prompt: "Password for sudo", Again: again})
}

// awaitReady answers sudo until a line of ready, which is read from stdout by
// waitLine, tells that the command itself runs. Nothing else is written before
// that: with NOPASSWD the password would become the first line of the payload.
// On failure the caller ends the command.
func awaitReady(ctx context.Context, watch *sudoWatch, in io.Writer, waitLine func() error, p *passwords) error {
	ready := make(chan error, 1)
	go func() { ready <- waitLine() }()
	for {
		select {
		case err := <-ready:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-watch.asks:
			password, err := p.next(ctx)
			if err != nil {
				return err
			}
			line := append(bytes.Clone(password.Reveal()), '\n')
			_, err = in.Write(line)
			clear(line)
			if err != nil {
				return errors.Join(ErrNoElevation, err)
			}
		case <-time.After(2 * time.Minute):
			return fmt.Errorf("%w: no answer within two minutes", ErrNoElevation)
		}
	}
}
