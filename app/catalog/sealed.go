package catalog

import (
	"context"
	"fmt"
)

// Sealed is where the vault keeps its sealed records.
type Sealed struct{ c *Catalog }

// Vault gives the vault its place in the catalog.
func (c *Catalog) Vault() *Sealed { return &Sealed{c} }

// Load gives a sealed record; found is false if there is none.
func (s *Sealed) Load(ctx context.Context, name string) (data []byte, found bool, err error) {
	rows, err := s.c.read.QueryContext(ctx, "SELECT data FROM sealed WHERE name = ?", name)
	if err != nil {
		return nil, false, fmt.Errorf("read sealed record: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		return nil, false, rows.Err()
	}
	if err := rows.Scan(&data); err != nil {
		return nil, false, fmt.Errorf("read sealed record: %w", err)
	}
	return data, true, nil
}

// Save writes a sealed record, new or not.
func (s *Sealed) Save(ctx context.Context, name string, data []byte) error {
	_, err := s.c.exec(ctx, "write sealed record", "INSERT INTO sealed (name, data) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET data=excluded.data", name, data)
	return err
}

// Delete removes a sealed record; found is false if there was none.
func (s *Sealed) Delete(ctx context.Context, name string) (found bool, err error) {
	n, err := s.c.exec(ctx, "remove sealed record", "DELETE FROM sealed WHERE name = ?", name)
	return n > 0, err
}

// Names lists the names of all records.
func (s *Sealed) Names(ctx context.Context) ([]string, error) {
	rows, err := s.c.read.QueryContext(ctx, "SELECT name FROM sealed ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("list sealed records: %w", known(err))
	}
	defer func() { _ = rows.Close() }()
	names := []string{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list sealed records: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Setting gives a setting of the data folder, or "" if it was never set.
func (c *Catalog) Setting(ctx context.Context, key string) (string, error) {
	var value string
	err := c.read.QueryRowContext(ctx, "SELECT coalesce((SELECT value FROM setting WHERE key = ?), '')", key).Scan(&value)
	if err != nil {
		return "", fmt.Errorf("read setting %s: %w", key, known(err))
	}
	return value, nil
}

// SetSetting writes a setting of the data folder.
func (c *Catalog) SetSetting(ctx context.Context, key, value string) error {
	_, err := c.exec(ctx, "write setting "+key, "INSERT INTO setting (key, value) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET value=excluded.value", key, value)
	return err
}
