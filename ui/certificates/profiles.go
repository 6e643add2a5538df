package certificates

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning/pki"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// profiles lists the profiles: those of the user, and those of the program, which
// can be taken as a beginning.
type profiles struct {
	p      *Page
	object fyne.CanvasObject
	add    *widgets.Button
	list   *fyne.Container
	known  []app.ProfileView
	load   frame.Task
}

func newProfiles(p *Page) *profiles {
	space := fynetheme.Size(theme.SizeNameSpace3)
	s := &profiles{p: p, list: layout.Column(space)}
	s.add = widgets.NewButton(widgets.Secondary, lang.X("profiles.add", "A profile of your own"), fynetheme.ContentAddIcon(), func() { s.open(pki.Profiles()[2], "") })
	s.object = layout.Column(space, layout.Flow(0, s.add), layout.Grow(layout.VScroll(s.list)))
	return s
}

func (s *profiles) first() fyne.Focusable { return s.add }

// read lists the profiles, the user's first.
func (s *profiles) read() {
	frame.Do(s.p.c, &s.load, s.p.c.App.CertificateProfiles, func(found []app.ProfileView, err error) {
		if err != nil {
			s.p.sayError(err)
			return
		}
		if s.known != nil && sameProfiles(s.known, found) {
			return // made anew, the cards would lose the focus
		}
		s.known, s.list.Objects = found, nil
		for _, own := range []bool{true, false} {
			for _, profile := range found {
				if profile.Own == own {
					s.list.Add(s.card(profile))
				}
			}
		}
		s.list.Refresh()
		s.object.Refresh()
	})
}

func sameProfiles(a, b []app.ProfileView) bool {
	text := func(all []app.ProfileView) string {
		var out strings.Builder
		for _, p := range all {
			line, _ := p.TOML() // a profile that was read is written
			out.Write(line)
		}
		return out.String()
	}
	return text(a) == text(b)
}

// card shows a profile, and what can be done with it.
func (s *profiles) card(profile app.ProfileView) fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace2)
	actions := layout.Flow(space)
	from := widgets.Status{State: widgets.Neutral, Word: lang.X("profiles.builtin", "comes with the program")}
	if profile.Own {
		from = widgets.Status{State: widgets.Advice, Word: lang.X("profiles.own", "your own")}
		actions.Add(widgets.NewButton(widgets.Secondary, lang.X("profiles.edit", "Edit ..."), fynetheme.DocumentCreateIcon(), func() { s.open(profile.Profile, profile.Name) }))
		actions.Add(widgets.NewButton(widgets.Secondary, lang.X("clouds.remove", "Remove ..."), fynetheme.DeleteIcon(), func() { s.remove(profile.Name) }))
	}
	actions.Add(widgets.NewButton(widgets.Secondary, lang.X("profiles.copy", "Take as a beginning"), fynetheme.ContentCopyIcon(), func() { s.open(profile.Profile, "") }))
	head := layout.Beside(space, 140*theme.TextFactor(), widgets.NewText(profile.Name, widgets.StyleStrong), widgets.NewPill(from.State, from.Word))
	objects := append([]fyne.CanvasObject{head, widgets.NewText(profileLine(profile.Profile), widgets.StyleMuted)}, remarks(profile.Findings)...)
	return widgets.NewCard(append(objects, actions)...)
}

// profileLine is a profile in one sentence.
func profileLine(p pki.Profile) string {
	role := roleWord(string(p.Role))
	if p.SelfSigned && !p.CA {
		role = lang.X("certificate.selfsigned", "{{.Role}}, signed by itself", map[string]any{"Role": role})
	}
	return lang.XN("profiles.line", "{{.Role}}; {{.N}} days; {{.Key}}; {{.Usages}}", p.Days,
		map[string]any{"Role": role, "N": p.Days, "Key": p.Algorithm.String(), "Usages": usageWords(p.Usages)})
}

func usageWords(usages []pki.Usage) string {
	words := make([]string, len(usages))
	for i, usage := range usages {
		words[i] = string(usage)
	}
	return strings.Join(words, ", ")
}

func (s *profiles) remove(profile string) {
	its := map[string]any{"Name": profile}
	frame.Confirm(s.p.c, lang.X("profiles.remove.title", "Remove the profile {{.Name}}?", its),
		lang.X("profiles.remove.line", "Certificates that were made by it stay as they are; they can no longer be renewed here."),
		frame.Answer{Text: lang.X("profiles.remove.do", "Remove {{.Name}}", its), Icon: fynetheme.DeleteIcon(), Kind: widgets.Danger, Do: func() {
			frame.Do(s.p.c, &frame.Task{}, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, s.p.c.App.RemoveProfile(ctx, profile)
			}, func(_ struct{}, err error) {
				s.read()
				if err != nil {
					s.p.sayError(err)
				}
			})
		}})
}

// open opens the form on a profile; replaces is the name under which it is kept
// now, "" for a new one.
func (s *profiles) open(profile pki.Profile, replaces string) {
	if replaces == "" {
		profile.Name = ""
	}
	s.p.open(newProfileForm(s, profile, replaces))
}
