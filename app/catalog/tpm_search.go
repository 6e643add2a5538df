package catalog

import (
	"context"
	"fmt"
)

// TPMKeyQuery narrows a list of endorsement keys, newest reading first. The zero
// query lists all.
type TPMKeyQuery struct {
	// Text is looked for in hash, device ID, target, maker and station, each word
	// of it anywhere. If no word has three characters, the first one must begin
	// the device ID.
	Text  string
	Limit int // 0 means 200
	// After is the SHA-256 of the last key of the page before.
	After string
}

// TPMKeys lists endorsement keys. Text goes through a trigram index; its hits are
// at most 500.
func (c *Catalog) TPMKeys(ctx context.Context, q TPMKeyQuery) ([]TPMKey, error) {
	query, args := q.pageQuery()
	return c.tpmKeys(ctx, query, args...)
}

// pageQuery gives what follows "SELECT … FROM tpm_key".
func (q TPMKeyQuery) pageQuery() (query string, args []any) {
	where, args := q.where()
	if q.After != "" {
		where = and(where, "(taken, id) < (SELECT taken, id FROM tpm_key WHERE sha256 = ?)")
		args = append(args, q.After)
	}
	if q.Limit <= 0 {
		q.Limit = 200
	}
	return where + " ORDER BY taken DESC, id DESC LIMIT ?", append(args, q.Limit)
}

// FoundTPMKeys counts the keys that TPMKeys can page through. More says that there
// are hits beyond them.
func (c *Catalog) FoundTPMKeys(ctx context.Context, q TPMKeyQuery) (n int, more bool, err error) {
	where, args := q.where()
	if err := c.read.QueryRowContext(ctx, "SELECT count(*) FROM tpm_key "+where, args...).Scan(&n); err != nil {
		return 0, false, fmt.Errorf("count endorsement keys: %w", known(err))
	}
	if where != "" && n > hitLimit {
		return hitLimit, true, nil
	}
	return n, false, nil
}

func (q TPMKeyQuery) where() (where string, args []any) {
	text := words(q.Text)
	switch {
	case len(text.long) > 0:
		where, args = fmt.Sprintf("WHERE id IN (SELECT rowid FROM tpm_key_text WHERE tpm_key_text MATCH ? LIMIT %d)", hitLimit+1), []any{text.match()}
	case text.prefix != "":
		where = fmt.Sprintf("WHERE id IN (SELECT id FROM tpm_key WHERE device_id COLLATE NOCASE >= ? AND device_id COLLATE NOCASE < ? LIMIT %d)", hitLimit+1)
		args = []any{text.prefix, text.prefix + "\U0010ffff"}
	}
	for _, word := range text.short {
		where = and(where, `(sha256 || char(10) || base32 || char(10) || device_id || char(10) || target || char(10) || manufacturer || char(10) || station) LIKE ? ESCAPE '\'`)
		args = append(args, likePattern(word))
	}
	return where, args
}
