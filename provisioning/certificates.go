package provisioning

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// CertificateRole is what a certificate of a run is for.
type CertificateRole string

// The roles of a run's certificates.
const (
	RoleIdentity CertificateRole = "identity"
	RoleSpare    CertificateRole = "identity-spare"
	RoleEdgeCA   CertificateRole = "edge-ca"
	// RoleLocalCA is the CA of the device itself, which signs its identity.
	RoleLocalCA CertificateRole = "local-ca"
	// roleBootstrap is what a device shows to an EST server at first; a run
	// brings it there and never makes one.
	roleBootstrap CertificateRole = "est-bootstrap"
)

// Pair is a certificate with its key as they lie, or are to lie, on a device.
type Pair struct {
	// Chain is leaf first, without the root.
	Chain []*x509.Certificate
	// Key is PKCS #8, PEM, unencrypted; empty where it stays on the device.
	Key secret.Value
	// Signer uses the key where it is, nil for one that does not read or that
	// does not exist yet.
	Signer crypto.Signer
	// Waiting is where a new key lies on the device until its certificate does.
	Waiting string
	// CertificatePath and KeyPath are where they lie on the device.
	CertificatePath, KeyPath string
}

// Leaf is the certificate itself, nil where there is none yet.
func (p Pair) Leaf() *x509.Certificate {
	if len(p.Chain) == 0 {
		return nil
	}
	return p.Chain[0]
}

// Authority is a CA that a plan names: its certificate and those above it.
type Authority struct {
	Name  string
	Chain []*x509.Certificate
}

// CertificateOrder is what a run wants made.
type CertificateOrder struct {
	Role       CertificateRole
	CommonName string
	// CA is the name of the issuer as the plan has it; SelfSigned needs none.
	CA         string
	SelfSigned bool
	Algorithm  pki.Algorithm
	Days       int // 0 is the profile's
	// Key is the key that gets the certificate, PKCS #8 in PEM; empty asks for
	// a new one.
	Key secret.Value
	// Signer is a key on the device; nil has one made on this computer, or Key.
	Signer crypto.Signer
	// Request is the PKCS #10 request, DER, that the device's key has signed, for
	// a certificate that somebody else signs.
	Request []byte
}

// Certificates is where the certificates of runs come from. A run never sees
// the key of a CA.
type Certificates interface {
	// Authority finds a CA by name or SHA-256 thumbprint. With the practice
	// cloud an empty name is the practice CA, which Make makes on first use:
	// before that it is ErrNotFound.
	Authority(ctx context.Context, name string) (Authority, error)
	// IssuerOf finds the CA of the catalog that signed a certificate.
	IssuerOf(ctx context.Context, cert *x509.Certificate) (Authority, error)
	// Ready says why a CA cannot sign, nil if it can: its key may be elsewhere.
	// With open it also opens what signing will need, asking a person for a
	// passphrase or a PIN; without, it asks nobody. A practice CA that is not
	// there yet is ready.
	Ready(ctx context.Context, name string, open bool) error
	// Made gives what Make made for a run, without the key if that was not made
	// here; ErrNotFound if that is nothing.
	Made(ctx context.Context, runID string, role CertificateRole) (Pair, error)
	// Make makes a certificate, and without Key in the order its key, once for a
	// run and a key. Both have reached the disk when it returns, the key sealed. A
	// request that its key has not signed, or for another name, is ErrInvalid.
	Make(ctx context.Context, runID string, order CertificateOrder) (Pair, error)
	// FromFiles reads a pair from files of this computer.
	FromFiles(ctx context.Context, files CertificateFiles) (Pair, error)
	// Bootstrap finds a certificate of the catalog by name, ID or SHA-256
	// thumbprint, with its key, which stays in the vault.
	Bootstrap(ctx context.Context, name string) (Pair, error)
	// Prove issues the certificate that proves the possession of a CA: its
	// common name is the code. Its key is thrown away.
	Prove(ctx context.Context, runID, ca, code string) (*x509.Certificate, error)
	// Settle forgets the keys of a run: they lie on the device now.
	Settle(ctx context.Context, runID string) error
	// KeyOnDevice notes of a certificate that came in a file, if it is known, that
	// its key lies on the device, or does no more.
	KeyOnDevice(ctx context.Context, cert *x509.Certificate, lies bool) error
	// Supersede lists the former certificate as superseded by the one that the
	// run made for the role; Reinstate takes that back. A certificate that is
	// not in the catalog is none of their business.
	Supersede(ctx context.Context, runID string, role CertificateRole, former *x509.Certificate) error
	Reinstate(ctx context.Context, runID string, role CertificateRole, former *x509.Certificate) error
	// Revoke lists the certificates of a run as revoked and forgets their keys.
	Revoke(ctx context.Context, runID string) error
	// Roots finds certificates of the catalog by name or SHA-256 thumbprint.
	Roots(ctx context.Context, names []string) ([]*x509.Certificate, error)
}

