package ui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	uilang "edgewright/ui/lang"
	"edgewright/ui/provision"
	"edgewright/ui/theme"
	"edgewright/ui/widgets/widgettest"
)

// looks are the ways in which a page may be looked at.
type looks struct {
	language   string
	appearance theme.Appearance
	scale      int
	size       fyne.Size
}

func (l looks) String() string {
	variant := "light"
	if l.appearance == theme.Dark {
		variant = "dark"
	}
	return fmt.Sprintf("%s-%s-%d-%.0f", l.language, variant, l.scale, l.size.Width)
}

func allLooks() []looks {
	var all []looks
	for _, language := range []string{"en", "de"} {
		for _, appearance := range []theme.Appearance{theme.Light, theme.Dark} {
			for _, scale := range []int{100, 150} {
				for _, size := range []fyne.Size{fyne.NewSize(frame.SmallestWidth, frame.SmallestHeight), fyne.NewSize(1160, 720)} {
					all = append(all, looks{language, appearance, scale, size})
				}
			}
		}
	}
	return all
}

// TestNothingIsCutOrFaint looks at every page and every step of the wizard in
// every way. All share one data folder with a practice device in it.
func TestNothingIsCutOrFaint(t *testing.T) {
	config := frametest.Config(t)
	provisionOne(t, config)
	for _, l := range allLooks() {
		t.Run(l.String(), func(t *testing.T) { lookAtAll(t, config, l) })
	}
}

func lookAtAll(t *testing.T, config app.Config, l looks) {
	if err := uilang.Use(l.language); err != nil {
		t.Fatal(err)
	}
	h := sitDownWith(t, config, func(p fyne.Preferences) {
		p.SetInt(frame.PreferenceTextScale, l.scale)
		p.SetString(frame.PreferenceAppearance, map[theme.Appearance]string{theme.Light: frame.AppearanceLight, theme.Dark: frame.AppearanceDark}[l.appearance])
	}, l.size)
	check := func(what string) {
		t.Helper()
		h.q.Settle()
		// A second look gives everything its last size.
		h.s.window.Canvas().Content().Refresh()
		if report := widgettest.Report(widgettest.All(h.s.window.Canvas())); report != "" {
			t.Errorf("%s:\n%s", what, report)
		}
	}
	for id := range makers {
		h.s.openPlace(frame.Place{Page: id})
		if id == frame.Computer {
			h.q.Until(t, "this computer was looked at", func() bool { return h.s.current().Focus() != nil })
		}
		check(string(id))
	}
	h.s.openPlace(frame.Place{Page: frame.Provision})
	wizard := h.s.current().(*provision.Page)
	for step := range 4 {
		at := wizard.At()
		if at == 1 { // by hand: DPS would ask to wait
			h.q.Settle()
			h.press(fyne.KeyUp)
			h.press(fyne.KeyUp)
			h.press(fyne.KeySpace)
		}
		wizard.Primary()
		h.q.Until(t, "the next step", func() bool { return wizard.At() != at })
		if step == 3 {
			h.q.Until(t, "the preview", wizard.Ready)
		}
		check(fmt.Sprint("wizard ", wizard.At()))
	}
	h.s.help()
	check("help")
	h.s.c.CloseDialog()
	wizard.Primary()
	h.q.Until(t, "the proof", wizard.Ended)
	check("proof")
	wizard.Undo()
	h.q.Until(t, "the undo", wizard.Ended)
	check("undone")
}

// provisionOne puts a proven device into the catalog.
func provisionOne(t *testing.T, config app.Config) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := app.New(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	request, err := a.PracticeRequest("line-7-0041")
	if err != nil {
		t.Fatal(err)
	}
	request.Plan.Cell.Provisioning = provisioning.Manual // without the wait of DPS
	request.Plan.Cloud.Enrollment = ""
	if outcome := a.Provision(ctx, request, nil); outcome.Outcome != provisioning.RunSucceeded {
		t.Fatalf("the device ends %s: %+v", outcome.Outcome, outcome.Error)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestQuestionsComeOneAtATime(t *testing.T) {
	h := sitDown(t, frametest.Config(t))
	access := h.s.c.Access()
	answers := make(chan string, 2)
	for _, name := range []string{"first", "second"} {
		go func() {
			value, err := access.Ask(t.Context(), app.Question{Kind: "password", Target: "pi@" + name, Prompt: "Password"})
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- value.RevealString()
		}()
	}
	for range 2 {
		h.q.Until(t, "a question", h.s.c.DialogOpen)
		if n := len(h.s.window.Canvas().Overlays().List()); n != 1 {
			t.Fatalf("%d dialogs are open", n)
		}
		h.write("secret")
		h.press(fyne.KeyReturn)
		if got := <-answers; got != "secret" {
			t.Errorf("the answer is %q", got)
		}
	}
}

func TestAClosedQuestionIsAnAnswerToo(t *testing.T) {
	h := sitDown(t, frametest.Config(t))
	done := make(chan bool, 1)
	go func() {
		done <- h.s.c.Access().TrustHostKey(app.HostKey{Host: "pi", Type: "ssh-ed25519", Fingerprint: "SHA256:abc"})
	}()
	h.q.Until(t, "the key", h.s.c.DialogOpen)
	if !shows(h.s.window.Canvas().Overlays().Top(), "SHA256:abc") {
		t.Error("the fingerprint is not shown")
	}
	h.press(fyne.KeyEscape)
	if <-done {
		t.Error("a key was trusted that nobody agreed to")
	}
}

func TestADataFolderThatDoesNotOpenIsExplained(t *testing.T) {
	config := frametest.Config(t)
	if err := os.WriteFile(filepath.Join(config.DataDir, "catalog.db"), []byte("not a database, but long enough to be looked at as one"), 0o600); err != nil {
		t.Fatal(err)
	}
	face := test.NewTempApp(t)
	window := test.NewTempWindow(t, nil)
	s := newShell(t.Context(), face, window, (&frametest.Queue{}).Post)
	s.open(config)
	if !shows(window.Canvas().Content(), "The data folder does not open") {
		t.Error("the window does not say what is wrong")
	}
	if s.end() != exitFailed {
		t.Error("the window ends as if all were well")
	}
}
