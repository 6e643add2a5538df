package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// createRequest is what a client asks of the certificate daemon: a certificate
// for a PKCS #10, DER.
type createRequest struct {
	Word string
	CSR  []byte
}

const createMark = "\x00create "

// obtain has the pair of a word issued, unless the daemons have one: whatever is
// there is used, for whatever name and by whatever issuer it is.
func obtain(c config, word string) error {
	if c.issuedAs(word) == nil {
		return nil
	}
	if _, err := askChain(word); err == nil {
		return nil
	}
	csr, err := newRequest(word, c.subject(word), word == identity)
	if err != nil {
		return err
	}
	text, err := json.Marshal(createRequest{word, csr})
	if err != nil {
		return err
	}
	if answer, err := sign(createMark + string(text)); err != nil || answer == "" {
		return errors.Join(fmt.Errorf("could not create certificate %q", ids[word]), err)
	}
	return nil
}

// newRequest asks the key daemon for a key, a new one where fresh, and makes a
// request with it.
func newRequest(word, subject string, fresh bool) ([]byte, error) {
	der, err := askKey(keyRequest{Pair: word, Make: true, Fresh: fresh})
	if err != nil {
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: subject}, ExtraExtensions: []pkix.Extension{clientAuth}}
	if word == edge {
		template.ExtraExtensions = []pkix.Extension{certSign, leafCA}
	}
	return x509.CreateCertificateRequest(rand.Reader, template, keyInKeyd{word, public})
}

// The extensions of requests (RFC 5280, 4.2.1.3, 4.2.1.9 and 4.2.1.12):
// digitalSignature and keyCertSign, a CA of path length 0, clientAuth.
var (
	certSign   = pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 2, 0x84}}
	leafCA     = pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 6, 1, 1, 0xff, 2, 1, 0}}
	clientAuth = pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Value: []byte{0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2}}
)

// certdCreate runs as aziotcs: it has a request signed as its own configuration
// says, and keeps the certificate.
func certdCreate() error {
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var request createRequest
	if err := json.Unmarshal(input, &request); err != nil {
		return err
	}
	var c config
	if _, err := toml.DecodeFile(superOf("certd"), &c); err != nil {
		return err
	}
	csr, err := x509.ParseCertificateRequest(request.CSR)
	if err != nil {
		return err
	}
	if err := csr.CheckSignature(); err != nil {
		return fmt.Errorf("CSR failed to be verified with its public key: %w", err)
	}
	how := c.issuedAs(request.Word)
	if how == nil {
		return errors.New("issuer is required for locally-issued certs")
	}
	var chain []byte
	switch how.Method {
	case "local_ca":
		chain, err = signByLocalCA(c, csr, how)
	case "est":
		chain, err = enrolAs(c, request.Word, how, csr)
	default:
		err = fmt.Errorf("this stand-in does not issue by %s", how.Method)
	}
	if err == nil {
		err = keepCertificate(request.Word, chain)
	}
	if err == nil {
		fmt.Print("created")
	}
	return err
}

func keepCertificate(word string, chain []byte) error {
	path := strings.TrimPrefix(made(word).Cert, "file://")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, chain, 0o644)
}

// signByLocalCA signs with the CA of the device, whose key the key daemon uses:
// the extensions are those of the request, and nothing outlives the issuer.
func signByLocalCA(c config, csr *x509.CertificateRequest, how *issued) ([]byte, error) {
	if c.CertIssuance.LocalCA == (pair{}) {
		return nil, errors.New("cert is configured to be issued by local CA, but local CA is not configured")
	}
	ca, err := certificate(localCA)
	if err != nil {
		return nil, fmt.Errorf("local CA: %w", err)
	}
	parent, err := x509.ParseCertificate(ca.Certificate[0])
	if err != nil {
		return nil, err
	}
	days := 30
	if how.ExpiryDays != nil {
		days = *how.ExpiryDays
	}
	end := time.Now().AddDate(0, 0, days)
	if end.After(parent.NotAfter) {
		end = parent.NotAfter
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), RawSubject: csr.RawSubject, NotBefore: time.Now(), NotAfter: end, ExtraExtensions: csr.Extensions}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, csr.PublicKey, ca.PrivateKey)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, cert := range append([][]byte{der}, ca.Certificate...) {
		if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: cert}); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// makeKey runs as aziotks: it makes a key of its own, RSA of 2048 bits, or on
// P-256 for the EST identity.
func makeKey(word string, fresh bool) error {
	path := strings.TrimPrefix(made(word).PK, "file://")
	if _, err := os.Stat(path); err == nil && !fresh {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var key crypto.Signer
	key, err := newKey(word)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}
