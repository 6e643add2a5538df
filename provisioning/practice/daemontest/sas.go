package daemontest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Sign gives HMAC-SHA256 of data under a key that may not leave its place.
type Sign func(data []byte) []byte

// WithKey signs with a key given as bytes.
func WithKey(key []byte) Sign {
	return func(data []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(data)
		return mac.Sum(nil)
	}
}

// daemonToken is a token as identityd makes it: audience in lower case, few
// characters escaped, 30 seconds of life.
func daemonToken(audience string, sign Sign, registration bool, now time.Time) string {
	resource := escapeFew(strings.ToLower(audience))
	expiry := strconv.FormatInt(now.Add(30*time.Second).Unix(), 10)
	signature := base64.StdEncoding.EncodeToString(sign([]byte(resource + "\n" + expiry)))
	token := "SharedAccessSignature sr=" + resource + "&sig=" + url.QueryEscape(signature) + "&se=" + expiry
	if registration {
		token += "&skn=registration"
	}
	return token
}

// ModuleTokenLife is how long the token of a connection holds.
const ModuleTokenLife = time.Hour

// moduleToken is a token as the runtime's modules make it: everything escaped,
// letter case kept, an hour of life.
func moduleToken(audience string, sign Sign, now time.Time) string {
	resource := url.QueryEscape(audience)
	expiry := strconv.FormatInt(now.Add(ModuleTokenLife).Unix(), 10)
	signature := base64.StdEncoding.EncodeToString(sign([]byte(resource + "\n" + expiry)))
	return "SharedAccessSignature sr=" + resource + "&sig=" + url.QueryEscape(signature) + "&se=" + expiry
}

// escapeFew percent-encodes control characters and those that identityd's set
// names.
func escapeFew(text string) string {
	var out strings.Builder
	for _, c := range []byte(text) {
		if c < 0x20 || c >= 0x7f || strings.IndexByte(" \"<>`#?{}=", c) >= 0 {
			fmt.Fprintf(&out, "%%%02X", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
