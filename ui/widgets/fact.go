package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Fact is one line of what is known about a thing.
type Fact struct {
	Label  string
	Value  string
	Status Status // shown at the end; nothing when empty
	Mono   bool   // the value lies on a device: path, key, thumbprint
	Copy   bool   // a button copies the value
}

// FactRow shows a Fact: label, value that wraps, pill. Where it gets narrow the
// label stands above the value.
type FactRow struct {
	widget.BaseWidget
	fact Fact
}

// NewFactRow makes a FactRow.
func NewFactRow(fact Fact) *FactRow {
	f := &FactRow{fact: fact}
	f.ExtendBaseWidget(f)
	return f
}

// Set changes the fact.
func (f *FactRow) Set(fact Fact) {
	if f.fact != fact {
		f.fact = fact
		f.Refresh()
	}
}

// AccessibilityLabel implements fyne.Accessible.
func (f *FactRow) AccessibilityLabel() string {
	label := f.fact.Label + ": " + f.fact.Value
	if f.fact.Status.Word != "" {
		label += ", " + f.fact.Status.Word
	}
	return label
}

// AccessibilityRole implements fyne.Accessible.
func (f *FactRow) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer implements fyne.Widget.
func (f *FactRow) CreateRenderer() fyne.WidgetRenderer {
	label := NewText("", StyleMuted)
	value := NewText("", StyleBody)
	pill := newPill(Status{})
	copier := NewIconButton(lang.X("widget.copy.value", "Copy this value"), fynetheme.ContentCopyIcon(), func() {
		fyne.CurrentApp().Clipboard().SetContent(f.fact.Value)
	})
	body := &fyne.Container{Layout: &factLayout{}, Objects: []fyne.CanvasObject{label, value, pill, copier}}
	return newComposite(f, body, func() {
		label.SetText(f.fact.Label)
		style := StyleBody
		if f.fact.Mono {
			style = StyleMono
		}
		value.Set(f.fact.Value, style)
		pill.Set(f.fact.Status)
		show(copier, f.fact.Copy)
	})
}

// factLayout puts label, value, pill and copy button in a line, or the label
// above the rest where the value would get less than leastFactValue.
type factLayout struct{ width float32 }

const leastFactValue, factGap = 110, 8

func (l *factLayout) stacked(trailing float32) bool {
	return l.width > 0 && l.width-fynetheme.Size(theme.SizeNameFactLabel)-trailing-2*factGap < leastFactValue*theme.TextFactor()
}

func factTrailing(objects []fyne.CanvasObject) float32 {
	trailing := float32(0)
	for _, o := range objects[2:] {
		if o.Visible() {
			trailing += o.MinSize().Width + factGap
		}
	}
	return trailing
}

func (l *factLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	label, value := objects[0], objects[1]
	trailing := factTrailing(objects)
	x, y := fynetheme.Size(theme.SizeNameFactLabel)+factGap, float32(0)
	labelWidth := x - factGap
	if l.stacked(trailing) {
		labelWidth = size.Width
		x, y = 0, layout.HeightFor(label, labelWidth)
	}
	labelHeight := layout.HeightFor(label, labelWidth)
	valueWidth := size.Width - x - trailing
	height := layout.HeightFor(value, valueWidth)
	for _, o := range objects[2:] {
		if o.Visible() {
			height = max(height, o.MinSize().Height)
		}
	}
	lines := value.MinSize().Height
	firstLine := StyleBody.measure("M").Height
	offset := float32(0)
	if lines < height {
		offset = (height - lines) / 2
	}
	label.Move(fyne.NewPos(0, 0))
	label.Resize(fyne.NewSize(labelWidth, labelHeight))
	if y == 0 {
		label.Move(fyne.NewPos(0, max(0, min(offset, height-labelHeight))))
	}
	value.Move(fyne.NewPos(x, y+offset))
	value.Resize(fyne.NewSize(valueWidth, lines))
	at := size.Width - trailing + factGap
	for _, o := range objects[2:] {
		if !o.Visible() {
			continue
		}
		least := o.MinSize()
		o.Move(fyne.NewPos(at, y+offset+(firstLine-least.Height)/2))
		o.Resize(least)
		at += least.Width + factGap
	}
}

func (l *factLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	label, value := objects[0].MinSize(), objects[1].MinSize()
	trailing := factTrailing(objects)
	height := value.Height
	for _, o := range objects[2:] {
		if o.Visible() {
			height = max(height, o.MinSize().Height)
		}
	}
	width := max(label.Width, value.Width+trailing)
	if l.stacked(trailing) {
		return fyne.NewSize(width, label.Height+height)
	}
	return fyne.NewSize(width, max(label.Height, height))
}

// Facts stacks one FactRow per fact.
func Facts(facts ...Fact) *fyne.Container {
	rows := make([]fyne.CanvasObject, len(facts))
	for i, fact := range facts {
		rows[i] = NewFactRow(fact)
	}
	return layout.Column(fynetheme.Size(theme.SizeNameSpace2), rows...)
}

// NewFactCard is a card with a title and facts.
func NewFactCard(title string, facts ...Fact) *Card {
	return NewTitledCard(title, Facts(facts...))
}
