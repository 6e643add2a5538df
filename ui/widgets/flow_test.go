package widgets

import (
	"slices"
	"testing"
	"time"

	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

func press(o fyne.Focusable, keys ...fyne.KeyName) {
	for _, key := range keys {
		o.TypedKey(&fyne.KeyEvent{Name: key})
	}
}

func TestStepListPicture(t *testing.T) {
	pictures(t, "steps", fyne.NewSize(420, 380), func() fyne.CanvasObject {
		return padded(NewCard(NewStepList(nil,
			Step{Title: "Look at the device", Summary: "Raspberry Pi OS 12, arm64, IoT Edge 1.6.0", Time: "0.8 s", State: StepDone},
			Step{Title: "Enrollment group line-7", Summary: "was there already; nothing changed", Time: "0.2 s", State: StepCare},
			Step{Title: "Files placed as one set", Summary: "put back", State: StepUndone},
			Step{Title: "iotedge config apply", Summary: "waiting for IoT Edge to restart its services", Time: "4.2 s", State: StepNow},
			Step{Title: "Registration", Summary: "the cloud refused the device", Time: "1.1 s", State: StepFailed},
			Step{Title: "Proof", Summary: "the device and the cloud have to agree"})))
	})
}

func TestStepListOpensDoneStepsOnly(t *testing.T) {
	var opened []int
	w := window(t, theme.Options{}, fyne.NewSize(300, 200), func() fyne.CanvasObject {
		return NewStepList(func(i int) { opened = append(opened, i) },
			Step{Title: "Target", State: StepDone}, Step{Title: "Way", State: StepNow}, Step{Title: "Cloud"})
	})
	list := w.Content().(*StepList)
	for _, row := range list.rows {
		row.Tapped(nil)
	}
	w.Canvas().FocusNext()
	press(w.Canvas().Focused(), fyne.KeyReturn)
	if !slices.Equal(opened, []int{0, 0}) {
		t.Errorf("opened %v, want the done step twice", opened)
	}
}

func sampleChoices() *ChoiceGroup {
	g := NewChoiceGroup(nil,
		Choice{ID: "local", Icon: fynetheme.ComputerIcon(), Title: "This computer", Line: "bench-07, Debian 12, IoT Edge 1.6.0", Status: Status{Good, "ready"}},
		Choice{ID: "ssh", Icon: theme.IconSSH(), Title: "Another machine over SSH", Line: "Linux or Windows, by name or address; keys, passwords, jump hosts",
			Content: NewField("User and host", "As in pi@10.20.4.31", NewEntry(nil))},
		Choice{ID: "rootfs", Icon: theme.IconCard(), Title: "A card or disk of a device", Line: "nothing is mounted here", Muted: true},
		Choice{ID: "many", Icon: theme.IconList(), Title: "Many, from a list", Line: "CSV or a range such as line-7-{0001..0500}"})
	g.Choose("ssh")
	return g
}

func TestChoicePicture(t *testing.T) {
	pictures(t, "choice", fyne.NewSize(560, 420), func() fyne.CanvasObject { return padded(sampleChoices()) },
		func(w fyne.Window) { w.Canvas().FocusNext() })
}

func TestChoiceGroupKeys(t *testing.T) {
	var chosen []string
	submitted := ""
	w := window(t, theme.Options{}, fyne.NewSize(560, 420), func() fyne.CanvasObject { return sampleChoices() })
	g := w.Content().(*ChoiceGroup)
	g.OnChosen = func(id string) { chosen = append(chosen, id) }
	g.OnSubmitted = func(id string) { submitted = id }
	w.Canvas().Focus(g)
	press(g, fyne.KeyDown, fyne.KeyDown, fyne.KeyUp, fyne.KeyReturn)
	if want := []string{"many", "local", "many"}; !slices.Equal(chosen, want) {
		t.Errorf("chosen %v, want %v: muted cards are passed over, the ends join", chosen, want)
	}
	if submitted != "many" {
		t.Errorf("submitted %q", submitted)
	}
	g.cards[2].Tapped(nil)
	if g.Chosen() != "many" {
		t.Error("a muted card was chosen with the pointer")
	}
}

func TestChoiceContentTakesFocusAfterTheGroup(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(560, 420), func() fyne.CanvasObject { return sampleChoices() })
	w.Canvas().FocusNext()
	w.Canvas().FocusNext()
	if _, ok := w.Canvas().Focused().(*Entry); !ok {
		t.Errorf("second focus is %T, want the entry in the chosen card", w.Canvas().Focused())
	}
}

