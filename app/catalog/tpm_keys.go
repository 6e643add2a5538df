package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The values of TPMKey.Origin, from the one that is trusted least.
const (
	OriginUnsigned = "unsigned" // in a list without a signature
	OriginSigned   = "signed"   // in a list of a station that was accepted
	OriginRead     = "read"     // from the TPM itself, by this data folder
)

var originRank = map[string]int{OriginUnsigned: 0, OriginSigned: 1, OriginRead: 2}

// TPMKey is the endorsement key of a TPM, with what was found around it.
type TPMKey struct {
	SHA256 string // over Public, lower-case hexadecimal; the key's ID
	Base32 string // the same hash as Azure's clients write it
	// DeviceID is the device that it shall be, "" for not said.
	DeviceID string
	// Target and Address are where it was read: a target, and the address of a
	// software TPM behind it or "".
	Target, Address string
	Handle          string // 0x81010001, or "" for a key that the TPM does not keep
	Template        string
	// Standard is the hash of the key that template L-1 makes on the same TPM,
	// "" where it could not be made.
	Standard               string
	Manufacturer, Firmware string
	CertificateState       string
	CertificateProblem     string
	Station                string // that read it
	Taken                  time.Time
	Origin                 string
	Signer                 string // fingerprint of the station that signed its list
	// ReplacedBy is the key that was found at the same place later, ReplacedWhy
	// the reason as far as it can be told.
	ReplacedBy, ReplacedWhy string
	Public, SRK             []byte // TPM2B_PUBLIC; SRK may be empty
	Certificate             []byte // DER, nil for none
}

const tpmKeyColumns = "sha256, base32, device_id, target, address, handle, template, standard, manufacturer, firmware, certificate_state, " +
	"certificate_problem, station, taken, origin, signer, replaced_by, replaced_why, public, srk, certificate"

func scanTPMKey(row scanner) (k TPMKey, err error) {
	err = row.Scan(&k.SHA256, &k.Base32, &k.DeviceID, &k.Target, &k.Address, &k.Handle, &k.Template, &k.Standard, &k.Manufacturer, &k.Firmware, &k.CertificateState,
		&k.CertificateProblem, &k.Station, setTime{&k.Taken}, &k.Origin, &k.Signer, &k.ReplacedBy, &k.ReplacedWhy, &k.Public, &k.SRK, &k.Certificate)
	return k, err
}

// PutTPMKey writes what was read of a TPM. The same key again updates its row
// and keeps its device ID if the new one is empty. Where another key was read at
// that place before, that one stays and is marked as replaced for the reason
// that why gives; it is returned.
func (c *Catalog) PutTPMKey(ctx context.Context, k TPMKey, why func(old TPMKey) string) (old *TPMKey, err error) {
	err = c.transact(ctx, TPMKeysChanged, "write endorsement key "+k.SHA256, func(tx *sql.Tx) error {
		found, err := scanTPMKey(tx.QueryRowContext(ctx, "SELECT "+tpmKeyColumns+" FROM tpm_key WHERE target = ? AND address = ? AND origin = 'read' AND replaced_by = '' AND sha256 <> ?",
			k.Target, k.Address, k.SHA256))
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return err
		default:
			found.ReplacedBy, found.ReplacedWhy = k.SHA256, why(found)
			if _, err := tx.ExecContext(ctx, "UPDATE tpm_key SET replaced_by = ?, replaced_why = ? WHERE sha256 = ?", found.ReplacedBy, found.ReplacedWhy, found.SHA256); err != nil {
				return err
			}
			old = &found
		}
		k.Origin, k.ReplacedBy, k.ReplacedWhy = OriginRead, "", ""
		return putTPMKeys(ctx, tx, []TPMKey{k})
	})
	return old, err
}

// ImportTPMKeys writes keys of a list: all or none. One that is known from a
// better origin keeps what is known of it, apart from an empty device ID.
func (c *Catalog) ImportTPMKeys(ctx context.Context, keys []TPMKey) (added int, err error) {
	err = c.transact(ctx, TPMKeysChanged, "import endorsement keys", func(tx *sql.Tx) error {
		look, err := tx.PrepareContext(ctx, "SELECT origin FROM tpm_key WHERE sha256 = ?")
		if err != nil {
			return err
		}
		defer func() { _ = look.Close() }()
		var write []TPMKey
		for _, k := range keys {
			var origin string
			switch err := look.QueryRowContext(ctx, k.SHA256).Scan(&origin); {
			case errors.Is(err, sql.ErrNoRows):
				added++
			case err != nil:
				return err
			case originRank[origin] > originRank[k.Origin]:
				if _, err := tx.ExecContext(ctx, "UPDATE tpm_key SET device_id = ? WHERE sha256 = ? AND device_id = ''", k.DeviceID, k.SHA256); err != nil {
					return err
				}
				continue
			}
			write = append(write, k)
		}
		return putTPMKeys(ctx, tx, write)
	})
	return added, err
}

