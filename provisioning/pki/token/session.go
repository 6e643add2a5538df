package token

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"edgewright/provisioning/secret"
)

// Question is what a person has to know who is asked for a PIN.
type Question struct {
	Token Info
	// Again tells that the last PIN that was given for this token was wrong.
	Again bool
}

// Options are what Find needs.
type Options struct {
	// Address names the token and its module; what it says of a key is for Key.
	Address URI
	// Command starts a process that runs Serve; empty means the running program
	// with the arguments helper and token.
	Command []string
	// PIN is asked when the token wants one, once for each LogIn. Nil means that
	// nobody can be asked.
	PIN func(context.Context, Question) (secret.Value, error)
	// CallTime is how long one answer may take, MakeTime how long a new key may;
	// zero means 30 seconds and 5 minutes (smart cards make RSA keys slowly).
	CallTime, MakeTime time.Duration
}

// ErrNoPIN is a token that wants a PIN where nobody can be asked.
var ErrNoPIN = errors.New("the token wants a PIN and nobody can be asked for it")

// Session is an open token. It may be used from several goroutines; the module
// does one thing at a time. After an error that ends the module's process every
// call gives the same error.
type Session struct {
	options Options
	info    Info
	library string
	mark    string

	mu      sync.Mutex // held during a call
	number  int
	in      io.WriteCloser
	answers chan answer
	cmd     *exec.Cmd
	out     *os.File
	ended   chan struct{} // closed when the process is given up
	gone    chan struct{} // closed when the process is gone
	broken  error
}

type answer struct {
	reply reply
	err   error
}

// Find starts the process of the module and finds the token; what it says of
// itself is known then, and LogIn opens its keys.
func Find(ctx context.Context, options Options) (*Session, error) {
	if options.CallTime == 0 {
		options.CallTime = 30 * time.Second
	}
	if options.MakeTime == 0 {
		options.MakeTime = 5 * time.Minute
	}
	library, err := options.Address.module()
	if err != nil {
		return nil, err
	}
	s := &Session{options: options, library: library, mark: "EW-TOKEN-" + rand.Text(), answers: make(chan answer), ended: make(chan struct{}), gone: make(chan struct{})}
	if err := s.start(); err != nil {
		return nil, fail(ErrModule, "the helper process does not start: %s", err)
	}
	opened, err := s.call(ctx, request{Verb: verbOpen, Module: library, Address: options.Address.OfToken().String()}, options.CallTime)
	if err == nil && opened.Info == nil {
		err = fail(ErrLied, "the helper process names no token")
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.info = *opened.Info
	return s, nil
}

// LogIn opens the keys of the token. A wrong PIN is an ErrPIN and is not tried
// again; after any error the session is closed. again tells who is asked that the
// last PIN for the token was wrong.
func (s *Session) LogIn(ctx context.Context, again bool) error {
	err := s.login(ctx, again)
	if err != nil {
		s.Close()
	}
	return err
}

func (s *Session) start() error {
	command := s.options.Command
	if len(command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		command = []string{self, "helper", "token"}
	}
	// What a module prints as an error may hold anything, so nobody reads it.
	s.cmd = exec.Command(command[0], command[1:]...)
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	// A pipe of our own: Wait must not close it under the reader.
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	s.cmd.Stdout = write
	err = s.cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return err
	}
	s.in, s.out = in, read
	go s.read()
	go func() {
		_ = s.cmd.Wait() // how it ended is in its state
		close(s.gone)
	}()
	return nil
}

// read hands answers on until the process closes its output or is given up.
func (s *Session) read() {
	r := bufio.NewReaderSize(s.out, maxLine)
	for {
		got, err := receive(r, s.mark)
		select {
		case s.answers <- answer{got, err}:
		case <-s.ended:
			return
		}
		if err != nil {
			return
		}
	}
}

