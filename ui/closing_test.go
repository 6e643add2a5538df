package ui

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	"edgewright/ui/provision"
	"edgewright/ui/widgets"
)

// childFolder names, to a test program that was started again, the data folder
// on which it provisions until it is killed.
const childFolder = "EDGEWRIGHT_UI_TEST_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		os.Exit(provisionUntilKilled(dir))
	}
	os.Exit(m.Run())
}

func provisionUntilKilled(dir string) int {
	a, err := app.New(context.Background(), app.Config{DataDir: dir, StateDir: dir + "/../state"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	request, err := a.PracticeRequest("line-7-0042")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	a.Provision(context.Background(), request, func(e provisioning.Event) {
		if e.Step == provisioning.StepProof && e.Wait != "" {
			fmt.Println("waiting")
		}
	})
	return 0
}

func TestARunOfADeadProcessIsResumed(t *testing.T) {
	config := frametest.Config(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childFolder+"="+config.DataDir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	if !said.Scan() || said.Text() != "waiting" {
		t.Fatalf("the other process says %q", said.Text())
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()

	h := sitDown(t, config)
	h.q.Until(t, "the offer", h.s.c.DialogOpen)
	if b, ok := h.s.window.Canvas().Focused().(*widgets.Button); !ok || b.Text != "Resume" {
		t.Fatalf("the focus is on %v", h.s.window.Canvas().Focused())
	}
	h.press(fyne.KeyReturn)
	h.sees("line-7-0042 is proven, as a rehearsal")
	if got := h.device("line-7-0042").State; got != app.StateRehearsed {
		t.Errorf("the catalog calls it %q", got)
	}
}

func TestClosingAsksWhileARunGoesOn(t *testing.T) {
	h := sitDown(t, frametest.Config(t))
	h.s.openPlace(frame.Place{Page: frame.Provision})
	wizard := h.s.current().(*provision.Page)
	for range 4 {
		at := wizard.At()
		wizard.Primary()
		h.q.Until(t, "the next step", func() bool { return wizard.At() > at })
	}
	h.q.Until(t, "the preview", wizard.Ready)
	wizard.Primary()
	h.q.Until(t, "the run", func() bool { return h.s.c.App.LiveRuns() == 1 })
	h.s.close()
	if !h.s.c.DialogOpen() || h.s.closing {
		t.Fatal("the window closes without asking")
	}
	h.press(fyne.KeyReturn) // keep running
	if h.s.c.DialogOpen() || h.s.c.App.LiveRuns() != 1 {
		t.Fatal("keeping it running ends the run")
	}
	h.s.close()
	h.s.window.Canvas().FocusNext()
	h.press(fyne.KeySpace) // cancel and put back
	h.q.Until(t, "the window to close", func() bool { return h.s.closing })
	runs, err := h.s.c.App.Runs(t.Context())
	if err != nil || len(runs) != 1 || runs[0].State != string(provisioning.RunCancelled) {
		t.Errorf("runs are %v (%v), want one that was cancelled", runs, err)
	}
}

func TestASecondStartBringsTheFirstToTheFront(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	dir := t.TempDir()
	first := beFirst(dir)
	if first == nil || first.listener == nil {
		t.Fatal("the first start is not the first")
	}
	shown := make(chan struct{}, 1)
	first.serve(func() { shown <- struct{}{} })
	if beFirst(dir) != nil {
		t.Error("the second start on the folder opens a window")
	}
	<-shown
	if other := beFirst(t.TempDir()); other == nil {
		t.Error("another folder is refused")
	} else {
		other.close()
	}
	first.close()
	if again := beFirst(dir); again == nil {
		t.Error("a start after the first has ended is refused")
	} else {
		again.close()
	}
}

// stuck is a toolkit whose loop does not end with its window.
type stuck struct{ fyne.App }

type stuckWindow struct {
	fyne.Window
	closed func()
}

func (s stuck) NewWindow(title string) fyne.Window {
	return &stuckWindow{Window: s.App.NewWindow(title)}
}

func (w *stuckWindow) SetOnClosed(closed func()) { w.closed = closed }

func (w *stuckWindow) ShowAndRun() {
	w.closed()
	select {}
}

func TestAToolkitThatDoesNotEndIsLeft(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	config := frametest.Config(t)
	code := make(chan int)
	go Run(t.Context(), stuck{test.NewTempApp(t)}, config, func(c int) { code <- c })
	if got := <-code; got != exitOK {
		t.Errorf("it exits with %d", got)
	}
	again, err := app.New(t.Context(), config)
	if err != nil {
		t.Fatal("the data folder was left open:", err)
	}
	_ = again.Close()
}
