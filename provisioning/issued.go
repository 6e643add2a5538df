package provisioning

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"edgewright/provisioning/edgeconfig"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// ESTAccess is an EST server and how a device shows itself to it.
type ESTAccess struct {
	URL string
	// Trust vouches for the server; empty for the roots of the system.
	Trust []*x509.Certificate
	// Bootstrap is the pair that the device shows, without a chain for none.
	Bootstrap Pair
	// Username and Password are shown instead.
	Username string
	Password secret.Value
}

// ESTOrder is a certificate to be enrolled.
type ESTOrder struct {
	CommonName string
	CA         bool
	// Wait is told when the server asks to come again.
	Wait func(time.Duration)
}

// ESTServers are the servers that certificates come from on their own account
// (RFC 7030). Errors are of the kinds of errors.go.
type ESTServers interface {
	// CAs asks for the certificates of a server's CAs.
	CAs(ctx context.Context, server ESTAccess) ([]*x509.Certificate, error)
	// Enroll obtains a certificate for a new key, which lives as long as the
	// pair that is given.
	Enroll(ctx context.Context, server ESTAccess, order ESTOrder) (Pair, error)
}

// estTrustPath is where the anchors of the EST server lie on a Linux device.
const estTrustPath = certificateFolder + "edgewright-est-trust.pem"

// fieldError is an error that a field of the plan has to answer for.
type fieldError struct {
	field string
	error
}

func (e *fieldError) Unwrap() error { return e.error }

// estFound is what the plan's words about an EST server stand for.
type estFound struct {
	access ESTAccess
	// anchor is what a group is to know, nil where it need not be told.
	anchor *x509.Certificate
}

// lookAtEST resolves what the plan says of an EST server, and asks it for its CA
// where a group has to know that. It changes nothing.
func (x *Execution) lookAtEST(ctx context.Context) error {
	plan := x.Run.Plan
	x.est = estFound{}
	if !plan.UsesEST() {
		return nil
	}
	access, err := ResolveEST(ctx, x.Ports, plan.X509.EST)
	if err != nil {
		return err
	}
	if access.Bootstrap.Leaf() != nil {
		access.Bootstrap.CertificatePath, access.Bootstrap.KeyPath = newPaths(plan.Device.ID, roleBootstrap, 1)
	}
	x.est.access = access
	if !plan.identityByEST() || !plan.ByGroup() || plan.X509.Anchor != AnchorIntermediate {
		return nil
	}
	if plan.X509.CA != "" {
		authority, err := x.Certificates.Authority(ctx, plan.X509.CA)
		if err != nil {
			return &fieldError{"x509.ca", err}
		}
		x.est.anchor = authority.Chain[0]
		return nil
	}
	certs, err := x.EST.CAs(ctx, access)
	if err == nil {
		x.est.anchor, err = issuingAmong(certs)
	}
	if err != nil {
		return &fieldError{"x509.est.url", err}
	}
	return nil
}

// ResolveEST finds what a plan's words about an EST server stand for, by the
// certificates, secrets and clock of ports. Nothing is sent.
func ResolveEST(ctx context.Context, ports Ports, est ESTPlan) (ESTAccess, error) {
	access := ESTAccess{URL: est.URL}
	if est.Trust != "" {
		var err error
		if access.Trust, err = ports.Certificates.Roots(ctx, []string{est.Trust}); err != nil {
			return access, &fieldError{"x509.est.trust", err}
		}
	}
	if err := bootstrapOf(ctx, ports, est.Bootstrap, &access); err != nil {
		return access, &fieldError{"x509.est.bootstrap", err}
	}
	return access, nil
}