// Where certificates and keys lie on a Linux device.
//
// https://learn.microsoft.com/azure/iot-edge/how-to-manage-device-certificates
const (
	certificateFolder = "/var/aziot/certs/"
	keyFolder         = "/var/aziot/secrets/"
	// BundlePath is the trust bundle that a plan names.
	BundlePath = certificateFolder + "edgewright-trust-bundle.pem"
)

// roleSuffixes tell the files of one device apart.
var roleSuffixes = map[CertificateRole]string{RoleIdentity: "", RoleSpare: "-spare", RoleEdgeCA: "-edge-ca", RoleLocalCA: "-local-ca", roleBootstrap: "-est-bootstrap"}

// newPaths are the files of a pair that is not on the device yet. A rotation
// counts generations from 2; the names of the first one have no number.
func newPaths(id string, role CertificateRole, generation int) (certificate, key string) {
	name := id + roleSuffixes[role]
	if generation > 1 {
		name += "." + strconv.Itoa(generation)
	}
	return certificateFolder + name + ".cert.pem", keyFolder + name + ".key.pem"
}

// generationOf reads the generation back from the path of a certificate; it is
// 1 for a path that newPaths does not make.
func generationOf(id string, role CertificateRole, path string) int {
	number, isOurs := strings.CutPrefix(path, certificateFolder+id+roleSuffixes[role]+".")
	number, isCert := strings.CutSuffix(number, ".cert.pem")
	generation, err := strconv.Atoi(number)
	if !isOurs || !isCert || err != nil || generation < 2 {
		return 1
	}
	return generation
}

// orders lists the pairs that the plan wants on the device.
func (p Plan) orders() []CertificateOrder {
	var orders []CertificateOrder
	switch {
	case p.localCA():
		orders = append(orders, CertificateOrder{Role: RoleLocalCA, CommonName: p.localCAName(), CA: p.X509.CA, Algorithm: pki.Algorithm(p.X509.Algorithm)})
	case p.Cell.Authentication == X509 && !p.identityByEST():
		identity := CertificateOrder{Role: RoleIdentity, CommonName: p.RegistrationID(), CA: p.X509.CA, SelfSigned: p.X509.Source == SourceSelfSigned,
			Algorithm: pki.Algorithm(p.X509.Algorithm), Days: p.X509.Days}
		if p.Cell.Provisioning == Manual {
			identity.CommonName = p.Device.ID
		}
		orders = append(orders, identity)
		if p.HasSpare() {
			identity.Role = RoleSpare
			orders = append(orders, identity)
		}
	}
	if p.EdgeCA != nil && !p.edgeCAByEST() {
		orders = append(orders, CertificateOrder{Role: RoleEdgeCA, CommonName: p.edgeCAName(), CA: p.EdgeCA.CA, Algorithm: pki.P256})
	}
	return orders
}

// given are the files of this computer that the plan names for a role.
func (p Plan) given(role CertificateRole) (CertificateFiles, bool) {
	if role == RoleEdgeCA {
		return p.EdgeCA.Files, p.EdgeCA.Source == SourceFiles
	}
	return p.X509.Files, p.X509.Source == SourceFiles
}

// purpose is what the pair of a role has to be good for.
func (r CertificateRole) purpose() pki.Purpose {
	switch r {
	case RoleEdgeCA:
		return pki.ForEdgeCA
	case RoleLocalCA:
		return pki.ForCA
	}
	return pki.ForIdentity
}

// pairOf gives the pair of a role; its chain is empty if it is to be made.
func (x *Execution) pairOf(role CertificateRole) Pair { return x.pairs[role] }

// readHeld reads the pair that the configuration on the device names for a
// role; without one that reads it gives false.
func (x *Execution) readHeld(ctx context.Context, role CertificateRole) (Pair, bool, error) {
	file, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return Pair{}, false, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	config, err := edgeconfig.Read(file.Data.Reveal())
	if err != nil || !file.Exists {
		return Pair{}, false, nil // it is replaced
	}
	named := config.Provisioning.Authentication.Certificate
	if config.Provisioning.Source == edgeconfig.SourceDPS {
		named = config.Provisioning.Attestation.Certificate
	}
	certURI, keyURI := named.Cert, named.Key
	switch role {
	case RoleEdgeCA:
		certURI, keyURI = config.EdgeCA.Cert, config.EdgeCA.Key
	case RoleLocalCA:
		certURI, keyURI = config.LocalCA.Cert, config.LocalCA.Key
	case RoleSpare:
		// The configuration names one pair; the spare lies beside it.
		cert, key := newPaths(x.Run.Plan.Device.ID, role, x.generation(named.Cert))
		certURI, keyURI = "file://"+cert, "file://"+key
	}
	return x.readPair(ctx, certURI, keyURI)
}

// generation is that of the identity whose URI a configuration names.
func (x *Execution) generation(uri string) int {
	return generationOf(x.Run.Plan.Device.ID, RoleIdentity, strings.TrimPrefix(uri, "file://"))
}

