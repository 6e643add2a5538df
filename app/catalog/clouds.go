package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Cloud is a pair of services that a user added. HubSecret and DPSSecret are
// the names of its connection strings in the vault.
type Cloud struct {
	Name           string
	Kind           string
	HubHost        string
	DPSHost        string
	IDScope        string
	GlobalEndpoint string
	HubSecret      string
	DPSSecret      string
	Created        time.Time
}

const cloudColumns = "name, kind, hub_host, dps_host, id_scope, global_endpoint, hub_secret, dps_secret, created"

func scanCloud(row scanner) (c Cloud, err error) {
	err = row.Scan(&c.Name, &c.Kind, &c.HubHost, &c.DPSHost, &c.IDScope, &c.GlobalEndpoint, &c.HubSecret, &c.DPSSecret, setTime{&c.Created})
	return c, err
}

// PutCloud writes a cloud, new or not. Names differ by more than case.
func (c *Catalog) PutCloud(ctx context.Context, cloud Cloud) error {
	_, err := c.exec(ctx, CloudsChanged, "write cloud "+cloud.Name, "INSERT INTO cloud ("+cloudColumns+") VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET "+
		"kind=excluded.kind, hub_host=excluded.hub_host, dps_host=excluded.dps_host, id_scope=excluded.id_scope, global_endpoint=excluded.global_endpoint, "+
		"hub_secret=excluded.hub_secret, dps_secret=excluded.dps_secret",
		cloud.Name, cloud.Kind, cloud.HubHost, cloud.DPSHost, cloud.IDScope, cloud.GlobalEndpoint, cloud.HubSecret, cloud.DPSSecret, timeText(cloud.Created))
	return err
}

// Cloud finds a cloud by its name in any case.
func (c *Catalog) Cloud(ctx context.Context, name string) (Cloud, error) {
	cloud, err := scanCloud(c.read.QueryRowContext(ctx, "SELECT "+cloudColumns+" FROM cloud WHERE name = ?", name))
	return cloud, missing(err, "cloud "+name)
}

// Clouds lists all clouds by name.
func (c *Catalog) Clouds(ctx context.Context) ([]Cloud, error) {
	rows, err := c.read.QueryContext(ctx, "SELECT "+cloudColumns+" FROM cloud ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("read clouds: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	list := []Cloud{}
	for rows.Next() {
		cloud, err := scanCloud(rows)
		if err != nil {
			return nil, fmt.Errorf("read clouds: %w", err)
		}
		list = append(list, cloud)
	}
	return list, known(rows.Err())
}

// InUseError names devices, at most five, that keep a cloud from being removed.
// It is an ErrInUse.
type InUseError struct {
	Cloud   string
	Devices []string
	// More is how many devices there are besides those named.
	More int
}

func (e *InUseError) Error() string {
	text := fmt.Sprintf("cloud %s is used by %s", e.Cloud, strings.Join(e.Devices, ", "))
	if e.More > 0 {
		text += fmt.Sprintf(" and %d more", e.More)
	}
	return text
}

// Unwrap makes it an ErrInUse.
func (e *InUseError) Unwrap() error { return ErrInUse }

// DeleteCloud removes a cloud. While it has devices that are not replaced, it
// is an *InUseError: without the cloud's secrets they could not be undone.
func (c *Catalog) DeleteCloud(ctx context.Context, name string) error {
	return c.transact(ctx, CloudsChanged, "remove cloud "+name, func(tx *sql.Tx) error {
		if err := unused(ctx, tx, name); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, "DELETE FROM cloud WHERE name = ?", name)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}

func unused(ctx context.Context, tx *sql.Tx, name string) error {
	rows, err := tx.QueryContext(ctx, "SELECT device_id FROM device WHERE cloud = ? AND state <> 'replaced' ORDER BY device_id COLLATE NOCASE", name)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	used := InUseError{Cloud: name}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if len(used.Devices) < 5 {
			used.Devices = append(used.Devices, id)
		} else {
			used.More++
		}
	}
	if err := rows.Err(); err != nil || len(used.Devices) == 0 {
		return err
	}
	return &used
}
