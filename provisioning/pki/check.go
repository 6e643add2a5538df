package pki

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/finding"
)

// Purpose is what a chain has to be good for.
type Purpose string

// The purposes of Verify.
const (
	// ForIdentity is a device or module that proves itself to IoT Hub or DPS.
	ForIdentity Purpose = "identity"
	// ForEdgeCA is a device that signs for its modules.
	ForEdgeCA Purpose = "edge-ca"
	// ForServer is a TLS server.
	ForServer Purpose = "server"
	// ForCA is a CA that signs others.
	ForCA Purpose = "ca"
)

// Purposes are all purposes.
var Purposes = []Purpose{ForIdentity, ForEdgeCA, ForServer, ForCA}

// State is how much of a certificate's life is left.
type State string

// The states of a certificate by its dates.
const (
	StateGood      State = "good"
	StateRenewSoon State = "renew-soon" // 80 % of the life or 30 days before the end
	StateEnding    State = "ending"     // 7 days before the end
	StateEnded     State = "ended"
	StateNotYet    State = "not-yet"
)

// CareBefore is how long before its end a certificate wants care at the latest.
const CareBefore = 30 * day

const (
	day       = 24 * time.Hour
	endBefore = 7 * day
	soonShare = 0.8
)

// StateAt tells the state of a certificate at a time. In a life of 60 days or
// less only the share counts.
func StateAt(cert *x509.Certificate, now time.Time) State {
	life, left := cert.NotAfter.Sub(cert.NotBefore), cert.NotAfter.Sub(now)
	switch {
	case now.Before(cert.NotBefore):
		return StateNotYet
	case left <= 0:
		return StateEnded
	case life > 2*CareBefore && left <= endBefore:
		return StateEnding
	case life > 2*CareBefore && left <= CareBefore || float64(life-left) >= soonShare*float64(life):
		return StateRenewSoon
	}
	return StateGood
}

// StateOfEnd tells the state of a certificate of which only the end is known.
func StateOfEnd(end, now time.Time) State {
	switch left := end.Sub(now); {
	case left <= 0:
		return StateEnded
	case left <= endBefore:
		return StateEnding
	case left <= CareBefore:
		return StateRenewSoon
	}
	return StateGood
}

// RenewAt is when a certificate turns StateRenewSoon.
func RenewAt(cert *x509.Certificate) time.Time {
	life := cert.NotAfter.Sub(cert.NotBefore)
	at := cert.NotBefore.Add(time.Duration(soonShare * float64(life)))
	if before := cert.NotAfter.Add(-CareBefore); life > 2*CareBefore && before.Before(at) {
		at = before
	}
	return at
}

// Verify says what keeps a chain, leaf first, from its purpose at a time. roots
// are trusted; a self-signed leaf for ForIdentity needs none, since the cloud
// knows its thumbprint. Rules: RFC 5280, 6.1, and those of the runtime.
func Verify(purpose Purpose, chain, roots []*x509.Certificate, now time.Time) finding.List {
	var found finding.List
	if len(chain) == 0 {
		found.Add(finding.Error, "certificate", "There is no certificate.", "Choose a file with one.")
		return found
	}
	checkLeaf(&found, purpose, chain[0], now)
	checkOrder(&found, chain)
	selfSigned := IsSelfSigned(chain[0])
	if selfSigned && purpose == ForIdentity || selfSigned && purpose == ForCA && len(roots) == 0 {
		return found
	}
	// A leaf that is to sign counts as a CA below those above it, though RFC 5280
	// counts the last of a path as none.
	signs := 0
	if purpose == ForEdgeCA || purpose == ForCA {
		signs = 1
	}
	for i, ca := range chain[1:] {
		checkCA(&found, ca, i+signs, now)
	}
	checkAnchor(&found, chain, roots, signs, now)
	return found
}

