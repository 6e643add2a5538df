package widgets

import (
	"slices"
	"testing"

	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
)

func TestPillPicture(t *testing.T) {
	pictures(t, "pill", fyne.NewSize(420, 110), func() fyne.CanvasObject {
		return padded(layout.Flow(8, NewPill(Good, "26 checks passed"), NewPill(Care, "renew soon"), NewPill(Bad, "ended"),
			NewPill(Advice, "suggested"), NewPill(Neutral, "never")), stack(NewPill(Good, "keeps its size")))
	})
}

func TestPillNeverStretches(t *testing.T) {
	w := window(t, theme.Options{Appearance: theme.Light}, fyne.NewSize(300, 200), func() fyne.CanvasObject {
		return NewPill(Good, "proven")
	})
	pill := w.Content().(*Pill)
	body := test.WidgetRenderer(pill).Objects()[0].(*fyne.Container).Objects[0]
	if body.Size() != pill.MinSize() {
		t.Errorf("pill drawn at %v in a room of %v, want its own %v", body.Size(), pill.Size(), pill.MinSize())
	}
}

func TestButtonPicture(t *testing.T) {
	build := func() fyne.CanvasObject {
		off := NewButton(Primary, "Provision", fynetheme.NavigateNextIcon(), nil)
		off.Disable()
		focusedPrimary := NewButton(Primary, "Focused", nil, nil)
		focusedPrimary.focused = true
		focusedSecondary := NewButton(Secondary, "Focused", nil, nil)
		focusedSecondary.focused = true
		return padded(
			layout.Flow(8, NewButton(Primary, "Set up this computer", fynetheme.NavigateNextIcon(), nil),
				NewButton(Secondary, "Look again", fynetheme.ViewRefreshIcon(), nil), NewButton(Quiet, "Copy", fynetheme.ContentCopyIcon(), nil)),
			layout.Flow(8, NewButton(Danger, "Remove line-7-0042 from the hub", fynetheme.DeleteIcon(), nil), off),
			layout.Flow(8, focusedPrimary, focusedSecondary, NewIconButton("Choose columns", theme.IconColumns(), nil)))
	}
	pictures(t, "button", fyne.NewSize(480, 180), build)
}

func TestButtonKeys(t *testing.T) {
	pressed := 0
	w := window(t, theme.Options{}, fyne.NewSize(200, 60), func() fyne.CanvasObject {
		return NewButton(Primary, "Go", nil, func() { pressed++ })
	})
	b := w.Content().(*Button)
	w.Canvas().Focus(b)
	for _, key := range []fyne.KeyName{fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter} {
		b.TypedKey(&fyne.KeyEvent{Name: key})
	}
	b.TypedRune(' ')
	if pressed != 3 {
		t.Errorf("pressed %d times by three keys", pressed)
	}
	b.Disable()
	b.TypedRune(' ')
	if pressed != 3 {
		t.Error("a disabled button was pressed")
	}
}

func machineCard() *Card {
	return NewFactCard("Security",
		Fact{Label: "TPM", Value: "2.0, Infineon SLB 9672", Status: Status{Good, "ready"}},
		Fact{Label: "EK certificate", Value: "vendor chain valid to 2039"},
		Fact{Label: "Time", Value: "4 min 12 s behind", Status: Status{Care, "mend"}},
		Fact{Label: "Thumbprint", Value: "9F2C71D05E0A44B1C9E38A7702F46B1D9F2C71D05E0A44B1C9E38A7702F46B1D", Mono: true, Copy: true})
}

func TestCardPicture(t *testing.T) {
	pictures(t, "card", fyne.NewSize(900, 230), func() fyne.CanvasObject {
		return padded(layout.Grid(2, 380, 12, machineCard(),
			NewFactCard("Network", Fact{Label: "Host name", Value: "bench-07.plant.example"}, Fact{Label: "Proxy", Value: "none"},
				Fact{Label: "Reaches the cloud", Value: "8883, 443 open", Status: Status{Good, "yes"}})))
	})
}

func TestFactRowPicture(t *testing.T) {
	pictures(t, "factrow", fyne.NewSize(400, 180), func() fyne.CanvasObject {
		return padded(Facts(
			Fact{Label: "Runtime", Value: "aziot-edge 1.6.0", Status: Status{Good, "to Nov 2028"}},
			Fact{Label: "Container engine", Value: "moby 26.1, installed from the distribution's own packages"},
			Fact{Label: "Host key", Value: "SHA256:m0cF9sQ2kN1p7x4uY3vB8eW6tR5zL2aH1jK0dG9fS3o", Mono: true, Copy: true}))
	})
}

