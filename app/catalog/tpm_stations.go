package catalog

import (
	"context"
	"fmt"
	"time"
)

// TPMStation is a station whose signed lists are taken.
type TPMStation struct {
	Fingerprint string
	Public      []byte // Ed25519, 32 bytes
	Name        string
	Accepted    time.Time
}

// AcceptTPMStation writes a station; one that is known keeps its time.
func (c *Catalog) AcceptTPMStation(ctx context.Context, s TPMStation) error {
	_, err := c.exec(ctx, TPMKeysChanged, "write station "+s.Fingerprint, "INSERT INTO tpm_station (fingerprint, public, name, accepted) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
		s.Fingerprint, s.Public, s.Name, timeText(s.Accepted))
	return err
}

// TPMStations lists the stations in the order in which they were accepted.
func (c *Catalog) TPMStations(ctx context.Context) ([]TPMStation, error) {
	rows, err := c.read.QueryContext(ctx, "SELECT fingerprint, public, name, accepted FROM tpm_station ORDER BY accepted, fingerprint")
	if err != nil {
		return nil, fmt.Errorf("read stations: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	list := []TPMStation{}
	for rows.Next() {
		var s TPMStation
		if err := rows.Scan(&s.Fingerprint, &s.Public, &s.Name, setTime{&s.Accepted}); err != nil {
			return nil, fmt.Errorf("read stations: %w", err)
		}
		list = append(list, s)
	}
	return list, known(rows.Err())
}
