package provision

import (
	"context"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// reviewStep shows everything that will be written, before it is.
type reviewStep struct {
	p       *Page
	look    frame.Task
	preview *provisioning.Preview // of one device
	batch   *batchReview          // of a list
}

func (s *reviewStep) name() string { return lang.X("step.review", "Review") }
func (s *reviewStep) next() string { return lang.X("action.provision", "Provision") }

func (s *reviewStep) summary() string {
	if s.preview == nil {
		return ""
	}
	return filesAndWrites(s.preview)
}

func filesAndWrites(p *provisioning.Preview) string {
	files, writes := 0, 0
	for _, f := range p.Files {
		if f.Action != provisioning.WriteKeep {
			files++
		}
	}
	for _, w := range p.Cloud {
		if w.Action == provisioning.WriteMake {
			writes++
		}
	}
	return lang.XN("review.files", "{{.N}} files", files, map[string]any{"N": files}) + ", " +
		lang.XN("review.writes", "{{.N}} cloud writes", writes, map[string]any{"N": writes})
}

func (s *reviewStep) content() fyne.CanvasObject {
	s.p.onward.Disable()
	s.preview, s.batch = nil, nil
	if s.p.list != nil {
		return s.lookAtAll()
	}
	frame.Do(s.p.c, &s.look, func(ctx context.Context) (*provisioning.Preview, error) {
		return s.p.c.App.Preview(ctx, s.p.draft.Request())
	}, func(preview *provisioning.Preview, err error) {
		if s.p.at != stepReview {
			return
		}
		if err != nil {
			s.p.loop = false
			s.failed(err)
			return
		}
		s.preview = preview
		if s.p.loop && s.p.draft.Familiar(preview) {
			s.p.Primary()
			return
		}
		s.p.loop = false
		if !preview.Refused() {
			s.p.onward.Enable()
		}
		s.p.shown(s.page())
		s.p.focusSoon()
	})
	return s.waiting(lang.X("review.looking", "Looking at the device and the cloud ..."))
}

func (s *reviewStep) waiting(text string) fyne.CanvasObject {
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.head(), widgets.NewText(text, widgets.StyleMuted))
}

func (s *reviewStep) failed(err error) {
	page := frame.Failure(err, lang.X("review.untouched", "Nothing has been written."), s.p.Again)
	s.p.shown(page)
	s.p.focusOn(widgets.FirstFocus(page))
}

func (s *reviewStep) head() fyne.CanvasObject {
	return widgets.NewStepHead(lang.X("review.question", "Look before it happens"), lang.X("review.line", "Everything that will be written, secrets masked. Undo puts every byte back."))
}

func (s *reviewStep) page() fyne.CanvasObject {
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.head(), layout.Grow(
		layout.Sidebar(270*theme.TextFactor(), 360, fynetheme.Size(theme.SizeNameSpace4), s.writes(s.preview, s.p.targetName()), filesOf(s.preview))))
}

// writes lists what happens in the cloud and on the device, and what was
// checked.
func (s *reviewStep) writes(preview *provisioning.Preview, target string) fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace2)
	left := layout.Column(space)
	if preview.Refused() {
		left.Add(widgets.NewBanner(widgets.Bad, lang.X("review.refused", "This cannot be provisioned yet"), lang.X("review.refused.line", "Mend what is named below, or go back and change it.")))
	}
	for _, f := range preview.Findings {
		if f.Level == finding.Error {
			left.Add(findingLine(f))
		}
	}
	if t := preview.TPM; t != nil {
		left.Add(widgets.SectionTitle("TPM"))
		for _, row := range [][2]string{{uilang.Domain(t.Summary), lang.X("review.tpm.as", "registers as {{.ID}}", map[string]any{"ID": t.RegistrationID})},
			{lang.X("review.tpm.key", "endorsement key, SHA-256"), t.EndorsementKey}, {lang.X("review.tpm.template", "made from"), uilang.Domain(t.Template)}, {lang.X("review.tpm.certificate", "maker's certificate"), uilang.Domain(t.Certificate)}} {
			if row[1] != "" {
				left.Add(writeRow(provisioning.WriteKeep, row[0], row[1]))
			}
		}
	}
	if len(preview.Certificates) > 0 {
		left.Add(widgets.SectionTitle(lang.X("review.certificates", "Certificates")))
		for _, w := range preview.Certificates {
			left.Add(writeRow(w.Action, uilang.Domain(w.What), uilang.Domain(w.Detail)))
		}
	}
	left.Add(widgets.SectionTitle(lang.X("review.cloud", "In the cloud ({{.Cloud}})", map[string]any{"Cloud": preview.Plan.Cloud.Name})))
	for _, w := range preview.Cloud {
		left.Add(writeRow(w.Action, uilang.Domain(w.What), uilang.Domain(w.Detail)))
	}
	left.Add(widgets.SectionTitle(lang.X("review.device", "On the device ({{.Target}})", map[string]any{"Target": target})))
	for _, f := range preview.Files {
		left.Add(writeRow(f.Action, f.Path, signed(f.Added, f.Removed)))
	}
	for _, action := range preview.Actions {
		left.Add(writeRow(actionRun, uilang.Domain(action), ""))
	}
	left.Add(widgets.SectionTitle(lang.X("review.checked", "Checked first")))
	pills := layout.Flow(space)
	if preview.Passed > 0 {
		pills.Add(widgets.NewPill(widgets.Good, lang.X("review.passed", "{{.N}} passed", map[string]any{"N": preview.Passed})))
	}
	if n := preview.Findings.Count(finding.Care); n > 0 {
		pills.Add(widgets.NewPill(widgets.Care, lang.XN("review.care", "{{.N}} to look at", n, map[string]any{"N": n})))
	}
	left.Add(pills)
	for _, f := range preview.Findings {
		if f.Level != finding.Error {
			left.Add(findingLine(f))
		}
	}
	return left
}

