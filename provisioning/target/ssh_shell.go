package target

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"edgewright/provisioning/secret"
)

func (t *sshTarget) rootShell(ctx context.Context, sudo bool) (*shellLayer, error) {
	s, err := t.bootShell(ctx, "sh", sudo)
	if err != nil {
		return nil, err
	}
	return startShell(s.in, s.out, s.errs, s.goOn, s.end)
}

// bootedShell is a shell on the machine that waits for its program, which ends
// with a line of goOn.
type bootedShell struct {
	in   io.WriteCloser
	out  *bufio.Reader
	errs io.Reader
	goOn string
	end  func() error
}

func (t *sshTarget) bootShell(ctx context.Context, shell string, sudo bool) (*bootedShell, error) {
	session, err := t.client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	end := sync.OnceValue(func() error {
		_ = session.Signal(ssh.SIGKILL)
		_ = session.Close()
		return nil
	})
	ask, ready, goOn := randomMark("EW-ASK-"), randomMark("EW-READY-"), randomMark("EW-GO-")
	command := boot(shell, ready, goOn)
	if sudo {
		command = "sudo -S -k -p " + ask + " " + command
	}
	watch := newSudoWatch(ask)
	session.Stderr = watch
	in, err := session.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, end())
	}
	// Pipes of our own: after a close the library's reader waits for the other
	// side, which may be gone.
	stdout, stdoutWrite := io.Pipe()
	session.Stdout = stdoutWrite
	if err := session.Start(command); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrUnreachable, err), end())
	}
	reader := bufio.NewReader(stdout)
	errsRead, errsWrite := io.Pipe()
	ended := make(chan struct{})
	go func() {
		_ = session.Wait()
		_ = stdoutWrite.Close()
		_ = errsWrite.Close()
		close(ended)
	}()
	finish := func() error {
		err := end()
		_ = stdout.Close()
		_ = errsRead.Close()
		return err
	}
	wait := func() error {
		for {
			line, err := reader.ReadString('\n')
			if err != nil {
				return io.ErrUnexpectedEOF
			}
			if strings.TrimRight(line, "\r\n") == ready {
				return nil
			}
		}
	}
	asked := &passwords{ask: t.options.Ask, host: t.settings.alias}
	if !t.options.SudoPassword.IsEmpty() {
		asked.known = []secret.Value{t.options.SudoPassword}
	} else {
		// As a rule the login's own password is the one that sudo wants.
		asked.known = []secret.Value{t.options.SSHPassword}
	}
	if err := awaitReady(ctx, watch, in, wait, asked); err != nil {
		_ = in.Close()
		if errors.Is(err, io.ErrUnexpectedEOF) {
			<-ended // all of standard error is here then
			err = said(fmt.Errorf("%w: sudo does not start a shell", ErrNoElevation), watch.text())
		}
		return nil, errors.Join(err, finish())
	}
	watch.passOn(errsWrite)
	return &bootedShell{in: in, out: reader, errs: errsRead, goOn: goOn, end: finish}, nil
}
