package practice

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"

	"edgewright/provisioning/wire"
)

// typeX509 is the word of api-version 2017-11-08-preview for a module that
// proves itself by a certificate of either kind.
const typeX509 = "x509"

const (
	minKeyLength    = 16 // bytes of a symmetric key
	maxKeyLength    = 64
	mintedKeyLength = 32
)

// checkKeys demands both keys or neither, each of 16 to 64 bytes.
func checkKeys(keys *wire.SymmetricKey) error {
	if keys == nil || keys.PrimaryKey.IsEmpty() && keys.SecondaryKey.IsEmpty() {
		return nil
	}
	for name, key := range map[string]wire.Key{"primaryKey": keys.PrimaryKey, "secondaryKey": keys.SecondaryKey} {
		if n := len(key.Secret().Reveal()); n < minKeyLength || n > maxKeyLength {
			return fmt.Errorf("%s has %d bytes; give both keys with 16 to 64 bytes, or neither", name, n)
		}
	}
	return nil
}

// identityError is a refusal of a written identity: the hub's word and text.
type identityError struct{ name, text string }

func invalid(format string, args ...any) *identityError {
	return &identityError{"ArgumentInvalid", fmt.Sprintf(format, args...)}
}

// authentication completes what a caller gave: missing or empty keys are made.
// Devices may not be of type none; for modules it becomes sas.
func (c *Cloud) authentication(given *wire.Authentication, forModule bool) (*wire.Authentication, *identityError) {
	if given == nil {
		given = &wire.Authentication{}
	}
	made := &wire.Authentication{Type: given.Type}
	thumbprints := given.X509Thumbprint
	if made.Type == "" {
		made.Type = wire.AuthSAS
		if thumbprints != nil && thumbprints.PrimaryThumbprint != "" {
			made.Type = wire.AuthSelfSigned
		}
	}
	switch {
	case made.Type == wire.AuthNone && forModule:
		made.Type = wire.AuthSAS
	case made.Type == typeX509 && forModule:
		made.Type = wire.AuthSelfSigned
		if thumbprints == nil || thumbprints.PrimaryThumbprint == "" {
			made.Type = wire.AuthCertificateAuthority
		}
	}
	switch made.Type {
	case wire.AuthSAS:
		if err := checkKeys(given.SymmetricKey); err != nil {
			return nil, invalid("%s", err)
		}
		keys := c.newKeys(mintedKeyLength)
		if given.SymmetricKey != nil && !given.SymmetricKey.PrimaryKey.IsEmpty() {
			keys = *given.SymmetricKey
		}
		made.SymmetricKey = &keys
	case wire.AuthSelfSigned:
		if thumbprints == nil {
			thumbprints = &wire.X509Thumbprint{}
		}
		for _, thumbprint := range []string{thumbprints.PrimaryThumbprint, thumbprints.SecondaryThumbprint} {
			if !isThumbprint(thumbprint) {
				return nil, invalid("StringIsNotThumbprint: a thumbprint is 40 or 64 hexadecimal digits without separators")
			}
		}
		copied := *thumbprints
		made.X509Thumbprint = &copied
	case wire.AuthCertificateAuthority:
	default:
		return nil, invalid("authentication.type %q cannot be used here", wire.CleanMessage(made.Type))
	}
	return made, nil
}

func isThumbprint(text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && (len(raw) == 0 || len(raw) == 20 || len(raw) == 32)
}

// firstETag makes an identity etag: the base64 of a decimal counter that does
// not begin where that of an earlier identity of the same ID did.
func (c *Cloud) firstETag() string {
	return encodeETag(100000000 + uint64(binary.BigEndian.Uint32(c.random(4)))%800000000)
}

// nextETag counts an identity etag up.
func nextETag(etag string) string {
	text, _ := base64.StdEncoding.DecodeString(etag)
	count, _ := strconv.ParseUint(string(text), 10, 64)
	return encodeETag(count + 1)
}

func encodeETag(count uint64) string {
	return base64.StdEncoding.EncodeToString(strconv.AppendUint(nil, count, 10))
}
