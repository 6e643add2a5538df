package runs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	uilang "edgewright/ui/lang"
	"edgewright/ui/pagetest"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
)

func TestMain(m *testing.M) {
	if err := uilang.Use("en"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// desk is the page in a window of the test driver.
type desk struct {
	*testing.T
	c      *frame.Context
	q      *frametest.Queue
	p      *Page
	places []frame.Place
}

func sit(t *testing.T) *desk {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	d := &desk{T: t}
	d.c, d.q = frametest.Context(t, nil, func(place frame.Place) { d.places = append(d.places, place) })
	d.c = pagetest.Window(t, d.c, fyne.NewSize(964, 720))
	return d
}

func (d *desk) open(place frame.Place) {
	d.Helper()
	d.p = New(d.c)
	pagetest.Open(d.c, d.q, d.p, place)
	d.until("the journal", func() bool { return d.p.known })
}

func (d *desk) until(what string, done func() bool) {
	d.Helper()
	d.q.Until(d.T, what, done)
	d.q.Settle()
}

// sees waits until a text is in the window.
func (d *desk) sees(text string) {
	d.Helper()
	d.until("the window shows "+text, func() bool { return pagetest.Sees(d.c, text) })
}

// book opens the journal beside the program, to write runs that others carried
// out.
func book(t *testing.T, c *frame.Context) *catalog.Catalog {
	t.Helper()
	opened, err := catalog.Open(t.Context(), filepath.Join(c.App.DataDir(), "catalog.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	return opened
}

// past writes a run with its steps.
type past struct {
	request app.Request
	device  string
	batch   string
	state   provisioning.RunState
	dead    bool
	outcome provisioning.Outcome
	steps   []catalog.Step
	log     []string
}

func write(t *testing.T, b *catalog.Catalog, r past) string {
	t.Helper()
	started := time.Now().Add(-2 * time.Hour)
	if r.request.Target == "" {
		r.request = app.Request{Target: "ssh://pi@10.20.4.31", Plan: provisioning.Plan{Device: provisioning.DevicePlan{ID: r.device},
			Cell: provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.SymmetricKey}}.WithDefaults()}
	}
	plan, err := r.request.Plan.TOML()
	if err != nil {
		t.Fatal(err)
	}
	run, err := b.NewRun(t.Context(), catalog.Run{Batch: r.batch, Kind: "provision", DeviceID: r.request.Plan.Device.ID, Target: r.request.Target, Cloud: r.request.Plan.Cloud.Name,
		Plan: string(plan), State: string(provisioning.RunRunning), Started: started, Holder: catalog.ThisProcess()})
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range r.steps {
		step.RunID, step.Seq = run.ID, i+1
		step.Started = started.Add(time.Duration(i) * time.Second)
		ended := step.Started.Add(800 * time.Millisecond)
		step.Ended = &ended
		if err := b.PutStep(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range r.log {
		if err := b.AppendLog(t.Context(), catalog.LogLine{RunID: run.ID, Time: started, Step: "apply", Level: "info", Text: line}); err != nil {
			t.Fatal(err)
		}
	}
	if r.dead {
		if err := b.TakeOver(t.Context(), run.ID, catalog.ThisProcess(), strings.Fields(catalog.ThisProcess())[0]+" 999999999 1"); err != nil {
			t.Fatal(err)
		}
		return run.ID
	}
	r.outcome.Outcome, r.outcome.Run, r.outcome.Device = r.state, run.ID, r.device
	outcome, err := json.Marshal(r.outcome)
	if err != nil {
		t.Fatal(err)
	}
	ended := started.Add(10 * time.Second)
	run.State, run.Outcome, run.Ended = string(r.state), string(outcome), &ended
	if err := b.UpdateRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	return run.ID
}

func failed() past {
	return past{device: "line-7-0042", state: provisioning.RunFailed,
		outcome: provisioning.Outcome{Changed: true, Error: &provisioning.ErrorView{Kind: "unauthorized", Message: "The cloud refuses the key or its rights (dps register line-7-0042).",
			Hint: "Check the key or the sign-in, and its rights.", CorrelationID: "7f1c0c9e", Detail: "register line-7-0042: 401002: unauthorized"}},
		steps: []catalog.Step{{Name: provisioning.StepLook, State: string(provisioning.StepDone), Summary: "Raspberry Pi OS 12, arm64, IoT Edge 1.6.0"},
			{Name: provisioning.StepEnrollment, State: string(provisioning.StepUnchanged), Summary: "was there already; nothing changed"},
			{Name: provisioning.StepFiles, State: string(provisioning.StepDone), Acted: true, Summary: "4 files; the set before is kept for undo"},
			{Name: provisioning.StepProof, State: string(provisioning.StepFailed), Error: `{"kind":"unauthorized","message":"the cloud refused the device"}`}},
		log: []string{"iotedge config apply -c /etc/aziot/config.toml", "aziot-keyd restarting", strings.Repeat("a long line ", 30)}}
}

func TestEmptyJournal(t *testing.T) {
	d := sit(t)
	d.open(frame.Place{})
	d.sees("No run yet")
	pagetest.Press(t, d.c, "Provision a device")
	if len(d.places) != 1 || d.places[0].Page != frame.Provision {
		t.Errorf("the button opens %v", d.places)
	}
}

func TestBatchesStandTogether(t *testing.T) {
	d := sit(t)
	b := book(t, d.c)
	write(t, b, past{device: "line-7-0001", batch: "b-1", state: provisioning.RunSucceeded})
	write(t, b, past{device: "alone", state: provisioning.RunUndone})
	write(t, b, past{device: "line-7-0002", batch: "b-1", state: provisioning.RunFailed})
	d.open(frame.Place{})
	var got []string
	rows := newRows(d.p.all, columnRun, true, time.Now())
	for i := range rows.Len() {
		got = append(got, strings.TrimSpace(rows.Cell(i, columnRun).Text)+"/"+rows.Cell(i, columnDevice).Text)
	}
	if want := "2 devices/batch b-1 0003/line-7-0002 0001/line-7-0001 0002/alone"; strings.Join(got, " ") != want {
		t.Errorf("rows are %q, want %q", strings.Join(got, " "), want)
	}
	if status := rows.Cell(0, columnState).Status; status.Word != "1 of 2" || status.State != widgets.Bad {
		t.Errorf("the batch says %+v", status)
	}
	d.p.table.OnSort(columnDevice, false)
	if sorted := newRows(d.p.all, d.p.sortBy, d.p.descending, time.Now()); sorted.Len() != 3 || sorted.Cell(0, columnDevice).Text != "alone" {
		t.Errorf("sorted by device the first of %d is %+v", sorted.Len(), sorted.Cell(0, columnDevice))
	}
	d.p.open("b-1")
	d.sees("1 of 2 devices are ready")
	d.p.open("0003")
	d.sees("Run 0003")
	if !d.p.Back() || d.p.batch == nil {
		t.Fatal("Back from a run of a batch does not lead to the batch")
	}
	if !d.p.Back() || d.p.batch != nil || d.p.Back() {
		t.Error("Back from a batch does not lead to the list")
	}
}

func TestFailedRunSaysWhatAndWhy(t *testing.T) {
	d := sit(t)
	id := write(t, book(t, d.c), failed())
	d.open(frame.Place{Run: id})
	for _, text := range []string{"The cloud refuses the key or its rights", "Check the key or the sign-in", "Files placed as one set", "4 files; the set before is kept for undo",
		"the cloud refused the device", "0.8 s", "iotedge config apply -c /etc/aziot/config.toml", "Try again", "Put everything back ...", "line-7-0042 on pi@10.20.4.31, in practice"} {
		d.sees(text)
	}
	pagetest.Press(t, d.c, "Copy log")
	if copied := fyne.CurrentApp().Clipboard().Content(); strings.Count(copied, "\n") < 2 || !strings.Contains(copied, "aziot-keyd") {
		t.Errorf("the clipboard holds %q", copied)
	}
	pagetest.Press(t, d.c, "Open device")
	if last := d.places[len(d.places)-1]; last.Page != frame.Devices || last.Device != "line-7-0042" {
		t.Errorf("Open device opens %+v", last)
	}
}

// practiceRun is a request for a practice device.
func practiceRun(t *testing.T, c *frame.Context) app.Request {
	t.Helper()
	request, err := c.App.PracticeRequest("practice-1")
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func TestCutRunIsNamedResumedAndPutBack(t *testing.T) {
	d := sit(t)
	id := write(t, book(t, d.c), past{request: practiceRun(t, d.c), dead: true})
	d.open(frame.Place{})
	d.sees("Run " + id + " for practice-1 was cut short")
	if b, ok := d.p.Focus().(*widgets.Button); !ok || b.Text != "Resume" {
		t.Fatalf("the first focus is %v, want Resume", d.p.Focus())
	}
	d.p.Primary()
	d.sees("practice-1 is proven, as a rehearsal")
	if device, err := d.c.App.Device(t.Context(), "practice-1"); err != nil || device.State != app.StateRehearsed {
		t.Fatalf("the catalog has %q, %v", device.State, err)
	}

	pagetest.Press(t, d.c, "Put everything back ...")
	if !pagetest.Sees(d.c, "Put everything back that run "+id+" made?") {
		t.Fatal("nobody asks before everything is put back")
	}
	pagetest.Press(t, d.c, "Cancel")
	if run, err := d.c.App.Run(t.Context(), id); err != nil || run.State != string(provisioning.RunSucceeded) {
		t.Fatalf("after Cancel the run is %s, %v", run.State, err)
	}
	pagetest.Press(t, d.c, "Put everything back ...")
	pagetest.Press(t, d.c, "Put back practice-1")
	d.sees("Everything is back as it was")
	if _, err := d.c.App.Device(t.Context(), "practice-1"); err == nil {
		t.Error("the device is still in the catalog")
	}
}

func TestLiveRunIsFollowedAndCancelled(t *testing.T) {
	d := sit(t)
	d.open(frame.Place{})
	ended := make(chan provisioning.Outcome, 1)
	request := practiceRun(t, d.c)
	go func() { ended <- d.c.App.Provision(d.c.Ctx, request, nil) }()
	d.until("the run in the list", func() bool { return len(d.p.all) == 1 })
	id := d.p.all[0].ID
	d.p.open(id)
	d.sees("practice-1 is being provisioned")
	d.sees("Look at the device")
	pagetest.Press(t, d.c, "Cancel and put everything back ...")
	if !pagetest.Sees(d.c, "Cancel run "+id+"?") {
		t.Fatal("nobody asks before a run is cancelled")
	}
	pagetest.Press(t, d.c, "Cancel and put practice-1 back")
	d.sees("Everything is back as it was")
	if o := <-ended; o.Outcome != provisioning.RunCancelled {
		t.Errorf("the run ends as %s", o.Outcome)
	}
}

func TestResumeThatCannotBeginSaysWhy(t *testing.T) {
	d := sit(t)
	request := practiceRun(t, d.c)
	request.Target = app.FolderTarget(filepath.Join(t.TempDir(), "gone"))
	id := write(t, book(t, d.c), past{request: request, dead: true})
	d.open(frame.Place{Run: id})
	d.sees("This run was cut short")
	pagetest.Press(t, d.c, "Resume")
	d.sees("The run is as it was.")
	if run, err := d.c.App.Run(t.Context(), id); err != nil || provisioning.RunState(run.State).Ended() {
		t.Errorf("the run is %s, %v", run.State, err)
	}
	pagetest.Press(t, d.c, "Resume") // it can be tried again
}

func TestUnknownRun(t *testing.T) {
	d := sit(t)
	d.open(frame.Place{Run: "4711"})
	d.sees("The catalog does not know that.")
}

func TestNothingIsClipped(t *testing.T) {
	d := sit(t)
	show := func(place frame.Place, ready func(p *Page) bool) func(t *testing.T, c *frame.Context) frame.Page {
		return func(t *testing.T, c *frame.Context) frame.Page {
			p := New(c)
			pagetest.Open(c, d.q, p, place)
			d.q.Until(t, "the journal", func() bool { return p.known && ready(p) })
			d.q.Settle()
			return p
		}
	}
	t.Run("empty", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, show(frame.Place{}, func(*Page) bool { return true }))
	})
	b := book(t, d.c)
	bad := write(t, b, failed())
	cut := write(t, b, past{device: "bench-with-a-very-long-name-of-its-own-0007", dead: true, steps: failed().steps[:2]})
	for i, state := range []provisioning.RunState{provisioning.RunSucceeded, provisioning.RunConfigured, provisioning.RunPartlyUndone, provisioning.RunCancelled, provisioning.RunUndone} {
		write(t, b, past{device: "line-7-004" + string(rune('0'+i)), batch: "b-0123456789ab", state: state})
	}
	t.Run("list", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, show(frame.Place{}, func(p *Page) bool { return len(p.all) == 7 }))
	})
	for name, id := range map[string]string{"failed": bad, "cut": cut} {
		t.Run(name, func(t *testing.T) {
			pagetest.Everywhere(t, d.c, show(frame.Place{Run: id}, func(p *Page) bool { return p.run != nil }))
		})
	}
	t.Run("batch", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
			p := show(frame.Place{}, func(p *Page) bool { return len(p.all) == 7 })(t, c).(*Page)
			p.open("b-0123456789ab")
			return p
		})
	})
}