func putTPMKeys(ctx context.Context, tx *sql.Tx, keys []TPMKey) error {
	columns := strings.Split(tpmKeyColumns, ", ")
	var update []string
	for _, column := range columns {
		switch column {
		case "sha256":
		case "device_id":
			update = append(update, "device_id = iif(excluded.device_id = '', tpm_key.device_id, excluded.device_id)")
		default:
			update = append(update, column+" = excluded."+column)
		}
	}
	return each(ctx, tx, "INSERT INTO tpm_key ("+tpmKeyColumns+") VALUES (?"+strings.Repeat(",?", len(columns)-1)+") ON CONFLICT (sha256) DO UPDATE SET "+strings.Join(update, ", "),
		keys, func(k TPMKey) []any {
			if k.SRK == nil {
				k.SRK = []byte{}
			}
			return []any{k.SHA256, k.Base32, k.DeviceID, k.Target, k.Address, k.Handle, k.Template, k.Standard, k.Manufacturer, k.Firmware, k.CertificateState,
				k.CertificateProblem, k.Station, timeText(k.Taken), k.Origin, k.Signer, k.ReplacedBy, k.ReplacedWhy, k.Public, k.SRK, k.Certificate}
		})
}

// SetTPMDevice says which device a key shall be.
func (c *Catalog) SetTPMDevice(ctx context.Context, sha256, deviceID string) error {
	n, err := c.exec(ctx, TPMKeysChanged, "write endorsement key "+sha256, "UPDATE tpm_key SET device_id = ? WHERE sha256 = ?", deviceID, sha256)
	return oneTPMKey(n, err, sha256)
}

// RemoveTPMKey forgets a key.
func (c *Catalog) RemoveTPMKey(ctx context.Context, sha256 string) error {
	n, err := c.exec(ctx, TPMKeysChanged, "remove endorsement key "+sha256, "DELETE FROM tpm_key WHERE sha256 = ?", sha256)
	return oneTPMKey(n, err, sha256)
}

func oneTPMKey(n int64, err error, sha256 string) error {
	if err == nil && n == 0 {
		err = fmt.Errorf("endorsement key %s: %w", sha256, ErrNotFound)
	}
	return err
}

// TPMKey finds a key by its SHA-256 or an unambiguous beginning of it.
func (c *Catalog) TPMKey(ctx context.Context, id string) (TPMKey, error) {
	if id == "" {
		return TPMKey{}, fmt.Errorf("endorsement key: %w", ErrNotFound)
	}
	// IDs are of hexadecimal digits, which sort before g.
	found, err := c.tpmKeys(ctx, "WHERE sha256 >= lower(?) AND sha256 < lower(?) || 'g' ORDER BY sha256 LIMIT 2", id, id)
	switch {
	case err != nil:
		return TPMKey{}, err
	case len(found) == 0:
		return TPMKey{}, fmt.Errorf("endorsement key %s: %w", id, ErrNotFound)
	case len(found) == 2:
		return TPMKey{}, fmt.Errorf("endorsement key %s: %w", id, ErrAmbiguous)
	}
	return found[0], nil
}

// TPMKeyBefore finds the newest key that a key has replaced at its place.
func (c *Catalog) TPMKeyBefore(ctx context.Context, sha256 string) (TPMKey, error) {
	found, err := c.tpmKeys(ctx, "WHERE replaced_by = ? AND replaced_by <> '' ORDER BY taken DESC LIMIT 1", sha256)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("predecessor of endorsement key %s: %w", sha256, ErrNotFound)
	}
	if err != nil {
		return TPMKey{}, err
	}
	return found[0], nil
}

func (c *Catalog) tpmKeys(ctx context.Context, rest string, args ...any) ([]TPMKey, error) {
	rows, err := c.read.QueryContext(ctx, "SELECT "+tpmKeyColumns+" FROM tpm_key "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("read endorsement keys: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	list := []TPMKey{}
	for rows.Next() {
		k, err := scanTPMKey(rows)
		if err != nil {
			return nil, fmt.Errorf("read endorsement keys: %w", err)
		}
		list = append(list, k)
	}
	return list, known(rows.Err())
}
