package pki

import (
	"crypto"
	"crypto/sha1" // #nosec G505: RFC 5280, 4.2.1.2 names it for key identifiers
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"time"

	"edgewright/provisioning/finding"
)

// Backdate is how long before now a certificate starts, for clocks that are
// behind.
const Backdate = time.Hour

// maxCommonName is ub-common-name of RFC 5280, A.1, in characters.
const maxCommonName = 64

// Issuer is a CA that signs: its certificate, those above it, and its key, of
// which no more is known than that it signs.
type Issuer struct {
	Certificate *x509.Certificate
	// Chain is what stands above, nearest first, with or without the root.
	Chain  []*x509.Certificate
	Signer crypto.Signer
}

// Order is what to make a certificate from.
type Order struct {
	Profile Profile
	// Subject has at least a common name.
	Subject pkix.Name
	// Names are DNS names and IP addresses, for servers.
	Names []string
	// Public is the key of the new certificate. A self-signed one is signed by
	// Signer of it, so Key is needed there instead.
	Public crypto.PublicKey
	// Key is the new certificate's own key, for self-signed ones.
	Key crypto.Signer
	// Days replaces the profile's life; 0 keeps it.
	Days int
}

// ErrRefused is the kind of the errors of Issue that are the caller's doing.
var ErrRefused = errors.New("certificate refused")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// Issue makes a certificate. It starts an hour before now and never ends after
// its issuer. Names, serial number, key identifiers, constraints and usages are
// those of RFC 5280, 4.1 and 4.2. What the caller got wrong wraps ErrRefused.
func Issue(random io.Reader, now time.Time, by Issuer, o Order) (*x509.Certificate, error) {
	if o.Profile.SelfSigned {
		if o.Key == nil {
			return nil, refuse("a self-signed certificate needs its own key")
		}
		o.Public = o.Key.Public()
	}
	template, err := o.draft(random, now, by)
	if err != nil {
		return nil, err
	}
	parent, signer := template, o.Key
	if !o.Profile.SelfSigned {
		parent, signer = by.Certificate, by.Signer
		if signer == nil {
			return nil, refuse("there is no key to sign with")
		}
		if !SamePublicKey(signer.Public(), parent.PublicKey) {
			return nil, refuse("the key is not that of %s", parent.Subject.CommonName)
		}
	}
	der, err := x509.CreateCertificate(random, template, parent, template.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("sign certificate %s: %w", template.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// Preview is the certificate that Issue would make for a key of the algorithm,
// before there is a key: without serial number, key identifier and signature. It
// refuses what Issue would refuse; the issuer needs no Signer.
func Preview(now time.Time, by Issuer, o Order, a Algorithm) (*x509.Certificate, error) {
	if o.Public = standIn(a); o.Public == nil {
		return nil, refuse("the key algorithm %q is unknown", string(a))
	}
	return o.draft(zeros{}, now, by)
}

// draft is the certificate before it is signed, with the dates that its issuer
// leaves it.
func (o Order) draft(random io.Reader, now time.Time, by Issuer) (*x509.Certificate, error) {
	if found := o.Profile.Check(); found.Errors() {
		return nil, refuse("profile %s: %s", o.Profile.Name, found.First(finding.Error).Problem)
	}
	template, err := o.template(random, now)
	if err != nil {
		return nil, err
	}
	if o.Profile.SelfSigned {
		template.AuthorityKeyId = template.SubjectKeyId // RFC 5280, 4.2.1.1 excuses CAs only
		return template, nil
	}
	if err := by.allows(now, template); err != nil {
		return nil, err
	}
	template.NotAfter = earlier(template.NotAfter, by.Certificate.NotAfter)
	if template.NotBefore.Before(by.Certificate.NotBefore) {
		template.NotBefore = by.Certificate.NotBefore
	}
	return template, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// template is the certificate before it has an issuer.
func (o Order) template(random io.Reader, now time.Time) (*x509.Certificate, error) {
	public := o.Public
	algorithm := AlgorithmOf(public)
	if !algorithm.Valid() {
		return nil, refuse("keys of the kind %s are not certified; use EC P-256, EC P-384 or RSA of 2048 bits and more", algorithm)
	}
	if !o.Profile.takes(algorithm) {
		return nil, refuse("the runtime reads no %s keys, only CAs and servers elsewhere have them; use EC P-256 or RSA", algorithm)
	}
	if err := checkSubject(o.Subject); err != nil {
		return nil, err
	}
	keyID, err := KeyID(public)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial(random)
	if err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	days := o.Days
	if days == 0 {
		days = o.Profile.Days
	}
	if days < 1 || days > maxDays {
		return nil, refuse("a life of %d days is not 1 to %d", days, maxDays)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: o.Subject, PublicKey: public, SubjectKeyId: keyID,
		// Seconds are all that a certificate keeps.
		NotBefore: now.Add(-Backdate).UTC().Truncate(time.Second), NotAfter: now.AddDate(0, 0, days).UTC().Truncate(time.Second),
		KeyUsage: o.Profile.keyUsage(algorithm), ExtKeyUsage: o.Profile.extKeyUsage(),
		BasicConstraintsValid: true, IsCA: o.Profile.CA,
	}
	if o.Profile.CA {
		template.MaxPathLen, template.MaxPathLenZero = o.Profile.PathLength, o.Profile.PathLength == 0
	}
	return template, o.addNames(template)
}

func (o Order) addNames(template *x509.Certificate) error {
	names := o.Names
	if o.Profile.Role == RoleServer && len(names) == 0 {
		names = []string{o.Subject.CommonName}
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if isDNSName(name) {
			template.DNSNames = append(template.DNSNames, name)
		} else {
			return refuse("%q is no DNS name and no IP address", name)
		}
	}
	return nil
}

// allows checks that the issuer may sign such a certificate now.
func (i Issuer) allows(now time.Time, child *x509.Certificate) error {
	switch ca := i.Certificate; {
	case ca == nil:
		return refuse("it has no issuer; name a CA")
	case !ca.BasicConstraintsValid || !ca.IsCA:
		return refuse("%s is no CA", ca.Subject.CommonName)
	case ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCertSign == 0:
		return refuse("%s may not sign certificates: keyCertSign is missing", ca.Subject.CommonName)
	case now.Before(ca.NotBefore) || !now.Before(ca.NotAfter):
		return refuse("%s holds from %s to %s", ca.Subject.CommonName, ca.NotBefore.Format(time.DateOnly), ca.NotAfter.Format(time.DateOnly))
	case child.IsCA && !i.mayHaveCABelow(child):
		return refuse("the path length of %s or of one above it leaves no room for a CA below it", ca.Subject.CommonName)
	case string(ca.RawSubject) == string(rawName(child.Subject)):
		return refuse("the subject would be that of its issuer; choose another common name")
	}
	return nil
}

// mayHaveCABelow tells whether the path lengths of the issuer and of those above
// it leave room for the child (RFC 5280, 6.1.4 l).
func (i Issuer) mayHaveCABelow(child *x509.Certificate) bool {
	below := 1 // the child
	for _, ca := range append([]*x509.Certificate{i.Certificate}, i.Chain...) {
		if limit, limited := pathLength(ca); limited && limit < below {
			return false
		}
		if !IsSelfSigned(ca) {
			below++
		}
	}
	return true
}

// pathLength reads the path length constraint; false if there is none.
func pathLength(ca *x509.Certificate) (int, bool) {
	return ca.MaxPathLen, ca.BasicConstraintsValid && (ca.MaxPathLen > 0 || ca.MaxPathLen == 0 && ca.MaxPathLenZero)
}

func rawName(name pkix.Name) []byte {
	raw, err := asn1.Marshal(name.ToRDNSequence())
	if err != nil {
		return nil
	}
	return raw
}

// KeyID is the SHA-1 of the bits of the public key (RFC 5280, 4.2.1.2, method 1),
// 20 bytes.
func KeyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, fmt.Errorf("read public key: %w", err)
	}
	sum := sha1.Sum(info.Key.RightAlign()) // #nosec G401
	return sum[:], nil
}

// newSerial is a positive number of 16 bytes, 126 of its bits random (RFC 5280,
// 4.1.2.2 allows 20 bytes): unique without a counter, never used again.
func newSerial(random io.Reader) (*big.Int, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(random, raw); err != nil {
		return nil, err
	}
	raw[0] = raw[0]&0x3f | 0x40
	return new(big.Int).SetBytes(raw), nil
}

// isDNSName checks a host name by RFC 1123, 2.1, with a leading wildcard label
// allowed.
func isDNSName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for i, label := range strings.Split(name, ".") {
		if label == "*" && i == 0 && strings.Contains(name, ".") {
			continue
		}
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			letter := c|0x20 >= 'a' && c|0x20 <= 'z'
			if !letter && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}