func (x *Execution) readPair(ctx context.Context, certURI, keyURI string) (Pair, bool, error) {
	certPath, isFile := strings.CutPrefix(certURI, "file://")
	keyPath, alsoFile := strings.CutPrefix(keyURI, "file://")
	if !isFile || !alsoFile {
		return Pair{}, false, nil
	}
	cert, err := x.Machine.Read(ctx, certPath)
	if err != nil {
		return Pair{}, false, fmt.Errorf("read %s: %w", certPath, err)
	}
	content, err := pki.Read(cert.Data.Reveal(), secret.Value{})
	if !cert.Exists || err != nil || len(content.Certificates) == 0 {
		return Pair{}, false, nil
	}
	pair := Pair{Chain: content.Certificates, CertificatePath: certPath, KeyPath: keyPath}
	found, err := x.readKey(ctx, &pair)
	return pair, found, err
}

// fits tells what keeps a pair from what the order asks for, or nothing.
func (x *Execution) fits(ctx context.Context, pair Pair, order CertificateOrder) (problem string, err error) {
	leaf := pair.Leaf()
	if leaf.Subject.CommonName != order.CommonName {
		return "it is for " + leaf.Subject.CommonName, nil
	}
	if pair.Signer == nil || !pki.SamePublicKey(pair.Signer.Public(), leaf.PublicKey) {
		return "its key does not belong to it", nil
	}
	files, fromFiles := x.Run.Plan.given(order.Role)
	switch {
	case fromFiles:
		given, err := x.Certificates.FromFiles(ctx, files)
		if err != nil {
			return "", err
		}
		if !given.Leaf().Equal(leaf) {
			return "the file on this computer is another one", nil
		}
	case order.SelfSigned != pki.IsSelfSigned(leaf):
		return "it has another issuer", nil
	case !order.SelfSigned:
		authority, err := x.Certificates.Authority(ctx, order.CA)
		if errors.Is(err, ErrNotFound) || err == nil && !pki.Signed(authority.Chain[0], leaf) {
			return "it has another issuer", nil
		}
		if err != nil {
			return "", err
		}
	}
	if order.Role == RoleLocalCA && !(leaf.MaxPathLen == 0 && leaf.MaxPathLenZero) {
		return "it may sign other CAs", nil
	}
	return x.judge(pair, order), nil
}

// judge looks at the certificate itself.
func (x *Execution) judge(pair Pair, order CertificateOrder) (problem string) {
	for _, f := range pki.Verify(order.Role.purpose(), pair.Chain, nil, x.Now()) {
		if f.Level == finding.Error {
			return f.Problem
		}
	}
	return ""
}

// certificateFiles are the files of all pairs and of the trust bundle.
func (x *Execution) certificateFiles(ctx context.Context) ([]File, error) {
	plan := x.Run.Plan
	var files []File
	for _, order := range plan.orders() {
		pair := x.pairOf(order.Role)
		files = append(files, pairFiles(pair)...)
	}
	files = append(files, x.estFiles()...)
	if len(plan.TrustBundle.Certificates) == 0 {
		return files, nil
	}
	roots, err := x.Certificates.Roots(ctx, plan.TrustBundle.Certificates)
	if err != nil {
		return nil, err
	}
	bundle := pki.PEM(roots...)
	if x.reaches() {
		bundle = append(bytes.Clone(x.Cloud.Reach.CA), bundle...)
	}
	return append(files, File{Path: BundlePath, Data: secret.New(bundle), Owner: certificateUser, Group: certificateUser, Mode: 0o644}), nil
}

// pairFiles are a pair as the runtime's users have to find it.
func pairFiles(pair Pair) []File {
	cert, key := secret.New(pki.PEM(pair.Chain...)), keyFile(pair.KeyPath)
	switch {
	case pair.Leaf() == nil:
		cert, key.Data = secret.FromString(aboutToBeMade), secret.FromString(aboutToBeMade)
	case pair.Key.IsEmpty():
		key.Stays, key.From = true, pair.Waiting
	default:
		key.Data = pair.Key
	}
	return []File{{Path: pair.CertificatePath, Data: cert, Owner: certificateUser, Group: certificateUser, Mode: 0o644}, key}
}

// aboutToBeMade stands in a preview for what does not exist yet.
const aboutToBeMade = "(made when it is provisioned)\n"

// certificateChanges are what the configuration says of certificates.
func (x *Execution) certificateChanges(changes *edgeconfig.Changes, before []byte) {
	plan := x.Run.Plan
	x.issuedChanges(changes)
	if plan.EdgeCA != nil && !plan.edgeCAByEST() {
		// Of a certificate that the device issues to itself nothing may stay.
		if has, err := edgeconfig.Read(before); err == nil && (has.EdgeCA.Issued != nil || has.EdgeCA.QuickstartDays != 0) {
			changes.Unset("edge_ca")
		}
		pair := x.pairOf(RoleEdgeCA)
		changes.Set("edge_ca.cert", "file://"+pair.CertificatePath)
		changes.Set("edge_ca.pk", "file://"+pair.KeyPath)
	}
	switch {
	case len(plan.TrustBundle.Certificates) > 0:
		changes.Set("trust_bundle_cert", "file://"+BundlePath)
	case x.reaches():
		changes.Set("trust_bundle_cert", "file://"+TrustPath)
	}
}
