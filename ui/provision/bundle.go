package provision

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// What opens a bundle.
const (
	openByVault = "vault"
	openByFile  = "file"
	openByText  = "text"
)

// bundleFields ask for a sealed bundle and for what opens it, and show what is
// inside before Review.
type bundleFields struct {
	p      *Page
	file   *widgets.Entry
	by     *widgets.ChoiceGroup
	key    *widgets.Entry
	pass   *widgets.SecretField
	text   *widgets.SecretField
	fileF  *widgets.Field
	keyF   *widgets.Field
	textF  *widgets.Field
	inside *fyne.Container
	column fyne.CanvasObject
	opened *app.BundleView // nil until it opens, and once a field has changed
	many   []*bundleRow    // in its place for several
	// askedFor is the choice of the first step that their targets came from.
	askedFor string
	look     frame.Task
}

func newBundleFields(p *Page) *bundleFields {
	f := &bundleFields{p: p}
	space := fynetheme.Size(theme.SizeNameSpace2)
	submit := func(string) { p.Primary() }
	f.file, f.key = widgets.NewEntry(submit), widgets.NewEntry(submit)
	f.file.SetPlaceHolder("line-7-0001.edgewright")
	f.key.SetPlaceHolder("identity.txt")
	f.file.OnChanged = func(string) { f.changed() }
	f.key.OnChanged = func(string) { f.changed() }
	f.pass, f.text = widgets.NewSecretField(""), widgets.NewSecretField("")
	for _, secret := range []*widgets.SecretField{f.pass, f.text} {
		secret.OnSubmitted = p.Primary
		secret.OnChanged = func(bool) { f.changed() }
	}
	beside := func(entry *widgets.Entry) fyne.CanvasObject {
		choose := widgets.NewButton(widgets.Secondary, lang.X("action.choose", "Choose ..."), nil, func() { f.choose(entry) })
		return layout.Row(space, layout.Middle, layout.Grow(entry), choose)
	}
	f.fileF = widgets.NewField(lang.X("bundle.file", "Bundle"), lang.X("bundle.file.hint", "a file that ends in .edgewright, or a folder with several; they can be dropped here, and stay where they lie"), beside(f.file))
	f.keyF = widgets.NewField(lang.X("bundle.key", "Identity file"), lang.X("bundle.key.hint", "of age, or an SSH private key such as the device's host key"), beside(f.key))
	pass := widgets.NewField(lang.X("certificates.passphrase", "Passphrase"), lang.X("bundle.pass.hint", "of the identity file; leave it empty where it has none"), f.pass)
	f.textF = widgets.NewField(lang.X("bundle.text", "Identity"), lang.X("bundle.text.hint", "AGE-SECRET-KEY-1…; it is used for this run and then forgotten"), f.text)
	f.by = widgets.NewChoiceGroup(func(string) { f.changed(); p.arrange() },
		widgets.Choice{ID: openByVault, Icon: theme.IconKey(), Title: lang.X("bundle.byvault", "A bench identity of this vault"), Line: lang.X("bundle.byvault.line", "it was sealed for this computer")},
		widgets.Choice{ID: openByFile, Icon: fynetheme.FolderOpenIcon(), Title: lang.X("bundle.byfile", "An identity in a file"), Line: lang.X("bundle.byfile.line", "an age identity or an SSH key"), Content: layout.Column(space, f.keyF, pass)},
		widgets.Choice{ID: openByText, Icon: theme.IconKey(), Title: lang.X("bundle.bytext", "An identity that is typed or pasted"), Line: lang.X("bundle.bytext.line", "it is kept nowhere"), Content: f.textF})
	f.by.OnSubmitted = func(string) { p.Primary() }
	f.by.Choose(openByVault)
	f.inside = layout.Column(space)
	f.column = layout.Column(fynetheme.Size(theme.SizeNameSpace3), f.fileF, f.inside,
		layout.Column(space, widgets.SectionTitle(lang.X("bundle.by", "What opens it")), f.by))
	return f
}

func (f *bundleFields) choose(entry *widgets.Entry) {
	dialog.ShowFileOpen(func(file fyne.URIReadCloser, err error) {
		if err == nil && file != nil {
			entry.SetText(file.URI().Path())
			_ = file.Close()
		}
	}, f.p.c.Window)
}

// changed makes what was opened void.
func (f *bundleFields) changed() {
	f.look.Stop()
	f.fileF.SetError("")
	f.keyF.SetError("")
	f.textF.SetError("")
	f.opened, f.many = nil, nil
	f.inside.Objects = nil
	f.p.arrange()
}

// withKey is what the fields say opens the bundle.
func (f *bundleFields) withKey() app.BundleKey {
	switch f.by.Chosen() {
	case openByFile:
		return app.BundleKey{File: pick.Whole(f.key.Text), Passphrase: f.pass.Value()}
	case openByText:
		return app.BundleKey{Text: f.text.Value()}
	}
	return app.BundleKey{}
}