func checkLeaf(found *finding.List, purpose Purpose, leaf *x509.Certificate, now time.Time) {
	checkDates(found, leaf, now)
	checkForm(found, leaf)
	if !AlgorithmOf(leaf.PublicKey).Valid() {
		checkKeyKind(found, leaf)
	}
	if purpose != ForCA && !AlgorithmOf(leaf.PublicKey).OnDevice() && purpose != ForServer {
		found.Add(finding.Error, "algorithm", "The runtime reads no keys of the kind "+AlgorithmOf(leaf.PublicKey).String()+".", "Use EC P-256 or RSA of 2048 bits and more.")
	}
	switch purpose {
	case ForIdentity:
		checkEnd(found, leaf, x509.ExtKeyUsageClientAuth, "clientAuth")
		if leaf.Subject.CommonName == "" {
			found.Add(finding.Error, "subject", "The certificate has no common name.", "The common name is the device ID, or with DPS the registration ID.")
		}
	case ForServer:
		checkEnd(found, leaf, x509.ExtKeyUsageServerAuth, "serverAuth")
		if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
			found.Add(finding.Error, "names", "The certificate names no host (subject alternative name).", "TLS clients look there, not at the common name.")
		}
	case ForEdgeCA, ForCA:
		checkCA(found, leaf, 0, now)
	}
}

func checkDates(found *finding.List, cert *x509.Certificate, now time.Time) {
	name := cert.Subject.CommonName
	switch StateAt(cert, now) {
	case StateEnded:
		found.Add(finding.Error, "not_after", fmt.Sprintf("%s ended on %s.", name, cert.NotAfter.UTC().Format(time.DateOnly)), "Renew it.")
	case StateNotYet:
		found.Add(finding.Error, "not_before", fmt.Sprintf("%s begins on %s.", name, cert.NotBefore.UTC().Format(time.DateTime)), "Wait, or set the clock.")
	case StateEnding, StateRenewSoon:
		found.Add(finding.Care, "not_after", fmt.Sprintf("%s ends on %s.", name, cert.NotAfter.UTC().Format(time.DateOnly)), "Renew it soon.")
	}
}

// checkEnd looks at what a certificate that is no CA needs.
func checkEnd(found *finding.List, leaf *x509.Certificate, usage x509.ExtKeyUsage, word string) {
	if leaf.IsCA {
		found.Add(finding.Error, "ca", leaf.Subject.CommonName+" is a CA certificate, not one of a device or server.", "Use a leaf certificate.")
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		found.Add(finding.Error, "usages", "The key usage digitalSignature is missing.", "TLS needs it; issue the certificate anew.")
	}
	any := slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
	if (len(leaf.ExtKeyUsage) > 0 || len(leaf.UnknownExtKeyUsage) > 0) && !any && !slices.Contains(leaf.ExtKeyUsage, usage) {
		found.Add(finding.Error, "usages", "The extended key usage "+word+" is missing.", "Issue the certificate anew by the right profile.")
	}
	if len(leaf.SubjectKeyId) == 0 {
		found.Add(finding.Note, "key_id", "The certificate has no subject key identifier.", "RFC 5280 asks for one; it works without.")
	}
}

// checkCA looks at a CA with a number of CAs below it.
func checkCA(found *finding.List, ca *x509.Certificate, below int, now time.Time) {
	name := ca.Subject.CommonName
	switch {
	case !ca.BasicConstraintsValid || !ca.IsCA:
		found.Add(finding.Error, "ca", name+" is no CA certificate (basic constraints).", "Use a certificate that was made as a CA.")
	case ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCertSign == 0:
		found.Add(finding.Error, "usages", name+" may not sign certificates: keyCertSign is missing.", "Make the CA anew.")
	}
	if limit, limited := pathLength(ca); limited && limit < below {
		found.Add(finding.Error, "path_length", fmt.Sprintf("%s allows %d CAs below it, and there are %d.", name, limit, below), "Sign with a CA that allows more.")
	}
	if below > 0 || !IsSelfSigned(ca) {
		checkDates(found, ca, now)
	}
	checkForm(found, ca)
}

// oldSignatures are those that TLS stacks of today refuse (RFC 9155, and the
// security level of OpenSSL in Debian and Ubuntu).
var oldSignatures = map[x509.SignatureAlgorithm]string{x509.MD2WithRSA: "MD2", x509.MD5WithRSA: "MD5", x509.SHA1WithRSA: "SHA-1",
	x509.DSAWithSHA1: "SHA-1", x509.ECDSAWithSHA1: "SHA-1"}