// bootstrapOf finds the certificate, or the name and password, that is shown at
// first.
func bootstrapOf(ctx context.Context, ports Ports, name string, access *ESTAccess) error {
	if secretName, ok := strings.CutPrefix(name, "vault:"); ok {
		login, err := ports.Secrets.Secret(ctx, secretName)
		if err != nil {
			return fmt.Errorf("login %s of the vault: %w", secretName, err)
		}
		user, password, found := strings.Cut(strings.TrimRight(login.RevealString(), "\r\n"), ":")
		if !found || user == "" || password == "" {
			return &Error{Kind: ErrInvalid, Message: fmt.Sprintf("The secret %s is not user:password.", secretName), Hint: "Store both under that name, with a colon between."}
		}
		access.Username, access.Password = user, secret.FromString(password)
		return nil
	}
	if name == "" {
		return nil
	}
	pair, err := ports.Certificates.Bootstrap(ctx, name)
	if err != nil {
		return err
	}
	for _, found := range pki.Verify(pki.ForIdentity, pair.Chain, nil, ports.Now()) {
		if found.Level == finding.Error {
			return &Error{Kind: ErrInvalid, Message: "The bootstrap certificate does not serve: " + found.Problem, Hint: found.Fix}
		}
	}
	access.Bootstrap = pair
	return nil
}

// issuingAmong finds the CA that signs devices among those that a server names:
// the one that signs none of the others.
func issuingAmong(certs []*x509.Certificate) (*x509.Certificate, error) {
	var lowest []*x509.Certificate
	var names []string
	for _, ca := range certs {
		signs := false
		for _, other := range certs {
			signs = signs || !other.Equal(ca) && pki.Signed(ca, other)
		}
		if !signs {
			lowest = append(lowest, ca)
			names = append(names, ca.Subject.CommonName)
		}
	}
	if len(lowest) == 1 {
		return lowest[0], nil
	}
	return nil, &Error{Kind: ErrInvalid, Message: fmt.Sprintf("The EST server names %d CAs that could sign devices: %s.", len(lowest), strings.Join(names, ", ")),
		Hint: "Import the one that does into the catalog and name it as ca in x509."}
}

// estFiles are what a device needs to enrol.
func (x *Execution) estFiles() []File {
	access := x.est.access
	var files []File
	if len(access.Trust) > 0 {
		files = append(files, File{Path: estTrustPath, Data: secret.New(pki.PEM(access.Trust...)), Owner: "aziotcs", Group: "aziotcs", Mode: 0o644})
	}
	if access.Bootstrap.Leaf() != nil {
		files = append(files, pairFiles(access.Bootstrap)...)
	}
	return files
}

// issuedIdentity is how the device is to have its identity issued.
func (p Plan) issuedIdentity() edgeconfig.IssuedCertificate {
	issued := edgeconfig.IssuedCertificate{Method: edgeconfig.IssuedByEST, CommonName: p.RegistrationID(), AutoRenew: p.X509.AutoRenew.config()}
	if p.Cell.Provisioning == Manual {
		issued.CommonName = p.Device.ID
	}
	if p.localCA() {
		issued.Method, issued.ExpiryDays = edgeconfig.IssuedByLocalCA, int64(p.X509.Days)
	}
	return issued
}

func (r *AutoRenewPlan) config() *edgeconfig.AutoRenew {
	if r == nil {
		return nil
	}
	return &edgeconfig.AutoRenew{RotateKey: r.RotateKey == nil || *r.RotateKey, Threshold: r.Threshold, Retry: r.Retry}
}

// issuedChanges are what the configuration says of certificates that the device
// obtains itself.
func (x *Execution) issuedChanges(changes *edgeconfig.Changes) {
	plan := x.Run.Plan
	if plan.localCA() {
		pair := x.pairOf(RoleLocalCA)
		changes.SetLocalCA(edgeconfig.LocalCA{Cert: "file://" + pair.CertificatePath, Key: "file://" + pair.KeyPath})
	}
	if !plan.UsesEST() {
		return
	}
	access := x.est.access
	est := edgeconfig.EST{URL: plan.X509.EST.URL, Username: access.Username, Password: access.Password}
	if plan.X509.EST.Trust != "" {
		est.Trusted = []string{"file://" + estTrustPath}
	}
	if name := plan.X509.EST.Bootstrap; name != "" && !strings.HasPrefix(name, "vault:") {
		cert, key := newPaths(plan.Device.ID, roleBootstrap, 1)
		est.BootstrapCert, est.BootstrapKey = "file://"+cert, "file://"+key
		if plan.renews() {
			// What the device gets for its bootstrap certificate has to last, too.
			est.IdentityRenew = plan.X509.AutoRenew.orDefault().config()
		}
	}
	changes.SetEST(est)
	if plan.edgeCAByEST() {
		issued := edgeconfig.IssuedCertificate{Method: edgeconfig.IssuedByEST, CommonName: plan.edgeCAName()}
		if plan.renews() {
			issued.AutoRenew = plan.X509.AutoRenew.orDefault().config()
		}
		changes.SetIssuedEdgeCA(issued)
	}
}

