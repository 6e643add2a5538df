package catalog

import (
	"context"
	"fmt"
	"time"
)

// Request is a request that a CA whose key is elsewhere is to sign.
type Request struct {
	ID      string // a UUID
	Profile string
	Role    string
	Subject string // the common name
	// IssuerID is the ID of the CA that is to sign, "" if it is not in the
	// catalog.
	IssuerID  string
	Algorithm string
	KeyPlace  string // vault | token:…
	// KeySHA256 is that of the public key's PKIX form, hexadecimal, capital.
	KeySHA256 string
	DER       []byte // PKCS #10
	Created   time.Time
}

const requestColumns = "id, profile, role, subject, issuer_id, algorithm, key_place, key_sha256, der, created"

// AddRequest writes a new request; one for the same key is an ErrExists.
func (c *Catalog) AddRequest(ctx context.Context, r Request) error {
	n, err := c.exec(ctx, CertificatesChanged, "write request "+r.Subject, "INSERT INTO certificate_request ("+requestColumns+
		") VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (key_sha256) DO NOTHING",
		r.ID, r.Profile, r.Role, r.Subject, r.IssuerID, r.Algorithm, r.KeyPlace, r.KeySHA256, r.DER, timeText(r.Created))
	if err == nil && n == 0 {
		err = fmt.Errorf("write request %s for a key that waits already: %w", r.Subject, ErrExists)
	}
	return err
}

// Requests lists the requests that wait, oldest first.
func (c *Catalog) Requests(ctx context.Context) ([]Request, error) {
	return c.requests(ctx, "ORDER BY created, id")
}

// Request finds a request by its ID or an unambiguous beginning of it.
func (c *Catalog) Request(ctx context.Context, id string) (Request, error) {
	if id == "" {
		return Request{}, fmt.Errorf("request: %w", ErrNotFound)
	}
	// IDs are of hexadecimal digits and dashes, which all sort before g.
	found, err := c.requests(ctx, "WHERE id >= lower(?) AND id < lower(?) || 'g' ORDER BY id LIMIT 2", id, id)
	switch {
	case err != nil:
		return Request{}, err
	case len(found) == 0:
		return Request{}, fmt.Errorf("request %s: %w", id, ErrNotFound)
	case len(found) == 2:
		return Request{}, fmt.Errorf("request %s: %w", id, ErrAmbiguous)
	}
	return found[0], nil
}

// RequestForKey finds the request that waits for a certificate of a key.
func (c *Catalog) RequestForKey(ctx context.Context, keySHA256 string) (Request, error) {
	found, err := c.requests(ctx, "WHERE key_sha256 = ?", keySHA256)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("request for the key %s: %w", keySHA256, ErrNotFound)
	}
	if err != nil {
		return Request{}, err
	}
	return found[0], nil
}

// RemoveRequest forgets a request; one that is not there is no error.
func (c *Catalog) RemoveRequest(ctx context.Context, id string) error {
	_, err := c.exec(ctx, CertificatesChanged, "remove request "+id, "DELETE FROM certificate_request WHERE id = ?", id)
	return err
}

func (c *Catalog) requests(ctx context.Context, rest string, args ...any) ([]Request, error) {
	return list(ctx, c, "requests", "SELECT "+requestColumns+" FROM certificate_request "+rest, args, func(row scanner, r *Request) error {
		return row.Scan(&r.ID, &r.Profile, &r.Role, &r.Subject, &r.IssuerID, &r.Algorithm, &r.KeyPlace, &r.KeySHA256, &r.DER, setTime{&r.Created})
	})
}
