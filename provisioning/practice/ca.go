package practice

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/wire"
)

// maxCAs is how many CA certificates a DPS or a hub has room for.
//
// https://learn.microsoft.com/azure/iot-dps/about-iot-dps#quotas-and-limits
const maxCAs = 25

// caOwnerDPS owns the CA certificates of DPS; those of a hub belong to its
// label, which is never this one.
const caOwnerDPS = "dps"

var caName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,256}$`)

// caCertificate is an uploaded CA certificate, as stored.
type caCertificate struct {
	Name             string // as written; letter case does not count
	DER              []byte
	Verified         bool
	Code             string `json:",omitempty"` // to be signed as proof of possession
	ETag             string
	Created, Updated time.Time

	cert *x509.Certificate // DER, parsed
}

// CA is an uploaded CA certificate of DPS or of a hub. Its members are those of
// Azure Resource Manager.
type CA struct {
	Name        string
	Certificate *x509.Certificate
	Verified    bool
	Code        string // verification code, if one was made and not used yet
	ETag        string // another after each write
	Created     time.Time
	Updated     time.Time
}

// CAError says why a CA certificate is not taken, changed or removed. Status is
// the HTTP status that Azure Resource Manager answers with.
type CAError struct {
	Status int
	Text   string
}

func (e *CAError) Error() string { return e.Text }

func caRefused(status int, format string, args ...any) *CAError {
	return &CAError{status, fmt.Sprintf(format, args...)}
}

func caKey(owner, name string) objectKey {
	return objectKey{kindCA, owner + "/" + strings.ToLower(name)}
}

// ca finds a CA certificate, nil if there is none.
func (s *state) ca(owner, name string) *caCertificate { return s.cas[caKey(owner, name)] }

// casOf lists the CA certificates of an owner by name.
func (s *state) casOf(owner string) []*caCertificate {
	var all []*caCertificate
	for _, key := range slices.SortedFunc(maps.Keys(s.cas), func(a, b objectKey) int { return strings.Compare(a.id, b.id) }) {
		if strings.HasPrefix(key.id, owner+"/") {
			all = append(all, s.cas[key])
		}
	}
	return all
}

func (s *state) takeCA(key objectKey, plain []byte) error {
	ca := &caCertificate{}
	if err := json.Unmarshal(plain, ca); err != nil {
		return err
	}
	var err error
	ca.cert, err = x509.ParseCertificate(ca.DER)
	s.cas[key] = ca
	return err
}

// writeCA stores a changed copy of a CA certificate under a new etag.
func (t *transaction) writeCA(owner string, changed caCertificate) *caCertificate {
	changed.Updated, changed.ETag = t.now, t.c.dpsETag()
	t.c.state.cas[caKey(owner, changed.Name)] = &changed
	t.store(caKey(owner, changed.Name), &changed)
	return &changed
}

// changeable finds a CA certificate whose etag the caller knows.
func (t *transaction) changeable(owner, name, match string) (*caCertificate, *CAError) {
	there := t.c.state.ca(owner, name)
	switch {
	case there == nil:
		return nil, caRefused(http.StatusNotFound, "There is no CA certificate %s.", wire.CleanMessage(name))
	case match == "":
		return nil, caRefused(http.StatusPreconditionFailed, "The etag of the CA certificate is missing.")
	case !etagMatches(match, there.ETag):
		return nil, caRefused(http.StatusPreconditionFailed, "The etag is not the CA certificate's.")
	}
	return there, nil
}

// putCA uploads a CA certificate, verified or not; without an etag it only
// creates. Another certificate under the same name is to be verified again.
func (t *transaction) putCA(owner, name, text string, verified bool, match string) (ca *caCertificate, made bool, refused *CAError) {
	if !caName.MatchString(name) {
		return nil, false, caRefused(http.StatusBadRequest, "The name of a CA certificate has letters, digits and - . _ only.")
	}
	cert, err := decodeCertificate(text)
	if err == nil {
		err = checkAuthority(cert)
	}
	if err != nil {
		return nil, false, caRefused(http.StatusBadRequest, "%s.", wire.CleanMessage(err.Error()))
	}
	there := t.c.state.ca(owner, name)
	if there == nil && match == "" {
		if len(t.c.state.casOf(owner)) >= maxCAs {
			return nil, false, caRefused(http.StatusBadRequest, "There are %d CA certificates already.", maxCAs)
		}
		return t.writeCA(owner, caCertificate{Name: name, DER: cert.Raw, cert: cert, Verified: verified, Created: t.now}), true, nil
	}
	if there, refused = t.changeable(owner, name, match); refused != nil {
		return nil, false, refused
	}
	changed := *there
	if !cert.Equal(there.cert) {
		changed.DER, changed.cert, changed.Verified, changed.Code = cert.Raw, cert, false, ""
	}
	changed.Verified = changed.Verified || verified
	return t.writeCA(owner, changed), false, nil
}

// makeCode gives a CA certificate a new verification code.
func (t *transaction) makeCode(owner, name, match string) (*caCertificate, *CAError) {
	there, refused := t.changeable(owner, name, match)
	if refused != nil {
		return nil, refused
	}
	changed := *there
	changed.Code = strings.ToUpper(hex.EncodeToString(t.c.random(24)))
	return t.writeCA(owner, changed), nil
}

// verifyCA takes the proof of possession: a certificate that the CA issued, with
// the code as its common name.
//
// https://learn.microsoft.com/azure/iot-dps/how-to-verify-certificates
func (t *transaction) verifyCA(owner, name, text, match string) (*caCertificate, *CAError) {
	there, refused := t.changeable(owner, name, match)
	if refused != nil {
		return nil, refused
	}
	if there.Code == "" {
		return nil, caRefused(http.StatusBadRequest, "The CA certificate has no verification code; make one first.")
	}
	proof, err := decodeCertificate(text)
	switch {
	case err != nil:
		return nil, caRefused(http.StatusBadRequest, "%s.", wire.CleanMessage(err.Error()))
	case proof.Subject.CommonName != there.Code:
		return nil, caRefused(http.StatusBadRequest, "The common name of the certificate is not the verification code.")
	}
	// The proof is any certificate below the CA, not one for a TLS client.
	w := &chainWalk{now: t.now, trusted: there.cert, signatures: 1}
	if err := checkDates(proof, t.now); err != nil {
		return nil, caRefused(http.StatusBadRequest, "%s.", wire.CleanMessage(err.Error()))
	}
	if _, issued := w.issuedBy([]*x509.Certificate{proof}, there.cert); !issued {
		return nil, caRefused(http.StatusBadRequest, "The certificate with the verification code was not issued by the CA certificate.")
	}
	changed := *there
	changed.Verified, changed.Code = true, ""
	return t.writeCA(owner, changed), nil
}

// removeCA refuses a CA certificate that an enrollment group refers to.
// Assumed: what the service does then is not documented.
func (t *transaction) removeCA(owner, name, match string) *CAError {
	if _, refused := t.changeable(owner, name, match); refused != nil {
		return refused
	}
	for id, g := range t.c.state.groups {
		if x := g.Attestation.X509; owner == caOwnerDPS && x != nil && x.CAReferences != nil &&
			(strings.EqualFold(x.CAReferences.Primary, name) || strings.EqualFold(x.CAReferences.Secondary, name)) {
			return caRefused(http.StatusConflict, "The enrollment group %s refers to this CA certificate.", id)
		}
	}
	delete(t.c.state.cas, caKey(owner, name))
	t.store(caKey(owner, name), nil)
	return nil
}

func (ca *caCertificate) shown() CA {
	return CA{Name: ca.Name, Certificate: ca.cert, Verified: ca.Verified, Code: ca.Code, ETag: ca.ETag, Created: ca.Created, Updated: ca.Updated}
}

// withCAs runs act on the CA certificates of an owner: "dps", or a hub by its
// label or host. It gives a *ServedError while another process serves.
func (c *Cloud) withCAs(ctx context.Context, owner string, act func(t *transaction, owner string) *CAError) error {
	leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	var refused *CAError
	t := &transaction{c: c, now: c.now(), tracking: newTrackingID()}
	err = c.transact(ctx, t, func() {
		label, known := caOwner(c.settings(), owner)
		if !known {
			refused = caRefused(http.StatusNotFound, "There is no DPS and no hub %s.", wire.CleanMessage(owner))
			return
		}
		refused = act(t, label)
	})
	if err == nil && refused != nil {
		return refused
	}
	return err
}

// caOwner finds DPS, or a hub by its label or host name.
func caOwner(s *settings, name string) (string, bool) {
	host, _, _ := strings.Cut(strings.ToLower(name), ":")
	label := strings.TrimSuffix(host, "."+domain)
	return label, label == caOwnerDPS || slices.Contains(s.Hubs, label)
}

// UploadCA uploads a CA certificate to DPS ("dps") or a hub (its label or host):
// PEM, or the base64 of DER or PEM. verified skips the proof of possession. A
// CA certificate of that name is replaced only if its etag is given, or *.
func (c *Cloud) UploadCA(ctx context.Context, owner, name, certificate string, verified bool, etag string) (ca CA, err error) {
	err = c.withCAs(ctx, owner, func(t *transaction, owner string) *CAError {
		written, _, refused := t.putCA(owner, name, certificate, verified, etag)
		if refused == nil {
			ca = written.shown()
		}
		return refused
	})
	return ca, err
}

// VerificationCode makes a code that VerifyCA wants to see signed; etag may be *.
func (c *Cloud) VerificationCode(ctx context.Context, owner, name, etag string) (ca CA, err error) {
	err = c.withCAs(ctx, owner, func(t *transaction, owner string) *CAError {
		written, refused := t.makeCode(owner, name, etag)
		if refused == nil {
			ca = written.shown()
		}
		return refused
	})
	return ca, err
}

// VerifyCA takes a certificate with the code as its common name that the CA
// issued, in a form that UploadCA takes.
func (c *Cloud) VerifyCA(ctx context.Context, owner, name, certificate, etag string) (ca CA, err error) {
	err = c.withCAs(ctx, owner, func(t *transaction, owner string) *CAError {
		written, refused := t.verifyCA(owner, name, certificate, etag)
		if refused == nil {
			ca = written.shown()
		}
		return refused
	})
	return ca, err
}

// CAs lists the CA certificates of an owner by name.
func (c *Cloud) CAs(ctx context.Context, owner string) (list []CA, err error) {
	err = c.withCAs(ctx, owner, func(t *transaction, owner string) *CAError {
		for _, ca := range t.c.state.casOf(owner) {
			list = append(list, ca.shown())
		}
		return nil
	})
	return list, err
}

// RemoveCA removes a CA certificate that no enrollment group refers to.
func (c *Cloud) RemoveCA(ctx context.Context, owner, name, etag string) error {
	return c.withCAs(ctx, owner, func(t *transaction, owner string) *CAError { return t.removeCA(owner, name, etag) })
}
