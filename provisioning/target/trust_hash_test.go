package target

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The hash is openssl's own, for the names that openssl makes.
func TestSubjectHash(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("needs openssl")
	}
	dir := t.TempDir()
	for _, subject := range []string{"/CN=Practice root", "/O=Edge  Wright /CN= Two  Blanks ", "/C=DE/O=Werk 7/CN=a.example+OU=b",
		"/CN=UPPER lower/emailAddress=Some@One.example"} {
		file := filepath.Join(dir, "ca.pem")
		made := exec.Command(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
			"-multivalue-rdn", "-subj", subject, "-keyout", filepath.Join(dir, "key.pem"), "-out", file)
		if out, err := made.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", subject, err, out)
		}
		want, err := exec.Command(openssl, "x509", "-noout", "-subject_hash", "-in", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := subjectHash(text); err != nil || got != strings.TrimSpace(string(want)) {
			t.Errorf("%s: hash %s, %v, want %s", subject, got, err, want)
		}
	}
	if _, err := subjectHash([]byte("none")); err == nil {
		t.Error("a hash of nothing")
	}
}
