package pki

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"

	"edgewright/provisioning/secret"
)

// refusedKeys are private keys, plain and encrypted.
func refusedKeys(f forge) []refused {
	plain, _ := DeviceKeyPEM(f.leafKey)
	encrypted, _ := EncryptedKeyPEM(f.leafKey, passphrase)
	locked, _ := pem.Decode(encrypted)
	whole, _ := pem.Decode(plain.Reveal())
	parse := func(name string, data []byte, pass secret.Value, want string) refused {
		key, err := ParseKey(data, pass)
		switch {
		case err == nil || key != nil:
			return refused{name, "", want}
		case bytes.Contains([]byte(err.Error()), whole.Bytes[40:60]):
			return refused{name, "the error quotes the key", want}
		}
		return refused{name, err.Error(), want}
	}
	none := secret.Value{}
	old := block("RSA PRIVATE KEY", []byte{1, 2, 3})
	old = bytes.Replace(old, []byte("-----\n"), []byte("-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n\n"), 1)
	return []refused{
		parse("key that is empty", block("PRIVATE KEY", nil), none, "no PKCS #8, PKCS #1 or SEC 1"),
		parse("key cut", block("PRIVATE KEY", whole.Bytes[:len(whole.Bytes)-9]), none, "no PKCS #8, PKCS #1 or SEC 1"),
		parse("key of another curve than its parameters", bytes.Clone(block("PRIVATE KEY", bytes.Replace(whole.Bytes, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, []byte{0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 9}, 1))), none, "no PKCS #8, PKCS #1 or SEC 1"),
		parse("certificate called a key", block("PRIVATE KEY", f.leafCert.Raw), none, "no PKCS #8, PKCS #1 or SEC 1"),
		parse("public key called a private one", block("PRIVATE KEY", f.leafCert.RawSubjectPublicKeyInfo), none, "no PKCS #8, PKCS #1 or SEC 1"),
		parse("certificate where a key is wanted", PEM(f.leafCert), none, "0 private keys"),
		parse("two keys where one is wanted", append(bytes.Clone(plain.Reveal()), plain.Reveal()...), none, "2 private keys"),
		parse("encrypted key without passphrase", encrypted, none, "the key is encrypted"),
		parse("encrypted key with another passphrase", encrypted, secret.FromString("another one"), "does not open the key"),
		parse("encrypted key cut", block("ENCRYPTED PRIVATE KEY", locked.Bytes[:len(locked.Bytes)-16]), passphrase, "PBES2"),
		parse("encrypted key with a byte turned round", block("ENCRYPTED PRIVATE KEY", flip(locked.Bytes, -100)), passphrase, "does not open the key, or the key is damaged"),
		parse("plain key called encrypted", block("ENCRYPTED PRIVATE KEY", whole.Bytes), passphrase, "PBES2"),
		parse("encrypted key of 2^31 rounds", derived(asn1OID{1, 2, 840, 113549, 1, 5, 12}, struct {
			Salt   []byte
			Rounds int
		}{[]byte("salt"), 1<<31 - 1}), passphrase, "impossible number of rounds"),
		parse("encrypted key of no rounds", derived(asn1OID{1, 2, 840, 113549, 1, 5, 12}, struct {
			Salt   []byte
			Rounds int
		}{[]byte("salt"), 0}), passphrase, "impossible number of rounds"),
		parse("encrypted key of 64 GB", derived(asn1OID{1, 3, 6, 1, 4, 1, 11591, 4, 11}, struct {
			Salt    []byte
			N, R, P int
		}{[]byte("salt"), 1 << 26, 8, 1}), passphrase, "impossible amount of memory"),
		parse("encrypted key of an unknown derivation", derived(asn1OID{1, 2, 3}, struct{ Salt []byte }{[]byte("salt")}), passphrase, "key derivation 1.2.3 is unknown"),
		parse("encrypted key of PKCS #5 version 1", block("ENCRYPTED PRIVATE KEY", marshal(struct {
			Algorithm struct {
				OID        asn1OID
				Parameters struct {
					Salt   []byte
					Rounds int
				}
			}
			Data []byte
		}{Data: []byte{1}, Algorithm: struct {
			OID        asn1OID
			Parameters struct {
				Salt   []byte
				Rounds int
			}
		}{OID: asn1OID{1, 2, 840, 113549, 1, 5, 3}}})), passphrase, "older than PBES2"),
		parse("old encrypted key without passphrase", old, none, "the key is encrypted"),
		parse("old encrypted key that is damaged", old, passphrase, "unknown or damaged"),
		parse("old encrypted key of an unknown cipher", bytes.Replace(old, []byte("AES-128-CBC"), []byte("ROT-13"), 1), passphrase, "unknown or damaged"),
	}
}

