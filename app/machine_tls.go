package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"edgewright/provisioning"
	"edgewright/provisioning/target"
)

// handshakePatience bounds one handshake with a server on a device.
const handshakePatience = 10 * time.Second

// ShownTLS shakes hands with a server as the machine reaches it and gives the
// chain that it shows. Nothing is sent after that.
func (m *machine) ShownTLS(ctx context.Context, address string) ([]*x509.Certificate, error) {
	dialer, ok := m.target.(target.Dialer)
	if !ok {
		return nil, &provisioning.Error{Kind: provisioning.ErrUnsupported, Message: "No server can be reached from " + m.name + ".", Hint: "Use this computer or SSH."}
	}
	ctx, cancel := context.WithTimeout(ctx, handshakePatience)
	defer cancel()
	conn, err := dialer.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	// The chain is what is asked for; whoever asks compares it with its own.
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) // #nosec G402
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake of %s with %s: %w", m.name, address, err)
	}
	return client.ConnectionState().PeerCertificates, nil
}
