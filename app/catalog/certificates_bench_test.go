package catalog

import (
	"context"
	"path/filepath"
	"testing"
)

// BenchmarkCertificates searches among 200,000 certificates as a person types.
func BenchmarkCertificates(b *testing.B) {
	c, err := Open(b.Context(), filepath.Join(b.TempDir(), "c.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	certs := someCertificates(b, c, 200_000)
	for _, typed := range []string{"l", "li", "lin", "line-4", "line-42-0", "042", "nowhere", certs[4711].SHA256[:6], certs[4711].SHA256, certs[4711].SHA1[:3], "line-55 " + certs[4711].Serial[:6], "device identity line-7"} {
		b.Run(typed, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Certificates(context.Background(), CertificateQuery{Text: typed, Limit: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
