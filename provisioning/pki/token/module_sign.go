//go:build cgo

package token

import (
	"crypto/ecdsa"
	"encoding/asn1"
	"math/big"

	"github.com/miekg/pkcs11"
)

// hashForm is what signatures of a hash need: the beginning of the DigestInfo of
// RFC 8017, 9.2, note 1, and the mechanisms of PSS.
type hashForm struct {
	prefix    []byte
	mechanism uint
	mask      uint
}

var hashForms = map[string]hashForm{
	"SHA-256": {[]byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256},
	"SHA-384": {[]byte{0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30}, pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384},
	"SHA-512": {[]byte{0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40}, pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512},
}

// sign signs a digest with a key that was found or made before. Nothing but
// digests is signed: the hash is made where the data are.
func (m *module) sign(q request) ([]byte, error) {
	if q.Key == 0 || q.Key > uint(len(m.keys)) {
		return nil, fail(ErrRefused, "no such key was found before")
	}
	key := m.keys[q.Key-1]
	form, known := hashForms[q.Hash]
	if !known {
		return nil, fail(ErrUnsupported, "the hash %q is not used; use SHA-256, SHA-384 or SHA-512", q.Hash)
	}
	curve, elliptic := key.public.(*ecdsa.PublicKey)
	mechanism, input := pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), q.Digest
	switch {
	case elliptic:
	case q.PSS:
		mechanism = pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, pkcs11.NewPSSParams(form.mechanism, form.mask, uint(q.Salt)))
	default:
		mechanism = pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil)
		input = append(append([]byte{}, form.prefix...), q.Digest...)
	}
	if err := m.ctx.SignInit(m.session, []*pkcs11.Mechanism{mechanism}, key.handle); err != nil {
		return nil, refused("sign", err)
	}
	if key.always {
		if err := m.ctx.Login(m.session, pkcs11.CKU_CONTEXT_SPECIFIC, m.pin.RevealString()); err != nil {
			return nil, refused("log in for the signature", err)
		}
	}
	signature, err := m.ctx.Sign(m.session, input)
	if err != nil {
		return nil, refused("sign", err)
	}
	if !elliptic {
		return signature, nil
	}
	// r and s side by side, each as long as the order (2.3.1 of the mechanisms).
	size := (curve.Params().N.BitLen() + 7) / 8
	if len(signature) != 2*size {
		return nil, fail(ErrRefused, "sign: the signature has %d bytes, not %d", len(signature), 2*size)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])})
}
