package target

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"edgewright/provisioning/secret"
)

// helperRoot is Root in an elevated process of the same program.
type helperRoot struct {
	mu     sync.Mutex
	in     io.WriteCloser
	out    *bufio.Reader
	nonce  string
	number int
	cmd    *exec.Cmd
	exited chan struct{}
	broken error
}

// startHelper elevates through polkit where there is a display, else through
// sudo. folder is a mounted root file system, or "" for the running system.
func startHelper(ctx context.Context, options Options, folder string) (Root, error) {
	if runtime.GOOS == "windows" {
		return nil, fmt.Errorf("start the helper: %w", ErrUnsupported)
	}
	command := options.HelperCommand
	if len(command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("start the helper: %w", err)
		}
		command = []string{self, "helper"}
	}
	if folder != "" {
		absolute, err := filepath.Abs(folder)
		if err != nil {
			return nil, fmt.Errorf("start the helper: %w", err)
		}
		folder = absolute
	}
	display := os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
	path := os.Getenv("PATH") + string(os.PathListSeparator) + systemPath
	pkexec, sudo := lookIn(path, "pkexec"), lookIn(path, "sudo")
	failed := fmt.Errorf("start the helper: %w: neither polkit with a display nor sudo is there; run Edgewright as root", ErrNoElevation)
	if pkexec != "" && display && options.SudoPassword.IsEmpty() {
		h, err := launchHelper(ctx, options, append([]string{pkexec, "--disable-internal-agent"}, command...), "")
		if err == nil {
			return h.open(ctx, folder)
		}
		var exit *exitError
		if ctx.Err() != nil || errors.As(err, &exit) && exit.code == 126 {
			return nil, fmt.Errorf("start the helper: %w", err)
		}
		failed = fmt.Errorf("start the helper: %w", err)
	}
	if sudo != "" {
		mark := randomMark("EW-ASK-")
		h, err := launchHelper(ctx, options, append([]string{sudo, "-S", "-k", "-p", mark, "--"}, command...), mark)
		if err != nil {
			return nil, fmt.Errorf("start the helper: %w", err)
		}
		return h.open(ctx, folder)
	}
	return nil, failed
}

// exitError is a helper that ended before its hello.
type exitError struct{ code int }

func (e *exitError) Error() string {
	switch e.code {
	case 126:
		return "the request for administrator rights was dismissed"
	case 127:
		return "nobody can be asked for administrator rights, or they were refused"
	}
	return fmt.Sprintf("it ended with code %d", e.code)
}

func (e *exitError) Unwrap() error { return ErrNoElevation }

// launchHelper starts a command that leads to the helper and waits for its
// hello line.
func launchHelper(ctx context.Context, options Options, command []string, mark string) (*helperRoot, error) {
	if mark == "" {
		mark = randomMark("no-")
	}
	watch := newSudoWatch(mark)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stderr = watch
	cmd.Dir = "/"
	cmd.WaitDelay = 2 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	// A pipe of our own: Wait must not close it under the reader.
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = write
	err = cmd.Start()
	write.Close()
	if err != nil {
		read.Close()
		return nil, err
	}
	h := &helperRoot{in: in, out: bufio.NewReader(read), cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(h.exited)
	}()
	hello := ""
	wait := func() error {
		for {
			line, err := h.out.ReadString('\n')
			if err != nil {
				return io.ErrUnexpectedEOF
			}
			if strings.HasPrefix(line, helperHello+" ") {
				hello = strings.TrimSuffix(line, "\n")
				return nil
			}
		}
	}
	asked := &passwords{known: []secret.Value{options.SudoPassword}, ask: options.Ask}
	if err := awaitReady(ctx, watch, in, wait, asked); err != nil {
		_ = in.Close()
		select {
		case <-h.exited:
		case <-time.After(5 * time.Second):
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = said(&exitError{exitCode(cmd)}, watch.text())
		}
		return nil, err
	}
	fields := strings.Fields(strings.TrimPrefix(hello, helperHello))
	if len(fields) != 2 || options.Version != "" && fields[0] != helloVersion(options.Version) {
		_ = in.Close()
		return nil, fmt.Errorf("the helper is not of this version (%s)", helloVersion(options.Version))
	}
	watch.passOn(io.Discard)
	h.nonce = fields[1]
	return h, nil
}

func (h *helperRoot) open(ctx context.Context, folder string) (Root, error) {
	if _, err := h.ask(ctx, helperRequest{Verb: verbOpen, Path: folder}, nil); err != nil {
		_ = h.Close()
		return nil, err
	}
	return h, nil
}

