// Package onboarding is the dialog that brings a CA of the catalog to a cloud
// and proves its possession there: one button does all and shows each step. For
// a cloud that cannot be written from here it makes the files that a person
// uploads, and names the step that is left. A page opens it by Ask.
package onboarding

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"fyne.io/fyne/v2"
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

// Dialog is the question, and then the steps.
type Dialog struct {
	c     *frame.Context
	ca    app.CertificateView
	cloud *widgets.Select
	to    *widgets.Select
	name  *widgets.Entry
	nameF *widgets.Field
	// code is asked for where the cloud cannot be written; empty writes the CA.
	code  *widgets.Entry
	codeF *widgets.Field

	// form is what is asked; the steps take its place while they run, and the
	// button brings it back when they have ended.
	form   *fyne.Container
	body   *fyne.Container
	steps  *widgets.StepList
	stages []widgets.Step
	at     int // the stage that runs, -1 before the first
	result *fyne.Container
	dialog *frame.Dialog
	task   frame.Task
	busy   bool
	done   func()
}

// Ask opens the dialog for a CA of the catalog. done, which may be nil, is
// called when something was written.
func Ask(c *frame.Context, ca app.CertificateView, done func()) (*Dialog, error) {
	clouds, err := c.App.Clouds(c.Ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(clouds))
	for _, cloud := range clouds {
		names = append(names, cloud.Name)
	}
	d := &Dialog{c: c, ca: ca, at: -1, done: done}
	d.name = widgets.NewEntry(func(string) { d.start() })
	d.name.SetText(NameFor(ca.Subject))
	d.name.OnChanged = func(string) { d.nameF.SetError("") }
	d.nameF = widgets.NewField(lang.X("onboard.name", "Name in the cloud"), lang.X("onboard.name.hint", "letters, digits, dashes, dots and underscores; enrollment groups refer to it"), d.name)
	d.code = widgets.NewEntry(func(string) { d.start() })
	d.codeF = widgets.NewField(lang.X("onboard.code", "Verification code"), lang.X("onboard.code.hint", "as the portal shows it; leave it empty to write the CA's file first"), d.code)
	d.codeF.Hide()
	d.to = widgets.NewSelect([]string{lang.X("onboard.dps", "Device Provisioning Service"), "IoT Hub"}, nil)
	d.to.SetSelectedIndex(0)
	d.steps = widgets.NewStepList(nil)
	d.steps.Hide()
	d.result = layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	d.cloud = widgets.NewSelect(names, func(string) { d.fitCloud() })
	space := fynetheme.Size(theme.SizeNameSpace3)
	d.form = layout.Column(space,
		widgets.NewText(lang.X("onboard.line", "The cloud gets the certificate of this CA and a proof that its key is here. From then on it takes devices whose certificates this CA vouches for."), widgets.StyleBody),
		layout.Beside(space, 140*theme.TextFactor(), widgets.NewField(lang.X("onboard.cloud", "Cloud"), "", d.cloud), widgets.NewField(lang.X("onboard.to", "Service"), "", d.to)),
		d.nameF, d.codeF)
	d.body = layout.Column(space, d.form, d.steps, d.result)
	d.dialog = frame.NewDialog(c, lang.X("onboard.title", "Bring {{.Name}} to a cloud", map[string]any{"Name": ca.Subject}), d.body, d.task.Stop,
		frame.Answer{Text: lang.X("action.close", "Close"), Do: d.task.Stop},
		frame.Answer{Text: lang.X("onboard.do", "Upload and verify"), Icon: fynetheme.UploadIcon(), Kind: widgets.Primary, Do: d.start, Stay: true})
	d.dialog.Show(d.name)
	d.cloud.SetSelectedIndex(0)
	return d, nil
}

// NameFor makes a name that clouds take of the subject of a CA.
func NameFor(subject string) string {
	name := []rune(subject)
	for i, r := range name {
		if provisioning.CheckUploadedName(string(r)) != nil {
			name[i] = '-'
		}
	}
	return string(name)
}

// fitCloud asks for the code where the cloud cannot be written from here.
func (d *Dialog) fitCloud() {
	if d.c.App.Managed(d.cloud.Selected) {
		d.codeF.Hide()
	} else {
		d.codeF.Show()
	}
	d.fit()
}

// fit lays the body out anew and gives the dialog its height.
func (d *Dialog) fit() {
	if d.dialog != nil {
		d.body.Refresh()
		d.dialog.Fit()
	}
}

func (d *Dialog) onboarding() app.Onboarding {
	to := app.DPSConnection
	if d.to.SelectedIndex() == 1 {
		to = app.HubConnection
	}
	return app.Onboarding{CA: d.ca.ID, To: to, Cloud: d.cloud.Selected, Name: d.name.Text}
}

