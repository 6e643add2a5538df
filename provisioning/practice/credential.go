package practice

import (
	"crypto/x509"
	"net/http"
	"time"

	"edgewright/provisioning/wire"
)

// credential is what a caller proves itself with: a SAS token, a chain of
// certificates, both or nothing. Nothing of it is checked yet but the form and
// the expiry of the token.
type credential struct {
	token  wire.Token
	given  bool                // a token, or a text in its place
	signed bool                // token is one, and has not expired
	chain  []*x509.Certificate // as presented in the TLS handshake, leaf first
}

// newCredential reads a SAS token, which may be empty or nonsense, and takes
// the chain as it is.
func newCredential(sas string, chain []*x509.Certificate, now time.Time) credential {
	token, err := wire.ParseToken(sas)
	return credential{token: token, given: sas != "", signed: err == nil && token.Expiry.After(now), chain: chain}
}

// credentialOf gives what a request shows: the header Authorization and the
// client certificates.
func credentialOf(r *http.Request, now time.Time) credential {
	var chain []*x509.Certificate
	if r.TLS != nil {
		chain = r.TLS.PeerCertificates
	}
	return newCredential(r.Header.Get("Authorization"), chain, now)
}

// signedBy tells whether either key of a pair signed the token.
func (c credential) signedBy(keys *wire.SymmetricKey) bool {
	if !c.signed || keys == nil {
		return false
	}
	primary, secondary := c.token.SignedBy(keys.PrimaryKey.Secret()), c.token.SignedBy(keys.SecondaryKey.Secret())
	return primary || secondary
}

// ownToken tells a token that no policy signed.
func (c credential) ownToken() bool { return c.signed && c.token.Policy == "" }
