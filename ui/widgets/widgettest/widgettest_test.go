package widgettest

import (
	"image/color"
	"strings"
	"testing"

	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

func shown(t *testing.T, size fyne.Size, content fyne.CanvasObject) fyne.Canvas {
	t.Helper()
	w := test.NewTempWindow(t, content)
	w.SetPadded(false)
	w.Resize(size)
	return w.Canvas()
}

func start(t *testing.T) {
	t.Helper()
	test.NewTempApp(t)
	test.ApplyTheme(t, theme.New(theme.Options{Appearance: theme.Light}))
}

func has(findings []Finding, text, what string) bool {
	for _, f := range findings {
		if f.Text == text && strings.Contains(f.What, what) {
			return true
		}
	}
	return false
}

const long = "a sentence that is far too long for the room that it is given here"

func TestClippedTextIsFound(t *testing.T) {
	start(t)
	label := widget.NewLabel(long)
	label.Resize(fyne.NewSize(80, 36))
	c := shown(t, fyne.NewSize(300, 100), container.NewWithoutLayout(label))
	if !has(ClippedText(c), long, "too wide") {
		t.Errorf("a label that leaves its room was not found: %v", ClippedText(c))
	}
	text := canvas.NewText("outside", color.Black)
	text.Move(fyne.NewPos(290, 10))
	if c := shown(t, fyne.NewSize(300, 100), container.NewWithoutLayout(text)); !has(ClippedText(c), "outside", "too wide") {
		t.Error("a text beyond the window was not found")
	}
	low := canvas.NewText("low", color.Black)
	low.Move(fyne.NewPos(10, 95))
	if c := shown(t, fyne.NewSize(300, 100), container.NewWithoutLayout(low)); !has(ClippedText(c), "low", "too high") {
		t.Error("a text below the window was not found")
	}
}

func TestWhatCanBeReachedIsNotClipped(t *testing.T) {
	start(t)
	entry := widget.NewEntry()
	entry.SetText(long)
	hidden := widget.NewLabel(long)
	hidden.Hide()
	wrapped := widget.NewLabel(long)
	wrapped.Wrapping = fyne.TextWrapWord
	lines := container.NewVBox()
	for range 30 {
		lines.Add(widget.NewLabel("line"))
	}
	c := shown(t, fyne.NewSize(200, 400), container.NewGridWithRows(5, entry, hidden, container.NewScroll(widget.NewLabel(long)), wrapped, container.NewVScroll(lines)))
	if found := ClippedText(c); len(found) > 0 {
		t.Error(Report(found))
	}
	across := shown(t, fyne.NewSize(200, 100), container.NewStack(container.NewVScroll(container.NewWithoutLayout(sized(widget.NewLabel(long), 80)))))
	if !has(ClippedText(across), long, "too wide") {
		t.Error("a scroll that goes up and down only hides text at its side: not found")
	}
}

func sized(o fyne.CanvasObject, width float32) fyne.CanvasObject {
	o.Resize(fyne.NewSize(width, 30))
	return o
}

func TestOverlappingTextIsFound(t *testing.T) {
	start(t)
	a, b := canvas.NewText("first", color.Black), canvas.NewText("second", color.Black)
	b.Move(fyne.NewPos(10, 4))
	if c := shown(t, fyne.NewSize(100, 60), container.NewWithoutLayout(a, b)); !has(OverlappingText(c), "second", "first") {
		t.Error("not found")
	}
	if c := shown(t, fyne.NewSize(100, 80), container.NewVBox(canvas.NewText("first", color.Black), canvas.NewText("second", color.Black))); len(OverlappingText(c)) > 0 {
		t.Error(Report(OverlappingText(c)))
	}
}

func TestLowContrastIsFoundAgainstWhatLiesUnder(t *testing.T) {
	start(t)
	white := canvas.NewText("white", color.White)
	c := shown(t, fyne.NewSize(100, 40), container.NewStack(white))
	if !has(LowContrast(c), "white", "contrast") {
		t.Error("white on the light page was not found")
	}
	c = shown(t, fyne.NewSize(100, 40), container.NewStack(canvas.NewRectangle(fynetheme.Color(fynetheme.ColorNamePrimary)), white))
	if found := LowContrast(c); len(found) > 0 {
		t.Errorf("white on the accent: %s", Report(found))
	}
	veil := canvas.NewRectangle(color.NRGBA{R: 0xFF, G: 0xFF, B: 0xFF, A: 0xE0})
	c = shown(t, fyne.NewSize(100, 40), container.NewStack(canvas.NewRectangle(fynetheme.Color(fynetheme.ColorNamePrimary)), veil, white))
	if !has(LowContrast(c), "white", "contrast") {
		t.Error("a light veil under white text was not seen")
	}
	faint := canvas.NewImageFromResource(theme.Tint(theme.IconCloud(), theme.ColorNameLine))
	faint.SetMinSize(fyne.NewSquareSize(20))
	c = shown(t, fyne.NewSize(100, 40), container.NewStack(faint))
	if len(LowContrast(c)) != 1 {
		t.Error("an icon in the colour of hairlines was not found")
	}
}
