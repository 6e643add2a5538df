package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// maxChannels leaves room below sshd's MaxSessions of 10 for a root shell.
const maxChannels = 8

// sshTarget is one connection with many channels.
type sshTarget struct {
	spec     Spec
	options  Options
	settings sshSettings
	client   *ssh.Client
	jumps    []*ssh.Client // closed after client, last one first
	hostKey  string        // fingerprint
	channels chan struct{}

	uidOnce sync.Mutex
	uid     int // -1 until known
}

// DialSSH logs in. Errors are ErrUnreachable, ErrAuth or a *HostKeyError.
func DialSSH(ctx context.Context, spec Spec, options Options) (Target, error) {
	if spec.Kind != KindSSH {
		return nil, fmt.Errorf("ssh: %s is no SSH target", spec)
	}
	settings, err := resolveSSH(ctx, spec.SSH, options)
	if err != nil {
		return nil, err
	}
	if spec.Jump != nil {
		settings.jump = []Endpoint{*spec.Jump}
	}
	t := &sshTarget{spec: spec, options: options, settings: settings, channels: make(chan struct{}, maxChannels), uid: -1}
	var via *ssh.Client
	for _, end := range settings.jump {
		jump, err := resolveSSH(ctx, end, options)
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
		client, _, err := dialHop(ctx, hop{settings: jump}, via, options)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("jump host: %w", err), t.Close())
		}
		t.jumps = append(t.jumps, client)
		via = client
	}
	client, key, err := dialHop(ctx, hop{settings: settings, password: options.SSHPassword, pin: options.HostKey}, via, options)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.client, t.hostKey = client, key
	return t, nil
}

func (t *sshTarget) Spec() Spec   { return t.spec }
func (t *sshTarget) Kind() Kind   { return KindSSH }
func (t *sshTarget) CanRun() bool { return true }

func (t *sshTarget) Close() error {
	if t.client != nil {
		_ = t.client.Close()
	}
	for _, jump := range slices.Backward(t.jumps) {
		_ = jump.Close()
	}
	return nil
}

// script runs a constant script with arguments as the login user. The program
// goes over standard input, so that the login shell, whichever it is, sees one
// word only. A cancel kills what runs there.
func (t *sshTarget) script(ctx context.Context, text string) (stdout, stderr []byte, exit int, err error) {
	select {
	case t.channels <- struct{}{}:
		defer func() { <-t.channels }()
	case <-ctx.Done():
		return nil, nil, 0, ctx.Err()
	}
	session, err := t.client.NewSession()
	if err != nil {
		return nil, nil, 0, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer session.Close()
	out, errs := &lineWriter{feed: &lineFeed{}}, &tail{}
	session.Stdin = strings.NewReader(text)
	session.Stdout, session.Stderr = out, errs
	if err := session.Start(`sh -c 'eval "$(cat)"'`); err != nil {
		return nil, nil, 0, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = session.Signal(ssh.SIGKILL) // closing alone would leave it running
		_ = session.Close()
	})
	err = session.Wait()
	stop()
	if ctx.Err() != nil {
		return nil, nil, 0, ctx.Err()
	}
	var exited *ssh.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exited):
		exit = exited.ExitStatus()
	default:
		return nil, nil, 0, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if out.over {
		return nil, nil, 0, fmt.Errorf("the answer is larger than %d bytes", maxReadSize)
	}
	return out.all.Bytes(), []byte(errs.String()), exit, nil
}

func (t *sshTarget) Output(ctx context.Context, name string, args ...string) ([]byte, int, error) {
	out, _, exit, err := t.script(ctx, withArgs(outputScript, append([]string{name}, args...)...))
	if err != nil {
		return nil, 0, fmt.Errorf("run %s: %w", name, err)
	}
	return out, exit, nil
}

// look runs one of the look scripts and translates its exit codes.
func (t *sshTarget) look(ctx context.Context, op, script, p string) ([]byte, error) {
	if p != "/" {
		if err := checkPath(p); err != nil {
			return nil, err
		}
	}
	out, errs, exit, err := t.script(ctx, withArgs(script, p, strconv.Itoa(maxReadSize)))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", op, p, err)
	}
	switch exit {
	case 0:
		return out, nil
	case 44:
		return nil, &fs.PathError{Op: op, Path: p, Err: fs.ErrNotExist}
	case 77:
		return nil, &fs.PathError{Op: op, Path: p, Err: fs.ErrPermission}
	case 45:
		return nil, fmt.Errorf("%s %s: not a plain file", op, p)
	case 46:
		return nil, fmt.Errorf("%s %s: larger than %d bytes", op, p, maxReadSize)
	}
	return nil, fmt.Errorf("%s %s: %w", op, p, answer{err: errs, code: exit}.said())
}

