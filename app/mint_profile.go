package app

import (
	"cmp"
	"context"
	"fmt"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// identityProfile is the profile of device identities that comes with the program.
const identityProfile = "device identity"

// MintProfiles lists the profiles that a batch can have: those of identities that
// a CA signs, the program's first.
func (a *App) MintProfiles(ctx context.Context) ([]ProfileView, error) {
	all, err := a.CertificateProfiles(ctx)
	var fit []ProfileView
	for _, p := range all {
		if p.Role == pki.RoleIdentity && !p.SelfSigned && !p.Findings.Errors() {
			fit = append(fit, p)
		}
	}
	return fit, err
}

// mintProfile is the profile of a request as the catalog keeps it: TOML with the
// kind of key that was chosen, "" where neither was.
func (a *App) mintProfile(ctx context.Context, r MintRequest) (string, error) {
	if r.Profile == "" && r.Algorithm == "" {
		return "", nil
	}
	profile, err := a.profile(ctx, cmp.Or(r.Profile, identityProfile))
	if err != nil {
		return "", err
	}
	if profile.Role != pki.RoleIdentity || profile.SelfSigned {
		return "", &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The profile %q is not for device identities that a CA signs.", profile.Name), Hint: "Choose one of the role identity."}
	}
	profile.Algorithm = cmp.Or(r.Algorithm, profile.Algorithm)
	for _, f := range profile.Check() {
		if f.Level == finding.Error {
			return "", &provisioning.Error{Kind: provisioning.ErrInvalid, Message: f.Problem, Hint: f.Fix}
		}
	}
	text, err := profile.TOML()
	return string(text), err
}

// profiles are those of a batch's identities and Edge CAs, which have keys of one
// kind.
func (m *minter) profiles() (identity, edge pki.Profile, err error) {
	identity, _ = pki.ProfileByName(identityProfile)
	edge, _ = pki.ProfileByName("Edge CA")
	if m.batch.Profile != "" {
		if identity, err = pki.ParseProfile([]byte(m.batch.Profile)); err != nil {
			return identity, edge, fmt.Errorf("profile of batch %s: %w", m.batch.ID, err)
		}
		edge.Algorithm = identity.Algorithm
	}
	return identity, edge, nil
}
