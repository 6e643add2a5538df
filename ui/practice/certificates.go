package practice

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// certificates is the tab of the CA certificates: upload, code, proof. There are
// never many, so each has a card.
type certificates struct {
	v      *View
	add    *widgets.Button
	list   *fyne.Container
	all    fyne.CanvasObject
	load   frame.Task
	act    frame.Task
	owners []string
	known  []app.PracticeCA
}

func newCertificates(v *View) *certificates {
	space := fynetheme.Size(theme.SizeNameSpace3)
	t := &certificates{v: v, list: layout.Column(space)}
	t.add = widgets.NewButton(widgets.Secondary, lang.X("practice.ca.upload", "Upload a CA certificate ..."), fynetheme.UploadIcon(), t.upload)
	t.all = layout.Column(space, layout.Flow(0, t.add), layout.Grow(layout.VScroll(t.list)))
	return t
}

func (t *certificates) object() fyne.CanvasObject { return t.all }

func (t *certificates) first() fyne.Focusable { return t.add }

// verified is the pill of a CA certificate.
func verified(is bool) widgets.Status {
	if is {
		return widgets.Status{State: widgets.Good, Word: lang.X("practice.ca.verified", "verified")}
	}
	return widgets.Status{State: widgets.Care, Word: lang.X("practice.ca.unverified", "not verified")}
}

func (t *certificates) read(overview app.PracticeOverview) {
	t.owners = append([]string{app.PracticeDPS}, hubNames(overview.Hubs)...)
	frame.Do(t.v.c, &t.load, func(ctx context.Context) ([]app.PracticeCA, error) {
		return t.v.c.App.PracticeCAs(ctx, "")
	}, func(found []app.PracticeCA, err error) {
		if err != nil {
			t.v.sayError(err)
			return
		}
		if t.known != nil && slices.Equal(found, t.known) {
			return // made anew, the cards would lose the focus
		}
		t.known, t.list.Objects = found, nil
		for _, ca := range found {
			t.list.Add(t.card(ca))
		}
		if len(found) == 0 {
			t.list.Add(widgets.NewEmptyState(theme.IconCertificate(), lang.X("practice.noca", "No CA certificate"),
				lang.X("practice.noca.line", "Devices and enrollment groups can be trusted by a CA whose certificate is uploaded and proven here."), nil))
		}
		t.list.Refresh()
	})
}

// card shows a CA certificate, and what comes next for it.
func (t *certificates) card(ca app.PracticeCA) fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace2)
	status := verified(ca.Verified)
	of := ca.Owner
	if of == app.PracticeDPS {
		of = lang.X("clouds.dps", "DPS")
	}
	facts := []widgets.Fact{{Label: lang.X("practice.ca.of", "Of"), Value: of}, {Label: lang.X("practice.ca.subject", "Subject"), Value: ca.Subject},
		{Label: lang.X("practice.ca.ends", "Ends"), Value: ca.Expires.Local().Format(time.DateOnly)}, {Label: "SHA-256", Value: ca.Thumbprint, Mono: true, Copy: true}}
	next := lang.X("practice.ca.isverified", "Who holds its key was proven: enrollment groups and devices may refer to it.")
	actions := layout.Flow(space)
	switch {
	case ca.Verified:
	case ca.Code == "":
		next = lang.X("practice.ca.needscode", "Its key is not proven yet. Make a code first.")
		actions.Add(widgets.NewButton(widgets.Secondary, lang.X("practice.ca.code", "Make a code"), theme.IconKey(), func() { t.makeCode(ca) }))
	default:
		next = lang.X("practice.ca.needsproof", "Issue a certificate by this CA whose common name is the code, and show it.")
		facts = append(facts, widgets.Fact{Label: lang.X("practice.ca.iscode", "Code"), Value: ca.Code, Mono: true, Copy: true})
		actions.Add(widgets.NewButton(widgets.Secondary, lang.X("practice.ca.verify", "Show the proof ..."), fynetheme.ConfirmIcon(), func() { t.verify(ca) }))
	}
	actions.Add(widgets.NewButton(widgets.Secondary, lang.X("clouds.remove", "Remove ..."), fynetheme.DeleteIcon(), func() { t.remove(ca) }))
	head := layout.Flow(space, widgets.NewText(ca.Name, widgets.StyleStrong.As(widgets.Single)), widgets.NewPill(status.State, status.Word))
	return widgets.NewCard(head, widgets.NewText(next, widgets.StyleBody), widgets.Facts(facts...), actions)
}

