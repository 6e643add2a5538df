package widgets

import (
	"testing"
	"time"

	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"
	"edgewright/ui/widgets/widgettest"

	"fyne.io/fyne/v2"
)

// TestGermanFitsAtLargestText shows the parts that bring texts of their own in
// the longer language, at 150 % text in the width of the smallest window.
func TestGermanFitsAtLargestText(t *testing.T) {
	if err := uilang.Use("de"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := uilang.Use("en"); err != nil {
			t.Error(err)
		}
	}()
	for name, build := range map[string]func() fyne.CanvasObject{
		"board": func() fyne.CanvasObject { return NewBoard(sampleBoard()) },
		"diff":  func() fyne.CanvasObject { return NewDiffView(sampleDiff()) },
		"log":   func() fyne.CanvasObject { return sampleLog() },
		"ends": func() fyne.CanvasObject {
			end := End{Icon: theme.IconDevice(), Title: "Gerät", Lines: []string{"27 von 27 Prüfungen bestanden"}}
			return NewTwoEnds(Ends{Device: end, Cloud: end, Agreement: AgreementReached})
		},
		"progress": func() fyne.CanvasObject {
			p := NewProgressPanel("Abbrechen und alles zurücksetzen", func() {})
			p.Set(Progress{Step: 5, Steps: 6, Elapsed: 72 * time.Second, Rest: 6 * time.Second, Wait: "Gewartet wird auf das Gerät, das seine Dienste neu startet."})
			return p
		},
		"secret": func() fyne.CanvasObject { return NewSecretField("") },
		"drop":   func() fyne.CanvasObject { return NewDropZone("Hier eine CSV-Datei ablegen", nil, func() {}) },
		"failure": func() fyne.CanvasObject {
			return NewFailurePage(Failure{What: "Die Cloud kennt die Zertifizierungsstelle dieses Zertifikats nicht", Why: "DPS hat abgelehnt.",
				Todo:    []string{"Mit der anderen Zertifizierungsstelle unterschreiben"},
				Actions: []Action{{Text: "Unterschreiben und noch einmal versuchen", Kind: Primary}, {Text: "Alles zurücksetzen"}},
				Now:     "Das Gerät läuft noch.", Details: "…", Summary: "401002"})
		},
	} {
		for _, width := range []float32{744, 420} { // beside the narrow rail; beside that and the steps of the wizard
			w := window(t, theme.Options{Appearance: theme.Light, TextScale: 150}, fyne.NewSize(width, 1600), func() fyne.CanvasObject {
				return layout.VScroll(padded(build()))
			})
			if found := widgettest.All(w.Canvas()); len(found) > 0 {
				t.Errorf("%s at %v:\n%s", name, width, widgettest.Report(found))
			}
		}
	}
}
