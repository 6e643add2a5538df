package catalog

import (
	"context"
	"fmt"
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
	_, err := c.exec(ctx, "write cloud "+cloud.Name, "INSERT INTO cloud ("+cloudColumns+") VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET "+
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
	return list, rows.Err()
}

// DeleteCloud removes a cloud. Devices keep its name.
func (c *Catalog) DeleteCloud(ctx context.Context, name string) error {
	n, err := c.exec(ctx, "remove cloud "+name, "DELETE FROM cloud WHERE name = ?", name)
	if err == nil && n == 0 {
		err = fmt.Errorf("cloud %s: %w", name, ErrNotFound)
	}
	return err
}