// checkForm looks at what makes a certificate useless wherever it stands in the
// chain. How a root is signed matters to nobody who trusts it.
func checkForm(found *finding.List, cert *x509.Certificate) {
	name := cert.Subject.CommonName
	root := cert.IsCA && string(cert.RawSubject) == string(cert.RawIssuer)
	if hash := oldSignatures[cert.SignatureAlgorithm]; hash != "" && !root {
		found.Add(finding.Error, "algorithm", name+" is signed with "+hash+", which TLS of today refuses.", "Have it issued anew with SHA-256.")
	}
	if critical := cert.UnhandledCriticalExtensions; len(critical) > 0 {
		found.Add(finding.Error, "extensions", fmt.Sprintf("%s has the critical extension %s, which nobody here understands.", name, critical[0]), "Have it issued anew without it.")
	}
}

func checkKeyKind(found *finding.List, cert *x509.Certificate) {
	kind := AlgorithmOf(cert.PublicKey)
	if strings.HasPrefix(string(kind), "rsa") {
		var bits int
		if _, err := fmt.Sscanf(string(kind), "rsa%d", &bits); err == nil && bits >= minRSABits {
			return // an unusual length, but a good one
		}
	}
	found.Add(finding.Error, "algorithm", "The key is of the kind "+kind.String()+".", "Use EC P-256, EC P-384 or RSA of 2048 bits and more.")
}

// checkOrder finds chains in the wrong order and strangers in them.
func checkOrder(found *finding.List, chain []*x509.Certificate) {
	for i := range chain[:len(chain)-1] {
		if Signed(chain[i+1], chain[i]) {
			continue
		}
		sorted, others := Assemble(chain[0], chain[1:])
		if len(others) == 0 && len(sorted) == len(chain) {
			found.Add(finding.Error, "chain", "The chain is in the wrong order.", "Leaf first, then each certificate's issuer.")
		} else {
			found.Add(finding.Error, "chain", fmt.Sprintf("%s has not signed %s.", chain[i+1].Subject.CommonName, chain[i].Subject.CommonName), "Put the issuers of the leaf into the file, and nothing else.")
		}
		return
	}
}

// checkAnchor finds the root at the end of the chain; signs is 1 where the leaf
// is a CA that is to sign.
func checkAnchor(found *finding.List, chain, roots []*x509.Certificate, signs int, now time.Time) {
	last := chain[len(chain)-1]
	if IsSelfSigned(last) {
		if len(roots) > 0 && !slices.ContainsFunc(roots, last.Equal) {
			found.Add(finding.Error, "chain", "The chain ends at "+last.Subject.CommonName+", which is not trusted here.", "Add that root, or use the right chain.")
		}
		return
	}
	for _, root := range roots {
		if Signed(root, last) {
			checkCA(found, root, len(chain)-1+signs, now)
			checkPath(found, chain, root, now)
			return
		}
	}
	if len(roots) > 0 {
		found.Add(finding.Error, "chain", fmt.Sprintf("The issuer %s of %s is missing.", last.Issuer.CommonName, last.Subject.CommonName), "Add the intermediate certificates to the chain.")
	}
}

// checkPath has the library look at what is left of RFC 5280, 6.1: the name
// constraints of the CAs and the usages that they pass on.
func checkPath(found *finding.List, chain []*x509.Certificate, root *x509.Certificate, now time.Time) {
	if found.Errors() {
		return // it would say the same again, in other words
	}
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	options.Roots.AddCert(root)
	for _, cert := range chain[1:] {
		options.Intermediates.AddCert(cert)
	}
	if _, err := chain[0].Verify(options); err != nil {
		found.Add(finding.Error, "chain", fmt.Sprintf("The chain of %s does not hold: %s.", chain[0].Subject.CommonName, strings.TrimPrefix(err.Error(), "x509: ")), "Look at the constraints of its CAs.")
	}
}

// CheckPair says whether a key belongs to a certificate.
func CheckPair(cert *x509.Certificate, public any) finding.List {
	var found finding.List
	if !SamePublicKey(public, cert.PublicKey) {
		found.Add(finding.Error, "key", "The key is not that of "+cert.Subject.CommonName+".", "Choose the key that the certificate was made for.")
	}
	return found
}
