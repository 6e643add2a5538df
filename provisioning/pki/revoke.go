package pki

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"time"
)

// Reason is why a certificate is revoked, by the names of RFC 5280, 5.3.1.
type Reason string

// reasonCodes are the numbers of the reasons.
var reasonCodes = map[Reason]int{"unspecified": 0, "keyCompromise": 1, "cACompromise": 2, "affiliationChanged": 3,
	"superseded": 4, "cessationOfOperation": 5, "privilegeWithdrawn": 9}

// Reasons are the reasons that a certificate can be revoked for, the plainest
// first.
var Reasons = []Reason{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation", "privilegeWithdrawn"}

// Valid tells whether r is one of unspecified, keyCompromise, cACompromise,
// affiliationChanged, superseded, cessationOfOperation and privilegeWithdrawn.
func (r Reason) Valid() bool { _, ok := reasonCodes[r]; return ok }

// Revoked is one row of a revocation list.
type Revoked struct {
	Serial *big.Int
	At     time.Time
	Reason Reason
}

// crlLife is how long a list holds until its next update.
const crlLife = 30 * day

// NewCRL writes the revocation list of a CA (RFC 5280, 5), DER. The number
// must be greater than that of every list before.
func NewCRL(random io.Reader, now time.Time, by Issuer, number int64, rows []Revoked) ([]byte, error) {
	list := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now.Add(-Backdate).UTC(), NextUpdate: now.Add(crlLife).UTC()}
	if by.Certificate == nil || by.Signer == nil {
		return nil, refuse("there is no CA to sign the list")
	}
	if by.Certificate.KeyUsage != 0 && by.Certificate.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return nil, refuse("%s may not sign revocation lists: cRLSign is missing", by.Certificate.Subject.CommonName)
	}
	for _, row := range rows {
		code, ok := reasonCodes[row.Reason]
		if !ok {
			return nil, refuse("the reason %q is unknown", row.Reason)
		}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: row.Serial, RevocationTime: row.At.UTC(), ReasonCode: code})
	}
	der, err := x509.CreateRevocationList(random, list, by.Certificate, by.Signer)
	if err != nil {
		return nil, fmt.Errorf("sign revocation list of %s: %w", by.Certificate.Subject.CommonName, err)
	}
	return der, nil
}

// CRLPEM writes a revocation list.
func CRLPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}
