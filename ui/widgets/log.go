package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// LogView shows a growing text line by line and follows its end until the user
// scrolls up or selects; back at the end it follows again.
type LogView struct {
	widget.BaseWidget
	view    *lineView
	title   *Text
	follows bool
}

// NewLogView makes an empty LogView. Secrets in what it is given are masked
// already.
func NewLogView(title string) *LogView {
	l := &LogView{view: newLineView(), title: SectionTitle(title), follows: true}
	l.view.onScrolled = func() {
		end := l.view.body.MinSize().Height - l.view.scroll.Size().Height
		l.follows = l.view.scroll.Offset.Y >= end-lineHeight()
	}
	l.ExtendBaseWidget(l)
	return l
}

// Set replaces all lines.
func (l *LogView) Set(texts []string) {
	lines := make([]line, len(texts))
	for i, text := range texts {
		lines[i] = line{text: text, color: theme.ColorNameMuted}
	}
	l.show(lines)
}

// Append adds lines at the end. Collect what comes in and call it once per
// frame, not once per line.
func (l *LogView) Append(texts ...string) {
	lines := l.view.lines
	for _, text := range texts {
		lines = append(lines, line{text: text, color: theme.ColorNameMuted})
	}
	l.show(lines)
}

func (l *LogView) show(lines []line) {
	l.view.set(lines)
	if l.follows {
		l.view.scroll.ScrollToBottom()
		l.view.body.Refresh()
		l.follows = true
	}
}

// Copy puts the selected lines, or all, on the clipboard.
func (l *LogView) Copy() { l.view.copySelected() }

func (l *LogView) parts() []fyne.CanvasObject { return []fyne.CanvasObject{l.view} }

// CreateRenderer implements fyne.Widget.
func (l *LogView) CreateRenderer() fyne.WidgetRenderer {
	box := NewBox(theme.ColorNameSurface, theme.ColorNameLine, theme.SizeNameCardCorner)
	head := layout.Insets(8, 8, 4, 16, layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Grow(l.title),
		NewText(lang.X("log.masked", "secrets are masked"), StyleSmall.As(Single)),
		NewIconButton(lang.X("log.copy", "Copy the log"), fynetheme.ContentCopyIcon(), l.Copy)))
	separator := NewBox(theme.ColorNameLine, "", "")
	return newComposite(l, stack(box, &fyne.Container{Layout: diffLayout{}, Objects: []fyne.CanvasObject{head, separator, l.view}}), nil)
}
