package pki

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"edgewright/provisioning/secret"
)

// FuzzRead looks for input that makes a parser panic, and for content that
// breaks what Read promises.
func FuzzRead(f *testing.F) {
	seeds, err := filepath.Glob("testdata/read/*")
	if err != nil || len(seeds) == 0 {
		f.Fatal("no seeds in testdata/read")
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "pw for seeds")
		f.Add(data, "")
	}
	f.Fuzz(func(t *testing.T, data []byte, passphrase string) {
		content, err := Read(data, secret.FromString(passphrase))
		if err != nil && !content.IsEmpty() {
			t.Error("an error with content")
		}
		chain := content.Chain()
		if len(chain) != len(content.Certificates) {
			t.Error("a chain of other certificates")
		}
		for _, cert := range content.Certificates {
			assembled, others := Assemble(cert, content.Certificates)
			if len(assembled)+len(others) < len(content.Certificates)-countEqual(content.Certificates) {
				t.Error("a certificate got lost")
			}
			Verify(ForIdentity, assembled, nil, testNow)
			Verify(ForEdgeCA, assembled, content.Certificates, testNow)
		}
	})
}

// countEqual is how many certificates stand in the list more than once.
func countEqual(certs []*x509.Certificate) int {
	seen := map[string]bool{}
	count := 0
	for _, cert := range certs {
		if seen[string(cert.Raw)] {
			count++
		}
		seen[string(cert.Raw)] = true
	}
	return count
}
