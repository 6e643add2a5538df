package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"edgewright/provisioning/secret"
)

const (
	dialTimeout      = 15 * time.Second
	handshakeTimeout = 30 * time.Second // without a person who answers
	keepaliveEvery   = 15 * time.Second
	// maxHandshakes is how many logins one address gets at once: sshd drops
	// connections at random from ten on (MaxStartups 10:30:100).
	maxHandshakes = 8
	maxAttempts   = 6 // of a connection that is reset before the banner
)

// handshakes limits logins in flight for each address that is dialled.
var handshakes struct {
	sync.Mutex
	slots map[string]chan struct{}
}

// takeHandshake waits for a turn with a host.
func takeHandshake(ctx context.Context, host string) (release func(), err error) {
	handshakes.Lock()
	if handshakes.slots == nil {
		handshakes.slots = map[string]chan struct{}{}
	}
	slots, ok := handshakes.slots[host]
	if !ok {
		slots = make(chan struct{}, maxHandshakes)
		handshakes.slots[host] = slots
	}
	handshakes.Unlock()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hop is one login on the way.
type hop struct {
	settings sshSettings
	password secret.Value
	pin      string
}

// dialHop logs in through via, or directly when that is nil. It repeats what
// was reset before the banner, which is how sshd turns crowds away.
//
// It also gives the fingerprint of the host key.
func dialHop(ctx context.Context, h hop, via *ssh.Client, options Options) (*ssh.Client, string, error) {
	for attempt := 1; ; attempt++ {
		client, key, early, err := dialOnce(ctx, h, via, options)
		if err == nil {
			return client, key, nil
		}
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		if !early || attempt == maxAttempts {
			return nil, "", fmt.Errorf("ssh to %s: %w", h.settings.alias, err)
		}
		pause := time.Duration(100<<attempt) * time.Millisecond
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
}

// dialOnce tells with early that the connection ended before the server said
// anything.
func dialOnce(ctx context.Context, h hop, via *ssh.Client, options Options) (client *ssh.Client, key string, early bool, err error) {
	keys, err := readHostKeys(h.settings.knownHosts, options.Dir)
	if err != nil {
		return nil, "", false, err
	}
	keys.address, keys.name, keys.pin, keys.trust = h.settings.keyAddress(), h.settings.alias, h.pin, options.TrustHostKey
	login := &credentials{settings: h.settings, password: h.password, options: options}
	defer login.close()

	release, err := takeHandshake(ctx, h.settings.host)
	if err != nil {
		return nil, "", false, err
	}
	defer release()
	config := &ssh.ClientConfig{
		User:              h.settings.user,
		Auth:              login.methods(ctx),
		HostKeyCallback:   keys.check,
		HostKeyAlgorithms: keys.algorithms(),
		ClientVersion:     "SSH-2.0-Edgewright",
	}
	if options.OldAlgorithms {
		offerOld(config)
	}
	conn, err := dialVia(ctx, h.settings.address(), via)
	if err != nil {
		reset := errors.Is(err, syscall.ECONNRESET)
		return nil, "", reset, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	client, err = handshake(ctx, conn, h.settings.address(), config, options.Ask != nil)
	if err == nil {
		return client, keys.shown, false, nil
	}
	switch {
	case keys.failed != nil:
		return nil, "", false, errors.Join(keys.failed, onlyOther(err, keys.failed))
	case strings.Contains(err.Error(), "no common algorithm for host key"):
		if failed := changedType(ctx, h, via, keys, config); failed != nil {
			return nil, "", false, failed
		}
	case strings.Contains(err.Error(), "unable to authenticate"), errors.Is(err, ErrAuth), strings.Contains(err.Error(), "Too many authentication failures"):
		// The library has no type for it.
		trouble := ""
		if len(login.trouble) > 0 {
			trouble = " (" + strings.Join(login.trouble, "; ") + ")"
		}
		return nil, "", false, fmt.Errorf("%w for user %s%s: %w", ErrAuth, h.settings.user, trouble, err)
	}
	return nil, "", conn.silent() && endedEarly(err), fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// endedEarly tells whether the other side hung up.
func endedEarly(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF)
}

// onlyOther leaves out an error that says nothing beyond the host key.
func onlyOther(err error, key *HostKeyError) error {
	if strings.HasSuffix(err.Error(), "handshake failed: "+key.Error()) {
		return nil
	}
	return err
}

// changedType finds out which key a host shows that has none of the known
// types any more.
func changedType(ctx context.Context, h hop, via *ssh.Client, keys *hostKeys, config *ssh.ClientConfig) error {
	if len(config.HostKeyAlgorithms) == 0 {
		return nil
	}
	conn, err := dialVia(ctx, h.settings.address(), via)
	if err != nil {
		return nil
	}
	probe := *config
	probe.HostKeyAlgorithms = nil
	keys.trust, keys.pin = nil, "none" // look only
	if client, err := handshake(ctx, conn, h.settings.address(), &probe, false); err == nil {
		_ = client.Close()
	}
	if keys.failed == nil {
		return nil
	}
	return keys.failed
}

func offerOld(config *ssh.ClientConfig) {
	good, old := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	config.KeyExchanges = append(good.KeyExchanges, old.KeyExchanges...)
	config.Ciphers = append(good.Ciphers, old.Ciphers...)
	config.MACs = append(good.MACs, old.MACs...)
	if len(config.HostKeyAlgorithms) == 0 {
		config.HostKeyAlgorithms = append(good.HostKeys, old.HostKeys...)
	}
}

// bannerConn knows whether the other side introduced itself (RFC 4253 4.2). A
// crowded sshd says something else first: "Exceeded MaxStartups".
type bannerConn struct {
	net.Conn
	mu    sync.Mutex
	start []byte // the first bytes read, until the banner is found
	found bool
}

func (c *bannerConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.found && len(c.start) < 8192 {
		c.start = append(c.start, p[:n]...)
		c.found = bytes.HasPrefix(c.start, []byte("SSH-")) || bytes.Contains(c.start, []byte("\nSSH-"))
	}
	return n, err
}

func (c *bannerConn) silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.found
}

func dialVia(ctx context.Context, address string, via *ssh.Client) (*bannerConn, error) {
	ctx, stop := context.WithTimeout(ctx, dialTimeout)
	defer stop()
	var conn net.Conn
	var err error
	if via != nil {
		conn, err = via.DialContext(ctx, "tcp", address)
	} else {
		conn, err = (&net.Dialer{KeepAlive: keepaliveEvery}).DialContext(ctx, "tcp", address)
	}
	if err != nil {
		return nil, err
	}
	return &bannerConn{Conn: conn}, nil
}

// handshake has a deadline of its own, which ClientConfig.Timeout is not. A
// connection through a jump host knows no deadlines: closing it is the only
// way to end a wait. Where a person may be asked, only silence before the
// banner counts.
func handshake(ctx context.Context, conn *bannerConn, address string, config *ssh.ClientConfig, person bool) (*ssh.Client, error) {
	limited, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	timer := time.AfterFunc(handshakeTimeout, func() {
		if !person || conn.silent() {
			stop(errors.New("no answer in time"))
		}
	})
	defer timer.Stop()
	closed := context.AfterFunc(limited, func() { _ = conn.Close() })
	sshConn, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		cause := context.Cause(limited)
		closed()
		_ = conn.Close()
		if cause != nil {
			return nil, cause
		}
		return nil, err
	}
	if !closed() {
		_ = sshConn.Close()
		return nil, context.Cause(limited)
	}
	client := ssh.NewClient(sshConn, channels, requests)
	go keepAlive(client)
	return client, nil
}

// keepAlive closes a connection whose other end is gone. It ends with the
// connection.
func keepAlive(client *ssh.Client) {
	gone := make(chan struct{})
	go func() {
		_ = client.Wait()
		close(gone)
	}()
	tick := time.NewTicker(keepaliveEvery)
	defer tick.Stop()
	for {
		select {
		case <-gone:
			return
		case <-tick.C:
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
			answered <- err
		}()
		select {
		case <-gone:
			return
		case err := <-answered:
			if err != nil {
				_ = client.Close()
				return
			}
		case <-time.After(2 * keepaliveEvery):
			_ = client.Close()
			return
		}
	}
}
