package pki

import (
	"crypto/rand"
	"crypto/x509/pkix"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openssl reads in a request what the profile asks for.
func TestRequestForAProfileByOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	for name, wanted := range map[string][]string{
		"Edge CA":         {"CA:TRUE, pathlen:0", "Digital Signature, Certificate Sign"},
		"intermediate CA": {"CA:TRUE, pathlen:1", "Digital Signature, Certificate Sign, CRL Sign"},
		"root CA":         {"CA:TRUE\n", "Certificate Sign"},
		"device identity": {"Digital Signature", "TLS Web Client Authentication"},
		"server":          {"Digital Signature", "TLS Web Server Authentication", "DNS:gateway.example, IP Address:192.0.2.7"},
	} {
		profile, _ := ProfileByName(name)
		key, err := GenerateKey(rand.Reader, profile.Algorithm)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		if profile.Role == RoleServer {
			names = []string{"gateway.example", "192.0.2.7"}
		}
		der, err := RequestFor(rand.Reader, Order{Profile: profile, Subject: pkix.Name{CommonName: "a"}, Names: names}, key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseRequest(der); err != nil {
			t.Error(err)
		}
		file := filepath.Join(t.TempDir(), "a.csr")
		if err := os.WriteFile(file, RequestPEM(der), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "openssl", "req", "-in", file, "-noout", "-text", "-verify").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range wanted {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: no %q in\n%s", name, want, out)
			}
		}
	}
}
