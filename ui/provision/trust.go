package provision

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// trustFields ask which CAs the modules of a device are to trust: a list of
// names, each of which can be taken out, and the CAs of the catalog to add.
type trustFields struct {
	p     *Page
	add   *widgets.Select
	field *widgets.Field
	rows  *fyne.Container
	cas   []string
}

func newTrustFields(p *Page) *trustFields {
	f := &trustFields{p: p, rows: layout.Column(fynetheme.Size(theme.SizeNameSpace1))}
	f.add = widgets.NewSelect(nil, func(name string) { f.take(name) })
	f.add.PlaceHolder = lang.X("trustbundle.add", "Add a CA of the catalog")
	f.field = widgets.NewField(lang.X("trustbundle.title", "Trust bundle"), lang.X("trustbundle.hint", "roots that the modules trust, beside those of the system"),
		layout.Column(fynetheme.Size(theme.SizeNameSpace1), f.rows, f.add))
	return f
}

// take adds a CA to the plan.
func (f *trustFields) take(name string) {
	if name == "" {
		return
	}
	f.set(append(slices.Clone(f.p.draft.Plan.TrustBundle.Certificates), name))
	f.p.arrange()
}

// set writes the names into the plan and shows them.
func (f *trustFields) set(names []string) {
	if len(names) == 0 {
		names = nil
	}
	f.p.draft.Plan.TrustBundle.Certificates = names
	f.show()
}

// content shows the names for the plan as it is.
func (f *trustFields) content() fyne.CanvasObject {
	f.field.SetError("")
	cas, err := f.p.c.App.CANames(f.p.c.Ctx)
	if err != nil {
		f.field.SetError(frame.View(err).Message)
	}
	f.cas = cas
	f.show()
	return f.field
}

func (f *trustFields) show() {
	names := f.p.draft.Plan.TrustBundle.Certificates
	f.rows.Objects = nil
	for i, name := range names {
		out := widgets.NewIconButton(lang.X("trustbundle.remove", "Take {{.Name}} out", map[string]any{"Name": name}), fynetheme.CancelIcon(), func() {
			f.set(slices.Delete(slices.Clone(names), i, i+1))
			f.p.arrange()
			f.p.focusOn(f.add)
		})
		f.rows.Add(layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Grow(widgets.NewText(name, widgets.StyleBody)), out))
	}
	f.add.Options = slices.DeleteFunc(slices.Clone(f.cas), func(name string) bool { return slices.Contains(names, name) })
	f.add.Selected = ""
	f.add.PlaceHolder = lang.X("trustbundle.add", "Add a CA of the catalog")
	f.add.Enable()
	if len(f.add.Options) == 0 {
		f.add.PlaceHolder = lang.X("trustbundle.none", "the catalog has no other CA")
		f.add.Disable()
	}
	f.add.Refresh()
	f.rows.Refresh()
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *trustFields) wrong() fyne.Focusable {
	if finding := f.p.draft.Finding("trust_bundle.certificates"); finding != nil {
		f.field.SetError(frame.Finding(*finding))
		return f.add
	}
	return nil
}
