package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Certificate is a certificate that this data folder knows. Its key is never
// in the row: KeyPlace says where it is.
type Certificate struct {
	ID      string // a UUID
	Profile string
	Role    string
	Subject string // the common name
	// IssuerID is the ID of the CA that signed it, "" for none that is known.
	IssuerID             string
	Serial, SHA1, SHA256 string // hexadecimal, capital, without separators
	NotBefore, NotAfter  time.Time
	CareFrom             time.Time // when it begins to want care
	Algorithm            string
	KeyPlace             string // vault | token:… | device:… | none
	State                string // valid | revoked | superseded
	Reason               string // of the revocation
	Revoked              *time.Time
	// Superseded is the ID of the certificate that took its place.
	Superseded string
	DeviceID   string
	// Run and RunRole name the run that made it and for what.
	Run, RunRole string
	DER          []byte
	Created      time.Time
}

// The values of Certificate.State.
const (
	CertificateValid      = "valid"
	CertificateRevoked    = "revoked"
	CertificateSuperseded = "superseded"
)

const certificateColumns = "id, profile, role, subject, issuer_id, serial, sha1, sha256, not_before, not_after, care_from, algorithm, key_place, state, reason, " +
	"revoked, superseded, device_id, run, run_role, der, created"

func scanCertificate(row scanner, c *Certificate) error {
	return row.Scan(&c.ID, &c.Profile, &c.Role, &c.Subject, &c.IssuerID, &c.Serial, &c.SHA1, &c.SHA256, setTime{&c.NotBefore}, setTime{&c.NotAfter}, setTime{&c.CareFrom},
		&c.Algorithm, &c.KeyPlace, &c.State, &c.Reason, storedTime{&c.Revoked}, &c.Superseded, &c.DeviceID, &c.Run, &c.RunRole, &c.DER, setTime{&c.Created})
}

// addCertificates writes new certificates and their words; nothing else does. One with a SHA-256 that is there
// already is an ErrExists.
func addCertificates(ctx context.Context, tx *sql.Tx, certs []Certificate) error {
	words, err := certificateWords.begin(ctx, tx)
	if err != nil {
		return err
	}
	const insert = "INSERT INTO certificate (" + certificateColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (sha256) DO NOTHING"
	if err := each(ctx, tx, insert, certs, certificateArgs); err != nil {
		return err
	}
	n, err := words.settle(ctx)
	if err == nil && n != int64(len(certs)) {
		err = ErrExists
	}
	return err
}

func certificateArgs(c Certificate) []any {
	return []any{c.ID, c.Profile, c.Role, c.Subject, c.IssuerID, c.Serial, c.SHA1, c.SHA256, timeText(c.NotBefore), timeText(c.NotAfter), timeText(c.CareFrom),
		c.Algorithm, c.KeyPlace, c.State, c.Reason, optionalTime(c.Revoked), c.Superseded, c.DeviceID, c.Run, c.RunRole, c.DER, timeText(c.Created)}
}

// AddCertificate writes a new certificate; one with the same SHA-256 that is
// there already is an ErrExists.
func (c *Catalog) AddCertificate(ctx context.Context, cert Certificate) error {
	return c.transact(ctx, CertificatesChanged, "write certificate "+cert.Subject, func(tx *sql.Tx) error {
		return addCertificates(ctx, tx, []Certificate{cert})
	})
}

// ReplaceCertificate writes a new certificate and marks that it took the place of
// another one, or does neither. One whose place is taken already is an ErrExists; a
// revoked one stays revoked.
func (c *Catalog) ReplaceCertificate(ctx context.Context, cert Certificate, old string) error {
	return c.transact(ctx, CertificatesChanged, "renew certificate "+cert.Subject, func(tx *sql.Tx) error {
		var state string
		if err := tx.QueryRowContext(ctx, "SELECT state FROM certificate WHERE id = ?", old).Scan(&state); err != nil {
			return err
		}
		if state == CertificateSuperseded {
			return ErrExists
		}
		if err := addCertificates(ctx, tx, []Certificate{cert}); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, supersede, CertificateSuperseded, cert.ID, old, CertificateValid)
		return err
	})
}

