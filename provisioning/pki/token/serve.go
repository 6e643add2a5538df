package token

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"time"
)

// lastCall is how long a module may take to end what it is at when nobody
// waits for it any more.
const lastCall = 2 * time.Second

// Serve is the process of a module: it carries requests out that come on in,
// one at a time, answers on out, and returns when in ends or ctx is done. The
// caller then ends the process, whatever the module is at. It opens no catalog
// and no vault.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	requests := make(chan request)
	ended := make(chan error, 1)
	go func() {
		lines := json.NewDecoder(bufio.NewReader(in))
		for {
			var q request
			if err := lines.Decode(&q); err != nil {
				ended <- err
				return
			}
			select {
			case requests <- q:
			case <-ctx.Done():
				return
			}
		}
	}()
	worker := make(chan request)
	finished := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // modules may keep state by thread
		m := &module{}
		defer m.close()
		for q := range worker {
			answer := m.carryOut(q)
			answer.Number = q.Number
			clear(q.PIN)
			if err := send(out, q.Mark, answer); err != nil {
				finished <- err
				return
			}
		}
		finished <- nil
	}()
	for {
		select {
		case q := <-requests:
			select {
			case worker <- q:
			case err := <-finished:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		case err := <-finished:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			close(worker)
			select {
			case <-finished:
			case <-time.After(lastCall):
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return errors.New("token helper: a request that does not read")
		}
	}
}

// carryOut answers one request.
func (m *module) carryOut(q request) reply {
	var answer reply
	var err error
	switch q.Verb {
	case verbOpen:
		answer, err = m.open(q)
	case verbLogin:
		err = m.login(q.PIN)
	case verbFind:
		answer, err = m.find(q)
	case verbGenerate:
		answer, err = m.generate(q)
	case verbSign:
		answer.Signature, err = m.sign(q)
	default:
		err = fail(ErrRefused, "the request is unknown")
	}
	if err == nil {
		return answer
	}
	answer = reply{Kind: "refused", Text: err.Error()}
	for word, kind := range kinds {
		if errors.Is(err, kind) {
			answer.Kind = word
		}
	}
	return answer
}
