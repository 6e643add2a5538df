package catalog

import (
	"context"
	"path/filepath"
	"testing"
)

// BenchmarkTPMKeys measures the list of 100,000 endorsement keys.
func BenchmarkTPMKeys(b *testing.B) {
	c, err := Open(b.Context(), filepath.Join(b.TempDir(), "c.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	manyTPMKeys(b, c, 100_000)
	for name, q := range map[string]TPMKeyQuery{
		"type/l": {Text: "l"}, "type/li": {Text: "li"}, "type/line": {Text: "line"}, "type/line-042": {Text: "line-042"}, "type/nowhere": {Text: "nowhere"},
		"type/hash": {Text: tpmKey(4711, "").SHA256[:12]}, "page/first": {}, "page/in the middle": {After: tpmKey(50_000, "").SHA256},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.TPMKeys(context.Background(), q); err != nil {
					b.Fatal(err)
				}
				if _, _, err := c.FoundTPMKeys(context.Background(), TPMKeyQuery{Text: q.Text}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