// filesOf shows the difference of one file, and buttons for the others.
func filesOf(preview *provisioning.Preview) fyne.CanvasObject {
	files := preview.Files
	if len(files) == 0 {
		return layout.Column(0)
	}
	diff := widgets.NewDiffView(diffOf(files[len(files)-1]))
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	if len(files) > 1 {
		tabs := layout.Flow(fynetheme.Size(theme.SizeNameSpace1))
		for _, f := range files {
			tabs.Add(widgets.NewButton(widgets.Quiet, baseName(f.Path), nil, func() { diff.Set(diffOf(f)) }))
		}
		column.Add(tabs)
	}
	column.Add(layout.Grow(diff))
	return column
}

// baseName is the last part of a path on a device, which has slashes whatever
// this computer has.
func baseName(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}

func diffOf(f provisioning.FileChange) widgets.Diff {
	diff := widgets.Diff{Path: f.Path, Owner: f.Owner + ":" + f.Group, Mode: fmt.Sprintf("%04o", f.Mode.Perm())}
	for _, line := range f.Lines {
		diff.Lines = append(diff.Lines, widgets.DiffLine{Op: widgets.DiffOp(line.Op), Text: line.Text})
	}
	return diff
}

// actionRun is a command that will run on the device, beside the actions of
// writes.
const actionRun = "run"

func writeRow(action, what, more string) fyne.CanvasObject {
	icon, color := fynetheme.ContentAddIcon(), theme.ColorNameGood
	switch action {
	case provisioning.WriteKeep:
		icon, color = fynetheme.ConfirmIcon(), theme.ColorNameMuted
	case provisioning.WriteChange:
		icon, color = fynetheme.DocumentCreateIcon(), theme.ColorNameAccent
	case provisioning.WriteRemove:
		icon, color = fynetheme.DeleteIcon(), theme.ColorNameCare
	case provisioning.WriteRefuse:
		icon, color = fynetheme.CancelIcon(), theme.ColorNameBad
	case actionRun:
		icon, color = fynetheme.ViewRefreshIcon(), theme.ColorNameAccent
	}
	texts := layout.Column(0, widgets.NewText(what, widgets.StyleBody))
	if more != "" {
		texts.Add(widgets.NewText(more, widgets.StyleSmall))
	}
	return layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Top, widgets.NewIcon(icon, color, theme.SizeNameIcon), layout.Grow(texts))
}

func findingLine(f finding.Finding) fyne.CanvasObject {
	state := map[finding.Level]widgets.State{finding.Error: widgets.Bad, finding.Care: widgets.Care, finding.Note: widgets.Advice}[f.Level]
	return layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Top, widgets.NewIcon(state.Icon(), state.Color(), theme.SizeNameIcon),
		layout.Grow(layout.Column(0, widgets.NewText(uilang.Domain(f.Problem), widgets.StyleBody), widgets.NewText(uilang.Domain(f.Fix), widgets.StyleSmall))))
}

func (s *reviewStep) focus() fyne.Focusable { return nil }

// leave agrees to what was shown; the run step begins with it.
func (s *reviewStep) leave(on func()) {
	if s.batch != nil {
		if len(s.batch.fit()) > 0 {
			on()
		}
		return
	}
	if s.preview != nil && !s.preview.Refused() {
		s.p.draft.Confirm(s.preview)
		on()
	}
}
