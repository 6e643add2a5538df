package widgets

import (
	"os"
	"testing"

	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"
	"edgewright/ui/widgets/widgettest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func TestMain(m *testing.M) {
	if err := uilang.Use("en"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// window shows content in a test window of a size under a theme.
func window(t *testing.T, options theme.Options, size fyne.Size, build func() fyne.CanvasObject) fyne.Window {
	t.Helper()
	test.NewTempApp(t)
	test.ApplyTheme(t, theme.New(options))
	w := test.NewTempWindow(t, build())
	w.SetPadded(false)
	w.Resize(size)
	return w
}

// pictures compares content with its masters in both variants, then looks for
// cut, overlapping and faint text at 100 % and 150 %, at the same width and at
// one that is two fifths narrower.
func pictures(t *testing.T, name string, size fyne.Size, build func() fyne.CanvasObject, then ...func(fyne.Window)) {
	t.Helper()
	for variant, appearance := range map[string]theme.Appearance{"light": theme.Light, "dark": theme.Dark} {
		t.Run(variant, func(t *testing.T) {
			w := window(t, theme.Options{Appearance: appearance}, size, build)
			for _, do := range then {
				do(w)
				settle(w)
			}
			test.AssertImageMatches(t, name+"-"+variant+".png", w.Canvas().Capture())
			if found := widgettest.All(w.Canvas()); len(found) > 0 {
				t.Errorf("at 100 %%:\n%s", widgettest.Report(found))
			}
		})
		for label, width := range map[string]float32{"large": size.Width, "large and narrow": size.Width * 0.6} {
			t.Run(variant+" "+label, func(t *testing.T) {
				w := window(t, theme.Options{Appearance: appearance, TextScale: 150}, fyne.NewSize(width, size.Height*4),
					func() fyne.CanvasObject { return layout.VScroll(build()) })
				for _, do := range then {
					do(w)
					settle(w)
				}
				if found := widgettest.All(w.Canvas()); len(found) > 0 {
					t.Errorf("at 150 %%:\n%s", widgettest.Report(found))
				}
			})
		}
	}
}

// settle lays the window out again, as a real window does before each frame when
// a part has come to need another size.
func settle(w fyne.Window) {
	size := w.Canvas().Size()
	w.Resize(size.AddWidthHeight(1, 0))
	w.Resize(size)
}

// padded gives a sample the room that a page has around it.
func padded(objects ...fyne.CanvasObject) fyne.CanvasObject {
	return layout.Inset(16, layout.Column(12, objects...))
}
