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
		return nil, false, known(rows.Err())
	}
	if err := rows.Scan(&data); err != nil {
		return nil, false, fmt.Errorf("read sealed record: %w", err)
	}
	return data, true, nil
}

// Save writes a sealed record, new or not.
func (s *Sealed) Save(ctx context.Context, name string, data []byte) error {
	_, err := s.c.exec(ctx, SecretsChanged, "write sealed record", "INSERT INTO sealed (name, data) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET data=excluded.data", name, data)
	return err
}

// Swap writes a sealed record if it still is what it was: before, or absent if
// before is nil. Of several that do so at once, one succeeds.
func (s *Sealed) Swap(ctx context.Context, name string, before, after []byte) (done bool, err error) {
	query, args := "UPDATE sealed SET data = ? WHERE name = ? AND data = ?", []any{after, name, before}
	if before == nil {
		query, args = "INSERT INTO sealed (data, name) VALUES (?,?) ON CONFLICT (name) DO NOTHING", []any{after, name}
	}
	n, err := s.c.exec(ctx, SecretsChanged, "write sealed record", query, args...)
	return n > 0, err
}

// Delete removes a sealed record; found is false if there was none.
func (s *Sealed) Delete(ctx context.Context, name string) (found bool, err error) {
	n, err := s.c.exec(ctx, SecretsChanged, "remove sealed record", "DELETE FROM sealed WHERE name = ?", name)
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
	return names, known(rows.Err())
}
