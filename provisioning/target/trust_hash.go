package target

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// subjectHash is the name that a folder of trusted certificates has for the one
// in text (PEM): eight lower-case hexadecimal digits, as `openssl x509
// -subject_hash` prints them. openssl needs 30 ms of a fast processor for that,
// mostly for its own start.
//
// Source: X509_NAME_hash_ex(3) of OpenSSL 3, SHA-1 over the canonical form of
// the name; x509_name_canon in its crypto/x509/x_name.c says what that is.
func subjectHash(text []byte) (string, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return "", errors.New("not a certificate in PEM form")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", err
	}
	canonical, err := canonicalName(cert.RawSubject)
	if err != nil {
		return "", err
	}
	sum := sha1.Sum(canonical)
	return fmt.Sprintf("%08x", binary.LittleEndian.Uint32(sum[:])), nil
}

// nameAttribute is AttributeTypeAndValue of RFC 5280, 4.1.2.4.
type nameAttribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// canonicalName is a name (DER) in the form that OpenSSL compares: the relative
// names one after the other without the sequence around them, each text in
// UTF-8 and small letters, its white space one blank and none at the ends. A
// name with other text than ASCII is an error.
func canonicalName(raw []byte) ([]byte, error) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(raw, &outer); err != nil {
		return nil, err
	}
	var all []byte
	for rest := outer.Bytes; len(rest) > 0; {
		var relative []nameAttribute
		var err error
		if rest, err = asn1.UnmarshalWithParams(rest, &relative, "set"); err != nil {
			return nil, err
		}
		for i, a := range relative {
			isText := slices.Contains([]int{asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String}, a.Value.Tag)
			if !isText || bytes.ContainsFunc(a.Value.Bytes, func(r rune) bool { return r >= utf8.RuneSelf }) {
				return nil, errors.New("a name with other text than ASCII")
			}
			text := strings.ToLower(strings.Join(strings.Fields(string(a.Value.Bytes)), " "))
			relative[i].Value = asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(text)}
		}
		der, err := asn1.MarshalWithParams(relative, "set")
		if err != nil {
			return nil, err
		}
		all = append(all, der...)
	}
	return all, nil
}
