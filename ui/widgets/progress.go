package widgets

import (
	"time"

	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Progress is one sample of a running job.
type Progress struct {
	Step, Steps int // 1 to Steps; Steps 0 while the number is not known
	Elapsed     time.Duration
	Rest        time.Duration // about how long it will still take; 0 when not known
	Wait        string        // a whole sentence: "The wait is the device restarting its services."
	Title       string        // in place of "Step 3 of 8" or "Putting everything back"
	Cancelling  bool
}

// ProgressPanel shows how far a job is, what is slow, and a button that cancels.
// Without a number of steps the bar moves on a little with each Set, so that it
// lives with the samples and costs nothing between them.
type ProgressPanel struct {
	widget.BaseWidget
	progress Progress
	notch    int
	cancel   *Button
}

// NewProgressPanel makes a ProgressPanel. cancelText says what cancelling does
// ("Cancel and put everything back"); a nil cancel shows no button.
func NewProgressPanel(cancelText string, cancel func()) *ProgressPanel {
	p := &ProgressPanel{cancel: NewButton(Secondary, cancelText, fynetheme.CancelIcon(), cancel)}
	show(p.cancel, cancel != nil)
	p.ExtendBaseWidget(p)
	return p
}

// Set shows a sample; call it from a ticker, a few times a second.
func (p *ProgressPanel) Set(progress Progress) {
	p.progress = progress
	p.notch++
	if progress.Cancelling {
		p.cancel.Disable()
	} else if p.cancel.Disabled() {
		p.cancel.Enable()
	}
	p.Refresh()
}

func (p *ProgressPanel) title() string {
	switch {
	case p.progress.Title != "":
		return p.progress.Title
	case p.progress.Cancelling:
		return lang.X("progress.cancelling", "Putting everything back")
	case p.progress.Steps > 0:
		return lang.X("progress.step", "Step {{.Step}} of {{.Steps}}", map[string]any{"Step": p.progress.Step, "Steps": p.progress.Steps})
	default:
		return lang.X("progress.working", "Working")
	}
}

func (p *ProgressPanel) times() string {
	elapsed := uilang.Duration(p.progress.Elapsed)
	if p.progress.Rest > 0 {
		return lang.X("progress.times", "{{.Elapsed}} so far, about {{.Rest}} to go",
			map[string]any{"Elapsed": elapsed, "Rest": uilang.Duration(p.progress.Rest)})
	}
	return lang.X("progress.elapsed", "{{.Elapsed}} so far", map[string]any{"Elapsed": elapsed})
}

func (p *ProgressPanel) parts() []fyne.CanvasObject { return []fyne.CanvasObject{p.cancel} }

// CreateRenderer implements fyne.Widget.
func (p *ProgressPanel) CreateRenderer() fyne.WidgetRenderer {
	title, times := NewText("", StyleStrong), NewText("", StyleSmall.As(Single))
	bar := newBar()
	wait := NewText("", StyleBody)
	waitRow := layout.Row(8, layout.Top, NewIcon(theme.IconWait(), theme.ColorNameAccent, theme.SizeNameIcon), layout.Grow(wait))
	card := NewCard(layout.Beside(8, 110*theme.TextFactor(), title, times), bar, waitRow)
	body := layout.Column(fynetheme.Size(theme.SizeNameSpace3), card, layout.Flow(8, p.cancel))
	return newComposite(p, body, func() {
		title.SetText(p.title())
		times.SetText(p.times())
		wait.SetText(p.progress.Wait)
		show(waitRow, p.progress.Wait != "")
		if p.progress.Steps > 0 {
			done := float32(max(0, p.progress.Step-1)) / float32(p.progress.Steps)
			bar.set(0, max(done, 0.02))
		} else {
			at := float32(p.notch%20) / 20
			bar.set(at, min(at+0.25, 1))
		}
	})
}

// bar is a track with a filled stretch from one fraction to another.
type bar struct {
	widget.BaseWidget
	from, to float32
}

func newBar() *bar {
	b := &bar{}
	b.ExtendBaseWidget(b)
	return b
}

func (b *bar) set(from, to float32) {
	b.from, b.to = from, to
	b.Refresh()
}

func (b *bar) CreateRenderer() fyne.WidgetRenderer {
	track := NewBox(theme.ColorNameAccentWash, theme.ColorNameFieldBorder, theme.SizeNamePillCorner)
	filled := NewBox(theme.ColorNameAccent, "", theme.SizeNamePillCorner)
	return newComposite(b, &fyne.Container{Layout: &stretch{b}, Objects: []fyne.CanvasObject{track, filled}}, nil)
}

type stretch struct{ b *bar }

func (s *stretch) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	objects[1].Move(fyne.NewPos(size.Width*s.b.from, 0))
	objects[1].Resize(fyne.NewSize(size.Width*(s.b.to-s.b.from), size.Height))
}

func (s *stretch) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(60, 10) }
