package practice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// CAOwnerDPS names DPS where a hub's label would name the hub: it owns CA
// certificates too.
const CAOwnerDPS = caOwnerDPS

// CAView is an uploaded CA certificate in a list.
type CAView struct {
	Owner      string    `json:"owner"` // dps, or the label of a hub
	Name       string    `json:"name"`
	Subject    string    `json:"subject"`
	Thumbprint string    `json:"thumbprint"` // SHA-256, hexadecimal
	Expires    time.Time `json:"expires"`
	Verified   bool      `json:"verified"`
	Code       string    `json:"code"` // to be proven, empty for none
	ETag       string    `json:"etag"`
	Updated    time.Time `json:"updated"`
}

func (ca CA) view(owner string) CAView {
	sum := sha256.Sum256(ca.Certificate.Raw)
	return CAView{Owner: owner, Name: ca.Name, Subject: ca.Certificate.Subject.String(), Thumbprint: hex.EncodeToString(sum[:]),
		Expires: ca.Certificate.NotAfter.UTC(), Verified: ca.Verified, Code: ca.Code, ETag: ca.ETag, Updated: ca.Updated}
}

// caRequest is the body of a change to a CA certificate. An empty etag means
// any.
type caRequest struct {
	Certificate string `json:"certificate,omitempty"` // PEM, or base64 of DER
	ETag        string `json:"etag,omitempty"`
}

// cas lists the CA certificates of an owner, or of DPS and all hubs.
func (m managed) cas() (any, error) {
	owners := append([]string{CAOwnerDPS}, m.c.settings().Hubs...)
	if owner := m.r.URL.Query().Get("owner"); owner != "" {
		owners = []string{owner}
	}
	views := []CAView{}
	for _, owner := range owners {
		list, err := m.c.CAs(m.r.Context(), owner)
		if err != nil {
			return nil, err
		}
		for _, ca := range list {
			views = append(views, ca.view(owner))
		}
	}
	return views, nil
}

// changeCA runs a change on the CA certificate that the request names.
func (m managed) changeCA(act func(owner, name string, given caRequest) (CA, error)) (any, error) {
	given := caRequest{}
	if err := m.decode(&given); err != nil {
		return nil, err
	}
	q := m.r.URL.Query()
	ca, err := act(q.Get("owner"), q.Get("name"), given)
	if err != nil {
		return nil, err
	}
	return ca.view(q.Get("owner")), nil
}

func (m managed) uploadCA() (any, error) {
	return m.changeCA(func(owner, name string, given caRequest) (CA, error) {
		return m.c.UploadCA(m.r.Context(), owner, name, given.Certificate, false, given.ETag)
	})
}

func (m managed) codeCA() (any, error) {
	return m.changeCA(func(owner, name string, given caRequest) (CA, error) {
		return m.c.VerificationCode(m.r.Context(), owner, name, orAny(given.ETag))
	})
}

func (m managed) verifyCA() (any, error) {
	return m.changeCA(func(owner, name string, given caRequest) (CA, error) {
		return m.c.VerifyCA(m.r.Context(), owner, name, given.Certificate, orAny(given.ETag))
	})
}

func (m managed) removeCA() (any, error) {
	q := m.r.URL.Query()
	return nil, m.c.RemoveCA(m.r.Context(), q.Get("owner"), q.Get("name"), orAny(q.Get("etag")))
}

func orAny(etag string) string {
	if etag == "" {
		return "*"
	}
	return etag
}

// caStatus is the status of a refused CA certificate.
func caStatus(err error) (status int, ok bool) {
	var refused *CAError
	ok = errors.As(err, &refused)
	if ok {
		status = refused.Status
	}
	return status, ok
}

// CAs lists the CA certificates of an owner, or of DPS and all hubs if it is
// empty.
func (m *Manager) CAs(ctx context.Context, owner string) ([]CAView, error) {
	return get[[]CAView](ctx, m, "cas", url.Values{"owner": {owner}})
}

// UploadCA is Cloud.UploadCA without a shortcut around the proof; an empty etag
// replaces nothing.
func (m *Manager) UploadCA(ctx context.Context, owner, name, certificate, etag string) (CAView, error) {
	return m.changeCA(ctx, http.MethodPut, "cas", owner, name, caRequest{certificate, etag})
}

// VerificationCode is Cloud.VerificationCode; an empty etag means any.
func (m *Manager) VerificationCode(ctx context.Context, owner, name, etag string) (CAView, error) {
	return m.changeCA(ctx, http.MethodPost, "cas/code", owner, name, caRequest{ETag: etag})
}

// VerifyCA is Cloud.VerifyCA; an empty etag means any.
func (m *Manager) VerifyCA(ctx context.Context, owner, name, certificate, etag string) (CAView, error) {
	return m.changeCA(ctx, http.MethodPost, "cas/verify", owner, name, caRequest{certificate, etag})
}

// RemoveCA is Cloud.RemoveCA; an empty etag means any.
func (m *Manager) RemoveCA(ctx context.Context, owner, name, etag string) error {
	return m.call(ctx, http.MethodDelete, "cas", url.Values{"owner": {owner}, "name": {name}, "etag": {etag}}, nil, nil)
}

func (m *Manager) changeCA(ctx context.Context, method, path, owner, name string, given caRequest) (view CAView, err error) {
	err = m.call(ctx, method, path, url.Values{"owner": {owner}, "name": {name}}, given, &view)
	return view, err
}
