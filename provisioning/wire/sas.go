package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"edgewright/provisioning/secret"
)

// sasScheme is the word that begins every SAS token, both in the HTTP
// Authorization header and as an MQTT password.
const sasScheme = "SharedAccessSignature"

// maxTokenLength bounds what ParseToken looks at, in bytes. Real tokens are
// under 600: an ID may have 128 characters of three bytes each when encoded.
const maxTokenLength = 4096

// SignSAS makes a SAS token for resource (not encoded, such as
// "hub.example.net/devices/d1"), signed with key (the decoded bytes) and valid
// until expiry, which is cut to whole seconds. An empty policy leaves out the
// skn member, as devices and modules do. A host of resource keeps its port.
//
// https://learn.microsoft.com/azure/iot-hub/authenticate-authorize-sas
func SignSAS(resource string, key secret.Value, policy string, expiry time.Time) (secret.Value, error) {
	if key.IsEmpty() {
		return secret.Value{}, fmt.Errorf("sign SAS token for %s: no key", resource)
	}
	return SignSASWith(resource, func(message []byte) ([]byte, error) { return hmacOf(key, message), nil }, policy, expiry)
}

// SignSASWith is SignSAS for a key that does not leave its place, such as a
// TPM: sign is HMAC-SHA256 with it.
func SignSASWith(resource string, sign func(message []byte) ([]byte, error), policy string, expiry time.Time) (secret.Value, error) {
	if resource == "" {
		return secret.Value{}, errors.New("sign SAS token: no resource")
	}
	sr := escapeComponent(resource)
	se := strconv.FormatInt(expiry.Unix(), 10)
	signature, err := sign([]byte(sr + "\n" + se))
	if err != nil {
		return secret.Value{}, fmt.Errorf("sign SAS token for %s: %w", resource, err)
	}
	sig := base64.StdEncoding.EncodeToString(signature)
	text := sasScheme + " sr=" + sr + "&sig=" + escapeComponent(sig) + "&se=" + se
	if policy != "" {
		text += "&skn=" + escapeComponent(policy)
	}
	return secret.FromString(text), nil
}

// Token is a parsed SAS token. Parsing proves nothing: a verifier asks
// SignedBy with each key in question, Covers with the scope of the request, and
// compares Expiry with its clock.
type Token struct {
	// Resource is the sr member as written, not decoded: it is signed so.
	Resource string
	// Signature is the decoded sig member.
	Signature []byte
	// Expiry is the se member in UTC.
	Expiry time.Time
	// Policy is the decoded skn member: the name of a shared access policy,
	// "registration" for a device that speaks to DPS, or empty.
	Policy string

	expiryText string // se as written, because it is signed so
}

// ParseToken reads a SAS token in any order of members, encoded or not, as the
// various clients write it. Unknown members are ignored, repeated ones are
// refused. Errors name the member and never contain the token.
func ParseToken(text string) (Token, error) {
	if len(text) > maxTokenLength {
		return Token{}, fmt.Errorf("parse SAS token: longer than %d bytes", maxTokenLength)
	}
	scheme, rest, found := strings.Cut(strings.TrimSpace(text), " ")
	if !found || !strings.EqualFold(scheme, sasScheme) {
		return Token{}, errors.New("parse SAS token: does not begin with " + sasScheme)
	}
	members := map[string]string{}
	for pair := range strings.SplitSeq(strings.TrimSpace(rest), "&") {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return Token{}, errors.New("parse SAS token: a member has no value")
		}
		switch name {
		case "sr", "sig", "se", "skn":
			if _, again := members[name]; again {
				return Token{}, fmt.Errorf("parse SAS token: member %s is given twice", name)
			}
			members[name] = value
		}
	}
	for _, name := range []string{"sr", "sig", "se"} {
		if members[name] == "" {
			return Token{}, fmt.Errorf("parse SAS token: member %s is missing", name)
		}
	}
	token := Token{Resource: members["sr"], expiryText: members["se"]}
	// Only %XX is decoded: a plus sign is a letter of base64, not a space.
	signature, err := url.PathUnescape(members["sig"])
	if err != nil {
		return Token{}, errors.New("parse SAS token: member sig is badly encoded")
	}
	if token.Signature, err = base64.StdEncoding.DecodeString(signature); err != nil {
		return Token{}, errors.New("parse SAS token: member sig is not base64")
	}
	if token.Policy, err = url.PathUnescape(members["skn"]); err != nil {
		return Token{}, errors.New("parse SAS token: member skn is badly encoded")
	}
	seconds, err := strconv.ParseInt(token.expiryText, 10, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 { // the last second of year 9999
		return Token{}, errors.New("parse SAS token: member se is not a time in Unix seconds")
	}
	token.Expiry = time.Unix(seconds, 0).UTC()
	return token, nil
}

// SignedBy tells in constant time whether key signed t.
func (t Token) SignedBy(key secret.Value) bool {
	if key.IsEmpty() || len(t.Signature) == 0 {
		return false
	}
	return hmac.Equal(t.Signature, sasSignature(key, t.Resource, t.expiryText))
}

// Covers tells whether t gives access to scope, which is written plainly, such
// as "hub.example.net/devices/d1/modules/m1" or "0ne0001/registrations/r1". A
// token covers its own resource and everything below it, whole path segments
// at a time. Letter case and the port behind a host name do not count.
func (t Token) Covers(scope string) bool {
	resource, err := url.PathUnescape(t.Resource)
	if err != nil {
		return false
	}
	have, want := scopeSegments(resource), scopeSegments(scope)
	if len(have) > len(want) {
		return false
	}
	for i, segment := range have {
		if segment == "" || segment != want[i] {
			return false
		}
	}
	return true
}

// String shows what the token is for, without its signature.
func (t Token) String() string {
	return fmt.Sprintf("SAS token for %s until %s", t.Resource, t.Expiry.Format(time.RFC3339))
}

// Format implements fmt.Formatter, so that no verb prints the signature.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

func sasSignature(key secret.Value, sr, se string) []byte {
	return hmacOf(key, []byte(sr+"\n"+se))
}

func hmacOf(key secret.Value, message []byte) []byte {
	mac := hmac.New(sha256.New, key.Reveal())
	mac.Write(message)
	return mac.Sum(nil)
}

// scopeSegments splits a decoded scope, lower-cases it and takes the port off
// its first segment.
func scopeSegments(scope string) []string {
	segments := strings.Split(strings.TrimSuffix(asciiLower(scope), "/"), "/")
	if colon := strings.LastIndexByte(segments[0], ':'); colon > 0 {
		if _, err := strconv.ParseUint(segments[0][colon+1:], 10, 16); err == nil {
			segments[0] = segments[0][:colon]
		}
	}
	return segments
}

// asciiLower lower-cases A to Z only: IDs are ASCII, and folding by Unicode
// would make other characters equal to them.
func asciiLower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// escapeComponent encodes all but letters, digits and "-_.~" as %XX, in upper
// case. url.PathEscape would leave & and = as they are.
func escapeComponent(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
