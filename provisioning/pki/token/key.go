package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"io"

	"edgewright/provisioning/pki"
)

// Key is a private key in a token. It is a crypto.Signer for digests of SHA-256,
// SHA-384 and SHA-512; RSA keys sign with PKCS #1 v1.5 and PSS.
type Key struct {
	session *Session
	number  uint
	public  crypto.PublicKey
	address URI
}

// Key finds the key that an address names in the token. ErrNotFound and
// ErrAmbiguous are its own errors.
func (s *Session) Key(ctx context.Context, address URI) (*Key, error) {
	if !address.NamesKey() {
		return nil, fail(ErrURI, "the address names no key; add object= or id=")
	}
	found, err := s.call(ctx, request{Verb: verbFind, Address: address.String()}, s.options.CallTime)
	if err != nil {
		return nil, err
	}
	return s.key(found)
}

// MakeKey makes a key that never leaves the token and shows that it signs. The
// label is not yet that of another private key there, else it is an ErrExists.
func (s *Session) MakeKey(ctx context.Context, algorithm pki.Algorithm, label string) (*Key, error) {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	made, err := s.call(ctx, request{Verb: verbGenerate, Algorithm: string(algorithm), Label: label, ID: id}, s.options.MakeTime)
	if err != nil {
		return nil, err
	}
	key, err := s.key(made)
	if err != nil {
		return nil, err
	}
	if got := pki.AlgorithmOf(key.public); got != algorithm {
		return nil, fail(ErrLied, "the module made a key of the kind %s, not %s", got, algorithm)
	}
	digest := sha256.Sum256(id)
	_, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return key, err
}

func (s *Session) key(found reply) (*Key, error) {
	public, err := x509.ParsePKIXPublicKey(found.Public)
	if err != nil {
		return nil, fail(ErrLied, "the module gives a public key that does not read")
	}
	// The serial number tells tokens of one label apart, the ID keys of one.
	address := s.options.Address.WithKey(found.Label, found.ID)
	if address.path[attrToken] = s.info.Label; s.info.Serial != "" {
		address.path[attrSerial] = s.info.Serial
	}
	if _, err := ParseURI(address.String()); err != nil {
		return nil, fail(ErrUnsupported, "the key has a name or an ID that no address holds")
	}
	return &Key{session: s, number: found.Key, public: public, address: address}, nil
}

// Public is an *ecdsa.PublicKey or *rsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Address names the key and nothing else.
func (k *Key) Address() URI { return k.address }

// Sign has a digest signed. The signature is checked here, so that a module that
// answers falsely is found before anything is done with it. The random source is
// the token's own.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	hash := opts.HashFunc()
	if hash == 0 || len(digest) != hash.Size() {
		return nil, fail(ErrUnsupported, "only digests are signed; choose SHA-256, SHA-384 or SHA-512")
	}
	q := request{Verb: verbSign, Key: k.number, Hash: hash.String(), Digest: digest}
	pss, isPSS := opts.(*rsa.PSSOptions)
	if key, isRSA := k.public.(*rsa.PublicKey); isRSA && isPSS {
		q.PSS, q.Salt = true, pss.SaltLength
		switch pss.SaltLength {
		case rsa.PSSSaltLengthEqualsHash:
			q.Salt = hash.Size()
		case rsa.PSSSaltLengthAuto: // the longest (RFC 8017, 9.1.1)
			q.Salt = (key.N.BitLen()-1+7)/8 - 2 - hash.Size()
		}
	}
	// A signer has no context; the session's time for a call bounds it.
	signed, err := k.session.call(context.Background(), q, k.session.options.CallTime)
	if err != nil {
		return nil, err
	}
	if err := k.check(digest, hash, q, signed.Signature); err != nil {
		return nil, fail(ErrLied, "the module gave a signature that does not fit the key; nothing was done with it")
	}
	return signed.Signature, nil
}

func (k *Key) check(digest []byte, hash crypto.Hash, q request, signature []byte) error {
	switch key := k.public.(type) {
	case *ecdsa.PublicKey:
		if ecdsa.VerifyASN1(key, digest, signature) {
			return nil
		}
		return errors.New("wrong signature")
	case *rsa.PublicKey:
		if q.PSS {
			return rsa.VerifyPSS(key, hash, digest, signature, &rsa.PSSOptions{SaltLength: q.Salt})
		}
		return rsa.VerifyPKCS1v15(key, hash, digest, signature)
	}
	return errors.New("unknown kind of key")
}
