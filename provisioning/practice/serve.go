package practice

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

// stopGrace is how long requests under way may go on when serving ends.
const stopGrace = 3 * time.Second

// PortError says that another program listens on the address. The practice
// cloud never takes another port: files of devices name this one.
type PortError struct {
	Address string
	Err     error
}

func (e *PortError) Error() string {
	return fmt.Sprintf("practice cloud cannot listen on %s: another program uses that port", e.Address)
}

// Unwrap gives the system's error.
func (e *PortError) Unwrap() error { return e.Err }

// Serve takes the folder's lock and answers until ctx ends, which is no error.
// It gives a *ServedError while another process serves the folder, and a
// *PortError when the port is taken.
func (c *Cloud) Serve(ctx context.Context) error {
	if !c.serving.CompareAndSwap(false, true) {
		return &ServedError{Dir: c.dir, PID: os.Getpid()}
	}
	defer c.serving.Store(false)
	if err := c.own(ctx); err != nil {
		return fmt.Errorf("serve practice cloud: %w", err)
	}
	listener, err := c.listen(ctx, c.settings().HTTPS)
	if err != nil {
		return errors.Join(err, c.disown())
	}
	mqttListener, err := c.listen(ctx, c.settings().MQTT)
	if err != nil {
		return errors.Join(err, listener.Close(), c.disown())
	}
	identity := &serverIdentity{now: c.clock, make: func(now time.Time) (*tls.Certificate, error) {
		return c.settings().serverCertificate(c.rand, now)
	}}
	server := &http.Server{
		Handler:           c.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		// Failed handshakes are the client's affair; it gets an alert.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: identity.certificate,
		// Asked for and verified by the planes, since SAS clients show none.
		ClientAuth: tls.RequestClientCert}
	// HTTP/1.1 only: a WebSocket cannot begin on an HTTP/2 connection.
	https := config.Clone()
	https.NextProtos = []string{"http/1.1"}
	endSessions := c.sessions.begin(context.WithoutCancel(ctx))
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(tls.NewListener(listener, https)) }()
	go func() { ended <- c.acceptMQTT(mqttListener, config) }()
	c.isReady.Do(func() { close(c.ready) })

	running := 2
	select {
	case err = <-ended: // one of them failed
		running--
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	cancel()
	_ = mqttListener.Close()
	for range running {
		err = errors.Join(err, unlessClosed(<-ended))
	}
	endSessions()
	if err = unlessClosed(err); err != nil {
		err = fmt.Errorf("serve practice cloud: %w", err)
	}
	return errors.Join(err, c.disown())
}

func unlessClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (c *Cloud) listen(ctx context.Context, address string) (net.Listener, error) {
	if c.anywhere {
		_, port, _ := net.SplitHostPort(address)
		address = ":" + port
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if errors.Is(err, errAddressInUse) {
		return nil, &PortError{Address: address, Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("serve practice cloud: %w", err)
	}
	return listener, nil
}
