package practice

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"edgewright/provisioning/practice/mqtt"
)

const (
	// connectPatience is how long a client may take from the first byte of its
	// handshake to its CONNECT.
	connectPatience = 30 * time.Second
	// maxConnect and maxPacket bound packets before and after CONNECT, in bytes:
	// a message with its topic and properties.
	maxConnect = 64 << 10
	maxPacket  = maxMessage + 64<<10
	// maxOutgoing is how many packets may wait for a client that does not read.
	maxOutgoing = 1000
	// writePatience is how long a packet may take to the client.
	writePatience = 30 * time.Second
)

// peer is what a session speaks as after its CONNECT. Its methods are called by
// the session's reader only.
type peer interface {
	// subscribe gives the granted QoS, or mqtt.Failure.
	subscribe(filter mqtt.Filter) byte
	unsubscribe(topic string)
	// publish acts on a message; false ends the connection, as the services do
	// for what they do not know.
	publish(ctx context.Context, p mqtt.Packet) bool
	// acknowledged is told that the client has a message of QoS 1.
	acknowledged(ctx context.Context, id uint16)
	// joined is called once when the client's CONNACK is on its way.
	joined()
	// left is called once when the connection has ended.
	left(ctx context.Context)
}

// outgoing is a packet for the client; it is sent once what it tells of is on
// disk.
type outgoing struct {
	raw   []byte
	after *batch
}

// session is one MQTT connection.
type session struct {
	c     *Cloud
	conn  net.Conn
	over  string // the transport
	in    *bufio.Reader
	chain []*x509.Certificate
	peer  peer

	keepAlive time.Duration // the longest silence, 0 for any
	expires   time.Time     // of the token, by this computer's clock; zero for never

	mu    sync.Mutex
	queue []outgoing
	wake  chan struct{}
	done  chan struct{}
	end   sync.Once
	why   string // it ended, for events; the first reason counts
}

func newSession(c *Cloud, conn net.Conn, over string, chain []*x509.Certificate) *session {
	return &session{c: c, conn: conn, over: over, in: bufio.NewReaderSize(conn, 1<<10), chain: chain,
		wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// close ends the connection; the reader does the rest. It may be called from
// anywhere, also under Cloud.mu.
func (s *session) close() {
	s.end.Do(func() {
		close(s.done)
		// Closing a TLS connection writes to it, which a client that does not
		// read could hold up.
		_ = s.conn.SetDeadline(time.Now().Add(-time.Second))
		go func() { _ = s.conn.Close() }()
	})
}

// serve speaks with the client until it leaves, breaks the protocol or ctx
// ends.
func (s *session) serve(ctx context.Context) {
	defer s.close()
	stop := context.AfterFunc(ctx, func() { s.closeFor(EndStopped) })
	defer stop()
	_ = s.conn.SetReadDeadline(time.Now().Add(connectPatience))
	first, err := mqtt.Read(s.in, maxConnect)
	if err != nil || first.Type != mqtt.Connect {
		return
	}
	code, present := s.connect(ctx, first)
	if code != mqtt.Accepted {
		_ = s.conn.SetWriteDeadline(time.Now().Add(writePatience))
		_, _ = s.conn.Write(mqtt.NewConnack(code, false))
		return
	}
	defer s.peer.left(context.WithoutCancel(ctx))
	// Something may have been pushed already, and CONNACK comes first.
	s.mu.Lock()
	s.queue = append([]outgoing{{raw: mqtt.NewConnack(mqtt.Accepted, present)}}, s.queue...)
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { defer close(ended); s.write() }()
	defer func() { s.close(); <-ended }()
	s.peer.joined()
	for {
		_ = s.conn.SetReadDeadline(s.deadline())
		packet, err := mqtt.Read(s.in, maxPacket)
		switch {
		case err != nil:
			s.closeFor(s.broken(err))
			return
		case packet.Type == mqtt.Disconnect:
			s.closeFor(EndByClient)
			return
		case !s.take(ctx, packet):
			s.closeFor(EndRefused)
			return
		}
	}
}

// broken is why nothing more could be read.
func (s *session) broken(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout() && !s.expires.IsZero() && !time.Now().Before(s.expires):
		return EndExpired
	case errors.As(err, &timeout) && timeout.Timeout():
		return EndSilent
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || timeout != nil:
		return EndLost
	}
	return EndRefused
}

// closeFor is close, with the reason for whoever looks at the events.
func (s *session) closeFor(reason string) {
	s.mu.Lock()
	if s.why == "" {
		s.why = reason
	}
	s.mu.Unlock()
	s.close()
}

func (s *session) reason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// deadline is when the connection ends by itself: one and a half times the keep
// alive after the last packet (3.1.2.10), or when the token expires.
func (s *session) deadline() time.Time {
	if s.keepAlive == 0 {
		return s.expires
	}
	at := time.Now().Add(s.keepAlive)
	if !s.expires.IsZero() && s.expires.Before(at) {
		return s.expires
	}
	return at
}

// take acts on a packet; false ends the connection.
func (s *session) take(ctx context.Context, p mqtt.Packet) bool {
	switch p.Type {
	case mqtt.Publish:
		if p.QoS > 1 || !s.peer.publish(ctx, p) {
			return false
		}
		if p.QoS == 1 {
			s.push(mqtt.NewPuback(p.ID), nil)
		}
	case mqtt.Puback:
		s.peer.acknowledged(ctx, p.ID)
	case mqtt.Subscribe:
		codes := make([]byte, len(p.Filters))
		for i, filter := range p.Filters {
			codes[i] = s.peer.subscribe(filter)
		}
		s.push(mqtt.NewSuback(p.ID, codes), nil)
	case mqtt.Unsubscribe:
		for _, filter := range p.Filters {
			s.peer.unsubscribe(filter.Topic)
		}
		s.push(mqtt.NewUnsuback(p.ID), nil)
	case mqtt.Pingreq:
		s.push(mqtt.NewPingresp(), nil)
	default: // a second CONNECT
		return false
	}
	return true
}

// push queues a packet for the client. It does not wait; a client that lets too
// much pile up is cut off.
func (s *session) push(raw []byte, after *batch) {
	s.mu.Lock()
	s.queue = append(s.queue, outgoing{raw, after})
	full := len(s.queue) > maxOutgoing
	s.mu.Unlock()
	if full {
		s.closeFor(EndSlow)
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write sends what is queued, in order, until the session ends. What could not
// be made durable is told to nobody, and the session ends.
func (s *session) write() {
	for {
		s.mu.Lock()
		queue := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, next := range queue {
			if next.after.wait() != nil || !s.send(next.raw) {
				s.closeFor(EndLost)
				return
			}
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-s.wake:
		case <-s.done:
			return
		}
	}
}

func (s *session) send(raw []byte) bool {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writePatience))
	_, err := s.conn.Write(raw)
	return err == nil
}
