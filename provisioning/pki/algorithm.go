package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"math/big"
)

// Algorithm is a kind of key, by the word that plans and commands use.
type Algorithm string

// The algorithms that keys are made with. P384 is for keys that never live on a
// device: the runtime's key service knows no other curve than P-256.
const (
	P256    Algorithm = "p256"
	P384    Algorithm = "p384"
	RSA2048 Algorithm = "rsa2048"
	RSA3072 Algorithm = "rsa3072"
	RSA4096 Algorithm = "rsa4096"
)

// minRSABits is the shortest RSA modulus that TLS stacks of today accept.
const minRSABits = 2048

var curves = map[Algorithm]elliptic.Curve{P256: elliptic.P256(), P384: elliptic.P384()}

var moduli = map[Algorithm]int{RSA2048: 2048, RSA3072: 3072, RSA4096: 4096}

// Valid tells whether keys can be made with a.
func (a Algorithm) Valid() bool { return curves[a] != nil || moduli[a] != 0 }

// OnDevice tells whether the runtime reads keys of a.
func (a Algorithm) OnDevice() bool { return a == P256 || moduli[a] != 0 }

// String is the name for people, such as "EC P-256".
func (a Algorithm) String() string {
	if curve := curves[a]; curve != nil {
		return "EC " + curve.Params().Name
	}
	if bits := moduli[a]; bits != 0 {
		return fmt.Sprintf("RSA %d", bits)
	}
	return string(a)
}

// GenerateKey makes a key of the algorithm from random, crypto/rand.Reader
// outside of tests.
func GenerateKey(random io.Reader, a Algorithm) (crypto.Signer, error) {
	if curve := curves[a]; curve != nil {
		return ecdsa.GenerateKey(curve, random)
	}
	if bits := moduli[a]; bits != 0 {
		return rsa.GenerateKey(random, bits)
	}
	return nil, fmt.Errorf("key algorithm %q is unknown; use p256, p384, rsa2048, rsa3072 or rsa4096", a)
}

// Algorithms are those that keys are made with.
var Algorithms = []Algorithm{P256, P384, RSA2048, RSA3072, RSA4096}

// standIn is a public key of the algorithm that nobody has the private key of,
// for previews; nil for an algorithm that is unknown.
func standIn(a Algorithm) crypto.PublicKey {
	if curve := curves[a]; curve != nil {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return nil
		}
		return &key.PublicKey // the rest of it is thrown away
	}
	if bits := moduli[a]; bits != 0 {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		return &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
	}
	return nil
}

// zeros is the randomness of previews.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// AlgorithmOf names the algorithm of a public key. Keys that are not made here
// get a word that is not Valid, such as rsa1024, p521 or ed25519.
func AlgorithmOf(public crypto.PublicKey) Algorithm {
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return Algorithm(fmt.Sprintf("p%d", key.Curve.Params().BitSize))
	case *rsa.PublicKey:
		return Algorithm(fmt.Sprintf("rsa%d", key.N.BitLen()))
	case ed25519.PublicKey:
		return "ed25519"
	}
	return "unknown"
}

// SamePublicKey compares two public keys; nil is like no other.
func SamePublicKey(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && b != nil && key.Equal(b)
}
