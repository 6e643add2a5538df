package esttest

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shell runs a command line in dir with curl and openssl on the path.
func shell(t *testing.T, dir, script string, env ...string) string {
	t.Helper()
	for _, tool := range []string{"curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "no_proxy=*"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func writePEM(t *testing.T, name, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func bench(t *testing.T, s *Server) (dir string) {
	t.Helper()
	dir = t.TempDir()
	writePEM(t, filepath.Join(dir, "trust.pem"), "CERTIFICATE", s.Trust.Raw)
	writePEM(t, filepath.Join(dir, "root.pem"), "CERTIFICATE", s.Root.Raw)
	writePEM(t, filepath.Join(dir, "issuing.pem"), "CERTIFICATE", s.Issuing.Raw)
	cert, key := s.Client(t, "bootstrap")
	writePEM(t, filepath.Join(dir, "boot.pem"), "CERTIFICATE", cert.Raw)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, "boot.key"), "PRIVATE KEY", der)
	return dir
}

// The CA certificates come as openssl reads them, and make the chain.
func TestCACertsByCurlAndOpenSSL(t *testing.T) {
	s := Start(t, Rules{})
	dir := bench(t, s)
	out := shell(t, dir, `curl -sSf --cacert trust.pem "$EST/cacerts" -D head | openssl base64 -d > cas.p7
		openssl pkcs7 -inform DER -in cas.p7 -print_certs -out cas.pem
		grep -i '^content-type: application/pkcs7-mime; smime-type=certs-only' head
		openssl verify -x509_strict -CAfile root.pem -untrusted cas.pem issuing.pem`, "EST="+s.URL)
	if !strings.Contains(out, "issuing.pem: OK") {
		t.Error(out)
	}
}

// A certificate is enrolled with a bootstrap pair and renewed with itself, all
// by curl and openssl, the way RFC 7030 tells clients to.
func TestEnrollAndRenewByCurlAndOpenSSL(t *testing.T) {
	root, _ := authority(t, "other", nil, nil)
	s := Start(t, Rules{Clients: []*x509.Certificate{root}, Label: "line-7", WholeChain: true})
	dir := bench(t, s)
	out := shell(t, dir, `
		ask() { curl -sSf --cacert trust.pem --cert "$2" --key "$3" -H 'Content-Type: application/pkcs10' -H 'Content-Transfer-Encoding: base64' --data-binary @"$4" "$EST/$1" |
			openssl base64 -d | openssl pkcs7 -inform DER -print_certs; }
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout dev.key -subj /CN=line-7-0042 -outform DER 2>/dev/null | openssl base64 > dev.b64
		ask simpleenroll boot.pem boot.key dev.b64 > dev.pem
		openssl verify -x509_strict -purpose sslclient -CAfile root.pem -untrusted issuing.pem dev.pem
		test "$(openssl x509 -in dev.pem -noout -pubkey)" = "$(openssl pkey -in dev.key -pubout)"
		ask simplereenroll dev.pem dev.key dev.b64 > again.pem
		openssl verify -x509_strict -purpose sslclient -CAfile root.pem -untrusted issuing.pem again.pem
		! cmp -s dev.pem again.pem
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -subj /CN=line-7-0042.ca -addext basicConstraints=critical,CA:TRUE -outform DER 2>/dev/null | openssl base64 > ca.b64
		ask simpleenroll boot.pem boot.key ca.b64 > ca.pem
		openssl x509 -in ca.pem -noout -ext basicConstraints`, "EST="+s.URL)
	for _, want := range []string{"dev.pem: OK", "again.pem: OK", "CA:TRUE, pathlen:0"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if n := len(s.Issued()); n != 3 {
		t.Errorf("%d issued", n)
	}
}

// Who may not enrol, or asks badly, is told so.
func TestRefusalsByCurl(t *testing.T) {
	root, _ := authority(t, "other", nil, nil)
	s := Start(t, Rules{Clients: []*x509.Certificate{root}, Username: "plant", Password: "secret", Pending: 1})
	dir := bench(t, s)
	out := shell(t, dir, `
		code() { curl -sS -o /dev/null -D head -w '%{http_code} ' --cacert trust.pem "$@"; grep -iE '^(retry-after|www-authenticate)' head || echo; }
		post() { code -H 'Content-Type: application/pkcs10' "$@"; }
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout dev.key -subj /CN=a -outform DER 2>/dev/null | openssl base64 > dev.b64
		printf 'nobody '; post --data-binary @dev.b64 "$EST/simpleenroll"
		printf 'wrong '; post -u plant:guess --data-binary @dev.b64 "$EST/simpleenroll"
		printf 'garbage '; post -u plant:secret --data-binary '!!' "$EST/simpleenroll"
		printf 'type '; code -u plant:secret --data-binary @dev.b64 "$EST/simpleenroll"
		printf 'renew '; post -u plant:secret --data-binary @dev.b64 "$EST/simplereenroll"
		printf 'subject '; post --cert boot.pem --key boot.key --data-binary @dev.b64 "$EST/simplereenroll"
		printf 'pending '; post -u plant:secret --data-binary @dev.b64 "$EST/simpleenroll"
		printf 'then '; post -u plant:secret --data-binary @dev.b64 "$EST/simpleenroll"
		printf 'method '; code "$EST/simpleenroll"`, "EST="+s.URL)
	for word, code := range map[string]string{"nobody": "401", "wrong": "401", "garbage": "400", "type": "400", "renew": "403", "subject": "400",
		"pending": "202", "then": "200", "method": "405"} {
		if !strings.Contains(out, word+" "+code+" ") {
			t.Errorf("%s is not %s in\n%s", word, code, out)
		}
	}
	if !strings.Contains(out, "Basic realm") || !strings.Contains(strings.ToLower(out), "pending 202 retry-after: 1") {
		t.Errorf("headers are missing in\n%s", out)
	}
}

// The bag is what openssl makes of the same certificates.
func TestBagIsThatOfOpenSSL(t *testing.T) {
	s := Start(t, Rules{})
	dir := bench(t, s)
	bag, err := certsOnly([]*x509.Certificate{s.Issuing, s.Root})
	if err != nil {
		t.Fatal(err)
	}
	out := shell(t, dir, `cat issuing.pem root.pem > both.pem; openssl crl2pkcs7 -nocrl -certfile both.pem -outform DER | openssl base64 -A`)
	theirs, err := base64.StdEncoding.DecodeString(strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	// openssl writes an empty set of revocation lists or none, by version.
	if string(bag) != string(theirs) && string(bag) != strings.ReplaceAll(string(theirs), "\xa1\x00", "") {
		t.Errorf("ours\n%x\ntheirs\n%x", bag, theirs)
	}
}
