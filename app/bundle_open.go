package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/provisioning/secret"
)

// A plan whose certificates lie in a bundle names them as bundle:MEMBER:PATH, so
// that a run can be resumed and undone from its plan alone, and no key ever lies
// on this computer's disk.
const bundleScheme = "bundle:"

// IsBundle tells whether a file is called like a bundle.
func IsBundle(name string) bool { return strings.EqualFold(filepath.Ext(name), bundle.Extension) }

// BundleView is what a bundle is, without its keys.
type BundleView struct {
	Batch  string `json:"batch"`
	Device string `json:"device"`
	// Plan is ready to run; its certificates are those of the bundle.
	Plan provisioning.Plan `json:"-"`
	// Made is when it was sealed. Certificates are its identity, its Edge CA, if it
	// has one, and the roots that it brings along.
	Made         time.Time         `json:"-"`
	Certificates []CertificateView `json:"-"`
	Findings     finding.List      `json:"findings"`
}

// OpenBundle opens a bundle with a bench identity of the vault, or with the key,
// if one is given, and gives the plan inside. A chain that ends at no CA of the
// catalog is a finding of level care.
func (a *App) OpenBundle(ctx context.Context, name string, key BundleKey) (BundleView, error) {
	with, err := a.openers(ctx, key)
	if err != nil {
		return BundleView{}, err
	}
	return a.openBundle(ctx, name, with)
}

func (a *App) openBundle(ctx context.Context, name string, with []age.Identity) (BundleView, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return BundleView{}, fmt.Errorf("bundle %s: %w", name, err)
	}
	opened, err := openSealed(path, with)
	if err != nil {
		return BundleView{}, err
	}
	plan, found, err := provisioning.ParsePlan(opened.Plan)
	if err != nil {
		return BundleView{}, bundleRefused(path, errors.New("the plan in it does not read"))
	}
	if err := atMembers(&plan, path, opened); err != nil {
		return BundleView{}, bundleRefused(path, err)
	}
	if plan.Device.ID != opened.Device {
		return BundleView{}, bundleRefused(path, errors.New("its plan is for another device than its manifest"))
	}
	known, err := a.knowsIssuer(ctx, opened)
	if err != nil {
		return BundleView{}, err
	}
	if !known {
		found.Add(finding.Care, "bundle", "The certificates of the bundle come from a CA that this catalog does not know.",
			"Import the root CA of the plant, or make sure where the bundle comes from.")
	}
	view := BundleView{Batch: opened.Batch, Device: opened.Device, Plan: plan, Made: opened.Made, Findings: found}
	view.Certificates, err = a.inBundle(opened)
	return view, err
}

// inBundle shows the certificates of a bundle that are not those of CAs above.
func (a *App) inBundle(opened bundle.Bundle) (views []CertificateView, err error) {
	chains := [][]byte{opened.Identity.Chain}
	if opened.EdgeCA != nil {
		chains = append(chains, opened.EdgeCA.Chain)
	}
	if len(opened.Trust) > 0 {
		chains = append(chains, opened.Trust)
	}
	for _, chain := range chains {
		content, err := pki.Read(chain, secret.Value{})
		if err != nil {
			return nil, err
		}
		views = append(views, a.foreignView(content.Certificates[0], content.Certificates))
	}
	return views, nil
}

// readBundle reads and opens a bundle; its errors name the file.
func (a *App) readBundle(ctx context.Context, path string, key BundleKey) (bundle.Bundle, error) {
	with, err := a.openers(ctx, key)
	if err != nil {
		return bundle.Bundle{}, err
	}
	return openSealed(path, with)
}

func openSealed(path string, with []age.Identity) (bundle.Bundle, error) {
	data, err := ReadFile(path, bundle.MaxSealed)
	if err != nil {
		return bundle.Bundle{}, err
	}
	opened, err := bundle.Open(data, with...)
	if err != nil {
		return bundle.Bundle{}, bundleRefused(path, err)
	}
	return opened, nil
}

func bundleRefused(path string, err error) error {
	refused := &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The bundle %s is refused: %s.", path, err),
		Hint: "Have it made and sent again.", Err: err}
	switch {
	case errors.Is(err, bundle.ErrRecipient):
		refused.Hint = "Open it where its recipient is, or have it sealed for a bench identity of this vault (`edgewright secrets bench list`)."
	case errors.Is(err, bundle.ErrVersion):
		refused.Hint = "Use the version of Edgewright that made it, or a newer one."
	}
	return refused
}

