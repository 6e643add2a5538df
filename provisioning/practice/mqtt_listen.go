package practice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// webSocketPath is where MQTT is spoken over WebSocket, on the HTTPS port.
//
// https://learn.microsoft.com/azure/iot-hub/iot-mqtt-connect-to-iot-hub
const webSocketPath = "/$iothub/websocket"

// sessions are the MQTT connections that are open, over either transport.
type sessions struct {
	mu      sync.Mutex
	ctx     context.Context // ends them all; nil while nothing is served
	running sync.WaitGroup
}

// begin lets sessions run until the returned function is called, which waits
// for them.
func (s *sessions) begin(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		s.ctx = nil
		s.mu.Unlock()
		cancel()
		s.running.Wait()
	}
}

// run calls serve with the context of the sessions, unless they have ended.
func (s *sessions) run(serve func(ctx context.Context)) {
	s.mu.Lock()
	ctx := s.ctx
	if ctx != nil {
		s.running.Add(1)
	}
	s.mu.Unlock()
	if ctx != nil {
		defer s.running.Done()
		serve(ctx)
	}
}

// acceptMQTT serves each connection of a listener until that is closed.
func (c *Cloud) acceptMQTT(listener net.Listener, config *tls.Config) error {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() { // too many open files
				time.Sleep(50 * time.Millisecond)
				continue
			}
			return err
		}
		go c.sessions.run(func(ctx context.Context) { c.serveMQTT(ctx, tls.Server(conn, config)) })
	}
}

func (c *Cloud) serveMQTT(ctx context.Context, conn *tls.Conn) {
	stop := context.AfterFunc(ctx, func() { _ = conn.NetConn().Close() })
	_ = conn.SetDeadline(time.Now().Add(connectPatience))
	err := conn.HandshakeContext(ctx)
	stop()
	if err != nil {
		_ = conn.Close()
		return
	}
	_ = conn.SetDeadline(time.Time{})
	newSession(c, conn, overTLS, conn.ConnectionState().PeerCertificates).serve(ctx)
}

func isWebSocket(r *http.Request) bool { return strings.EqualFold(r.URL.Path, webSocketPath) }

// serveWebSocket speaks MQTT on an upgraded connection.
func (c *Cloud) serveWebSocket(w http.ResponseWriter, r *http.Request) {
	var chain []*x509.Certificate
	if r.TLS != nil {
		chain = r.TLS.PeerCertificates
	}
	// Devices are no browsers: they send no origin that could be checked.
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt", "mqttv3.1"}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // the library has answered
	}
	socket.SetReadLimit(maxPacket)
	c.sessions.run(func(ctx context.Context) {
		newSession(c, websocket.NetConn(ctx, socket, websocket.MessageBinary), overWebSocket, chain).serve(ctx)
	})
	_ = socket.CloseNow()
}