// leave opens the bundle and shows what is inside; once that was seen it goes on
// to Review with the plan of the bundle.
func (f *bundleFields) leave(on func()) {
	switch {
	case f.opened != nil:
		draft := f.p.draft
		draft.Bundle, draft.Plan, draft.Access.BundleKey = f.opened, f.opened.Plan, f.withKey()
		on()
		return
	case f.many != nil:
		f.leaveMany(on)
		return
	case strings.TrimSpace(f.file.Text) == "":
		f.wrong(f.fileF, f.file, lang.X("bundle.file.none", "Name the bundle."))
		return
	case f.by.Chosen() == openByFile && strings.TrimSpace(f.key.Text) == "":
		f.wrong(f.keyF, f.key, lang.X("bundle.key.none", "Name the file with the identity."))
		return
	case f.by.Chosen() == openByText && f.text.IsEmpty():
		f.textF.SetError(lang.X("bundle.text.none", "The identity is missing."))
		f.p.arrange()
		f.text.Focus()
		return
	}
	files, err := f.files()
	if err != nil {
		view := frame.View(err)
		f.wrong(f.fileF, f.file, strings.TrimSpace(view.Message+" "+view.Hint))
		return
	}
	if len(files) > 1 || f.p.list != nil {
		f.openMany(files)
		return
	}
	path, key := files[0], f.withKey()
	f.inside.Objects = []fyne.CanvasObject{widgets.NewText(lang.X("bundle.opening", "Opening the bundle ..."), widgets.StyleMuted)}
	f.p.arrange()
	frame.Do(f.p.c, &f.look, func(ctx context.Context) (app.BundleView, error) {
		return f.p.c.App.OpenBundle(ctx, path, key)
	}, func(opened app.BundleView, err error) {
		if err == nil {
			f.opened = &opened
			f.inside.Objects = f.contents()
			f.p.onward.SetText(lang.X("identity.next", "Review"))
			f.p.focusOn(f.p.onward)
		}
		f.looked(err)
	})
}

// looked shows what kept a look from seeing what is inside, if anything did.
func (f *bundleFields) looked(err error) {
	if err != nil {
		view, state := frame.View(err), widgets.Bad
		if errors.Is(err, provisioning.ErrLocked) && f.by.Chosen() == openByFile {
			state = widgets.Care
			f.pass.Focus()
		}
		f.inside.Objects = []fyne.CanvasObject{widgets.NewBanner(state, view.Message, view.Hint)}
	}
	f.p.arrange()
	f.p.scroll.ScrollToTop()
}

// wrong says what a field lacks and gives it the keyboard.
func (f *bundleFields) wrong(field *widgets.Field, entry *widgets.Entry, text string) {
	field.SetError(text)
	f.p.arrange()
	f.p.focusOn(entry)
}

// contents shows what is inside.
func (f *bundleFields) contents() []fyne.CanvasObject {
	b, plan := f.opened, f.opened.Plan
	enrollment := lang.X("cloud.individual", "Individual enrollment")
	if plan.ByGroup() {
		enrollment = lang.X("bundle.group", "group {{.Group}}", map[string]any{"Group": plan.Cloud.Group})
	}
	facts := []widgets.Fact{
		{Label: lang.X("identity.id", "Device ID"), Value: b.Device},
		{Label: lang.X("bundle.way", "Way"), Value: PlatformName(plan.Cell.Platform) + ", " + MethodName(plan.Cell.Provisioning) + ", " + AuthenticationName(plan.Cell.Authentication)},
		{Label: lang.X("step.cloud", "Cloud"), Value: plan.Cloud.Name},
		{Label: lang.X("cloud.enrollment", "Enrollment"), Value: enrollment}}
	if plan.Device.Hostname != "" {
		facts = append(facts, widgets.Fact{Label: lang.X("identity.host", "Host name"), Value: plan.Device.Hostname})
	}
	for _, cert := range b.Certificates {
		facts = append(facts, widgets.Fact{Label: lang.X("bundle.certificate", "Certificate"),
			Value: lang.X("bundle.until", "{{.Name}}, until {{.Day}}", map[string]any{"Name": cert.Subject, "Day": cert.NotAfter.Local().Format("2006-01-02")})})
	}
	facts = append(facts, widgets.Fact{Label: lang.X("bundle.made", "Sealed"), Value: b.Made.Local().Format("2006-01-02 15:04")},
		widgets.Fact{Label: lang.X("runs.batch", "Batch"), Value: b.Batch})
	card := []fyne.CanvasObject{widgets.Facts(facts...)}
	for _, found := range b.Findings {
		card = append(card, findingLine(found))
	}
	return []fyne.CanvasObject{widgets.NewTitledCard(lang.X("bundle.inside", "What is inside"), card...)}
}

// name is the file as the list of steps shows it.
func (f *bundleFields) name() string {
	if n := len(f.many); n > 0 {
		return lang.XN("bundle.many", "{{.N}} bundles", n, map[string]any{"N": n})
	}
	return filepath.Base(pick.Whole(f.file.Text))
}
