package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// pair names a certificate and its key by file URIs.
type pair struct {
	Cert string `toml:"cert"`
	PK   string `toml:"pk"`
}

// superOf is where a daemon reads its configuration, as its own user only.
func superOf(daemon string) string { return "/etc/aziot/" + daemon + "/config.d/00-super.toml" }

// byCertificate tells whether the device shows a certificate.
func (c config) byCertificate() bool { return c.identity() != pair{} }

func (c config) identity() pair {
	cert, key := c.ownIdentity()
	if cert.issued != nil {
		return made(identity)
	}
	return pair{cert.uri, key}
}

// named gives the pair of a word.
func (c config) named(word string) pair {
	switch word {
	case edge:
		if c.issuedAs(edge) != nil {
			return made(edge)
		}
		return c.EdgeCA.pair
	case estID:
		return made(estID)
	case bootstrap:
		return pair{c.CertIssuance.EST.Auth.BootstrapCert, c.CertIssuance.EST.Auth.BootstrapPK}
	case localCA:
		return c.CertIssuance.LocalCA
	}
	return c.identity()
}

// readOwn reads a file that has to belong to the user who reads it, with
// exactly this mode.
func readOwn(uri string, mode os.FileMode) ([]byte, error) {
	path, ok := strings.CutPrefix(uri, "file://")
	if !ok {
		return nil, fmt.Errorf("%q is not a file URI", uri)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return text, owned(path, account{uint32(os.Geteuid()), uint32(os.Getegid())}, mode)
}

// certdChain runs as aziotcs: it prints the chain of a pair, which is leaf
// first, each signed by the next, and in time. What an EST server sent is in the
// order in which it came.
func certdChain() error {
	word, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var c config
	if _, err := toml.DecodeFile(superOf("certd"), &c); err != nil {
		return err
	}
	text, err := readOwn(c.named(string(word)).Cert, 0o644)
	if err != nil {
		return err
	}
	chain, err := parseChain(text)
	if err != nil {
		return err
	}
	if strings.HasPrefix(c.named(string(word)).Cert, "file://"+madeCerts) {
		chain = chain[:1]
	}
	for i, cert := range chain {
		if now := time.Now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			return fmt.Errorf("certificate %s is not in time", cert.Subject)
		}
		if i+1 < len(chain) {
			if err := cert.CheckSignatureFrom(chain[i+1]); err != nil {
				return fmt.Errorf("certificate %s: not signed by the next one: %w", cert.Subject, err)
			}
		}
	}
	if isCA := string(word) == edge || string(word) == localCA; chain[0].IsCA != isCA {
		return fmt.Errorf("certificate %s: CA %t, want %t", chain[0].Subject, chain[0].IsCA, isCA)
	}
	_, err = os.Stdout.Write(text)
	return err
}

func parseChain(text []byte) (chain []*x509.Certificate, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, errors.New("no certificate in it")
	}
	return chain, nil
}

// keyRequest is what the identity daemon asks of the key daemon.
type keyRequest struct {
	Pair   string
	Digest []byte // none asks for the public key
	Hash   crypto.Hash
	PSS    bool
	// Make asks for a key of the daemon's own, Fresh for another than there is.
	Make, Fresh bool
}

// keyMark tells key requests from texts for HMAC.
const keyMark = "\x00key "

// keydKey runs as aziotks: it uses a private key, which never leaves it.
func keydKey() error {
	var request keyRequest
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return err
	}
	var c config
	if _, err := toml.DecodeFile(superOf("keyd"), &c); err != nil {
		return err
	}
	if request.Make {
		if err := makeKey(request.Pair, request.Fresh); err != nil {
			return err
		}
	}
	text, err := readOwn(c.named(request.Pair).PK, 0o600)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return errors.New("the key is no plain PKCS #8")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return err
	}
	key := parsed.(crypto.Signer)
	answer, err := x509.MarshalPKIXPublicKey(key.Public())
	if request.Digest != nil {
		var opts crypto.SignerOpts = request.Hash
		if request.PSS {
			opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: request.Hash}
		}
		answer, err = key.Sign(rand.Reader, request.Digest, opts)
	}
	if err == nil {
		_, err = os.Stdout.Write(answer)
	}
	return err
}