// atMembers turns the names of members in a sealed plan into places in the
// bundle. A plan that names anything else of this computer is refused: it would
// read files that its sender chose.
func atMembers(plan *provisioning.Plan, path string, opened bundle.Bundle) error {
	at := func(member string) string { return bundleScheme + member + ":" + path }
	identity := provisioning.CertificateFiles{Certificate: bundle.ChainName, Key: bundle.KeyName}
	edge := provisioning.CertificateFiles{Certificate: bundle.EdgeChainName, Key: bundle.EdgeKeyName}
	if plan.X509.Source != provisioning.SourceFiles || plan.X509.Files != identity {
		return errors.New("its plan does not use its identity")
	}
	plan.X509.Files = provisioning.CertificateFiles{Certificate: at(bundle.ChainName), Key: at(bundle.KeyName)}
	if (plan.EdgeCA != nil) != (opened.EdgeCA != nil) || plan.EdgeCA != nil && (plan.EdgeCA.Source != provisioning.SourceFiles || plan.EdgeCA.Files != edge) {
		return errors.New("its plan does not use its Edge CA")
	}
	if plan.EdgeCA != nil {
		plan.EdgeCA.Files = provisioning.CertificateFiles{Certificate: at(bundle.EdgeChainName), Key: at(bundle.EdgeKeyName)}
	}
	switch names := plan.TrustBundle.Certificates; {
	case len(names) == 0 && len(opened.Trust) == 0:
	case len(names) == 1 && names[0] == bundle.TrustName && len(opened.Trust) > 0:
		plan.TrustBundle.Certificates = []string{at(bundle.TrustName)}
	default:
		return errors.New("its plan does not use its trust bundle")
	}
	return nil
}

// knowsIssuer tells whether the chain of a bundle ends at a CA of the catalog.
func (a *App) knowsIssuer(ctx context.Context, opened bundle.Bundle) (bool, error) {
	content, err := pki.Read(opened.Identity.Chain, secret.Value{})
	if err != nil {
		return false, err
	}
	for i, cert := range content.Certificates {
		if i+1 < len(content.Certificates) && !pki.Signed(content.Certificates[i+1], cert) {
			return false, nil
		}
		id, err := a.issuerID(ctx, cert)
		if err != nil || id != "" {
			return id != "", err
		}
	}
	return false, nil
}

// memberOf takes apart the place of a member; false for anything else.
func memberOf(place string) (member, path string, ok bool) {
	rest, ok := strings.CutPrefix(place, bundleScheme)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ":")
}

// fromBundle reads a pair of a bundle. Open has checked that they belong together.
func (c certificates) fromBundle(ctx context.Context, files provisioning.CertificateFiles) (provisioning.Pair, error) {
	member, path, ok := memberOf(files.Certificate)
	if _, keyPath, alsoOK := memberOf(files.Key); !ok || !alsoOK || keyPath != path {
		return provisioning.Pair{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The plan names only half of a pair of a bundle.", Hint: "Provision with --bundle and the bundle's file."}
	}
	opened, err := c.app.readBundle(ctx, path, c.bundleKey)
	if err != nil {
		return provisioning.Pair{}, err
	}
	pair := &opened.Identity
	if member == bundle.EdgeChainName {
		pair = opened.EdgeCA
	}
	if pair == nil {
		return provisioning.Pair{}, bundleRefused(path, errors.New("it has no Edge CA"))
	}
	content, err := pki.Read(pair.Chain, secret.Value{})
	if err != nil {
		return provisioning.Pair{}, bundleRefused(path, err)
	}
	return provisioning.Pair{Chain: content.Certificates, Key: pair.Key}, nil
}

// trustFromBundle reads the roots of a bundle.
func (c certificates) trustFromBundle(ctx context.Context, path string) ([]*x509.Certificate, error) {
	opened, err := c.app.readBundle(ctx, path, c.bundleKey)
	if err != nil {
		return nil, err
	}
	content, err := pki.Read(opened.Trust, secret.Value{})
	if err != nil {
		return nil, bundleRefused(path, err)
	}
	return content.Certificates, nil
}
