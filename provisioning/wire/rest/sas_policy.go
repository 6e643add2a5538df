package rest

import (
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// SAS is what a client proves itself with: a key, and the resource that tokens
// are made for, not encoded.
type SAS struct {
	Resource string
	Policy   string
	Key      secret.Value
	// Sign, if not nil, stands for a key that does not leave its place:
	// HMAC-SHA256 with it. It is called once for each token, not at once.
	Sign func(message []byte) ([]byte, error)
}

func (s SAS) token(expiry time.Time) (secret.Value, error) {
	if s.Sign != nil {
		return wire.SignSASWith(s.Resource, s.Sign, s.Policy, expiry)
	}
	return wire.SignSAS(s.Resource, s.Key, s.Policy, expiry)
}

// Tokens live for tokenLife and are signed anew when less than tokenMargin of
// that is left, so that one never ends on its way.
const (
	tokenLife   = time.Hour
	tokenMargin = 10 * time.Minute
)

// sasPolicy puts a SAS token on every attempt.
type sasPolicy struct {
	sas SAS
	now func() time.Time

	mu      sync.Mutex
	token   secret.Value
	expires time.Time
}

func (p *sasPolicy) Do(req *policy.Request) (*http.Response, error) {
	token, err := p.current()
	if err != nil {
		return nil, err
	}
	req.Raw().Header.Set("Authorization", token.RevealString())
	return req.Next()
}

func (p *sasPolicy) current() (secret.Value, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	left := p.expires.Sub(now)
	// A clock set back would make the token live too long for the service.
	if p.token.IsEmpty() || left < tokenMargin || left > tokenLife+tokenMargin {
		token, err := p.sas.token(now.Add(tokenLife))
		if err != nil {
			return secret.Value{}, err
		}
		p.token, p.expires = token, now.Add(tokenLife)
	}
	return p.token, nil
}
