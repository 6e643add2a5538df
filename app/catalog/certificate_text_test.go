package catalog

import (
	"crypto/sha1"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// someCertificates fills a catalog with certificates that have numbers of their
// own.
func someCertificates(t testing.TB, c *Catalog, n int) []Certificate {
	t.Helper()
	certs := make([]Certificate, n)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range certs {
		hex := fmt.Sprintf("%X", sha256.Sum256(fmt.Append(nil, i)))
		name := fmt.Sprintf("line-%d-%06d", i%97, i)
		certs[i] = Certificate{ID: fmt.Sprintf("%s-%06d", strings.ToLower(hex[:8]), i), Profile: "device identity", Role: "identity", Subject: name, Serial: hex[20:52],
			SHA1: fmt.Sprintf("%X", sha1.Sum(fmt.Append(nil, i))), SHA256: hex, NotBefore: begin, NotAfter: begin.AddDate(1, 0, i%400), CareFrom: begin.AddDate(0, 11, 0),
			Algorithm: "p256", KeyPlace: "none", State: CertificateValid, DeviceID: name, DER: make([]byte, 500), Created: begin}
	}
	err := c.transact(t.Context(), CertificatesChanged, "fill", func(tx *sql.Tx) error {
		return addCertificates(t.Context(), tx, certs)
	})
	if err != nil {
		t.Fatal(err)
	}
	return certs
}

// between writes something between pairs of digits.
func between(digits, what string) string {
	var pairs []string
	for pair := range slices.Chunk([]byte(digits), 2) {
		pairs = append(pairs, string(pair))
	}
	return strings.Join(pairs, what)
}

func TestCertificatesAreFoundByTheirNumbers(t *testing.T) {
	c := fresh(t)
	certs := someCertificates(t, c, 500)
	one := certs[123]
	for _, typed := range []string{
		one.SHA256, strings.ToLower(one.SHA256), one.SHA1, one.Serial, between(one.SHA256, ":"), between(strings.ToLower(one.SHA1), " "), between(one.Serial, ":"),
		one.SHA256[:9], one.SHA1[:9], strings.ToLower(one.Serial[:9]), "line-26 " + one.SHA1[:9], one.Serial[:9] + " identity " + one.Subject, "000123",
	} {
		found, err := c.Certificates(t.Context(), CertificateQuery{Text: typed})
		if err != nil || len(found) != 1 || found[0].ID != one.ID {
			t.Errorf("%s: %d found, %v", typed, len(found), err)
		}
	}
	for _, typed := range []string{one.SHA256[1:], one.SHA1[:9] + "G", "line-27 " + one.SHA1[:9], "nowhere " + one.SHA1, one.SHA256 + "00"} {
		if found, err := c.Certificates(t.Context(), CertificateQuery{Text: typed}); err != nil || len(found) != 0 {
			t.Errorf("%s: %d found, %v", typed, len(found), err)
		}
	}
	if found, err := c.Certificates(t.Context(), CertificateQuery{Text: one.SHA256[:9], State: CertificateRevoked}); err != nil || len(found) != 0 {
		t.Errorf("a filter beside: %v %v", found, err)
	}
}

// The numbers and texts of certificates that were written before are found, too.
func TestOldCertificatesAreFound(t *testing.T) {
	c := open(t, fixture(t, "schema-0009.sql"))
	one, err := c.Certificate(t.Context(), "c1")
	if err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{one.Subject, one.Profile, one.SHA1, one.SHA256, one.Serial} {
		found, err := c.Certificates(t.Context(), CertificateQuery{Text: typed})
		if err != nil || !slices.ContainsFunc(found, func(f Certificate) bool { return f.ID == one.ID }) {
			t.Errorf("%q: %v %v", typed, found, err)
		}
	}
}

// However many certificates there are, a text walks indexes only.
func TestCertificateTextWalksItsIndexes(t *testing.T) {
	c := fresh(t)
	someCertificates(t, c, 2000)
	for _, typed := range []string{"line-4", "0bad", "line-4 0BAD", fmt.Sprintf("%X", sha256.Sum256(nil))} {
		where, args := certificateText(typed)
		plan := queryPlan(t, c, "SELECT id FROM certificate "+where+" ORDER BY subject COLLATE NOCASE, number LIMIT 50", args...)
		if strings.Contains(plan, "SCAN certificate\n") {
			t.Errorf("%s:\n%s", typed, plan)
		}
		if _, hex := hexDigits(typed); hex && !(strings.Contains(plan, "certificate_by_serial") && strings.Contains(plan, "certificate_by_sha1") && strings.Contains(plan, "(sha256>?")) {
			t.Errorf("%s:\n%s", typed, plan)
		}
	}
}
