package catalog

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkCertificates searches among 200,000 certificates as a person types.
func BenchmarkCertificates(b *testing.B) {
	c, err := Open(b.Context(), filepath.Join(b.TempDir(), "c.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	certs := make([]Certificate, 200_000)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range certs {
		sum := sha256.Sum256(fmt.Append(nil, i))
		hex := fmt.Sprintf("%X", sum)
		name := fmt.Sprintf("line-%d-%06d", i%97, i)
		certs[i] = Certificate{ID: fmt.Sprintf("%s-%06d", hex[:8], i), Profile: "device identity", Role: "identity", Subject: name, Serial: hex[:32], SHA1: hex[24:], SHA256: hex,
			NotBefore: begin, NotAfter: begin.AddDate(1, 0, i%400), Algorithm: "p256", KeyPlace: "none", State: CertificateValid, DeviceID: name, DER: make([]byte, 500), Created: begin}
	}
	err = c.transact(b.Context(), CertificatesChanged, "fill", func(tx *sql.Tx) error {
		return each(b.Context(), tx, insertCertificate, certs, certificateArgs)
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, typed := range []string{"l", "li", "lin", "line-4", "line-42-0", "042", "nowhere", certs[4711].SHA256[:6], certs[4711].SHA256, "device identity line-7"} {
		b.Run(typed, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Certificates(context.Background(), CertificateQuery{Text: typed, Limit: 50}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