// Certificate finds a certificate by its ID or SHA-256 thumbprint in any case,
// or by an unambiguous beginning of its ID.
func (c *Catalog) Certificate(ctx context.Context, id string) (Certificate, error) {
	if id == "" {
		return Certificate{}, fmt.Errorf("certificate: %w", ErrNotFound)
	}
	// IDs are of hexadecimal digits and dashes, which all sort before g.
	found, err := c.certificates(ctx, "WHERE sha256 = upper(?) OR id >= lower(?) AND id < lower(?) || 'g' ORDER BY id LIMIT 2", id, id, id)
	switch {
	case err != nil:
		return Certificate{}, err
	case len(found) == 0:
		return Certificate{}, fmt.Errorf("certificate %s: %w", id, ErrNotFound)
	case len(found) == 2 && !strings.EqualFold(found[0].ID, id) && !strings.EqualFold(found[0].SHA256, id):
		return Certificate{}, fmt.Errorf("certificate %s: %w", id, ErrAmbiguous)
	}
	return found[0], nil
}

// CertificateQuery narrows a list of certificates.
type CertificateQuery struct {
	// Text is looked for in subject, device and profile, and as the beginning of
	// serial number and thumbprints.
	Text string
	// Issuer leaves those that a CA signed, by its ID.
	Issuer string
	// Top leaves those that no certificate of the catalog has signed: roots,
	// self-signed ones, and those of a CA that is not known.
	Top bool
	// SupersededBy leaves those whose place a certificate took, by its ID.
	SupersededBy string
	// Subject leaves those of a common name, in any case.
	Subject string
	// Roles leaves those of the roles, all if empty.
	Roles []string
	// Device leaves those of a device, by its device ID.
	Device string
	// Run leaves those that a run made.
	Run string
	// State leaves those in a state.
	State string
	// CareBy leaves those that want care at that time; zero means all.
	CareBy time.Time
	// ByEnd orders by the end of life instead of the subject.
	ByEnd bool
	Limit int // 0 means 200
	// Offset skips rows of the list.
	Offset int
}

// Certificates lists certificates by subject, or by their end.
func (c *Catalog) Certificates(ctx context.Context, q CertificateQuery) ([]Certificate, error) {
	where, args := certificateText(q.Text)
	for _, filter := range []struct{ column, value string }{{"issuer_id", q.Issuer}, {"run", q.Run}, {"device_id", q.Device}, {"state", q.State}, {"superseded", q.SupersededBy}} {
		if filter.value != "" {
			where, args = and(where, filter.column+" = ?"), append(args, filter.value)
		}
	}
	if q.Top {
		where = and(where, "issuer_id = ''")
	}
	if q.Subject != "" {
		where, args = and(where, "subject = ? COLLATE NOCASE"), append(args, q.Subject)
	}
	if q.Device != "" {
		where = and(where, "device_id <> ''") // for its index
	}
	if q.SupersededBy != "" {
		where = and(where, "superseded <> ''") // for its index
	}
	if !q.CareBy.IsZero() {
		where, args = and(where, "care_from <= ?"), append(args, timeText(q.CareBy))
	}
	if len(q.Roles) > 0 {
		where = and(where, "role IN (?"+strings.Repeat(",?", len(q.Roles)-1)+")")
		for _, role := range q.Roles {
			args = append(args, role)
		}
	}
	if q.Limit <= 0 {
		q.Limit = 200
	}
	order := "subject COLLATE NOCASE, number"
	if q.ByEnd {
		order = "not_after, number"
	}
	return c.certificates(ctx, where+" ORDER BY "+order+" LIMIT ? OFFSET ?", append(args, q.Limit, q.Offset)...)
}

func (c *Catalog) certificates(ctx context.Context, rest string, args ...any) ([]Certificate, error) {
	return list(ctx, c, "certificates", "SELECT "+certificateColumns+" FROM certificate "+rest, args, scanCertificate)
}

// CertificatesByIDs finds certificates by their whole IDs, in no order; those
// that are not there are left out.
func (c *Catalog) CertificatesByIDs(ctx context.Context, ids []string) ([]Certificate, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return c.certificates(ctx, "WHERE id IN (?"+strings.Repeat(",?", len(ids)-1)+")", anys(ids)...)
}

