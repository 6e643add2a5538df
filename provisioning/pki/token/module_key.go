//go:build cgo

package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"

	"github.com/miekg/pkcs11"

	"edgewright/provisioning/pki"
)

// heldKey is a private key of the session.
type heldKey struct {
	handle pkcs11.ObjectHandle
	public crypto.PublicKey
	// always tells that each signature wants the PIN again
	// (CKA_ALWAYS_AUTHENTICATE).
	always bool
}

// maxObjects is how many objects of one label or ID are looked at.
const maxObjects = 100

func (m *module) objects(template ...*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := m.ctx.FindObjectsInit(m.session, template); err != nil {
		return nil, refused("look for objects", err)
	}
	found, _, err := m.ctx.FindObjects(m.session, maxObjects)
	if ended := m.ctx.FindObjectsFinal(m.session); err == nil {
		err = ended
	}
	return found, refused("look for objects", err)
}

// value reads one attribute; nil if the object has none or hides it.
func (m *module) value(object pkcs11.ObjectHandle, attribute uint) []byte {
	found, err := m.ctx.GetAttributeValue(m.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(attribute, nil)})
	if err != nil || len(found) != 1 {
		return nil
	}
	return found[0].Value
}

// find looks for the one private key that fits the address.
func (m *module) find(q request) (reply, error) {
	address, err := ParseURI(q.Address)
	if err != nil {
		return reply{}, err
	}
	if !m.opened {
		return reply{}, fail(ErrRefused, "no token is open")
	}
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)}
	if label := address.Object(); label != "" {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_LABEL, label))
	}
	if id := address.ID(); id != nil {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, id))
	}
	found, err := m.objects(template...)
	switch {
	case err != nil:
		return reply{}, err
	case len(found) == 0:
		return reply{}, fail(ErrNotFound, "the token has no private key of that name")
	case len(found) > 1:
		return reply{}, fail(ErrAmbiguous, "the token has several private keys of that name; add id= to the address")
	}
	return m.hold(found[0])
}

// hold keeps a private key for signing and describes it.
func (m *module) hold(private pkcs11.ObjectHandle) (reply, error) {
	id := m.value(private, pkcs11.CKA_ID)
	public, err := m.public(private, id)
	if err != nil {
		return reply{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return reply{}, fail(ErrUnsupported, "the key is of a kind that no certificate has")
	}
	always := m.value(private, pkcs11.CKA_ALWAYS_AUTHENTICATE)
	m.keys = append(m.keys, heldKey{handle: private, public: public, always: len(always) > 0 && always[0] != 0})
	return reply{Key: uint(len(m.keys)), Label: tidy(string(m.value(private, pkcs11.CKA_LABEL))), ID: id, Public: der}, nil
}

// public finds the public part of a key: in a public key object or certificate
// of the same ID, or beside the private numbers.
func (m *module) public(private pkcs11.ObjectHandle, id []byte) (crypto.PublicKey, error) {
	candidates := []pkcs11.ObjectHandle{private}
	if len(id) > 0 {
		objects, err := m.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), pkcs11.NewAttribute(pkcs11.CKA_ID, id))
		if err != nil {
			return nil, err
		}
		candidates = append(objects, private)
	}
	for _, object := range candidates {
		if key := m.publicOf(object); key != nil {
			return key, nil
		}
	}
	if len(id) > 0 {
		certificates, err := m.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_ID, id))
		if err != nil {
			return nil, err
		}
		for _, object := range certificates {
			if cert, err := x509.ParseCertificate(m.value(object, pkcs11.CKA_VALUE)); err == nil {
				return cert.PublicKey, nil
			}
		}
	}
	return nil, fail(ErrUnsupported, "the token does not show the public part of the key, or it is neither RSA nor an elliptic curve of NIST")
}

func (m *module) publicOf(object pkcs11.ObjectHandle) crypto.PublicKey {
	if modulus := m.value(object, pkcs11.CKA_MODULUS); len(modulus) > 0 {
		exponent := new(big.Int).SetBytes(m.value(object, pkcs11.CKA_PUBLIC_EXPONENT))
		if !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 {
			return nil
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(exponent.Int64())}
	}
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(m.value(object, pkcs11.CKA_EC_PARAMS), &oid); err != nil {
		return nil
	}
	for _, curve := range curves {
		if !oid.Equal(curve.oid) {
			continue
		}
		point := m.value(object, pkcs11.CKA_EC_POINT)
		var inner []byte // the standard wraps it in an OCTET STRING; some modules do not
		if rest, err := asn1.Unmarshal(point, &inner); err == nil && len(rest) == 0 {
			point = inner
		}
		if key, err := ecdsa.ParseUncompressedPublicKey(curve.curve, point); err == nil {
			return key
		}
	}
	return nil
}

// curves are those of the keys that are found or made (RFC 5480, 2.1.1.1).
var curves = map[pki.Algorithm]struct {
	curve elliptic.Curve
	oid   asn1.ObjectIdentifier
}{
	pki.P256: {elliptic.P256(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
	pki.P384: {elliptic.P384(), asn1.ObjectIdentifier{1, 3, 132, 0, 34}},
}

// moduli are the lengths of RSA keys that are made, in bits.
var moduli = map[pki.Algorithm]int{pki.RSA2048: 2048, pki.RSA3072: 3072, pki.RSA4096: 4096}

// generate makes a key pair that stays in the token, cannot be taken out and
// does nothing but sign.
func (m *module) generate(q request) (reply, error) {
	if !m.opened {
		return reply{}, fail(ErrRefused, "no token is open")
	}
	taken, err := m.objects(pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY), pkcs11.NewAttribute(pkcs11.CKA_LABEL, q.Label))
	if err != nil {
		return reply{}, err
	}
	if len(taken) > 0 {
		return reply{}, fail(ErrExists, "the token has a private key named %q already", q.Label)
	}
	public := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, q.Label), pkcs11.NewAttribute(pkcs11.CKA_ID, q.ID),
	}
	private := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false), pkcs11.NewAttribute(pkcs11.CKA_SIGN, true),
		pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, false), pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, q.Label), pkcs11.NewAttribute(pkcs11.CKA_ID, q.ID),
	}
	mechanism := uint(pkcs11.CKM_EC_KEY_PAIR_GEN)
	if curve, ok := curves[pki.Algorithm(q.Algorithm)]; ok {
		oid, err := asn1.Marshal(curve.oid)
		if err != nil {
			return reply{}, err
		}
		public = append(public, pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC), pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, oid))
		private = append(private, pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC))
	} else if bits, ok := moduli[pki.Algorithm(q.Algorithm)]; ok {
		mechanism = pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN
		public = append(public, pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_RSA), pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, bits),
			pkcs11.NewAttribute(pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}))
		private = append(private, pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_RSA))
	} else {
		return reply{}, fail(ErrUnsupported, "keys of the kind %q are not made in a token", q.Algorithm)
	}
	_, made, err := m.ctx.GenerateKeyPair(m.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, public, private)
	if err != nil {
		return reply{}, refused("make the key", err)
	}
	return m.hold(made)
}