// ask sends a request and waits for its end. A cancelled one is cancelled over
// there too, and its end awaited: nothing runs on behind the caller's back.
func (h *helperRoot) ask(ctx context.Context, request helperRequest, onLine func(string)) (helperReply, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken != nil {
		return helperReply{}, h.broken
	}
	if err := ctx.Err(); err != nil {
		return helperReply{}, err
	}
	h.number++
	request.Nonce, request.Number = h.nonce, h.number
	fail := func(err error) (helperReply, error) {
		h.broken = fmt.Errorf("helper: %w: %w", ErrUnknownResult, err)
		return helperReply{}, h.broken
	}
	var writing sync.Mutex
	send := func(q helperRequest) error {
		writing.Lock()
		defer writing.Unlock()
		return writeFrame(h.in, q)
	}
	if err := send(request); err != nil {
		return fail(err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = send(helperRequest{Verb: verbCancel, Nonce: request.Nonce, Number: request.Number})
	})
	defer stop()
	for {
		var reply helperReply
		if err := readFrame(h.out, &reply); err != nil {
			return fail(err)
		}
		if reply.Line != nil {
			if onLine != nil {
				onLine(*reply.Line)
			}
			continue
		}
		if reply.Error != nil && ctx.Err() != nil {
			return reply, ctx.Err()
		}
		return reply, reply.Error.err()
	}
}

func (h *helperRoot) ReadFile(ctx context.Context, path string) ([]byte, error) {
	reply, err := h.ask(ctx, helperRequest{Verb: verbRead, Path: path}, nil)
	return reply.Data, err
}

func (h *helperRoot) Stat(ctx context.Context, path string) (FileInfo, error) {
	reply, err := h.ask(ctx, helperRequest{Verb: verbStat, Path: path}, nil)
	if err != nil || reply.Info == nil {
		return FileInfo{}, err
	}
	return *reply.Info, nil
}

func (h *helperRoot) Lock(ctx context.Context, runID string, expiry time.Time) error {
	_, err := h.ask(ctx, helperRequest{Verb: verbLock, Run: runID, Expiry: expiry}, nil)
	return err
}

func (h *helperRoot) Unlock(ctx context.Context, runID string) error {
	_, err := h.ask(ctx, helperRequest{Verb: verbUnlock, Run: runID}, nil)
	return err
}

func (h *helperRoot) Same(ctx context.Context, set FileSet) (bool, error) {
	reply, err := h.ask(ctx, helperRequest{Verb: verbSame, Set: toWire(set)}, nil)
	return reply.Same, err
}

func (h *helperRoot) Place(ctx context.Context, set FileSet) (Placed, error) {
	reply, err := h.ask(ctx, helperRequest{Verb: verbPlace, Set: toWire(set)}, nil)
	if err != nil || reply.Placed == nil {
		return Placed{}, err
	}
	return *reply.Placed, nil
}

func (h *helperRoot) PutBack(ctx context.Context, runID string) error {
	_, err := h.ask(ctx, helperRequest{Verb: verbPutBack, Run: runID}, nil)
	return err
}

func (h *helperRoot) Forget(ctx context.Context, runID string) error {
	_, err := h.ask(ctx, helperRequest{Verb: verbForget, Run: runID}, nil)
	return err
}

func (h *helperRoot) ReadAs(ctx context.Context, user, path string) ([]byte, error) {
	reply, err := h.ask(ctx, helperRequest{Verb: verbReadAs, User: user, Path: path}, nil)
	return reply.Data, err
}

func (h *helperRoot) PublicKey(ctx context.Context, user, path string) ([]byte, error) {
	reply, err := h.ask(ctx, helperRequest{Verb: verbPublic, User: user, Path: path}, nil)
	return reply.Data, err
}

func (h *helperRoot) Sign(ctx context.Context, path string, s Signing) ([]byte, error) {
	reply, err := h.ask(ctx, helperRequest{Verb: verbSign, Path: path, Sign: &s}, nil)
	return reply.Data, err
}

func (h *helperRoot) MayUse(ctx context.Context, user, node string) error {
	_, err := h.ask(ctx, helperRequest{Verb: verbMayUse, User: user, Path: node}, nil)
	return err
}

func (h *helperRoot) Act(ctx context.Context, a Action, onLine func(string)) (Output, error) {
	reply, err := h.ask(ctx, helperRequest{Verb: verbAct, Action: a}, onLine)
	if reply.Output == nil {
		return Output{}, err
	}
	return *reply.Output, err
}

// Close ends the helper by ending its standard input.
func (h *helperRoot) Close() error {
	_ = h.in.Close()
	select {
	case <-h.exited:
	case <-time.After(10 * time.Second):
		return errors.New("helper: it does not end")
	}
	return nil
}
