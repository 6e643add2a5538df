package widgets

import (
	"strconv"
	"strings"

	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// DiffOp is what happens to a line.
type DiffOp rune

const (
	// DiffKeep leaves the line.
	DiffKeep DiffOp = ' '
	// DiffAdd adds it.
	DiffAdd DiffOp = '+'
	// DiffRemove takes it away.
	DiffRemove DiffOp = '-'
)

// DiffLine is one line of a file, without its line feed. Secrets are masked by
// the one who makes it; the view never sees them.
type DiffLine struct {
	Op   DiffOp
	Text string
}

// Diff is what will change in one file on a device.
type Diff struct {
	Path  string
	Owner string // owner:group
	Mode  string // octal, four digits
	Lines []DiffLine
}

// counts returns the numbers of added and removed lines.
func (d Diff) counts() (added, removed int) {
	for _, l := range d.Lines {
		switch l.Op {
		case DiffAdd:
			added++
		case DiffRemove:
			removed++
		}
	}
	return added, removed
}

// changes returns the first line of each run of changed lines.
func (d Diff) changes() []int {
	var starts []int
	for i, l := range d.Lines {
		if l.Op != DiffKeep && (i == 0 || d.Lines[i-1].Op == DiffKeep) {
			starts = append(starts, i)
		}
	}
	return starts
}

// DiffView shows a Diff: sign and colour per line, a head with path, owner, mode
// and counts, buttons that go from change to change. N and P do so, too, while
// the lines have the focus.
type DiffView struct {
	widget.BaseWidget
	diff   Diff
	view   *lineView
	change int // index into changes, -1 before the first jump
}

// NewDiffView makes a DiffView.
func NewDiffView(diff Diff) *DiffView {
	d := &DiffView{change: -1}
	d.view = newLineView()
	d.view.onRune = d.typed
	d.ExtendBaseWidget(d)
	d.Set(diff)
	return d
}

func (d *DiffView) typed(r rune) {
	switch r {
	case 'n', 'N':
		d.Jump(1)
	case 'p', 'P':
		d.Jump(-1)
	}
}

// Set shows another file.
func (d *DiffView) Set(diff Diff) {
	d.diff, d.change = diff, -1
	lines := make([]line, len(diff.Lines))
	for i, l := range diff.Lines {
		shown := line{text: string(l.Op) + " " + strings.ReplaceAll(l.Text, "\t", "    "), color: fynetheme.ColorNameForeground}
		switch l.Op {
		case DiffAdd:
			shown.color, shown.wash = theme.ColorNameGood, theme.ColorNameGoodWash
		case DiffRemove:
			shown.color, shown.wash = theme.ColorNameBad, theme.ColorNameBadWash
		}
		lines[i] = shown
	}
	d.view.set(lines)
	d.Refresh()
}

// Jump goes by changes forward or, negative, back, and round at the ends.
func (d *DiffView) Jump(by int) {
	changes := d.diff.changes()
	if len(changes) == 0 {
		return
	}
	if d.change < 0 && by < 0 {
		d.change = 0
	}
	d.change = ((d.change+by)%len(changes) + len(changes)) % len(changes)
	at := changes[d.change]
	d.view.anchor, d.view.end = at, at
	for d.view.end+1 < len(d.diff.Lines) && d.diff.Lines[d.view.end+1].Op != DiffKeep {
		d.view.end++
	}
	d.view.reveal(d.view.end)
	d.view.reveal(at)
	d.view.body.Refresh()
	d.Refresh()
}

func (d *DiffView) parts() []fyne.CanvasObject { return []fyne.CanvasObject{d.view} }

// CreateRenderer implements fyne.Widget.
func (d *DiffView) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox(theme.ColorNameSurface, theme.ColorNameLine, theme.SizeNameCardCorner)
	path := NewText("", StyleStrong)
	owner := NewText("", StyleSmall)
	added := NewText("", StyleSmall.In(theme.ColorNameGood).As(Single))
	removed := NewText("", StyleSmall.In(theme.ColorNameBad).As(Single))
	place := NewText("", StyleSmall.As(Single))
	buttons := layout.Row(2, layout.Middle, place,
		NewIconButton(lang.X("diff.previous", "Previous change"), fynetheme.MoveUpIcon(), func() { d.Jump(-1) }),
		NewIconButton(lang.X("diff.next", "Next change"), fynetheme.MoveDownIcon(), func() { d.Jump(1) }),
		NewIconButton(lang.X("diff.copy", "Copy these lines"), fynetheme.ContentCopyIcon(), d.view.copySelected))
	head := layout.Insets(10, 8, 8, 12, layout.Beside(8, 200*theme.TextFactor(),
		layout.Column(1, path, layout.Flow(8, owner, added, removed)), buttons))
	owner.style.Fit = Single
	separator := NewBox(theme.ColorNameLine, "", "")
	frame := &fyne.Container{Layout: diffLayout{}, Objects: []fyne.CanvasObject{head, separator, d.view}}
	return newComposite(d, stack(box, frame), func() {
		path.SetText(d.diff.Path)
		owner.SetText(strings.TrimSpace(d.diff.Owner + " " + d.diff.Mode))
		plus, minus := d.diff.counts()
		added.SetText("+" + strconv.Itoa(plus))
		removed.SetText("−" + strconv.Itoa(minus))
		if changes := d.diff.changes(); d.change >= 0 {
			place.SetText(lang.X("diff.place", "{{.At}} of {{.All}}", map[string]any{"At": d.change + 1, "All": len(changes)}))
		} else {
			place.SetText(lang.XN("diff.changes", "{{.Count}} changes", len(changes), map[string]any{"Count": len(changes)}))
		}
	})
}

// diffLayout puts the head above a hairline above the lines.
type diffLayout struct{}

func (diffLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	head, separator, lines := objects[0], objects[1], objects[2]
	height := layout.HeightFor(head, size.Width)
	head.Move(fyne.Position{})
	head.Resize(fyne.NewSize(size.Width, height))
	separator.Move(fyne.NewPos(1, height))
	separator.Resize(fyne.NewSize(size.Width-2, 1))
	lines.Move(fyne.NewPos(1, height+4))
	lines.Resize(fyne.NewSize(size.Width-2, max(0, size.Height-height-8)))
}

func (diffLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	head, lines := objects[0].MinSize(), objects[2].MinSize()
	return fyne.NewSize(max(head.Width, lines.Width), head.Height+lines.Height+8)
}
