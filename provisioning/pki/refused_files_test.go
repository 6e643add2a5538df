package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"edgewright/provisioning/secret"
)

type asn1OID = asn1.ObjectIdentifier

// told is what Read says about data, "" if it takes them.
func told(data []byte, passphrase secret.Value) string {
	_, err := Read(data, passphrase)
	switch {
	case err == nil:
		return ""
	case !errors.Is(err, ErrUnreadable) && !errors.Is(err, ErrPassphrase):
		return "an error of no kind: " + err.Error()
	}
	return err.Error()
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// flip turns one byte round; a negative place counts from the end.
func flip(data []byte, at int) []byte {
	out := bytes.Clone(data)
	if at < 0 {
		at += len(out)
	}
	out[at] ^= 0xff
	return out
}

// refusedPEM are texts.
func refusedPEM(f forge) []refused {
	cert := PEM(f.leafCert)
	request, _ := NewRequest(rand.Reader, pkix.Name{CommonName: "d"}, f.leafKey)
	read := func(name string, data []byte, want string) refused {
		return refused{name, told(data, passphrase), want}
	}
	begin, end := []byte("-----BEGIN CERTIFICATE-----"), []byte("-----END CERTIFICATE-----")
	return []refused{
		read("an empty file", nil, "empty"),
		read("blanks", []byte(" \n\t\r\n"), "empty"),
		read("a byte order mark alone", []byte("\xef\xbb\xbf"), "empty"),
		read("prose", []byte("Please find the certificate attached."), "neither PEM nor DER"),
		read("HTML of a login page", []byte("<html><title>Sign in</title>"), "neither PEM nor DER"),
		read("JSON", []byte(`{"certificate":"MII"}`), "neither PEM nor DER"),
		read("base64 without its lines", bytes.Trim(bytes.ReplaceAll(bytes.ReplaceAll(cert, begin, nil), end, nil), "\n"), "neither PEM nor DER"),
		read("UTF-16", []byte("-\x00-\x00-\x00-\x00-\x00B\x00"), "neither PEM nor DER"),
		read("zeros", make([]byte, 64), "neither PEM nor DER"),
		read("a file of 4 MB and a byte", make([]byte, MaxFile+1), "more than 4194304 bytes"),
		read("PEM cut in the middle", cert[:len(cert)/2], "cut off"),
		read("PEM without its last line", cert[:bytes.Index(cert, end)], "cut off"),
		read("PEM without its first line", cert[len(begin):], "neither PEM nor DER"),
		read("second certificate cut", append(bytes.Clone(cert), cert[:200]...), "cut off"),
		read("BEGIN and END of two kinds", bytes.Replace(cert, end, []byte("-----END PRIVATE KEY-----"), 1), "cut off"),
		read("a character that is no base64", bytes.Replace(cert, []byte("MII"), []byte("M*I"), 1), "damaged"),
		read("a line of the base64 lost", lines(cert, 3), "damaged"),
		read("lines of the base64 swapped", lines(cert, -3), "damaged"),
		read("PEM of nothing", block("CERTIFICATE", nil), "damaged or breaks RFC 5280"),
		read("PEM of text", block("CERTIFICATE", []byte("certificate")), "damaged or breaks RFC 5280"),
		read("certificate cut inside PEM", block("CERTIFICATE", f.leafCert.Raw[:200]), "damaged or breaks RFC 5280"),
		read("a byte behind the certificate", block("CERTIFICATE", append(bytes.Clone(f.leafCert.Raw), 0)), "trailing data"),
		read("certificate inside a certificate", block("CERTIFICATE", PEM(f.leafCert)), "damaged or breaks RFC 5280"),
		read("key called a certificate", block("CERTIFICATE", []byte{0x30, 3, 2, 1, 0}), "damaged or breaks RFC 5280"),
		read("request called a certificate", block("CERTIFICATE", request), "damaged or breaks RFC 5280"),
		read("certificate called a request", block("CERTIFICATE REQUEST", f.leafCert.Raw), "no PKCS #10 request"),
		read("certificate called a revocation list", block("X509 CRL", f.leafCert.Raw), "revocation list is damaged"),
		read("certificate called PKCS #7", block("PKCS7", f.leafCert.Raw), "no certificates in the PKCS #7"),
		read("request with another signature", block("CERTIFICATE REQUEST", flip(request, -3)), "signature does not fit"),
		read("only parameters of a curve", block("EC PARAMETERS", []byte{6, 8, 42})[:20], "cut off"),
		read("the second block is damaged", append(bytes.Clone(cert), block("CERTIFICATE", []byte{1})...), "PEM block 2"),
		read("a hostile label", []byte("-----BEGIN \x1b[31mX-----\nAAAA\n-----END \x1b[31mX-----\n-----BEGIN Y"), "cut off"),
	}
}

// lines takes line n out of a text, or swaps line -n with the next.
func lines(text []byte, n int) []byte {
	all := strings.Split(string(text), "\n")
	if n < 0 {
		all[-n], all[1-n] = all[1-n], all[-n]
	} else {
		all = append(all[:n], all[n+1:]...)
	}
	return []byte(strings.Join(all, "\n"))
}

// refusedDER are structures without a text around them.
func refusedDER(f forge) []refused {
	raw := f.leafCert.Raw
	request, _ := NewRequest(rand.Reader, pkix.Name{CommonName: "d"}, f.leafKey)
	list, _ := NewCRL(rand.Reader, testNow, f.intermediate, 1, nil)
	pfx, _ := PFX(PFXModern, f.leafKey, []*x509.Certificate{f.leafCert}, passphrase)
	trust, _ := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{f.leafCert}, passphrase.RevealString())
	read := func(name string, data []byte, want string) refused {
		return refused{name, told(data, passphrase), want}
	}
	open := func(name string, pass secret.Value, want string) refused { return refused{name, told(pfx, pass), want} }
	return []refused{
		read("DER cut", raw[:len(raw)-1], "cut off"),
		read("DER cut to its head", raw[:4], "cut off"),
		read("DER with a byte behind", append(bytes.Clone(raw), 0), "1 bytes stand behind the end"),
		read("two certificates joined", append(bytes.Clone(raw), raw...), "two files were joined"),
		read("a length of 2 GB", []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 2, 1, 1}, "cut off"),
		read("a length without end", []byte{0x30, 0x80, 2, 1, 1, 0, 0}, "first bytes give no length"),
		read("an empty sequence", []byte{0x30, 0}, "no certificate, key, request"),
		read("a sequence of nonsense", []byte{0x30, 4, 1, 1, 0, 5}, "no certificate, key, request"),
		read("sequences in sequences", nested(200), "no certificate, key, request"),
		read("certificate with a broken inside", bytes.Replace(raw, []byte{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}, []byte{5, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}, 1), "certificate is damaged or breaks RFC 5280"),
		read("request with a broken signature", flip(request, -1), "signature does not fit"),
		read("revocation list with a broken inside", flip(list, 24), "revocation list"),
		read("PKCS #7 of data", []byte{0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1, 0xa0, 0}, "PKCS #7"),
		read("PKCS #7 without certificates", []byte{0x30, 0x0b, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}, "PKCS #7"),
		open("PFX without passphrase", secret.Value{}, "passphrase does not open the PFX"),
		open("PFX with another passphrase", secret.FromString("another one"), "passphrase does not open the PFX"),
		open("PFX with a passphrase in capitals", secret.FromString(strings.ToUpper(passphrase.RevealString())), "passphrase does not open the PFX"),
		open("PFX with a passphrase that is no text", secret.New([]byte{0xff, 0xfe}), "not UTF-8"),
		read("PFX cut", pfx[:len(pfx)-20], "cut off"),
		read("PFX with a byte turned round", flip(pfx, len(pfx)/2), "passphrase does not open the PFX"),
		read("PFX without a key", trust, "holds no private key"),
		read("PFX of 2^31 rounds", roundsOf(pfx, 1<<31-1), "impossible number of rounds"),
	}
}

// roundsOf sets how often a PFX file says that its MAC key is hashed (RFC 7292, 4).
func roundsOf(pfx []byte, rounds int) []byte {
	var file struct {
		Version int
		Safe    asn1.RawValue
		MAC     struct {
			Digest asn1.RawValue
			Salt   []byte
			Rounds int
		}
	}
	if _, err := asn1.Unmarshal(pfx, &file); err != nil {
		panic(err)
	}
	file.MAC.Rounds = rounds
	out, err := asn1.Marshal(file)
	if err != nil {
		panic(err)
	}
	return out
}

// nested is a sequence in a sequence, n deep.
func nested(n int) []byte {
	der := []byte{5, 0}
	for range n {
		var err error
		if der, err = asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: der}); err != nil {
			panic(err)
		}
	}
	return der
}
