package practice

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	maxPresented  = 16 // certificates of a handshake that are looked at
	maxPathLength = 10 // certificates of a path, leaf and anchor included
	maxSignatures = 64 // that are checked for one path, as hostile chains multiply them
)

// A chain that cannot be built from what was presented is told from one that
// exists but breaks a rule.
var errNoChain = errors.New("no certificate presented leads to the trusted one")

// verifyChain finds the shortest path from a client's leaf to a trusted
// certificate, which may be a root or an intermediate, over what else was
// presented, in any order, and checks it as RFC 5280, 6.1 does: signatures,
// dates, names and key identifiers, basic constraints, path length, key usage,
// name constraints; an extended key usage must allow a TLS client wherever it
// stands. Revocation is not looked at, as IoT Hub does not. depth is how many
// steps the trusted certificate is above the leaf, at least 1.
func verifyChain(leaf *x509.Certificate, presented []*x509.Certificate, trusted *x509.Certificate, now time.Time) (depth int, err error) {
	if err := checkLeaf(leaf, now); err != nil {
		return 0, err
	}
	if leaf.Equal(trusted) {
		return 0, errNoChain // a CA is not below itself
	}
	w := &chainWalk{now: now, trusted: trusted, signatures: maxSignatures}
	for _, candidate := range presented[:min(len(presented), maxPresented)] {
		if !candidate.Equal(leaf) && !candidate.Equal(trusted) && !slices.ContainsFunc(w.candidates, candidate.Equal) {
			w.candidates = append(w.candidates, candidate)
		}
	}
	w.from([]*x509.Certificate{leaf})
	if w.found == nil {
		return 0, errors.Join(errNoChain, w.problem)
	}
	return len(w.found) - 1, nil
}

// leadsTo tells whether trusted may have issued one of a chain: the cheap
// question before verifyChain.
func leadsTo(chain []*x509.Certificate, trusted *x509.Certificate) bool {
	return slices.ContainsFunc(chain[:min(len(chain), maxPresented)], func(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, trusted.RawSubject) })
}

// checkLeaf holds the rules of an end entity.
func checkLeaf(leaf *x509.Certificate, now time.Time) error {
	if err := checkDates(leaf, now); err != nil {
		return err
	}
	switch {
	case len(leaf.UnhandledCriticalExtensions) > 0:
		return fmt.Errorf("certificate %s has a critical extension that is not known", leaf.Subject)
	case leaf.KeyUsage != 0 && leaf.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageKeyAgreement) == 0:
		return fmt.Errorf("certificate %s may not sign: its key usage lacks digitalSignature", leaf.Subject)
	case !allowsClient(leaf):
		return fmt.Errorf("certificate %s is not for clients: its extended key usage lacks clientAuth", leaf.Subject)
	}
	return nil
}

func checkDates(c *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(c.NotBefore):
		return fmt.Errorf("certificate %s is not valid before %s", c.Subject, c.NotBefore.UTC().Format(time.RFC3339))
	case now.After(c.NotAfter):
		return fmt.Errorf("certificate %s expired on %s", c.Subject, c.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

// allowsClient reads the extended key usage; none allows everything (RFC 5280,
// 4.2.1.12).
func allowsClient(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// chainWalk is a search over presented certificates.
type chainWalk struct {
	now        time.Time
	trusted    *x509.Certificate
	candidates []*x509.Certificate
	signatures int                 // that may still be checked
	found      []*x509.Certificate // the shortest path so far, leaf first
	problem    error               // of the last issuer that broke a rule
}

// from goes on from the last certificate of a path. No certificate comes twice
// in one, which ends cycles.
func (w *chainWalk) from(path []*x509.Certificate) {
	if w.found != nil && len(path)+1 >= len(w.found) || len(path) == maxPathLength {
		return
	}
	if full, ok := w.issuedBy(path, w.trusted); ok {
		if err := checkNameConstraints(full, w.now); err != nil {
			w.problem = err
		} else {
			w.found = full
			return
		}
	}
	for _, issuer := range w.candidates {
		if slices.ContainsFunc(path, issuer.Equal) {
			continue
		}
		if longer, ok := w.issuedBy(path, issuer); ok {
			w.from(longer)
		}
	}
}

// issuedBy gives the path with the issuer at its end if it issued the last
// certificate and may have.
func (w *chainWalk) issuedBy(path []*x509.Certificate, issuer *x509.Certificate) ([]*x509.Certificate, bool) {
	child := path[len(path)-1]
	if !bytes.Equal(child.RawIssuer, issuer.RawSubject) ||
		len(child.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(child.AuthorityKeyId, issuer.SubjectKeyId) {
		return nil, false
	}
	err := w.checkIssuer(path, issuer)
	if err == nil && w.signatures == 0 {
		err = errors.New("the chain needs too many signatures")
	}
	if err == nil {
		w.signatures--
		if err = issuer.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate, child.Signature); err != nil {
			err = fmt.Errorf("certificate %s is not signed by %s", child.Subject, issuer.Subject)
		}
	}
	if err != nil {
		w.problem = err
		return nil, false
	}
	return append(slices.Clone(path), issuer), true
}

// checkIssuer holds the rules of a CA certificate above path.
func (w *chainWalk) checkIssuer(path []*x509.Certificate, issuer *x509.Certificate) error {
	if err := checkDates(issuer, w.now); err != nil {
		return err
	}
	if err := checkAuthority(issuer); err != nil {
		return err
	}
	if !allowsClient(issuer) {
		return fmt.Errorf("CA %s is not for clients: its extended key usage lacks clientAuth", issuer.Subject)
	}
	if issuer.MaxPathLen > 0 || issuer.MaxPathLenZero {
		below := 0 // CAs between the issuer and the leaf; self-issued ones do not count
		for _, between := range path[1:] {
			if !bytes.Equal(between.RawIssuer, between.RawSubject) {
				below++
			}
		}
		if below > issuer.MaxPathLen {
			return fmt.Errorf("CA %s allows %d CAs below it; there are %d", issuer.Subject, issuer.MaxPathLen, below)
		}
	}
	return nil
}

// checkAuthority tells why a certificate is not that of a CA.
func checkAuthority(c *x509.Certificate) error {
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return fmt.Errorf("certificate %s is not a CA's: its basic constraints do not say so", c.Subject)
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("CA %s may not sign certificates: its key usage lacks keyCertSign", c.Subject)
	case len(c.UnhandledCriticalExtensions) > 0:
		return fmt.Errorf("CA %s has a critical extension that is not known", c.Subject)
	}
	return nil
}

// checkNameConstraints holds a path that is right otherwise against the name
// constraints of its CAs, which are rare; the library's reading of them counts.
func checkNameConstraints(path []*x509.Certificate, now time.Time) error {
	constrained := func(c *x509.Certificate) bool {
		return len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedIPRanges)+len(c.ExcludedIPRanges)+
			len(c.PermittedEmailAddresses)+len(c.ExcludedEmailAddresses)+len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0
	}
	if !slices.ContainsFunc(path[1:], constrained) {
		return nil
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(path[len(path)-1])
	for _, c := range path[1 : len(path)-1] {
		between.AddCert(c)
	}
	_, err := path[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}
