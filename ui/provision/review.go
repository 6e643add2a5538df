package provision

import (
	"context"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// reviewStep shows everything that will be written, before it is.
type reviewStep struct {
	p       *Page
	look    frame.Task
	preview *provisioning.Preview
	diff    *widgets.DiffView
	picked  int
}

func (s *reviewStep) name() string { return lang.X("step.review", "Review") }
func (s *reviewStep) next() string { return lang.X("action.provision", "Provision") }

func (s *reviewStep) summary() string {
	if s.preview == nil {
		return ""
	}
	return lang.X("review.summary", "{{.Files}} files, {{.Cloud}} cloud writes", map[string]any{"Files": len(s.preview.Files), "Cloud": len(s.preview.Cloud)})
}

func (s *reviewStep) content() fyne.CanvasObject {
	s.preview = nil
	s.p.onward.Disable()
	frame.Do(s.p.c, &s.look, func(ctx context.Context) (*provisioning.Preview, error) {
		return s.p.c.App.Preview(ctx, s.p.draft.Request())
	}, func(preview *provisioning.Preview, err error) {
		if s.p.at != stepReview {
			return
		}
		if err != nil {
			s.p.shown(frame.Failure(err, lang.X("review.untouched", "Nothing has been written."), s.p.show))
			return
		}
		s.preview = preview
		if !preview.Refused() {
			s.p.onward.Enable()
		}
		s.p.shown(s.page())
		if s.p.loop && s.p.draft.Familiar(preview) {
			s.p.Primary()
			return
		}
		s.p.loop = false
		s.p.focusSoon()
	})
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.head(), widgets.NewText(lang.X("review.looking", "Looking at the device and the cloud ..."), widgets.StyleMuted))
}

func (s *reviewStep) head() fyne.CanvasObject {
	return widgets.NewStepHead(lang.X("review.question", "Look before it happens"), lang.X("review.line", "Everything that will be written, secrets masked. Undo puts every byte back."))
}

func (s *reviewStep) page() fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace2)
	left := layout.Column(space)
	if s.preview.Refused() {
		left.Add(widgets.NewBanner(widgets.Bad, lang.X("review.refused", "This cannot be provisioned yet"), lang.X("review.refused.line", "Mend what is named below, or go back and change it.")))
	}
	left.Add(widgets.SectionTitle(lang.X("review.cloud", "In the cloud ({{.Cloud}})", map[string]any{"Cloud": s.preview.Plan.Cloud.Name})))
	for _, w := range s.preview.Cloud {
		left.Add(s.row(w.Action, w.What, w.Detail))
	}
	left.Add(widgets.SectionTitle(lang.X("review.device", "On {{.Target}}", map[string]any{"Target": s.p.targetName()})))
	for _, f := range s.preview.Files {
		left.Add(s.row(f.Action, f.Path, fmt.Sprintf("+%d -%d", f.Added, f.Removed)))
	}
	for _, action := range s.preview.Actions {
		left.Add(s.row("run", action, ""))
	}
	left.Add(widgets.SectionTitle(lang.X("review.checked", "Checked first")))
	pills := layout.Flow(space, widgets.NewPill(widgets.Good, lang.X("review.passed", "{{.N}} passed", map[string]any{"N": s.preview.Passed})))
	left.Add(pills)
	for _, f := range s.preview.Findings {
		left.Add(finding(f))
	}
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.head(),
		layout.Sidebar(270*theme.TextFactor(), 360, fynetheme.Size(theme.SizeNameSpace4), left, s.files()))
}

// files shows the difference of one file, and buttons for the others.
func (s *reviewStep) files() fyne.CanvasObject {
	if len(s.preview.Files) == 0 {
		return layout.Column(0)
	}
	s.picked = len(s.preview.Files) - 1
	s.diff = widgets.NewDiffView(diffOf(s.preview.Files[s.picked]))
	column := layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	if len(s.preview.Files) > 1 {
		tabs := layout.Flow(fynetheme.Size(theme.SizeNameSpace1))
		for i, f := range s.preview.Files {
			tabs.Add(widgets.NewButton(widgets.Quiet, baseName(f.Path), nil, func() { s.diff.Set(diffOf(s.preview.Files[i])) }))
		}
		column.Add(tabs)
	}
	column.Add(s.diff)
	return column
}

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

func (s *reviewStep) row(action, what, more string) fyne.CanvasObject {
	icon, color := fynetheme.ContentAddIcon(), theme.ColorNameGood
	switch action {
	case provisioning.WriteKeep:
		icon, color = fynetheme.ConfirmIcon(), theme.ColorNameMuted
	case provisioning.WriteChange:
		icon, color = fynetheme.DocumentCreateIcon(), theme.ColorNameAccent
	case provisioning.WriteRefuse:
		icon, color = fynetheme.CancelIcon(), theme.ColorNameBad
	case "run":
		icon, color = fynetheme.ViewRefreshIcon(), theme.ColorNameAccent
	}
	texts := layout.Column(0, widgets.NewText(what, widgets.StyleBody))
	if more != "" {
		texts.Add(widgets.NewText(more, widgets.StyleSmall))
	}
	return layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Top, widgets.NewIcon(icon, color, theme.SizeNameIcon), layout.Grow(texts))
}

func finding(f provisioning.Finding) fyne.CanvasObject {
	state := map[provisioning.Level]widgets.State{provisioning.LevelError: widgets.Bad, provisioning.LevelCare: widgets.Care, provisioning.LevelNote: widgets.Advice}[f.Level]
	return layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Top, widgets.NewIcon(state.Icon(), state.Color(), theme.SizeNameIcon),
		layout.Grow(layout.Column(0, widgets.NewText(f.Problem, widgets.StyleBody), widgets.NewText(f.Fix, widgets.StyleSmall))))
}

func (s *reviewStep) focus() fyne.Focusable { return nil }

// leave agrees to what was shown; the run step begins with it.
func (s *reviewStep) leave(on func()) {
	if s.preview == nil || s.preview.Refused() {
		return
	}
	s.p.draft.Confirm(s.preview)
	on()
}