func sampleBoard() BoardModel {
	row := func(id, title, line, other string) []BoardCell {
		return []BoardCell{
			{ID: "linux/" + id, Title: title, Line: line},
			{ID: "eflow/" + id, Title: title, Line: other, Muted: true},
			{ID: "windows/" + id, Title: title, Line: other, Muted: true},
		}
	}
	model := BoardModel{
		Columns: []BoardColumn{
			{Icon: theme.IconLinux(), Title: "Linux", Line: "on this device", Support: Status{Good, "to Nov 2028"}},
			{Icon: theme.IconEFLOW(), Title: "Linux on Windows", Line: "EFLOW machine", Support: Status{Bad, "ended"}},
			{Icon: theme.IconWindows(), Title: "Windows containers", Line: "IoT Edge 1.1", Support: Status{Bad, "ended"}},
		},
		Groups: []BoardGroup{
			{Title: "One device, by hand", Rows: [][]BoardCell{
				row("manual/key", "Symmetric key", "quick to try", "not on a Raspberry Pi"),
				row("manual/x509", "X.509 certificate", "two thumbprints", "not on a Raspberry Pi")}},
			{Title: "Many devices, through the Device Provisioning Service", Rows: [][]BoardCell{
				row("dps/key", "Symmetric key", "group key, derived per device", "not on a Raspberry Pi"),
				row("dps/x509", "X.509 certificate", "your CA is at hand", "not on a Raspberry Pi"),
				row("dps/tpm", "TPM", "no TPM on this device", "not on a Raspberry Pi")}},
		},
	}
	model.Groups[1].Rows[0][0].Suggested = true
	model.Groups[1].Rows[2][0].Muted = true
	return model
}

func TestBoardPicture(t *testing.T) {
	pictures(t, "board", fyne.NewSize(720, 490), func() fyne.CanvasObject {
		b := NewBoard(sampleBoard())
		b.Take("linux/dps/x509")
		return padded(b)
	}, func(w fyne.Window) {
		w.Canvas().FocusNext()
		press(w.Canvas().Focused(), fyne.KeyUp, fyne.KeyUp)
	})
}

func TestBoardKeysTakeAndPreview(t *testing.T) {
	var taken, previewed []string
	submitted := ""
	w := window(t, theme.Options{}, fyne.NewSize(720, 560), func() fyne.CanvasObject { return NewBoard(sampleBoard()) })
	b := w.Content().(*Board)
	b.OnTaken = func(c BoardCell) { taken = append(taken, c.ID) }
	b.OnPreview = func(c BoardCell) { previewed = append(previewed, c.ID) }
	b.OnSubmitted = func(c BoardCell) { submitted = c.ID }
	if b.Taken() != "linux/dps/key" {
		t.Fatalf("taken at first: %q, want the suggested cell", b.Taken())
	}
	w.Canvas().Focus(b)
	press(b, fyne.KeyDown, fyne.KeySpace, fyne.KeyDown, fyne.KeySpace, fyne.KeyRight, fyne.KeyReturn)
	if want := []string{"linux/dps/x509"}; !slices.Equal(taken, want) {
		t.Errorf("taken %v, want %v: muted cells cannot be taken", taken, want)
	}
	if want := []string{"linux/dps/key", "linux/dps/x509", "linux/dps/tpm", "eflow/dps/tpm"}; !slices.Equal(previewed, want) {
		t.Errorf("previewed %v, want %v", previewed, want)
	}
	press(b, fyne.KeyLeft, fyne.KeyUp, fyne.KeyReturn)
	if submitted != "linux/dps/x509" {
		t.Errorf("submitted %q", submitted)
	}
}

func TestBoardHoverPreviewsAndGivesBack(t *testing.T) {
	var last string
	w := window(t, theme.Options{}, fyne.NewSize(720, 560), func() fyne.CanvasObject { return NewBoard(sampleBoard()) })
	b := w.Content().(*Board)
	b.OnPreview = func(c BoardCell) { last = c.ID }
	b.rows[0][1].MouseIn(nil)
	if last != "eflow/manual/key" {
		t.Errorf("hover previews %q", last)
	}
	b.rows[0][1].MouseOut()
	if last != "linux/dps/key" {
		t.Errorf("after hover %q, want the cell under the cursor", last)
	}
}

