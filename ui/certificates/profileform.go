package certificates

import (
	"context"
	"slices"
	"strconv"
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

// profileForm edits a profile and says beside the fields what breaks a rule.
type profileForm struct {
	s        *profiles
	replaces string
	content  fyne.CanvasObject
	name     *widgets.Entry
	role     *widgets.Select
	depth    *widgets.Entry
	self     *widgets.Check
	usages   []*widgets.Check
	days     *widgets.Entry
	key      *widgets.Select
	device   *widgets.Check
	fields   map[string]*widgets.Field
	onlyCA   *fyne.Container
	onlyLeaf *fyne.Container
	rules    *fyne.Container
	save     *widgets.Button
	work     frame.Task
}

// roles are those of the program, in the order in which a chain is built.
var roles = []pki.Role{pki.RoleRoot, pki.RoleIntermediate, pki.RoleIdentity, pki.RoleEdgeCA, pki.RoleServer, pki.RoleVerification, pki.RoleESTBootstrap}

func newProfileForm(s *profiles, p pki.Profile, replaces string) *profileForm {
	f := &profileForm{s: s, replaces: replaces, fields: map[string]*widgets.Field{}}
	space := fynetheme.Size(theme.SizeNameSpace3)
	f.name, f.depth, f.days = f.entry(p.Name), f.entry(strconv.Itoa(p.PathLength)), f.entry(strconv.Itoa(p.Days))
	var words, keys []string
	for _, role := range roles {
		words = append(words, roleWord(string(role)))
	}
	for _, a := range pki.Algorithms {
		keys = append(keys, a.String())
	}
	f.role, f.key = widgets.NewSelect(words, nil), widgets.NewSelect(keys, nil)
	f.role.SetSelected(roleWord(string(p.Role)))
	f.key.SetSelected(p.Algorithm.String())
	f.role.OnChanged, f.key.OnChanged = func(string) { f.check() }, func(string) { f.check() }
	f.self = f.tick(lang.X("profiles.self", "Signed by itself"), p.SelfSigned)
	f.device = f.tick(lang.X("profiles.device", "It lives on a device"), p.OnDevice)
	usages := layout.Column(fynetheme.Size(theme.SizeNameSpace1))
	for _, usage := range pki.Usages {
		tick := f.tick(string(usage), slices.Contains(p.Usages, usage))
		f.usages = append(f.usages, tick)
		usages.Add(tick)
	}
	field := func(member, label, hint string, control fyne.CanvasObject) *widgets.Field {
		f.fields[member] = widgets.NewField(label, hint, control)
		return f.fields[member]
	}
	f.onlyCA = layout.Column(space, field("path_length", lang.X("profiles.depth", "CAs below it"), lang.X("profiles.depth.hint", "0 signs leaves only, -1 any number"), f.depth))
	f.onlyLeaf = layout.Column(space, field("self_signed", lang.X("profiles.issuer", "Issuer"), "", f.self))
	f.rules = layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	left := layout.Column(space, field("name", lang.X("clouds.form.name", "Name"), lang.X("profiles.name.hint", "as forms and commands name it"), f.name),
		field("role", lang.X("profiles.role", "Role"), "", f.role), f.onlyCA, f.onlyLeaf,
		field("days", lang.X("certificates.form.days", "Days"), lang.X("profiles.days.hint", "how long it holds unless another number is given"), f.days),
		field("algorithm", lang.X("certificates.form.algorithm", "Key"), "", f.key), f.device)
	right := layout.Column(space, field("usages", lang.X("profiles.usages", "Key usages"), "", usages),
		widgets.NewTitledCard(lang.X("profiles.rules", "What the rules say"), f.rules))
	f.save = widgets.NewButton(widgets.Primary, lang.X("action.save", "Save"), fynetheme.DocumentSaveIcon(), f.submit)
	cancel := widgets.NewButton(widgets.Secondary, lang.X("action.cancel", "Cancel"), nil, s.p.close)
	foot := layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Spacer(), cancel, f.save)
	title := lang.X("profiles.new", "A profile of your own")
	if replaces != "" {
		title = replaces
	}
	head := widgets.NewPageHead(title, lang.X("profiles.form.line", "The rules are those of RFC 5280 and of the runtime; a profile that breaks one is not saved"))
	f.content = layout.Page(head, layout.VScroll(layout.Grid(2, 330*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace5), left, right)), foot)
	f.check()
	return f
}

func (f *profileForm) entry(text string) *widgets.Entry {
	e := widgets.NewEntry(func(string) { f.submit() })
	e.SetText(text)
	e.OnChanged = func(string) { f.check() }
	return e
}

func (f *profileForm) tick(text string, on bool) *widgets.Check {
	c := widgets.NewCheck(text, nil)
	c.SetChecked(on)
	c.OnChanged = func(bool) { f.check() }
	return c
}

func (f *profileForm) object() fyne.CanvasObject { return f.content }
func (f *profileForm) first() fyne.Focusable     { return f.name }

// profile is what the fields say. What is no number counts as one that no rule
// allows.
func (f *profileForm) profile() pki.Profile {
	p := pki.Profile{Name: strings.TrimSpace(f.name.Text), Role: roles[max(0, f.role.SelectedIndex())], OnDevice: f.device.Checked,
		Algorithm: pki.Algorithms[max(0, f.key.SelectedIndex())]}
	p.CA = isCA(string(p.Role))
	p.SelfSigned = p.Role == pki.RoleRoot || !p.CA && f.self.Checked
	number := func(text string, wrong int) int {
		if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
			return n
		}
		return wrong
	}
	p.Days = number(f.days.Text, 0)
	if p.CA {
		p.PathLength = number(f.depth.Text, pki.AnyDepth-1)
	}
	for i, tick := range f.usages {
		if tick.Checked {
			p.Usages = append(p.Usages, pki.Usages[i])
		}
	}
	return p
}

// check says what the rules say to the fields as they are.
func (f *profileForm) check() {
	if f.save == nil {
		return
	}
	p := f.profile()
	show(f.onlyCA, p.CA)
	show(f.onlyLeaf, !p.CA)
	found := app.CheckProfile(p)
	f.rules.Objects = remarks(found)
	if len(found) == 0 {
		f.rules.Objects = []fyne.CanvasObject{widgets.Remark(widgets.Good, lang.X("profiles.sound", "It breaks no rule."))}
	}
	if found.Errors() {
		f.save.Disable()
	} else {
		f.save.Enable()
	}
	f.content.Refresh()
}

// submit keeps the profile.
func (f *profileForm) submit() {
	if f.save.Disabled() {
		return
	}
	p := f.profile()
	frame.Do(f.s.p.c, &f.work, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, f.s.p.c.App.SaveProfile(ctx, p, f.replaces)
	}, func(_ struct{}, err error) {
		if err != nil {
			f.rules.Objects = []fyne.CanvasObject{widgets.Remark(widgets.Bad, errorLine(err))}
			f.content.Refresh()
			return
		}
		if f.s.p.form == f {
			f.s.p.close()
		}
		f.s.read()
		f.s.p.say(widgets.Good, lang.X("profiles.saved", "The profile {{.Name}} is saved", map[string]any{"Name": p.Name}), "")
	})
}
