// Package softtpm runs software TPMs (swtpm): one process for each device, its
// state encrypted, ended with whoever started it. They stand in for the chip of
// a practice device, and for chips in tests; nobody's secrets belong in one.
package softtpm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"edgewright/provisioning/secret"
)

// ErrMissing: there is no swtpm on this computer. Its text names the package.
var ErrMissing = errors.New("swtpm is not installed; its package is called swtpm (Debian, Ubuntu, Fedora)")

// ErrInUse: another process has the state.
var ErrInUse = errors.New("another software TPM runs on the same state")

// Available is nil, or ErrMissing.
func Available() error {
	if runtime.GOOS == "windows" {
		return fmt.Errorf("%w, and it does not exist for Windows", ErrMissing)
	}
	if _, err := exec.LookPath("swtpm"); err != nil {
		return ErrMissing
	}
	return nil
}

// KeySize is the length of the key that encrypts a state, in bytes (AES-256).
const KeySize = 32

// Process is a software TPM that runs.
type Process struct {
	// Address is how the package tpm reaches it, "unix:/path". It serves one
	// connection at a time.
	Address string

	cmd    *exec.Cmd
	dir    string // of the sockets
	noted  string // the file that says so
	ended  chan struct{}
	said   *strings.Builder
	closed sync.Once
}

// socketsPrefix begins the name of a folder of sockets.
const socketsPrefix = "ewtpm"

const (
	// startTime bounds the start; it takes some 50 ms.
	startTime = 20 * time.Second
	// endTime is how long the TPM of a program that was killed may take to end.
	endTime = 2 * time.Second
)

// Start runs a TPM whose state is in a folder, which is made if it is missing.
// An empty key leaves the state as it is on disk, unencrypted. A TPM that still
// has the state is waited for a while, then it is ErrInUse. Close ends it.
func Start(ctx context.Context, state string, key secret.Value) (*Process, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	if n := len(key.Reveal()); n != 0 && n != KeySize {
		return nil, fmt.Errorf("start a software TPM: a key of %d bytes, not %d", n, KeySize)
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, fmt.Errorf("start a software TPM: %w", err)
	}
	for until := time.Now().Add(endTime); ; {
		p, err := startOnce(ctx, state, key)
		if err == nil || !errors.Is(err, ErrInUse) || time.Now().After(until) {
			return p, err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func startOnce(ctx context.Context, state string, key secret.Value) (*Process, error) {
	// The path of a socket has 107 bytes at most, and the state's may be longer.
	dir, err := os.MkdirTemp("", socketsPrefix)
	if err != nil {
		return nil, fmt.Errorf("start a software TPM: %w", err)
	}
	p := &Process{Address: "unix:" + filepath.Join(dir, "s"), dir: dir, ended: make(chan struct{}), said: &strings.Builder{}}
	if err := p.start(ctx, state, key); err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("start a software TPM: %w", err)
	}
	p.replace(filepath.Join(state, socketsFile))
	return p, nil
}

// socketsFile names, beside the state, the folder of the sockets.
const socketsFile = "sockets"

// replace removes the folder of sockets that a killed program left. The state is
// this process's now, so nobody uses them.
func (p *Process) replace(file string) {
	if left, err := os.ReadFile(file); err == nil && filepath.Dir(string(left)) == filepath.Dir(p.dir) && strings.HasPrefix(filepath.Base(string(left)), socketsPrefix) {
		_ = os.RemoveAll(string(left))
	}
	if os.WriteFile(file, []byte(p.dir), 0o600) == nil {
		p.noted = file
	}
}

func (p *Process) start(ctx context.Context, state string, key secret.Value) error {
	socket := filepath.Join(p.dir, "s")
	p.cmd = exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+state, "--server", "type=unixio,mode=0600,path="+socket,
		"--ctrl", "type=unixio,mode=0600,path="+socket+".ctrl", "--flags", "not-need-init,startup-clear")
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	if !key.IsEmpty() {
		read, write, err := os.Pipe()
		if err != nil {
			return err
		}
		defer read.Close()
		p.cmd.ExtraFiles = []*os.File{read} // its descriptor 3
		p.cmd.Args = append(p.cmd.Args, "--key", "fd=3,format=binary,mode=aes-256-cbc")
		_, err = write.Write(key.Reveal())
		if err := errors.Join(err, write.Close()); err != nil {
			return err
		}
	}
	endWithParent(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		if _, err := os.Stat(socket); err == nil {
			if err := answers(ctx, socket); err == nil {
				return nil
			}
		}
		select {
		case <-p.ended:
			if strings.Contains(p.said.String(), "Could not lock access") {
				return ErrInUse
			}
			return fmt.Errorf("swtpm ended: %s", strings.TrimSpace(p.said.String()))
		case <-ctx.Done():
			return errors.Join(ctx.Err(), p.Close())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// probe is TPM2_GetCapability of the family, answered by 27 bytes (TPM 2.0 Part
// 3, 30.2).
var probe = []byte{0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7a, 0, 0, 0, 6, 0, 0, 0x01, 0, 0, 0, 0, 1}

const probeAnswer = 27 // bytes

// answers tells that the TPM takes commands. Its socket takes connections before
// it has its state.
func answers(ctx context.Context, socket string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_, err = conn.Write(probe)
	if err == nil {
		_, err = io.ReadFull(conn, make([]byte, probeAnswer))
	}
	return errors.Join(err, conn.Close())
}

// Close ends the process and waits for its end. The state stays.
func (p *Process) Close() error {
	p.closed.Do(func() {
		if p.cmd.Process != nil {
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
		_ = os.RemoveAll(p.dir)
		if p.noted != "" {
			_ = os.Remove(p.noted)
		}
	})
	return nil
}