func marshal(value any) []byte {
	der, err := asn1.Marshal(value)
	if err != nil {
		panic(err)
	}
	return der
}

// derived is an encrypted key (RFC 8018, A.4) with a key derivation.
func derived(oid asn1OID, parameters any) []byte {
	type algorithm struct {
		OID        asn1OID
		Parameters asn1.RawValue
	}
	cipher := algorithm{asn1OID{2, 16, 840, 1, 101, 3, 4, 1, 42}, asn1.RawValue{FullBytes: marshal(make([]byte, 16))}}
	kdf := algorithm{oid, asn1.RawValue{FullBytes: marshal(parameters)}}
	pbes2 := algorithm{asn1OID{1, 2, 840, 113549, 1, 5, 13}, asn1.RawValue{FullBytes: marshal(struct{ KDF, Cipher algorithm }{kdf, cipher})}}
	return block("ENCRYPTED PRIVATE KEY", marshal(struct {
		Algorithm algorithm
		Data      []byte
	}{pbes2, make([]byte, 32)}))
}

// refusedPairs are things that do not belong together, and orders that Issue and
// export refuse.
func refusedPairs(f forge) []refused {
	stranger := key(f.t, P256)
	issue := func(name, want string, by Issuer, change func(*Order)) refused {
		o := Order{Profile: profile(f.t, "device identity"), Subject: pkix.Name{CommonName: "d2"}, Public: stranger.Public()}
		change(&o)
		_, err := Issue(rand.Reader, testNow, by, o)
		if !errors.Is(err, ErrRefused) {
			return refused{name, "", want}
		}
		return refused{name, err.Error(), want}
	}
	export := func(name, want string, key crypto.Signer, chain []*x509.Certificate, pass secret.Value) refused {
		if _, err := PFX(PFXModern, key, chain, pass); err != nil {
			return refused{name, err.Error(), want}
		}
		return refused{name, "", want}
	}
	asked := func(name, want string, o Order, key crypto.Signer) refused {
		if _, err := RequestFor(rand.Reader, o, key); err != nil {
			return refused{name, err.Error(), want}
		}
		return refused{name, "", want}
	}
	identity := profile(f.t, "device identity")
	return []refused{
		{"key of another certificate", problems(CheckPair(f.leafCert, stranger.Public())), "not that of line-7-0042"},
		{"key of the CA", problems(CheckPair(f.leafCert, f.intermediate.Signer.Public())), "not that of line-7-0042"},
		{"key of another kind", problems(CheckPair(f.leafCert, keyOf(f.t, RSA2048).Public())), "not that of line-7-0042"},
		{"no key", problems(CheckPair(f.leafCert, nil)), "not that of line-7-0042"},
		export("export with another key", "key", stranger, []*x509.Certificate{f.leafCert}, passphrase),
		export("export of a chain upside down", "key", f.leafKey, []*x509.Certificate{f.intermediate.Certificate, f.leafCert}, passphrase),
		export("export without passphrase", "passphrase", f.leafKey, []*x509.Certificate{f.leafCert}, secret.Value{}),
		export("export under a short passphrase", "passphrase", f.leafKey, []*x509.Certificate{f.leafCert}, secret.FromString("1234567")),
		issue("order signed by a leaf", "is no CA", Issuer{Certificate: f.leafCert, Signer: f.leafKey}, func(*Order) {}),
		issue("order with the key of another CA", "key is not that of", Issuer{Certificate: f.intermediate.Certificate, Signer: f.other.intermediate.Signer}, func(*Order) {}),
		issue("order by a CA that ended", "holds from", f.ca("Gone", func(c *x509.Certificate) { c.NotAfter = testNow }), func(*Order) {}),
		issue("order by a CA that may not sign", "keyCertSign is missing", f.ca("Mute too", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign }), func(*Order) {}),
		issue("order for a weak key", "rsa1024", f.intermediate, func(o *Order) { o.Public = oldKeys(f.t)["rsa1024"].Public() }),
		issue("order for a name of 65 letters", "1 to 64 characters", f.intermediate, func(o *Order) {
			o.Subject.CommonName = "x2345678901234567890123456789012345678901234567890123456789012345"
		}),
		issue("order for a name with an underscore", "no DNS name", f.intermediate, func(o *Order) { o.Names = []string{"line_7"} }),
		asked("request on P-384 for a device", "reads no EC P-384", Order{Profile: identity, Subject: pkix.Name{CommonName: "d"}}, f.intermediate.Signer),
		asked("request without a name", "common name", Order{Profile: identity}, f.leafKey),
		asked("request by a profile that breaks a rule", "profile", Order{Profile: Profile{Name: "x"}, Subject: pkix.Name{CommonName: "d"}}, f.leafKey),
	}
}
