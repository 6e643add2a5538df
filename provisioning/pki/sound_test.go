package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	zcrypto "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

// TestEveryProfileWithEveryAlgorithm makes a certificate of each profile of the
// program with each kind of key that it may have, and below each CA a server.
func TestEveryProfileWithEveryAlgorithm(t *testing.T) {
	t.Parallel()
	s := newSoundness(t)
	for _, p := range Profiles() {
		kinds := 0
		for _, algorithm := range Algorithms {
			if p.takes(algorithm) {
				kinds++
				s.add(p, algorithm)
			}
		}
		if kinds < len(Algorithms)-1 {
			t.Errorf("%s takes %d kinds of keys", p.Name, kinds)
		}
	}
	s.check()
}

// TestEveryProfileThatCanBeSaved does the same for each profile of a user that
// breaks no rule, whatever its usages and path length.
func TestEveryProfileThatCanBeSaved(t *testing.T) {
	t.Parallel()
	s := newSoundness(t)
	made := map[Role]int{}
	for role, isCA := range roles {
		for subset := range 1 << len(Usages) {
			for _, length := range []int{AnyDepth, 0, 1, 8} {
				for _, self := range []bool{false, true} {
					p := Profile{Name: fmt.Sprintf("%s %d %d %v", role, subset, length, self), Role: role, CA: isCA, PathLength: length, SelfSigned: self, Days: 90, Algorithm: P256}
					for i, usage := range Usages {
						if subset&(1<<i) != 0 {
							p.Usages = append(p.Usages, usage)
						}
					}
					if !p.Check().Errors() {
						made[role]++
						s.add(p, P256)
					}
				}
			}
		}
	}
	for role := range roles {
		if made[role] < 2 {
			t.Errorf("%d profiles of the role %s can be saved", made[role], role)
		}
	}
	s.check()
}

// soundness gathers certificates and has zlint and OpenSSL judge them together,
// which spares a process for each.
type soundness struct {
	authority
	dir string
	// leaves are the files with what OpenSSL verifies, by purpose and by the file
	// with those above.
	leaves map[[2]string][]string
	made   int
	lints  lint.Registry
}

func newSoundness(t *testing.T) *soundness {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	lints, err := lint.GlobalRegistry().Filter(lint.FilterOptions{IncludeSources: lint.SourceList{lint.RFC5280}})
	if err != nil {
		t.Fatal(err)
	}
	return &soundness{authority: newAuthority(t), dir: t.TempDir(), leaves: map[[2]string][]string{}, lints: lints}
}

// opensslPurposes are what OpenSSL calls what leaves are good for.
var opensslPurposes = map[Role]string{RoleIdentity: "sslclient", RoleESTBootstrap: "sslclient", RoleVerification: "sslclient", RoleServer: "sslserver"}

// add makes a certificate by the profile, and a server below it if it is a CA.
func (s *soundness) add(p Profile, algorithm Algorithm) {
	s.t.Helper()
	own := keyOf(s.t, algorithm)
	by := s.intermediate
	if p.CA {
		by = s.root // which leaves room below
	}
	cert := s.lint(by, Order{Profile: p, Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Werk Süd"}, CommonName: fmt.Sprintf("made-%d.plant.example", s.made)}, Public: own.Public(), Key: own})
	above := []*x509.Certificate{s.root.Certificate, s.intermediate.Certificate}
	if p.SelfSigned {
		above = []*x509.Certificate{cert}
	}
	if !p.CA {
		s.verify(opensslPurposes[p.Role], above, cert)
		return
	}
	issuer := Issuer{Certificate: cert, Signer: own}
	if !p.SelfSigned {
		issuer.Chain, above = []*x509.Certificate{s.root.Certificate}, []*x509.Certificate{s.root.Certificate, cert}
	}
	server := profile(s.t, "server")
	s.verify("sslserver", above, s.lint(issuer, Order{Profile: server, Subject: pkix.Name{CommonName: "below.plant.example"}, Public: keyOf(s.t, P256).Public()}))
}

// lint issues a certificate in which zlint finds nothing.
func (s *soundness) lint(by Issuer, o Order) *x509.Certificate {
	s.t.Helper()
	cert := s.issue(by, o)
	parsed, err := zcrypto.ParseCertificate(cert.Raw)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, result := range zlint.LintCertificateEx(parsed, s.lints).Results {
		if result.Status > lint.Notice {
			s.t.Errorf("%s, %s: %s %s %s", o.Profile.Name, AlgorithmOf(cert.PublicKey), name, result.Status, result.Details)
		}
	}
	return cert
}

// verify puts a certificate down for OpenSSL; above begins with its root.
func (s *soundness) verify(purpose string, above []*x509.Certificate, leaf *x509.Certificate) {
	write := func(name string, certs ...*x509.Certificate) string {
		if err := os.WriteFile(filepath.Join(s.dir, name), PEM(certs...), 0o600); err != nil {
			s.t.Fatal(err)
		}
		return filepath.Join(s.dir, name)
	}
	chain := write(SHA256(above[len(above)-1])+".pem", above...)
	s.leaves[[2]string{purpose, chain}] = append(s.leaves[[2]string{purpose, chain}], write(fmt.Sprintf("%d.pem", s.made), leaf))
	s.made++
}

// check has OpenSSL verify everything. The chains are given as trusted, roots and
// CAs; without -partial_chain all of one has to hold up to its root.
func (s *soundness) check() {
	s.t.Helper()
	good := 0
	for _, group := range slices.SortedFunc(maps.Keys(s.leaves), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) }) {
		out, err := exec.Command("openssl", append([]string{"verify", "-x509_strict", "-attime", fmt.Sprint(testNow.Unix()), "-purpose", group[0], "-CAfile", group[1]}, s.leaves[group]...)...).CombinedOutput()
		if err != nil {
			s.t.Errorf("openssl verify -purpose %s: %v\n%s", group[0], err, out)
		}
		good += strings.Count(string(out), ": OK\n")
	}
	s.t.Logf("%d certificates", s.made)
	if good != s.made || good == 0 {
		s.t.Errorf("OpenSSL takes %d of %d certificates", good, s.made)
	}
}

var (
	testKeysMu sync.Mutex
	testKeys   = map[Algorithm]crypto.Signer{}
)

// keyOf is a key of an algorithm, one for all tests that do not mind sharing.
func keyOf(t *testing.T, a Algorithm) crypto.Signer {
	t.Helper()
	testKeysMu.Lock()
	defer testKeysMu.Unlock()
	if testKeys[a] == nil {
		made, err := GenerateKey(rand.Reader, a)
		if err != nil {
			t.Fatal(err)
		}
		testKeys[a] = made
	}
	return testKeys[a]
}