// Issued counts what each of the CAs of these IDs has signed; a CA without any
// is left out.
func (c *Catalog) Issued(ctx context.Context, ids []string) (map[string]int, error) {
	counts := map[string]int{}
	if len(ids) == 0 {
		return counts, nil
	}
	rows, err := c.read.QueryContext(ctx, "SELECT issuer_id, count(*) FROM certificate WHERE issuer_id IN (?"+strings.Repeat(",?", len(ids)-1)+") GROUP BY issuer_id", anys(ids)...)
	if err != nil {
		return nil, fmt.Errorf("count certificates: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		var n int
		if err := rows.Scan(&id, &n); err != nil {
			return nil, fmt.Errorf("count certificates: %w", err)
		}
		counts[id] = n
	}
	return counts, known(rows.Err())
}

func anys(texts []string) []any {
	all := make([]any, len(texts))
	for i, text := range texts {
		all[i] = text
	}
	return all
}

// Orphans lists the certificates without a known issuer in whose bytes a DER name
// occurs, as the name of an issuer does.
func (c *Catalog) Orphans(ctx context.Context, name []byte) ([]Certificate, error) {
	return c.certificates(ctx, "WHERE issuer_id = '' AND instr(der, ?) > 0", name)
}

// SetIssuer says which certificate has signed those of the IDs.
func (c *Catalog) SetIssuer(ctx context.Context, ids []string, issuerID string) error {
	if len(ids) == 0 {
		return nil
	}
	return c.transact(ctx, CertificatesChanged, "write issuer", func(tx *sql.Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, "UPDATE certificate SET issuer_id = ? WHERE id = ?", issuerID, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// PlaceKey says where the key of a certificate is now.
func (c *Catalog) PlaceKey(ctx context.Context, id, place, deviceID string) error {
	_, err := c.exec(ctx, CertificatesChanged, "write key place", "UPDATE certificate SET key_place = ?, device_id = ? WHERE id = ?", place, deviceID, id)
	return err
}

// RevokeCertificate marks a certificate as revoked; once is for all.
func (c *Catalog) RevokeCertificate(ctx context.Context, id, reason string, at time.Time) error {
	_, err := c.exec(ctx, CertificatesChanged, "revoke certificate", "UPDATE certificate SET state = ?, reason = ?, revoked = ? WHERE id = ? AND state <> ?",
		CertificateRevoked, reason, timeText(at), id, CertificateRevoked)
	return err
}

const supersede = "UPDATE certificate SET state = ?, superseded = ? WHERE id = ? AND state = ?"

// SupersedeCertificate marks that another one has taken its place.
func (c *Catalog) SupersedeCertificate(ctx context.Context, id, by string) error {
	_, err := c.exec(ctx, CertificatesChanged, "supersede certificate", supersede, CertificateSuperseded, by, id, CertificateValid)
	return err
}

// ReinstateCertificate takes back that another one took its place.
func (c *Catalog) ReinstateCertificate(ctx context.Context, id, by string) error {
	_, err := c.exec(ctx, CertificatesChanged, "reinstate certificate", "UPDATE certificate SET state = ?, superseded = '' WHERE id = ? AND state = ? AND superseded = ?",
		CertificateValid, id, CertificateSuperseded, by)
	return err
}

// NextRevocationList numbers and keeps a CA's newest list, which make writes for
// that number.
func (c *Catalog) NextRevocationList(ctx context.Context, issuerID string, at time.Time, make func(number int64) ([]byte, error)) (number int64, der []byte, err error) {
	err = c.transact(ctx, CertificatesChanged, "write revocation list", func(tx *sql.Tx) error {
		row := tx.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) + 1 FROM revocation_list WHERE issuer_id = ?", issuerID)
		if err := row.Scan(&number); err != nil {
			return err
		}
		if der, err = make(number); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO revocation_list (issuer_id, number, made, der) VALUES (?,?,?,?) "+
			"ON CONFLICT (issuer_id) DO UPDATE SET number=excluded.number, made=excluded.made, der=excluded.der", issuerID, number, timeText(at), der)
		return err
	})
	return number, der, err
}
