package pki

import (
	"encoding/asn1"
	"errors"
)

// What a DER file looks like, as the place of its form in readDER.
const (
	shapeCertificate = iota
	shapeKey
	shapeRequest
	shapeCRL
	shapePKCS7
	shapeLockedKey
	shapePFX
	shapeUnknown
)

// checkWhole compares the length that a DER file begins with and its own.
func checkWhole(der []byte) error {
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(der, &outer)
	var syntax asn1.SyntaxError
	switch {
	case errors.As(err, &syntax) && syntax.Msg == "data truncated":
		return unreadable("the file is cut off: it begins a longer structure than it holds")
	case err != nil:
		return unreadable("it is no DER: its first bytes give no length")
	case len(rest) > 0:
		return unreadable("%d bytes stand behind the end of the structure; the file is damaged or two files were joined", len(rest))
	}
	return nil
}

// shapeOf guesses what a whole DER structure was meant to be, by the kinds of
// its first members.
func shapeOf(der []byte) int {
	parts := members(der)
	if len(parts) < 2 {
		return shapeUnknown
	}
	first, second := parts[0], parts[1]
	switch {
	case first.Tag == asn1.TagOID:
		return shapePKCS7 // ContentInfo (RFC 2315, 7)
	case first.Tag == asn1.TagInteger && len(first.Bytes) == 1 && first.Bytes[0] == 3 && second.Tag == asn1.TagSequence:
		return shapePFX // version 3 (RFC 7292, 4)
	case first.Tag == asn1.TagInteger:
		return shapeKey
	case first.Tag == asn1.TagSequence && second.Tag == asn1.TagOctetString:
		return shapeLockedKey // EncryptedPrivateKeyInfo (RFC 5208, 6)
	case first.Tag != asn1.TagSequence || second.Tag != asn1.TagSequence:
		return shapeUnknown
	}
	// All three are signed: what is signed, the algorithm, the signature.
	inner := members(first.FullBytes)
	switch {
	case len(inner) >= 6 && inner[0].Class == asn1.ClassContextSpecific:
		return shapeCertificate // of version 3 (RFC 5280, 4.1)
	case len(inner) >= 3 && inner[0].Tag == asn1.TagInteger && inner[2].Tag == asn1.TagSequence && len(inner) <= 4:
		return shapeRequest // RFC 2986, 4.1
	case len(inner) >= 4 && inner[3].Tag != asn1.TagSequence:
		return shapeCRL // a time stands there (RFC 5280, 5.1)
	}
	return shapeUnknown
}

// members splits a SEQUENCE; those behind a damaged one are left out.
func members(der []byte) (parts []asn1.RawValue) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil || !outer.IsCompound {
		return nil
	}
	for rest := outer.Bytes; len(rest) > 0; {
		var part asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &part); err != nil {
			break
		}
		parts = append(parts, part)
	}
	return parts
}

// maxDepth is how deep boundRounds looks; PFX files nest about twelve deep.
const maxDepth = 32

// boundRounds refuses a PFX file that would take hours to open: all its forms of
// encryption say, in a sequence, a salt and how often it is hashed (RFC 7292, 4
// and appendix B; RFC 8018, A.2). What is itself encrypted is not seen; only
// somebody with the passphrase can have put it there.
func boundRounds(der []byte, depth int) error {
	if depth == maxDepth {
		return unreadable("the PFX file nests too deep")
	}
	salt := false
	for _, part := range members(der) {
		if part.Class == asn1.ClassUniversal && part.Tag == asn1.TagInteger && salt && !fewRounds(part.Bytes) {
			return unreadable("the PFX file asks for an impossible number of rounds")
		}
		salt = part.Class == asn1.ClassUniversal && part.Tag == asn1.TagOctetString
		inside := part.FullBytes
		if salt {
			inside = part.Bytes // often a structure of its own
		}
		if !salt && !part.IsCompound {
			continue
		}
		if err := boundRounds(inside, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// fewRounds reads an INTEGER.
func fewRounds(value []byte) bool {
	n := 0
	for _, b := range value {
		if n = n<<8 | int(b); n > maxIterations {
			return false
		}
	}
	return len(value) > 0 && value[0] < 0x80
}