func TestBoardKeepsTakenCellAcrossModels(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(720, 560), func() fyne.CanvasObject { return NewBoard(sampleBoard()) })
	b := w.Content().(*Board)
	b.Take("linux/manual/key")
	b.Set(sampleBoard())
	if b.Taken() != "linux/manual/key" {
		t.Errorf("taken is now %q", b.Taken())
	}
	other := sampleBoard()
	other.Groups[0].Rows[0][0].Muted = true
	b.Set(other)
	if b.Taken() != "linux/dps/key" {
		t.Errorf("taken is %q, want the suggested cell in place of the muted one", b.Taken())
	}
}

func TestTwoEndsPicture(t *testing.T) {
	pictures(t, "twoends", fyne.NewSize(520, 450), func() fyne.CanvasObject {
		ends := Ends{
			Device: End{Icon: theme.IconDevice(), Title: "Device", Lines: []string{"27 of 27 checks", "registered by mutual TLS"}},
			Cloud:  End{Icon: theme.IconPractice(), Title: "practice", Lines: []string{"connected 14:03:11", "edge device, enabled"}},
		}
		waiting, differs := ends, ends
		ends.Agreement, differs.Agreement = AgreementReached, AgreementDiffers
		return padded(NewTwoEnds(waiting), NewTwoEnds(ends), NewTwoEnds(differs))
	})
}

func TestProgressPicture(t *testing.T) {
	pictures(t, "progress", fyne.NewSize(520, 310), func() fyne.CanvasObject {
		p := NewProgressPanel("Cancel and put everything back", func() {})
		p.Set(Progress{Step: 5, Steps: 6, Elapsed: 5900 * time.Millisecond, Rest: 6 * time.Second,
			Wait: "The wait is the device restarting its services, not the network."})
		unknown := NewProgressPanel("Cancel and put everything back", func() {})
		unknown.Set(Progress{Elapsed: 72 * time.Second, Cancelling: true})
		return padded(p, unknown)
	})
}

func TestProgressCancelIsOffWhileCancelling(t *testing.T) {
	test := NewProgressPanel("Cancel", func() {})
	test.Set(Progress{Cancelling: true})
	if !test.cancel.Disabled() {
		t.Error("cancel can be pressed twice")
	}
	test.Set(Progress{})
	if test.cancel.Disabled() {
		t.Error("cancel stays off")
	}
}

func sampleRail() *Rail {
	r := NewRail(nil,
		RailItem{ID: "computer", Icon: fynetheme.ComputerIcon(), Text: "This computer"},
		RailItem{ID: "provision", Icon: theme.IconProvision(), Text: "Provision"},
		RailItem{ID: "devices", Icon: fynetheme.StorageIcon(), Text: "Devices", Count: 212},
		RailItem{ID: "runs", Icon: fynetheme.HistoryIcon(), Text: "Runs", Count: 1},
		RailItem{ID: "clouds", Icon: theme.IconCloud(), Text: "Clouds"},
		RailItem{ID: "settings", Icon: fynetheme.SettingsIcon(), Text: "Settings", Low: true})
	r.SetStatus(Status{Good, "Practice cloud is on"})
	r.Select("devices")
	return r
}

func TestRailPicture(t *testing.T) {
	pictures(t, "rail", fyne.NewSize(760, 420), func() fyne.CanvasObject {
		narrow := sampleRail()
		narrow.SetNarrow(true)
		return layout.Row(24, layout.Stretch, sampleRail(), narrow)
	}, func(w fyne.Window) {
		w.Canvas().FocusNext()
		press(w.Canvas().Focused(), fyne.KeyDown)
	})
}

func TestRailKeys(t *testing.T) {
	opened := ""
	w := window(t, theme.Options{}, fyne.NewSize(300, 420), func() fyne.CanvasObject { return sampleRail() })
	r := w.Content().(*Rail)
	r.OnOpened = func(id string) { opened = id }
	w.Canvas().Focus(r)
	press(r, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	if opened != "clouds" {
		t.Errorf("opened %q", opened)
	}
}

func TestShellHidesNamesInNarrowWindow(t *testing.T) {
	var rail *Rail
	w := window(t, theme.Options{}, fyne.NewSize(1160, 720), func() fyne.CanvasObject {
		rail = sampleRail()
		return layout.Shell(rail, NewText("body", StyleBody), rail.SetNarrow)
	})
	if rail.narrow || rail.Size().Width != 196 {
		t.Errorf("at 1160: narrow %v, width %v", rail.narrow, rail.Size().Width)
	}
	w.Resize(fyne.NewSize(860, 600))
	if !rail.narrow || rail.Size().Width != 56 {
		t.Errorf("at 860: narrow %v, width %v", rail.narrow, rail.Size().Width)
	}
}