// keyInKeyd is a private key of the key daemon.
type keyInKeyd struct {
	pair   string
	public crypto.PublicKey
}

func (k keyInKeyd) Public() crypto.PublicKey { return k.public }

func (k keyInKeyd) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	_, pss := opts.(*rsa.PSSOptions)
	return askKey(keyRequest{Pair: k.pair, Digest: digest, Hash: opts.HashFunc(), PSS: pss})
}

func askKey(request keyRequest) ([]byte, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	answer, err := sign(keyMark + string(text))
	return []byte(answer), err
}

// askChain asks the certificate daemon; only root starts daemons here, so it is
// asked over the same socket.
func askChain(word string) ([]byte, error) {
	answer, err := sign(chainMark + word)
	return []byte(answer), err
}

const chainMark = "\x00chain "

// certificate is a pair as TLS shows it; its halves have to fit.
func certificate(word string) (*tls.Certificate, error) {
	text, err := askChain(word)
	if err != nil {
		return nil, err
	}
	chain, err := parseChain(text)
	if err != nil {
		return nil, err
	}
	der, err := askKey(keyRequest{Pair: word})
	if err != nil {
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	if held, err := x509.MarshalPKIXPublicKey(chain[0].PublicKey); err != nil || !bytes.Equal(held, der) {
		return nil, errors.New("could not load certificate: key values mismatch")
	}
	shown := &tls.Certificate{PrivateKey: keyInKeyd{word, public}}
	for _, cert := range chain {
		shown.Certificate = append(shown.Certificate, cert.Raw)
	}
	return shown, nil
}

// prepareIdentity is what the identity daemon does before it shows a
// certificate: a pair that it cannot use it replaces, the key's file included.
func prepareIdentity() error {
	var c config
	if _, err := toml.DecodeFile(superPath, &c); err != nil || !c.byCertificate() {
		return err
	}
	if err := obtain(c, identity); err != nil || c.issuedAs(identity) != nil {
		return err
	}
	if _, err := certificate(identity); err != nil {
		path := strings.TrimPrefix(c.identity().PK, "file://")
		return errors.Join(err, os.WriteFile(path, []byte("a new key, for which there is no certificate\n"), 0o600))
	}
	return nil
}

// prepareEdgeCA is what edged does: an Edge CA whose key is malformed it
// overwrites; a good one stays.
func prepareEdgeCA() error {
	var c config
	if _, err := toml.DecodeFile(superPath, &c); err != nil || c.named(edge) == (pair{}) {
		return err
	}
	if err := obtain(c, edge); err != nil || c.issuedAs(edge) != nil {
		return err
	}
	if _, err := certificate(edge); err != nil {
		path := strings.TrimPrefix(c.EdgeCA.PK, "file://")
		return errors.Join(fmt.Errorf("edge CA: %w", err), os.WriteFile(path, []byte("a new key of the runtime\n"), 0o600))
	}
	return nil
}

// serve answers one request of the identity daemon as the user whose it is.
func serve(conn net.Conn) {
	message, _ := io.ReadAll(conn)
	user, part, input := "aziotks", "keyd-sign", message
	if rest, ok := bytes.CutPrefix(message, []byte(keyMark)); ok {
		part, input = "keyd-key", rest
	} else if rest, ok := bytes.CutPrefix(message, []byte(chainMark)); ok {
		user, part, input = "aziotcs", "certd-chain", rest
	} else if rest, ok := bytes.CutPrefix(message, []byte(createMark)); ok {
		user, part, input = "aziotcs", "certd-create", rest
	} else if rest, ok := bytes.CutPrefix(message, []byte(tpmMark)); ok {
		word, after, _ := bytes.Cut(rest, []byte(" "))
		user, part, input = "aziottpm", string(word), after
	}
	answer, err := as(user, part, input)
	switch {
	case err != nil && part == "certd-chain" && strings.Contains(err.Error(), "no such file"):
		// "not found" is an answer, no error of the daemon.
	case err != nil:
		logged(daemonOf[user], err)
	default:
		_, _ = conn.Write(answer)
	}
	_ = conn.Close()
}
