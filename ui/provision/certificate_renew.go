package provision

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// renewFields ask when the runtime renews a certificate that it obtained itself.
type renewFields struct {
	p                  *Page
	newKey             *widgets.Check
	threshold, retry   *widgets.Entry
	thresholdF, retryF *widgets.Field
}

func newRenewFields(p *Page, submit func(string)) *renewFields {
	f := &renewFields{p: p, threshold: widgets.NewEntry(submit), retry: widgets.NewEntry(submit)}
	f.newKey = widgets.NewCheck(lang.X("renewal.newkey", "With a new key each time"), func(bool) { f.keep() })
	f.threshold.OnChanged = func(string) { f.keep(); f.thresholdF.SetError("") }
	f.retry.OnChanged = func(string) { f.keep(); f.retryF.SetError("") }
	hint := lang.X("renewal.hint", "a share such as 80%, or a time before the end: 10day, 60min")
	f.thresholdF = widgets.NewField(lang.X("renewal.threshold", "Begins at"), hint, f.threshold)
	f.retryF = widgets.NewField(lang.X("renewal.retry", "Tries again after"), lang.X("renewal.retry.hint", "a share of the life such as 4%, or 60min"), f.retry)
	return f
}

// renewal is how the runtime renews if nobody says otherwise, nil where it does
// not renew by itself.
func renewal(plan provisioning.Plan) *provisioning.AutoRenewPlan {
	plan.X509.AutoRenew = nil
	return plan.WithDefaults().X509.AutoRenew
}

// keep writes the fields into the plan, where it renews.
func (f *renewFields) keep() {
	plan := &f.p.draft.Plan
	plan.X509.AutoRenew = nil
	if renewal(*plan) != nil {
		newKey := f.newKey.Checked
		plan.X509.AutoRenew = &provisioning.AutoRenewPlan{RotateKey: &newKey, Threshold: strings.TrimSpace(f.threshold.Text), Retry: strings.TrimSpace(f.retry.Text)}
	}
}

// content shows the fields for the plan as it is; nil where nothing is renewed.
func (f *renewFields) content() fyne.CanvasObject {
	renew := f.p.draft.Plan.WithDefaults().X509.AutoRenew
	if renew == nil || renewal(f.p.draft.Plan) == nil {
		return nil
	}
	f.newKey.Checked = *renew.RotateKey
	f.newKey.Refresh()
	setQuietly(f.threshold, renew.Threshold)
	setQuietly(f.retry, renew.Retry)
	space := fynetheme.Size(theme.SizeNameSpace2)
	return layout.Column(space, widgets.SectionTitle(lang.X("renewal.title", "Renewal by the device itself")),
		layout.Grid(2, 160*theme.TextFactor(), space, f.thresholdF, f.retryF), f.newKey)
}

// setQuietly changes the text of an entry without telling anybody: no person
// typed.
func setQuietly(e *widgets.Entry, text string) {
	if e.Text != text {
		e.Text = text
		e.CursorColumn, e.CursorRow = 0, 0
		e.Refresh()
	}
}

// wrong shows the first error among the fields and gives what is to have the
// focus, nil for nothing wrong.
func (f *renewFields) wrong() fyne.Focusable {
	if finding := f.p.draft.Finding("x509.auto_renew.threshold", "x509.auto_renew"); finding != nil {
		f.thresholdF.SetError(frame.Finding(*finding))
		return f.threshold
	}
	if finding := f.p.draft.Finding("x509.auto_renew.retry"); finding != nil {
		f.retryF.SetError(frame.Finding(*finding))
		return f.retry
	}
	return nil
}