// orDefault is the renewal of what is renewed in every case.
func (r *AutoRenewPlan) orDefault() *AutoRenewPlan {
	if r == nil {
		return &AutoRenewPlan{Threshold: defaultThreshold, Retry: defaultRetry}
	}
	return r
}

// issuedPreview shows what the device obtains itself.
func (x *Execution) issuedPreview(ctx context.Context) (writes []Write, err error) {
	plan := x.Run.Plan
	file, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	held, _ := edgeconfig.Read(file.Data.Reveal()) // one that does not read holds nothing
	by := func(method string) string {
		if method == edgeconfig.IssuedByLocalCA {
			return fmt.Sprintf("the device makes the key and signs it with its own CA, for %d days each time", plan.X509.Days)
		}
		return "the device makes the key and enrols at " + plan.X509.EST.URL + ", where it shows " + x.est.access.shown()
	}
	add := func(what string, wanted edgeconfig.IssuedCertificate, has *edgeconfig.IssuedCertificate) {
		write := Write{What: what + " " + wanted.CommonName, Action: WriteMake, Detail: by(wanted.Method)}
		if has != nil && has.Method == wanted.Method && has.CommonName == wanted.CommonName {
			write.Action = WriteKeep
		}
		if wanted.AutoRenew != nil {
			write.Detail += fmt.Sprintf("; renewed at %s, tried again each %s", wanted.AutoRenew.Threshold, wanted.AutoRenew.Retry)
		}
		writes = append(writes, write)
	}
	if plan.IssuedOnDevice() {
		has := held.Provisioning.Attestation.Certificate.Issued
		if plan.Cell.Provisioning == Manual {
			has = held.Provisioning.Authentication.Certificate.Issued
		}
		add("certificate", plan.issuedIdentity(), has)
	}
	if plan.edgeCAByEST() {
		add("Edge CA", edgeconfig.IssuedCertificate{Method: edgeconfig.IssuedByEST, CommonName: plan.edgeCAName()}, held.EdgeCA.Issued)
	}
	return writes, nil
}

// shown says by what a device is known to its EST server.
func (a ESTAccess) shown() string {
	switch leaf := a.Bootstrap.Leaf(); {
	case leaf != nil:
		return fmt.Sprintf("the bootstrap certificate %s, which holds until %s and whose key goes to the device over standard input", leaf.Subject.CommonName, leaf.NotAfter.Format(time.DateOnly))
	case a.Username != "":
		return "the name " + a.Username + " and a password"
	}
	return "nothing"
}