func (t *sshTarget) ReadFile(ctx context.Context, p string) ([]byte, error) {
	return t.look(ctx, "read", readScript, p)
}

func (t *sshTarget) ReadDir(ctx context.Context, p string) ([]string, error) {
	out, err := t.look(ctx, "list", listScript, p)
	if err != nil {
		return nil, err
	}
	names := splitLines(out)
	slices.Sort(names)
	return names, nil
}

func (t *sshTarget) Stat(ctx context.Context, p string) (FileInfo, error) {
	out, err := t.look(ctx, "stat", statScript, p)
	if err != nil {
		return FileInfo{}, err
	}
	e, err := parseEntry(string(out))
	if err != nil {
		return FileInfo{}, fmt.Errorf("stat %s: %w", p, err)
	}
	return e.info(), nil
}

func (t *sshTarget) userID(ctx context.Context) (int, error) {
	t.uidOnce.Lock()
	defer t.uidOnce.Unlock()
	if t.uid >= 0 {
		return t.uid, nil
	}
	out, exit, err := t.Output(ctx, "id", "-u")
	if err != nil {
		return 0, err
	}
	uid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if exit != 0 || err != nil || uid < 0 {
		return 0, errors.New("id answers in an unknown form")
	}
	t.uid = uid
	return uid, nil
}

// Root starts one root shell, through sudo unless the login is root.
func (t *sshTarget) Root(ctx context.Context) (Root, error) {
	uid, err := t.userID(ctx)
	if err != nil {
		return nil, fmt.Errorf("root on %s: %w", t.settings.alias, err)
	}
	root, err := t.rootShell(ctx, uid != 0)
	if err != nil {
		return nil, fmt.Errorf("root on %s: %w", t.settings.alias, err)
	}
	return newEngine(root, t.options.now), nil
}

// OpenTPM starts a relay as the login user, and through sudo if that user may
// not open the TPM.
func (t *sshTarget) OpenTPM(ctx context.Context, address string) (TPM, error) {
	opened, err := t.relay(ctx, address, false)
	if wantsRights(err) {
		uid, unknown := t.userID(ctx)
		switch {
		case unknown != nil:
			err = unknown
		case uid != 0:
			opened, err = t.relay(ctx, address, true)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("TPM of %s: %w", t.settings.alias, err)
	}
	return opened, nil
}

func (t *sshTarget) relay(ctx context.Context, address string, sudo bool) (TPM, error) {
	shell, program, err := relayProgram(address)
	if err != nil {
		return nil, err
	}
	s, err := t.bootShell(ctx, shell, sudo)
	if err != nil {
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, s.errs) }()
	if _, err := io.WriteString(s.in, program+s.goOn+"\n"); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", ErrUnreachable, err), s.end())
	}
	stop := context.AfterFunc(ctx, func() { _ = s.end() })
	defer stop()
	return newRelay(s.in, s.out, func() error {
		_ = s.in.Close()
		return s.end()
	})
}

func (t *sshTarget) MachineKey(ctx context.Context) string {
	if key := machineID(t.ReadFile(ctx, "/etc/machine-id")); key != "" {
		return key
	}
	if t.hostKey != "" {
		return "ssh-host-key:" + t.hostKey
	}
	return ""
}

// Dial connects to an address as the machine sees it.
func (t *sshTarget) Dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := t.client.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect to %s on %s: %w", addr, t.settings.alias, err)
	}
	return conn, nil
}

// Forward brings localAddr of this computer to remoteAddr on the machine.
func (t *sshTarget) Forward(ctx context.Context, remoteAddr, localAddr string) (io.Closer, error) {
	type result struct {
		l   net.Listener
		err error
	}
	done := make(chan result, 1)
	go func() {
		l, err := t.client.Listen("tcp", remoteAddr)
		done <- result{l, err}
	}()
	var listener net.Listener
	select {
	case r := <-done:
		if r.err != nil {
			return nil, fmt.Errorf("forward %s of %s: the port is taken there or sshd forbids it: %w", remoteAddr, t.settings.alias, r.err)
		}
		listener = r.l
	case <-ctx.Done():
		go func() {
			if r := <-done; r.err == nil {
				_ = r.l.Close()
			}
		}()
		return nil, ctx.Err()
	}
	go func() {
		for {
			remote, err := listener.Accept()
			if err != nil {
				return
			}
			go join(remote, localAddr)
		}
	}()
	return listener, nil
}

// join copies both ways until both ends have said everything.
func join(remote net.Conn, localAddr string) {
	defer remote.Close()
	here, err := net.DialTimeout("tcp", localAddr, 10*time.Second)
	if err != nil {
		return
	}
	defer here.Close()
	var both sync.WaitGroup
	copyOne := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	}
	both.Go(func() { copyOne(here, remote) })
	both.Go(func() { copyOne(remote, here) })
	both.Wait()
}
