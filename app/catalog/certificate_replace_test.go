package catalog

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
)

// Of two that renew one certificate at the same time, one does; the other leaves
// nothing.
func TestACertificateIsReplacedOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.db")
	one, two := open(t, path), open(t, path)
	old := Certificate{ID: "old", SHA256: "00", State: CertificateValid, Subject: "d1", DER: []byte{1}}
	if err := one.AddCertificate(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	errs := map[string]error{}
	var mu sync.Mutex
	for id, c := range map[string]*Catalog{"new1": one, "new2": two} {
		group.Go(func() {
			err := c.ReplaceCertificate(t.Context(), Certificate{ID: id, SHA256: id, State: CertificateValid, Subject: "d1", DER: []byte{1}}, "old")
			mu.Lock()
			defer mu.Unlock()
			errs[id] = err
		})
	}
	group.Wait()
	all, err := one.Certificates(t.Context(), CertificateQuery{Subject: "d1"})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d certificates, %v", len(all), err)
	}
	got, err := one.Certificate(t.Context(), "old")
	if err != nil || got.State != CertificateSuperseded {
		t.Fatalf("%+v %v", got, err)
	}
	for id, err := range errs {
		if id == got.Superseded && err != nil || id != got.Superseded && !errors.Is(err, ErrExists) {
			t.Errorf("%s, superseded by %s: %v", id, got.Superseded, err)
		}
	}

	// A revoked one stays revoked, and one that is not there is replaced by nobody.
	revoked := Certificate{ID: "revoked", SHA256: "01", State: CertificateRevoked, Subject: "d2", DER: []byte{1}}
	if err := one.AddCertificate(t.Context(), revoked); err != nil {
		t.Fatal(err)
	}
	if err := one.ReplaceCertificate(t.Context(), Certificate{ID: "new3", SHA256: "new3", State: CertificateValid, Subject: "d2", DER: []byte{1}}, "revoked"); err != nil {
		t.Error(err)
	}
	if got, err := one.Certificate(t.Context(), "revoked"); err != nil || got.State != CertificateRevoked {
		t.Errorf("%+v %v", got, err)
	}
	if err := one.ReplaceCertificate(t.Context(), Certificate{ID: "new4", SHA256: "new4", State: CertificateValid, DER: []byte{1}}, "nobody"); err == nil {
		t.Error("nobody is replaced")
	}
}
