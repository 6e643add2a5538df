package catalog

import (
	"context"
	"fmt"
)

// Setting gives a setting of the data folder, or "" if it was never set.
func (c *Catalog) Setting(ctx context.Context, key string) (string, error) {
	var value string
	err := c.read.QueryRowContext(ctx, "SELECT coalesce((SELECT value FROM setting WHERE key = ?), '')", key).Scan(&value)
	if err != nil {
		return "", fmt.Errorf("read setting %s: %w", key, known(err))
	}
	return value, nil
}

// FirstSetting sets a setting that was never set, and gives the value that it
// has then: of several callers, in several processes, one sets it for all.
func (c *Catalog) FirstSetting(ctx context.Context, key, value string) (string, error) {
	if _, err := c.exec(ctx, SettingsChanged, "write setting "+key, "INSERT INTO setting (key, value) VALUES (?,?) ON CONFLICT (key) DO NOTHING", key, value); err != nil {
		return "", err
	}
	return c.Setting(ctx, key)
}

// SetSetting writes a setting of the data folder.
func (c *Catalog) SetSetting(ctx context.Context, key, value string) error {
	_, err := c.exec(ctx, SettingsChanged, "write setting "+key, "INSERT INTO setting (key, value) VALUES (?,?) ON CONFLICT (key) DO UPDATE SET value=excluded.value", key, value)
	return err
}
