package catalog

import (
	"context"
	"fmt"
	"time"
)

// CertificateCounts are the numbers of certificates. Revoked and superseded ones
// count only among all.
type CertificateCounts struct {
	All int
	// EndSoon want care and still hold, Ended hold no longer.
	EndSoon, Ended int
}

// CountCertificates counts at a time.
func (c *Catalog) CountCertificates(ctx context.Context, now time.Time) (CertificateCounts, error) {
	var n CertificateCounts
	at := timeText(now)
	row := c.read.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM certificate), coalesce(sum(not_after > ?), 0), coalesce(sum(not_after <= ?), 0) "+
		"FROM certificate WHERE state = 'valid' AND care_from <= ?", at, at, at)
	if err := row.Scan(&n.All, &n.EndSoon, &n.Ended); err != nil {
		return n, fmt.Errorf("count certificates: %w", known(err))
	}
	return n, nil
}