func TestFactRowCopies(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(400, 60), func() fyne.CanvasObject {
		return NewFactRow(Fact{Label: "Thumbprint", Value: "9F2C", Copy: true})
	})
	w.Canvas().FocusNext()
	b, ok := w.Canvas().Focused().(*Button)
	if !ok {
		t.Fatalf("first focus is %T", w.Canvas().Focused())
	}
	test.Tap(b)
	if got := fyne.CurrentApp().Clipboard().Content(); got != "9F2C" {
		t.Errorf("clipboard has %q", got)
	}
}

func TestPageHeadPicture(t *testing.T) {
	pictures(t, "pagehead", fyne.NewSize(700, 110), func() fyne.CanvasObject {
		return padded(NewPageHead("This computer", "bench-07, looked at 10 s ago",
			NewButton(Secondary, "Look again", fynetheme.ViewRefreshIcon(), nil), NewButton(Primary, "Provision", fynetheme.ContentAddIcon(), nil)))
	})
}

func TestBannerPicture(t *testing.T) {
	pictures(t, "banner", fyne.NewSize(760, 370), func() fyne.CanvasObject {
		return padded(
			NewBanner(Advice, "This computer can become an IoT Edge device", "Suggested: Linux, through DPS, TPM. It has a TPM 2.0 with a vendor certificate, the strongest way.",
				NewButton(Primary, "Set up this computer", fynetheme.NavigateNextIcon(), nil)),
			NewBanner(Good, "line-7-0042 is proven", "10.5 s, of which IoT Edge itself took 6.4 s"),
			NewWash(Care, NewText("First time: is this its key?", StyleStrong), NewText("ED25519 SHA256:m0cF9sQ2kN1p7x4uY3vB8eW6tR5zL2aH1jK0dG9fS3o", StyleMono),
				layout.Flow(8, NewButton(Secondary, "Trust and remember", nil, nil), NewButton(Secondary, "Not mine", nil, nil))))
	})
}

func TestEmptyStatePicture(t *testing.T) {
	pictures(t, "empty", fyne.NewSize(520, 260), func() fyne.CanvasObject {
		return NewEmptyState(theme.IconDevice(), "No devices yet", "A device appears here once it has been provisioned.",
			NewButton(Primary, "Provision", fynetheme.ContentAddIcon(), nil))
	})
}

func TestFailurePagePicture(t *testing.T) {
	pictures(t, "failure", fyne.NewSize(560, 470), func() fyne.CanvasObject {
		return padded(NewFailurePage(Failure{
			What: "The cloud does not know the CA of this certificate",
			Why:  "DPS refused line-7-0042: its chain ends in “Plant Root 2021”, and the group line-7 trusts “Plant Root 2026”.",
			Todo: []string{"Sign the device's request with Plant Root 2026 and try again", "or add Plant Root 2021 to the group line-7"},
			Actions: []Action{{Text: "Sign and try again", Icon: fynetheme.ViewRefreshIcon(), Kind: Primary},
				{Text: "Put everything back", Icon: fynetheme.ContentUndoIcon()}},
			Now:     "The device still runs as the run left it; nothing was lost.",
			Summary: "401002, tracking ID 7f1c0c9e", Details: "register line-7-0042: 401002",
		}))
	})
}

func TestFoldOut(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(500, 200), func() fyne.CanvasObject {
		return NewFoldOut("Details", "401002", "the whole chain")
	})
	f := w.Content().(*FoldOut)
	if f.details.Visible() {
		t.Error("open at first")
	}
	f.toggle.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if !f.details.Visible() {
		t.Error("still closed after Enter")
	}
	test.Tap(f.copier)
	if got := fyne.CurrentApp().Clipboard().Content(); got != "the whole chain" {
		t.Errorf("copied %q", got)
	}
}

func TestFoldPicture(t *testing.T) {
	var opened *Fold
	pictures(t, "fold", fyne.NewSize(420, 150), func() fyne.CanvasObject {
		opened = NewFold("Version, tags, trust bundle", NewField("Version of IoT Edge", "that of the device", NewEntry(nil)))
		return opened
	}, func(fyne.Window) { opened.SetOpen(true) })
}

