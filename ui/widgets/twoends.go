package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Agreement is what the two ends of a proof say about each other.
type Agreement int

const (
	// AgreementWaiting has not heard both ends yet.
	AgreementWaiting Agreement = iota
	// AgreementReached has heard the same from both.
	AgreementReached
	// AgreementDiffers has heard different things.
	AgreementDiffers
)

// End is one end of a proof: a drawing, a name and what it says.
type End struct {
	Icon  fyne.Resource
	Title string
	Lines []string
}

// Ends is what a TwoEnds figure shows.
type Ends struct {
	Device, Cloud End
	Agreement     Agreement
	Word          string // in place of "agree", "waiting" or "differ"; may be empty
}

// TwoEnds is the figure of a proof: device, agreement, cloud. Where it gets
// narrow the three stand above each other.
type TwoEnds struct {
	widget.BaseWidget
	ends  Ends
	built bool // the cards show ends
}

// NewTwoEnds makes a TwoEnds figure.
func NewTwoEnds(ends Ends) *TwoEnds {
	t := &TwoEnds{ends: ends}
	t.ExtendBaseWidget(t)
	return t
}

// Set shows another state.
func (t *TwoEnds) Set(ends Ends) {
	t.ends, t.built = ends, false
	t.Refresh()
}

func (t *TwoEnds) word() string {
	switch {
	case t.ends.Word != "":
		return t.ends.Word
	case t.ends.Agreement == AgreementReached:
		return lang.X("ends.agree", "agree")
	case t.ends.Agreement == AgreementDiffers:
		return lang.X("ends.differ", "differ")
	default:
		return lang.X("ends.waiting", "waiting")
	}
}

// AccessibilityLabel implements fyne.Accessible.
func (t *TwoEnds) AccessibilityLabel() string {
	return t.ends.Device.Title + ", " + t.word() + ", " + t.ends.Cloud.Title
}

// AccessibilityRole implements fyne.Accessible.
func (t *TwoEnds) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer implements fyne.Widget.
func (t *TwoEnds) CreateRenderer() fyne.WidgetRenderer {
	device, cloud := NewCard(), NewCard()
	icon := NewIcon(nil, theme.ColorNameMuted, theme.SizeNameIconLarge)
	word := NewText("", StyleStrong)
	bar := NewBox("", "", theme.SizeNamePillCorner)
	link := layout.Column(4, icon, word, &fyne.Container{Layout: barLayout{}, Objects: []fyne.CanvasObject{bar}})
	body := &fyne.Container{Layout: &endsLayout{}, Objects: []fyne.CanvasObject{device, link, cloud}}
	return newComposite(t, body, func() {
		if !t.built {
			device.content.Objects = endParts(t.ends.Device)
			cloud.content.Objects = endParts(t.ends.Cloud)
			// Laid out at once, so that their heights are right when the ends are.
			device.content.Refresh()
			cloud.content.Refresh()
			t.built = true
		}
		resource, state := fyne.Resource(theme.IconWait()), Neutral
		switch t.ends.Agreement {
		case AgreementReached:
			resource, state = theme.IconLink(), Good
		case AgreementDiffers:
			resource, state = theme.IconDiffer(), Bad
		}
		icon.Set(resource, state.Color())
		word.Set(t.word(), Style{Color: state.Color(), Size: theme.SizeNameText, Bold: true, Align: fyne.TextAlignCenter})
		bar.set(state.Color(), "", "")
	})
}

func endParts(end End) []fyne.CanvasObject {
	parts := []fyne.CanvasObject{
		NewIcon(end.Icon, theme.ColorNameAccent, theme.SizeNameIconHuge),
		NewText(end.Title, StyleStrong.Aligned(fyne.TextAlignCenter)),
	}
	for _, l := range end.Lines {
		parts = append(parts, NewText(l, StyleSmall.Aligned(fyne.TextAlignCenter)))
	}
	return []fyne.CanvasObject{layout.Column(3, parts...)}
}

// barLayout is a thin bar across the room it gets.
type barLayout struct{}

func (barLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(fyne.NewSize(size.Width, 3))
}

func (barLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(24, 3) }

// endsLayout gives the ends equal cards and the link between them a fifth, or
// stacks the three.
type endsLayout struct{ width float32 }

const leastEnd, endsGap = 130, 16

func (l *endsLayout) link() float32 { return 84 * theme.TextFactor() }

func (l *endsLayout) stacked() bool {
	return l.width > 0 && l.width < 2*leastEnd*theme.TextFactor()+l.link()+2*endsGap
}

func (l *endsLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	if l.stacked() {
		y := float32(0)
		for _, o := range objects {
			height := layout.HeightFor(o, size.Width)
			o.Move(fyne.NewPos(0, y))
			o.Resize(fyne.NewSize(size.Width, height))
			y += height + fynetheme.Size(theme.SizeNameSpace2)
		}
		return
	}
	card := (size.Width - l.link() - 2*endsGap) / 2
	linkHeight := layout.HeightFor(objects[1], l.link())
	height := max(layout.HeightFor(objects[0], card), layout.HeightFor(objects[2], card), linkHeight)
	objects[0].Move(fyne.Position{})
	objects[0].Resize(fyne.NewSize(card, height))
	objects[1].Move(fyne.NewPos(card+endsGap, (height-linkHeight)/2))
	objects[1].Resize(fyne.NewSize(l.link(), linkHeight))
	objects[2].Move(fyne.NewPos(size.Width-card, 0))
	objects[2].Resize(fyne.NewSize(card, height))
}

func (l *endsLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for i, o := range objects {
		least := o.MinSize()
		size.Width = max(size.Width, least.Width)
		if !l.stacked() {
			size.Height = max(size.Height, least.Height)
			continue
		}
		size.Height += least.Height
		if i > 0 {
			size.Height += fynetheme.Size(theme.SizeNameSpace2)
		}
	}
	return size
}
