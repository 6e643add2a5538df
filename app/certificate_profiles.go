package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
)

// ProfileView is a profile as lists show it.
type ProfileView struct {
	pki.Profile
	// Own tells a profile of the user from those that come with the program.
	Own bool `json:"own"`
	// Findings say what is to be thought of in it; one with an error cannot be
	// used.
	Findings finding.List `json:"findings"`
}

// CertificateProfiles lists the profiles that come with the program and then
// those of the user, by name.
func (a *App) CertificateProfiles(ctx context.Context) ([]ProfileView, error) {
	var all []ProfileView
	for _, p := range pki.Profiles() {
		all = append(all, ProfileView{Profile: p, Findings: finding.List{}})
	}
	own, err := a.catalog.Profiles(ctx)
	if err != nil {
		return nil, translate(err)
	}
	for _, row := range own {
		p, err := pki.ParseProfile([]byte(row.Text))
		if err != nil {
			return nil, fmt.Errorf("read profile %s of the catalog: %w", row.Name, err)
		}
		all = append(all, ProfileView{Profile: p, Own: true, Findings: append(finding.List{}, p.Check()...)})
	}
	return all, nil
}

// profile finds a profile in any letter case.
func (a *App) profile(ctx context.Context, name string) (pki.Profile, error) {
	all, err := a.CertificateProfiles(ctx)
	if err != nil {
		return pki.Profile{}, err
	}
	at := slices.IndexFunc(all, func(p ProfileView) bool { return strings.EqualFold(p.Name, name) })
	if at < 0 {
		return pki.Profile{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("There is no profile %q.", name),
			Hint: "`edgewright cert profiles` names them."}
	}
	return all[at].Profile, nil
}

// SaveProfile keeps a profile of the user. One that breaks a rule is refused
// with the first rule that it breaks; replaces, which may be empty, is the name
// that it had before.
func (a *App) SaveProfile(ctx context.Context, p pki.Profile, replaces string) error {
	p.Name = strings.TrimSpace(p.Name)
	for _, f := range CheckProfile(p) {
		if f.Level == finding.Error {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("%s: %s", f.Field, f.Problem), Hint: f.Fix}
		}
	}
	if !strings.EqualFold(p.Name, replaces) {
		known, err := a.CertificateProfiles(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(known, func(k ProfileView) bool { return strings.EqualFold(k.Name, p.Name) }) {
			return &provisioning.Error{Kind: provisioning.ErrConflict, Message: fmt.Sprintf("name: There is a profile %s already.", p.Name), Hint: "Choose another name, or remove that one first."}
		}
	}
	text, err := p.TOML()
	if err != nil {
		return err
	}
	if err := a.catalog.PutProfile(ctx, catalog.Profile{Name: p.Name, Text: string(text), Changed: a.now()}); err != nil {
		return translate(err)
	}
	if replaces != "" && !strings.EqualFold(p.Name, replaces) {
		return a.RemoveProfile(ctx, replaces)
	}
	return nil
}

// CheckProfile says what breaks a rule in a profile of the user. Beside the
// rules of certificates, its name is none of those that come with the program.
func CheckProfile(p pki.Profile) finding.List {
	found := p.Check()
	if _, taken := pki.ProfileByName(strings.TrimSpace(p.Name)); taken {
		found = append(found, finding.Finding{Field: "name", Level: finding.Error, Problem: "A profile of that name comes with the program.", Fix: "Choose another name."})
	}
	return found
}

// maxProfile is how large the file of a profile may be, in bytes.
const maxProfile = 64 << 10

// SaveProfileFile keeps the profile that a TOML file holds; one of that name is
// replaced.
func (a *App) SaveProfileFile(ctx context.Context, name string) (pki.Profile, error) {
	text, err := ReadFile(name, maxProfile)
	if err != nil {
		return pki.Profile{}, err
	}
	p, err := pki.ParseProfile(text)
	if err != nil {
		return p, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("The file %s is no profile: %s.", name, err),
			Hint: "It has name, role, ca, path_length, self_signed, usages, days, algorithm and on_device, in TOML.", Err: err}
	}
	return p, a.SaveProfile(ctx, p, p.Name)
}

// RemoveProfile forgets a profile of the user. Certificates made by it stay.
func (a *App) RemoveProfile(ctx context.Context, name string) error {
	if _, taken := pki.ProfileByName(name); taken {
		return &provisioning.Error{Kind: provisioning.ErrRefused, Message: fmt.Sprintf("The profile %s comes with the program.", name), Hint: "Only profiles of your own can be removed."}
	}
	err := a.catalog.DeleteProfile(ctx, name)
	if errors.Is(err, catalog.ErrNotFound) {
		return &provisioning.Error{Kind: provisioning.ErrNotFound, Message: fmt.Sprintf("There is no profile %q.", name), Hint: "`edgewright cert profiles` names them.", Err: err}
	}
	return translate(err)
}
