package practice

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha1" // #nosec G505: RFC 5280, 4.2.1.2 names it for key identifiers
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	caFile      = "ca.pem"
	caYears     = 10
	serverLife  = 90 * 24 * time.Hour
	serverRenew = 30 * 24 * time.Hour // before the end
	backdate    = time.Hour           // for clocks that are behind
)

// newAuthority makes the CA of a folder. Its name constraints are critical
// (RFC 5280, 4.2.1.10): whoever puts it into a trust store trusts it for
// practice.test and loopback addresses only.
func newAuthority(random io.Reader, now time.Time) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, nil, fmt.Errorf("make practice CA: %w", err)
	}
	keyID, err := subjectKeyID(&private.PublicKey)
	if err != nil {
		return nil, nil, fmt.Errorf("make practice CA: %w", err)
	}
	serial, err := newSerial(random)
	if err != nil {
		return nil, nil, fmt.Errorf("make practice CA: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		// The suffix keeps the CAs of several folders apart in one trust store.
		Subject:               pkix.Name{CommonName: "Edgewright practice CA " + hex.EncodeToString(keyID[:4])},
		NotBefore:             now.Add(-backdate).UTC(),
		NotAfter:              now.AddDate(caYears, 0, 0).UTC(),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, IsCA: true, MaxPathLen: 0, MaxPathLenZero: true,
		SubjectKeyId:                keyID,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{domain},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
		PermittedEmailAddresses: []string{domain},
		PermittedURIDomains:     []string{domain},
	}
	if cert, err = x509.CreateCertificate(random, template, template, &private.PublicKey, private); err != nil {
		return nil, nil, fmt.Errorf("make practice CA: %w", err)
	}
	if key, err = x509.MarshalPKCS8PrivateKey(private); err != nil {
		return nil, nil, fmt.Errorf("make practice CA: %w", err)
	}
	return cert, key, nil
}

// serverCertificate makes the certificate that all names share. It is never
// stored: each start makes a new one, and so does a long run before its end.
func (s *settings) serverCertificate(random io.Reader, now time.Time) (*tls.Certificate, error) {
	ca, err := x509.ParseCertificate(s.CACert)
	if err != nil {
		return nil, fmt.Errorf("read practice CA: %w", err)
	}
	caKey, err := x509.ParsePKCS8PrivateKey(s.CAKey)
	if err != nil {
		return nil, errors.New("read the key of the practice CA: it is damaged")
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("make practice server certificate: %w", err)
	}
	keyID, err := subjectKeyID(&private.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("make practice server certificate: %w", err)
	}
	serial, err := newSerial(random)
	if err != nil {
		return nil, fmt.Errorf("make practice server certificate: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Edgewright practice server"},
		NotBefore:    now.Add(-backdate).UTC(), NotAfter: now.Add(serverLife).UTC(),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// Without it the last certificate of a chain is guessed by clients.
		BasicConstraintsValid: true,
		SubjectKeyId:          keyID,
		DNSNames:              s.names(),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1).To4(), net.IPv6loopback},
	}
	if template.NotAfter.After(ca.NotAfter) {
		template.NotAfter = ca.NotAfter
	}
	if !now.Before(template.NotAfter) {
		return nil, errors.New("the practice CA has expired; reset the practice cloud")
	}
	der, err := x509.CreateCertificate(random, template, ca, &private.PublicKey, caKey)
	if err != nil {
		return nil, fmt.Errorf("make practice server certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make practice server certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}, nil
}

// serverIdentity gives the current server certificate to each handshake.
type serverIdentity struct {
	make func(now time.Time) (*tls.Certificate, error)
	now  func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
}

func (i *serverIdentity) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.now()
	if i.current == nil || now.After(i.current.Leaf.NotAfter.Add(-serverRenew)) || now.Before(i.current.Leaf.NotBefore) {
		made, err := i.make(now)
		if err != nil {
			return nil, err
		}
		i.current = made
	}
	return i.current, nil
}

// caPEM is the CA certificate as PEM text.
func (s *settings) caPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.CACert})
}

// writeCAFile puts the CA certificate where clients find it. The file is the
// same from the first use to the next reset.
func (c *Cloud) writeCAFile() error {
	path := filepath.Join(c.dir, caFile)
	text := c.settings().caPEM()
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, text) {
		return nil
	}
	temporary, err := os.CreateTemp(c.dir, caFile+".*")
	if err != nil {
		return fmt.Errorf("write practice CA file: %w", err)
	}
	_, err = temporary.Write(text)
	if err == nil {
		err = temporary.Chmod(0o644)
	}
	if err == nil {
		err = temporary.Sync()
	}
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return fmt.Errorf("write practice CA file: %w", err)
	}
	return nil
}

// subjectKeyID is the SHA-1 of the public key's bits (RFC 5280, 4.2.1.2, method 1).
func subjectKeyID(public *ecdsa.PublicKey) ([]byte, error) {
	bits, err := public.Bytes()
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum(bits) // #nosec G401
	return sum[:], nil
}

// newSerial is a positive number of 127 random bits (RFC 5280, 4.1.2.2).
func newSerial(random io.Reader) (*big.Int, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(random, raw); err != nil {
		return nil, err
	}
	raw[0] = raw[0]&0x7f | 0x40
	return new(big.Int).SetBytes(raw), nil
}