func (s *Session) login(ctx context.Context, again bool) error {
	var pin secret.Value
	switch {
	case s.info.Locked:
		return fail(ErrLocked, "the token %q is locked after too many wrong PINs", s.info.Label)
	case !s.info.NeedsLogin:
		return nil
	case s.info.PINPad: // typed on the reader, for as long as a person takes
	case s.options.PIN == nil:
		return fmt.Errorf("open the token %q: %w", s.info.Label, ErrNoPIN)
	default:
		var err error
		if pin, err = s.options.PIN(ctx, Question{Token: s.info, Again: again}); err != nil {
			return err
		}
		if pin.IsEmpty() {
			return fmt.Errorf("open the token %q: %w", s.info.Label, ErrNoPIN)
		}
	}
	within := s.options.CallTime
	if s.info.PINPad {
		within = s.options.MakeTime
	}
	_, err := s.call(ctx, request{Verb: verbLogin, PIN: pin.Reveal()}, within)
	switch {
	case errors.Is(err, ErrLocked):
		return fail(ErrLocked, "the token %q is locked after too many wrong PINs", s.info.Label)
	case errors.Is(err, ErrPIN):
		return fail(ErrPIN, "the PIN of the token %q is wrong; it was tried once", s.info.Label)
	}
	return err
}

// Info is what the token says of itself.
func (s *Session) Info() Info { return s.info }

// Module is the file of the module that the token was found by.
func (s *Session) Module() string { return s.library }

// Alive tells whether the session can still be used.
func (s *Session) Alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken == nil
}

// Close ends the process of the module. It waits no longer than a moment for a
// module that does not end.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return
	}
	_ = s.in.Close()
	select {
	case <-s.answers: // the end of its output
	case <-time.After(2 * lastCall):
	}
	s.give(fail(ErrRefused, "the session of the token %q is closed", s.info.Label))
}

// give ends the process for good; err is what every later call gives.
func (s *Session) give(err error) {
	s.broken = err
	close(s.ended)
	_ = s.cmd.Process.Kill()
	<-s.gone
	_ = s.in.Close()
	_ = s.out.Close()
}

// call sends one request and waits for its answer.
func (s *Session) call(ctx context.Context, q request, within time.Duration) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return reply{}, s.broken
	}
	if err := ctx.Err(); err != nil {
		return reply{}, err
	}
	s.number++
	q.Mark, q.Number = s.mark, s.number
	sent := send(s.in, "", q) // a failure shows as the end of the output
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case got := <-s.answers:
		switch {
		case errors.Is(got.err, errNoise):
			s.give(fail(ErrLied, "the module prints without end and gives no answer"))
			return reply{}, s.broken
		case got.err != nil || sent != nil:
			return reply{}, s.crashed(q.Verb)
		case got.reply.Number != q.Number:
			s.give(fail(ErrLied, "the helper process answers another request"))
			return reply{}, s.broken
		case got.reply.Kind != "":
			return reply{}, s.told(got.reply)
		}
		return got.reply, nil
	case <-timer.C:
		s.give(fail(ErrHung, "the module gave no answer to %q within %s and was ended", q.Verb, within))
		return reply{}, s.broken
	case <-ctx.Done():
		s.give(fail(ErrRefused, "the session of the token was cancelled"))
		return reply{}, ctx.Err()
	}
}

// crashed waits a moment for the process, whose output has ended, to say how.
func (s *Session) crashed(verb string) error {
	how := "it closed its output"
	select {
	case <-s.gone:
		how = s.cmd.ProcessState.String()
	case <-time.After(lastCall):
	}
	s.give(fail(ErrCrashed, "the module ended its process during %q: %s", verb, how))
	return s.broken
}

// told turns the error of an answer into one of this package. Sessions whose
// token is gone or whose PIN is refused are over: nothing tries a PIN again.
func (s *Session) told(got reply) error {
	kind, known := kinds[got.Kind]
	if !known {
		kind = ErrRefused
	}
	err := fail(kind, "%s", got.Text)
	if kind == ErrPIN || kind == ErrLocked || kind == ErrRemoved {
		s.give(err)
	}
	return err
}