func TestFoldIsPassedByWhileClosed(t *testing.T) {
	entry, told := NewEntry(nil), 0
	w := window(t, theme.Options{}, fyne.NewSize(420, 200), func() fyne.CanvasObject { return NewFold("More", entry) })
	f := w.Content().(*Fold)
	f.OnToggled = func() { told++ }
	w.Canvas().Focus(f.toggle)
	if w.Canvas().FocusNext(); w.Canvas().Focused() == entry {
		t.Error("the keyboard reaches what is folded away")
	}
	f.toggle.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	w.Canvas().Focus(f.toggle)
	if w.Canvas().FocusNext(); !f.Open() || w.Canvas().Focused() != entry || told != 1 {
		t.Errorf("after Enter: open %v, told %d times, the keyboard is at %T", f.Open(), told, w.Canvas().Focused())
	}
	f.SetOpen(false)
	if told != 1 || f.body.Visible() {
		t.Errorf("closed: told %d times, visible %v", told, f.body.Visible())
	}
}

func TestFirstFocusFindsTheActionOfAFailure(t *testing.T) {
	test.NewTempApp(t)
	page := NewFailurePage(Failure{What: "x", Actions: []Action{{Text: "Try again", Kind: Primary}}, Details: "d"})
	b, ok := FirstFocus(page).(*Button)
	if !ok || b.Text != "Try again" {
		t.Errorf("first focus is %v", FirstFocus(page))
	}
}

// TestAskingForTheSizeMovesNothing: a real window asks every part for its size
// before each frame.
func TestAskingForTheSizeMovesNothing(t *testing.T) {
	for name, build := range map[string]func() fyne.CanvasObject{
		"wide button": func() fyne.CanvasObject { return NewButton(Primary, "Go", fynetheme.ConfirmIcon(), nil) },
		"pill":        func() fyne.CanvasObject { return NewPill(Good, "proven") },
		"secret":      func() fyne.CanvasObject { return NewSecretField("") },
		"facts":       func() fyne.CanvasObject { return machineCard() },
		"choices":     func() fyne.CanvasObject { return sampleChoices() },
		"board":       func() fyne.CanvasObject { return NewBoard(sampleBoard()) },
		"rail":        func() fyne.CanvasObject { return sampleRail() },
		"table":       func() fyne.CanvasObject { return sampleTable() },
		"diff":        func() fyne.CanvasObject { return NewDiffView(sampleDiff()) },
	} {
		w := window(t, theme.Options{}, fyne.NewSize(700, 500), build)
		before := test.RenderToMarkup(w.Canvas())
		var ask func(fyne.CanvasObject)
		ask = func(o fyne.CanvasObject) {
			o.MinSize()
			switch o := o.(type) {
			case *fyne.Container:
				for _, child := range o.Objects {
					ask(child)
				}
			case fyne.Widget:
				for _, child := range test.WidgetRenderer(o).Objects() {
					ask(child)
				}
			}
		}
		ask(w.Content())
		if after := test.RenderToMarkup(w.Canvas()); after != before {
			t.Errorf("%s looks different after it was asked for its size", name)
		}
	}
}

// TestWordsBreakWhereTheyMay narrows words of German until they break.
func TestWordsBreakWhereTheyMay(t *testing.T) {
	for _, c := range []struct {
		word, widest string
		want         []string
	}{
		{"Symme\u00adtrischer", "Symmetrischer", []string{"Symmetrischer"}},
		{"Symme\u00adtrischer", "Symmetrische", []string{"Symme-", "trischer"}},
		{"X.509-Zerti\u00adfikat", "X.509-Zerti-", []string{"X.509-Zerti-", "fikat"}},
		{"X.509-Zerti\u00adfikat", "X.509-Zert", []string{"X.509-", "Zertifikat"}},
		{"Windows-Container", "Windows-Cont", []string{"Windows-", "Container"}},
		{"Gerät", "Ger", []string{"Ger", "ät"}},
	} {
		if got := broken(StyleStrong, c.word, StyleStrong.measure(c.widest).Width); !slices.Equal(got, c.want) {
			t.Errorf("%q in the width of %q: %q, want %q", c.word, c.widest, got, c.want)
		}
	}
	text := NewText("Symme\u00adtrischer", StyleBody)
	if text.Text() != "Symmetrischer" || text.MinSize().Width != StyleBody.measure("Symmetrischer").Width {
		t.Errorf("shows %q, %v", text.Text(), text.MinSize())
	}
}
