package catalog

import (
	"context"
	"fmt"
	"time"
)

// Profile is a certificate profile that a user made, as its TOML text.
type Profile struct {
	Name    string
	Text    string
	Changed time.Time
}

// PutProfile writes a profile, new or not. Names differ by more than case.
func (c *Catalog) PutProfile(ctx context.Context, p Profile) error {
	_, err := c.exec(ctx, CertificatesChanged, "write profile "+p.Name, "INSERT INTO profile (name, text, changed) VALUES (?,?,?) "+
		"ON CONFLICT (name) DO UPDATE SET name=excluded.name, text=excluded.text, changed=excluded.changed", p.Name, p.Text, timeText(p.Changed))
	return err
}

// Profiles lists the profiles by name.
func (c *Catalog) Profiles(ctx context.Context) ([]Profile, error) {
	return list(ctx, c, "profiles", "SELECT name, text, changed FROM profile ORDER BY name", nil, func(row scanner, p *Profile) error {
		return row.Scan(&p.Name, &p.Text, setTime{&p.Changed})
	})
}

// DeleteProfile removes a profile. Certificates that were made by it stay.
func (c *Catalog) DeleteProfile(ctx context.Context, name string) error {
	n, err := c.exec(ctx, CertificatesChanged, "remove profile "+name, "DELETE FROM profile WHERE name = ?", name)
	if err == nil && n == 0 {
		err = fmt.Errorf("profile %s: %w", name, ErrNotFound)
	}
	return err
}