func (d *Dialog) start() {
	if d.busy {
		return
	}
	d.result.RemoveAll()
	if !d.form.Visible() {
		d.steps.Hide()
		d.form.Show()
		d.fit()
		d.c.Focus(d.name)
		return
	}
	if err := provisioning.CheckUploadedName(d.name.Text); err != nil {
		d.nameF.SetError(lang.X("onboard.name.bad", "Use 1 to 256 letters, digits, dashes, dots and underscores."))
		d.fit()
		d.c.Focus(d.name)
		return
	}
	if !d.c.App.Managed(d.cloud.Selected) {
		d.byHand()
		return
	}
	d.busy, d.at, d.stages = true, -1, nil
	for _, stage := range app.OnboardStages {
		d.stages = append(d.stages, widgets.Step{Title: stageName(stage)})
	}
	d.steps.Set(d.stages)
	d.steps.Show()
	d.form.Hide()
	d.fit()
	o := d.onboarding()
	frame.Do(d.c, &d.task, func(ctx context.Context) (app.OnboardedCA, error) {
		return d.c.App.OnboardCA(ctx, o, func(stage app.OnboardStage) { d.c.Post(func() { d.reach(stage) }) })
	}, d.ended)
}

// reach marks the stages before one as done, and that one as running.
func (d *Dialog) reach(stage app.OnboardStage) {
	for i, one := range app.OnboardStages {
		switch {
		case one == stage:
			d.at, d.stages[i].State = i, widgets.StepNow
			d.steps.Set(d.stages)
			return
		default:
			d.stages[i].State = widgets.StepDone
		}
	}
}

func (d *Dialog) ended(ca app.OnboardedCA, err error) {
	d.busy = false
	if err != nil {
		view := frame.View(err)
		d.stages[max(d.at, 0)].State = widgets.StepFailed
		d.steps.Set(d.stages)
		d.say(widgets.Bad, view.Message, view.Hint)
		return
	}
	for i := range d.stages {
		d.stages[i].State = widgets.StepDone
	}
	d.steps.Set(d.stages)
	d.say(widgets.Good, lang.X("onboard.done", "{{.Name}} is verified", map[string]any{"Name": ca.Name}),
		lang.X("onboard.done.line", "Enrollment groups and devices may refer to it now."))
	d.tell()
}

func (d *Dialog) say(state widgets.State, title, line string) {
	d.result.Objects = []fyne.CanvasObject{widgets.NewBanner(state, title, line)}
	d.fit()
}

func (d *Dialog) tell() {
	if d.done != nil {
		d.done()
	}
}

// byHand asks where the file goes that a person uploads, and says what is left
// to do with it.
func (d *Dialog) byHand() {
	o, code := d.onboarding(), d.code.Text
	title, path := lang.X("onboard.file.ca", "Write the certificate of the CA"), o.Name+".pem"
	if code != "" {
		title, path = lang.X("onboard.file.proof", "Write the verification certificate"), o.Name+"-verification.pem"
	}
	pick.Ask(d.c, pick.Question{Title: title, Label: lang.X("onboard.file", "File"), Path: pick.Home(path), Save: true,
		Act: lang.X("onboard.file.do", "Write"), Icon: fynetheme.DocumentSaveIcon(),
		Check: func(path string) string {
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				return lang.X("onboard.file.there", "There is such a file already. Choose another name.")
			}
			return ""
		},
		Do: func(path string) {
			frame.Do(d.c, &d.task, func(ctx context.Context) (app.OnboardedCA, error) {
				return d.c.App.OnboardByHand(ctx, o, code, path)
			}, func(ca app.OnboardedCA, err error) {
				if err != nil {
					view := frame.View(err)
					d.say(widgets.Bad, view.Message, view.Hint)
					return
				}
				left := lang.X("onboard.left.ca", "In the portal, add it to the certificates of the service, open it there and generate a verification code. Then write the code here.")
				if code != "" {
					left = lang.X("onboard.left.proof", "In the portal, open the certificate, give it this file as verification certificate and verify it, within 7 days.")
				}
				d.form.Hide()
				d.say(widgets.Care, lang.X("onboard.written", "{{.File}} is written; one step is left", map[string]any{"File": filepath.Base(ca.File)}), left)
				d.tell()
			})
		}})
}

// stageName is a stage as people say it.
func stageName(stage app.OnboardStage) string {
	switch stage {
	case app.OnboardUpload:
		return lang.X("onboard.stage.upload", "Upload the certificate")
	case app.OnboardCode:
		return lang.X("onboard.stage.code", "Get a verification code")
	case app.OnboardProof:
		return lang.X("onboard.stage.proof", "Make the verification certificate")
	}
	return lang.X("onboard.stage.verify", "Show it to the cloud")
}