// enrolAsDevice does what the runtime will do at its first start: it takes the
// EST server's address, the anchors and the bootstrap pair from the files on the
// device, and enrols with them: a bootstrap certificate is exchanged for one that
// asks for the rest. Keys and certificates live as long as the proof.
func (x *Execution) enrolAsDevice(ctx context.Context) (identity Pair, waited time.Duration, err error) {
	plan := x.Run.Plan
	access, err := x.heldEST(ctx)
	if err != nil {
		return Pair{}, 0, err
	}
	enrol := func(name string, ca bool) (Pair, error) {
		x.waiting(StepProof, "the EST server")
		pair, err := x.EST.Enroll(ctx, access, ESTOrder{CommonName: name, CA: ca, Wait: func(d time.Duration) {
			waited += d
			x.waiting(StepProof, fmt.Sprintf("the EST server, which asks to wait %s", d.Round(100*time.Millisecond)))
		}})
		if err != nil {
			return Pair{}, fmt.Errorf("enrol %s: %w", name, err)
		}
		x.log(StepProof, "the EST server issued %s until %s, serial number %s", name, pair.Leaf().NotAfter.Format(time.DateOnly), pki.Serial(pair.Leaf()))
		return pair, nil
	}
	if access.Bootstrap.Leaf() != nil {
		name := plan.edgeCAName()
		if plan.identityByEST() {
			name = plan.issuedIdentity().CommonName
		}
		if access.Bootstrap, err = enrol(name, false); err != nil {
			return Pair{}, waited, err
		}
		plain := enrol
		enrol = func(name string, ca bool) (Pair, error) {
			pair, err := plain(name, ca)
			if errors.Is(err, ErrUnauthorized) {
				err = &Error{Kind: ErrUnauthorized, Message: "The EST server takes the bootstrap certificate, and does not take the certificate that it issued for it.",
					Hint: "Let the server enrol whom it issued a certificate to; the runtime shows nothing else after its first request.", Err: err}
			}
			return pair, err
		}
	}
	if plan.edgeCAByEST() {
		pair, err := enrol(plan.edgeCAName(), true)
		if err != nil {
			return Pair{}, waited, err
		}
		if problem := x.judge(pair, CertificateOrder{Role: RoleEdgeCA}); problem != "" {
			return Pair{}, waited, &Error{Kind: ErrUnproven, Message: "What the EST server issues is no Edge CA: " + problem,
				Hint: "Let that server issue CA certificates where a request asks for one, or take the Edge CA from elsewhere."}
		}
	}
	if plan.identityByEST() {
		identity, err = enrol(plan.issuedIdentity().CommonName, false)
	}
	return identity, waited, err
}

// heldEST reads back how the device is to reach its EST server.
func (x *Execution) heldEST(ctx context.Context) (ESTAccess, error) {
	file, err := x.Machine.Read(ctx, ConfigPath)
	if err != nil {
		return ESTAccess{}, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	config, err := edgeconfig.Read(file.Data.Reveal())
	if err != nil {
		return ESTAccess{}, fmt.Errorf("read %s: %w", ConfigPath, err)
	}
	access := ESTAccess{URL: config.EST.URL, Username: config.EST.Username, Password: config.EST.Password}
	for _, uri := range config.EST.Trusted {
		path := strings.TrimPrefix(uri, "file://")
		anchors, err := x.Machine.Read(ctx, path)
		if err != nil {
			return ESTAccess{}, fmt.Errorf("read %s: %w", path, err)
		}
		content, err := pki.Read(anchors.Data.Reveal(), secret.Value{})
		if err != nil || len(content.Certificates) == 0 {
			return ESTAccess{}, &Error{Kind: ErrUnproven, Message: "The file " + path + " on the device holds no certificates.", Hint: "Provision the device again."}
		}
		access.Trust = append(access.Trust, content.Certificates...)
	}
	if config.EST.BootstrapCert == "" {
		return access, nil
	}
	pair, found, err := x.readPair(ctx, config.EST.BootstrapCert, config.EST.BootstrapKey)
	if err == nil && !found {
		err = &Error{Kind: ErrUnproven, Message: "The bootstrap certificate and key that config.toml names do not read.", Hint: "Provision the device again."}
	}
	access.Bootstrap = pair
	return access, err
}

// The reasons for a run that ends configured.
const (
	reasonLocalCA   = "the device signs its identity itself when it first starts; until then nobody can connect as it"
	reasonUnchanged = "nothing had to change, and only the device holds the key that could call the cloud"
)

// seenWithoutCall asks whether a device that nobody can play has called the
// cloud since the run began.
func (x *Execution) seenWithoutCall(ctx context.Context) (seen bool, err error) {
	if x.Cloud.Hub == nil {
		return false, nil
	}
	err = x.seenByCloud(ctx)
	if errors.Is(err, ErrUnproven) {
		return false, nil
	}
	return err == nil, err
}
