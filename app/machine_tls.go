package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strconv"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/target"
)

// handshakePatience bounds one handshake with a server on a device.
const handshakePatience = 10 * time.Second

// ShownTLS shakes hands with a server on the machine and gives the chain that it
// shows. Nothing is sent after that.
func (m *machine) ShownTLS(ctx context.Context, port int) ([]*x509.Certificate, error) {
	dialer, ok := m.target.(target.Dialer)
	if !ok {
		return nil, &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "No server on " + m.name + " can be reached.", Hint: "Use this computer or SSH."}
	}
	ctx, cancel := context.WithTimeout(ctx, handshakePatience)
	defer cancel()
	conn, err := dialer.Dial(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	// The chain is what is asked for; whoever asks compares it with its own.
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) // #nosec G402
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake with port %d of %s: %w", port, m.name, err)
	}
	return client.ConnectionState().PeerCertificates, nil
}
