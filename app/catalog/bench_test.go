package catalog

import (
	"context"
	"path/filepath"
	"testing"
)

// BenchmarkCatalog measures what the marks speak of, on 100,000 devices.
func BenchmarkCatalog(b *testing.B) {
	path := filepath.Join(b.TempDir(), "c.db")
	c, err := Open(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	many(b, c, 100_000)
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			other, err := Open(context.Background(), path)
			if err != nil {
				b.Fatal(err)
			}
			_ = other.Close()
		}
	})
	for name, q := range map[string]Query{
		"type/l": {Text: "l"}, "type/li": {Text: "li"}, "type/line-4": {Text: "line-4"}, "type/host0421": {Text: "host0421"}, "type/nowhere": {Text: "nowhere"},
		"type/plant 0421": {Text: "plant 0421"}, "type/line, proven": {Text: "line", State: "proven"}, "type/line, failed": {Text: "line", State: "failed"},
		"type/l, proven": {Text: "l", State: "proven"}, "type/line by proof": {Text: "line", SortBy: "proof"},
		"page/first": {Limit: 50}, "page/in the middle": {Limit: 50, Offset: 50_000}, "page/last": {Limit: 50, Offset: 99_900},
		"page/by proof": {Limit: 50, SortBy: "proof", Descending: true}, "page/proven by target": {Limit: 50, SortBy: "target", State: "proven"},
		"page/in need of care": {Limit: 50, SortBy: "target", NeedsCare: true},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Search(context.Background(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("page/after the middle", func(b *testing.B) {
		middle, err := c.Search(context.Background(), Query{Limit: 1, Offset: 50_000})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := c.Search(context.Background(), Query{Limit: 50, After: middle[0].UUID}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("found/line", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := c.Found(context.Background(), Query{Text: "line"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if _, err := c.Count(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
