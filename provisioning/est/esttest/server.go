package esttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Rules say whom the server enrols and how it behaves. The zero Rules enrol
// everybody.
type Rules struct {
	// Clients are CAs whose certificates may enrol; with any of them a client
	// certificate is asked for. Those that the server issued itself may too.
	Clients []*x509.Certificate
	// Username and Password, if given, are asked for by HTTP Basic; a client
	// certificate that is accepted serves instead.
	Username, Password string
	// Label is the one that the address ends in, "" for none.
	Label string
	// Days is the life of what is issued, one if 0.
	Days int
	// Pending is how many requests are answered with 202 before one is decided.
	Pending int
	// NoCA issues leaves even where a CA is asked for, as a server does that
	// does not look at the extensions of a request.
	NoCA bool
	// NotItsOwn takes no certificate that the server issued itself.
	NotItsOwn bool
	// WholeChain adds the issuing CA to what is issued.
	WholeChain bool
	// Address is the IP address to listen on, empty for loopback.
	Address string
	// Answer, if given, takes the place of what the server would say.
	Answer func(operation string, w http.ResponseWriter) (answered bool)
}

// Server is a running server.
type Server struct {
	// URL is the address that clients are given.
	URL string
	// Trust vouches for the server's own certificate.
	Trust *x509.Certificate
	// Issuing signs what is enrolled; Root stands above it.
	Issuing, Root *x509.Certificate

	rules      Rules
	issuingKey *ecdsa.PrivateKey

	mu      sync.Mutex
	pending int
	issued  []*x509.Certificate
}

// Start starts a server that ends with the test.
func Start(t testing.TB, rules Rules) *Server {
	t.Helper()
	s := &Server{rules: rules, pending: rules.Pending}
	trust, trustKey := authority(t, "EST test server root", nil, nil)
	root, rootKey := authority(t, "EST test root", nil, nil)
	s.Trust, s.Root = trust, root
	s.Issuing, s.issuingKey = authority(t, "EST test issuing", root, rootKey)

	own := newKey(t)
	addresses := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	if rules.Address != "" {
		addresses = []net.IP{net.ParseIP(rules.Address)}
	}
	template := &x509.Certificate{SerialNumber: serial(t), Subject: pkix.Name{CommonName: "EST test server"}, DNSNames: []string{"localhost"},
		IPAddresses: addresses, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, trust, own.Public(), trustKey)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewUnstartedServer(s.routes())
	if rules.Address != "" {
		_ = listener.Listener.Close()
		if listener.Listener, err = net.Listen("tcp", net.JoinHostPort(rules.Address, "0")); err != nil {
			t.Fatal(err)
		}
	}
	listener.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: own}}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	listener.Config.ErrorLog = nil
	listener.StartTLS()
	t.Cleanup(listener.Close)
	s.URL = listener.URL + s.path("")
	return s
}

// path is where an operation lives (RFC 7030, 3.2.2).
func (s *Server) path(operation string) string {
	path := "/.well-known/est"
	if s.rules.Label != "" {
		path += "/" + s.rules.Label
	}
	if operation != "" {
		path += "/" + operation
	}
	return path
}

// Issued are the certificates that the server gave out, oldest first.
func (s *Server) Issued() []*x509.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.issued)
}

// Client issues a certificate to a client out of band, as a plant does with
// those that devices bootstrap with.
func (s *Server) Client(t testing.TB, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := newKey(t)
	subject, err := asn1.Marshal(pkix.Name{CommonName: name}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := s.sign(subject, key.Public(), false)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func authority(t testing.TB, name string, by *x509.Certificate, byKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: serial(t), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().AddDate(1, 0, 0), BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	if by == nil {
		by, byKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), byKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func serial(t testing.TB) *big.Int {
	t.Helper()
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		t.Fatal(err)
	}
	return number
}