// upload asks for whom, under which name and which file.
func (t *certificates) upload() {
	name := widgets.NewEntry(nil)
	owner := widgets.NewSelect(t.owners, nil)
	owner.SetSelectedIndex(0)
	pick.Ask(t.v.c, pick.Question{
		Title: lang.X("practice.ca.upload.title", "Upload a CA certificate"),
		Line:  lang.X("practice.ca.upload.line", "DPS and each hub have CA certificates of their own. Nobody is trusted by it before its key is proven."),
		Above: layout.Column(fynetheme.Size(theme.SizeNameSpace3), widgets.NewField(lang.X("practice.ca.for", "For DPS or a hub"), "", owner),
			widgets.NewField(lang.X("practice.ca.name", "Name"), lang.X("practice.ca.name.hint", "letters, digits, dots and dashes; enrollment groups refer to it"), name)),
		Label: lang.X("practice.ca.file", "Certificate"), Hint: lang.X("practice.ca.file.hint", "a PEM or DER file"),
		Path: pick.Home("ca.pem"), Act: lang.X("practice.ca.do", "Upload"), Icon: fynetheme.UploadIcon(),
		Do: func(path string) {
			t.do(func(ctx context.Context) (app.PracticeCA, error) {
				return t.v.c.App.UploadPracticeCA(ctx, owner.Selected, name.Text, path, false)
			})
		}})
}

func (t *certificates) makeCode(ca app.PracticeCA) {
	t.do(func(ctx context.Context) (app.PracticeCA, error) {
		return t.v.c.App.PracticeCACode(ctx, ca.Owner, ca.Name)
	})
}

func (t *certificates) verify(ca app.PracticeCA) {
	pick.Ask(t.v.c, pick.Question{
		Title: lang.X("practice.ca.verify.title", "Prove the key of {{.Name}}", map[string]any{"Name": ca.Name}),
		Line:  lang.X("practice.ca.verify.line", "The certificate has the common name {{.Code}} and is issued by this CA.", map[string]any{"Code": ca.Code}),
		Label: lang.X("practice.ca.file", "Certificate"), Hint: lang.X("practice.ca.file.hint", "a PEM or DER file"),
		Path: pick.Home("proof.pem"), Act: lang.X("practice.ca.verify.do", "Verify"), Icon: fynetheme.ConfirmIcon(),
		Do: func(path string) {
			t.do(func(ctx context.Context) (app.PracticeCA, error) {
				return t.v.c.App.VerifyPracticeCA(ctx, ca.Owner, ca.Name, path)
			})
		}})
}

func (t *certificates) remove(ca app.PracticeCA) {
	name := map[string]any{"Name": ca.Name}
	frame.Confirm(t.v.c, lang.X("practice.ca.remove.title", "Remove the CA certificate {{.Name}}?", name),
		lang.X("practice.ca.remove.line", "Devices that only it vouches for are refused from then on. The files of the CA stay where they are."),
		frame.Answer{Text: lang.X("practice.ca.remove.do", "Remove {{.Name}}", name), Icon: fynetheme.DeleteIcon(), Kind: widgets.Danger, Do: func() {
			t.do(func(ctx context.Context) (app.PracticeCA, error) {
				return app.PracticeCA{}, t.v.c.App.RemovePracticeCA(ctx, ca.Owner, ca.Name)
			})
		}})
}

// do changes something and looks at what came of it.
func (t *certificates) do(act func(ctx context.Context) (app.PracticeCA, error)) {
	frame.Do(t.v.c, &t.act, act, func(_ app.PracticeCA, err error) {
		t.v.Again()
		if err != nil {
			t.v.sayError(err)
		}
	})
}
