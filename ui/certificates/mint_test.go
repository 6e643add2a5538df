package certificates

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/pagetest"
)

// many opens the form with a CA and a bench identity made.
func (d *desk) many() *mintForm {
	d.Helper()
	d.plant(0)
	if _, err := d.c.App.MakeBenchIdentity(d.Context(), "bench-1"); err != nil {
		d.Fatal(err)
	}
	d.open()
	d.p.Show(frame.Place{Tab: TabBatches})
	d.sees("No batch yet")
	pagetest.Press(d.T, d.c, "Make many ...")
	return d.filled()
}

// filled waits for what the lists of the form offer.
func (d *desk) filled() *mintForm {
	d.Helper()
	f := d.p.form.(*mintForm)
	d.until("the form", func() bool { return len(f.ca.Options) == 2 && f.bench.Selected == "bench-1" })
	f.ca.SetSelected("Line 7 issuing")
	return f
}

// From nothing to sealed bundles by a range, by the keyboard.
func TestManyAreMadeByARange(t *testing.T) {
	d := sit(t)
	f := d.many()
	folder := filepath.Join(t.TempDir(), "bundles")
	d.sees("Name the devices to see what will come out.")
	f.pattern.SetText("line-7-{0001..0007")
	d.sees("has no part such as {0001..0500}")
	f.pattern.SetText("line-7-{0001..0007}")
	f.group.SetText("line-7")
	f.edge.SetChecked(true)
	f.folder.SetText(folder)
	f.algorithm.SetSelected("RSA 2048")
	d.sees("line-7-0001 to line-7-0007")
	d.sees("for 7 of them")
	d.sees("1 group")
	d.sees("RSA 2048")
	f.ca.SetSelected("Plant Root 2026")
	d.sees("The issuing CA is a root")
	if !f.begin.Disabled() {
		t.Error("a batch that cannot be can be begun")
	}
	f.ca.SetSelected("Line 7 issuing")
	f.algorithm.SetSelected("EC P-256")
	d.until("the preview", func() bool { return f.fits != nil })
	f.enroll.SetChecked(true)
	d.until("the preview", func() bool { return f.fits != nil })
	d.c.Window.Canvas().Focus(f.pattern)
	d.key(fyne.KeyReturn)
	d.sees("7 bundles are made")
	m := d.p.minting
	if m.outcome.Outcome != provisioning.RunSucceeded || m.outcome.Made != 7 {
		t.Errorf("%+v", m.outcome)
	}
	if bundles, _ := filepath.Glob(filepath.Join(folder, "*.edgewright")); len(bundles) != 7 {
		t.Errorf("%d bundles", len(bundles))
	}
	if report, err := os.ReadFile(m.outcome.Report); err != nil || strings.Count(string(report), "enrolled") != 7 {
		t.Errorf("%s %v", report, err)
	}
	d.sees(m.outcome.Report)
	d.p.Primary()
	d.sees("7 of 7")
	d.sees("finished")
	d.p.batches.table.Select(m.outcome.Batch)
	d.p.batches.offer()
	d.sees("Sealed for bench-1")
}

// Every line of a list that is wrong is named, and nothing is made.
func TestAListSaysWhatIsWrongInIt(t *testing.T) {
	d := sit(t)
	f := d.many()
	file := filepath.Join(t.TempDir(), "devices.csv")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var bad strings.Builder
	bad.WriteString("id,days\n")
	for i := range 20 {
		fmt.Fprintf(&bad, "line-7-%02d,many\n", i)
	}
	write(bad.String())
	if !d.p.Dropped([]string{file}) || f.from.Chosen() != fromList || f.list.Text != file {
		t.Fatal("a list that is dropped is not taken")
	}
	d.sees("Nothing can be made while 20 places are wrong:")
	d.sees("line 2, column 11, days: A life of \"many\" days cannot be.")
	d.sees("and 12 more")
	write("id,days\nline-7-01,30\nline-7-02,\n")
	f.folder.SetText(t.TempDir())
	d.sees("30 to 365")
	d.sees("2 individual")
	d.until("the preview", func() bool { return f.fits != nil })
	f.list.SetText(file + ".not")
	d.sees("There is no such file.")
	f.list.SetText(file)
	f.recipient.Choose(forKey)
	f.key.SetText("ssh:{id}.invalid")
	d.sees("line 2, recipient")
	if f.fits != nil {
		t.Error("it can be begun")
	}
}

// A batch that is stopped keeps what it made and is gone on with from the list;
// one that is being made can be left and looked at again.
func TestABatchIsStoppedAndResumed(t *testing.T) {
	d := sit(t)
	f := d.many()
	f.pattern.SetText("line-8-{1..300}")
	f.folder.SetText(filepath.Join(t.TempDir(), "bundles"))
	d.until("the preview", func() bool { return f.fits != nil })
	request := *f.fits
	made, release := make(chan struct{}), make(chan struct{})
	d.p.beginMint(300, func(ctx context.Context, emit func(app.MintEvent)) (app.MintOutcome, error) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		emit(app.MintEvent{Batch: "m-1", Row: 100, Of: 300, State: "placed"})
		emit(app.MintEvent{Batch: "m-1", Row: 150, Of: 300, State: "placed"})
		close(made)
		<-release
		cancel(provisioning.ErrCancelRun) // as the button does
		return d.c.App.Mint(ctx, request, emit)
	})
	<-made
	d.sees("150 of 300 bundles made")
	d.sees("devices a second")
	d.p.Back()
	if d.p.minting.done {
		t.Fatal("leaving the page ends it")
	}
	d.p.mintMany()
	d.p.beginMint(0, nil) // a second one waits for the first
	if d.p.form != inner(d.p.minting) {
		t.Fatal("the batch that is going on is not shown")
	}
	d.p.minting.cancel()
	d.p.minting.draw()
	d.sees("Stopping")
	close(release)
	d.until("its end", func() bool { return d.p.minting.done })

	// One that was stopped between its bundles and its enrollments, from the list.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request.Rows, request.Enroll, request.Folder = request.Rows[:30], true, filepath.Join(t.TempDir(), "b")
	out, err := d.c.App.Mint(ctx, request, func(app.MintEvent) { cancel() })
	if err != nil || out.Outcome != provisioning.RunCancelled {
		t.Fatal(out, err)
	}
	d.p.close()
	d.p.Show(frame.Place{Tab: TabBatches})
	d.until("the batch", func() bool { return d.p.batches.rows.Find(out.Batch) >= 0 })
	d.p.batches.table.Select(out.Batch)
	d.p.batches.offer()
	d.sees("stopped")
	d.sees("0 of 30")
	pagetest.Press(t, d.c, "Resume")
	d.sees("30 bundles are made")
}

// A new identity is made where it is asked for.
func TestABenchIdentityIsMadeInTheForm(t *testing.T) {
	d := sit(t)
	d.plant(0)
	d.open()
	d.p.mintMany()
	f := d.p.form.(*mintForm)
	d.until("the form", func() bool { return f.bench.PlaceHolder == "(make one first)" })
	pagetest.Press(t, d.c, "A new identity ...")
	d.sees("it never leaves the vault")
	pagetest.Field(t, d.c, "Name").SetText("bench 7/")
	d.c.SubmitDialog()
	d.until("what is wrong", func() bool { return d.c.DialogOpen() && !pagetest.Sees(d.c, "bench-7") })
	pagetest.Field(t, d.c, "Name").SetText("bench-7")
	d.c.SubmitDialog()
	d.until("the identity", func() bool { return f.bench.Selected == "bench-7" })
	if list, err := d.c.App.BenchIdentities(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

// The form, a running batch and its end in every look.
func TestManyEverywhere(t *testing.T) {
	d := sit(t)
	d.plant(0)
	if _, err := d.c.App.MakeBenchIdentity(t.Context(), "bench-1"); err != nil {
		t.Fatal(err)
	}
	form := func(t *testing.T, p *Page) *mintForm {
		p.mintMany()
		f := p.form.(*mintForm)
		d.q.Until(t, "the form", func() bool { return f.bench.Selected == "bench-1" })
		f.ca.SetSelected("Line 7 issuing")
		return f
	}
	following := func(p *Page) *minting {
		p.beginMint(500, func(ctx context.Context, emit func(app.MintEvent)) (app.MintOutcome, error) {
			<-ctx.Done()
			return app.MintOutcome{}, ctx.Err()
		})
		return p.minting
	}
	list := []app.MintBatch{{ID: "m-79faf3bceefc", State: "succeeded", Recipient: "bench-1", Folder: "/home/anna/bundles", Started: testNow, Devices: 500, Finished: 500},
		{ID: "m-11faf3bceefc", State: "failed", Folder: "/home/anna/line-8", Started: testNow, Devices: 40, Finished: 38, Failed: 2},
		{ID: "m-22faf3bceefc", State: "running", Folder: "/home/anna/line-9", Started: testNow, Devices: 40},
		{ID: "m-33faf3bceefc", State: "running", Live: true, Folder: "/home/anna/line-10", Started: testNow, Devices: 40}}
	for name, show := range map[string]func(t *testing.T, p *Page){
		"form": func(t *testing.T, p *Page) {
			f := form(t, p)
			f.pattern.SetText("line-7-{0001..0500}")
			f.folder.SetText("/home/anna/bundles")
			f.edge.SetChecked(true)
			d.q.Until(t, "the preview", func() bool { return f.fits != nil })
		},
		"wrong": func(t *testing.T, p *Page) {
			f := form(t, p)
			f.from.Choose(fromList)
			f.list.SetText("/nowhere/devices.csv")
			f.recipient.Choose(forKey)
			d.q.Until(t, "the preview", func() bool { return len(f.outcome.Objects) > 1 })
		},
		"running": func(_ *testing.T, p *Page) {
			m := following(p)
			m.hear(app.MintEvent{Batch: "m-79faf3bceefc", Row: 128, Of: 500, State: "placed"})
			m.at.heard, m.at.since = 128, m.started.Add(-time.Second)
			m.draw()
		},
		"ended": func(_ *testing.T, p *Page) {
			m := following(p)
			m.hear(app.MintEvent{Batch: "m-79faf3bceefc", Row: 2, Of: 500, Device: "line-7-0002", State: "failed", Problem: "The enrollment line-7-0002 is there and differs: it has a symmetric key."})
			m.ended(app.MintOutcome{Outcome: provisioning.RunFailed, Batch: "m-79faf3bceefc", Made: 498, Failed: 2, Report: "/home/anna/bundles/m-79faf3bceefc.csv"}, nil)
		},
		"empty": func(_ *testing.T, p *Page) { p.Show(frame.Place{Tab: TabBatches}) },
		"batches": func(_ *testing.T, p *Page) {
			p.Show(frame.Place{Tab: TabBatches})
			d.q.Settle()
			p.batches.load.Stop()
			p.batches.rows = newBatchRows(list, p)
			p.batches.table.SetRows(p.batches.rows)
			p.batches.table.Select(list[1].ID)
			p.batches.offer()
		},
	} {
		t.Run(name, func(t *testing.T) {
			pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
				p := New(c)
				pagetest.Open(c, d.q, p, frame.Place{})
				d.q.Until(t, "the tree", func() bool { return p.tree.known })
				show(t, p)
				if p.minting != nil { // its goroutine and its samples end with the look
					p.minting.done = true
					p.minting.stop(nil)
				}
				return p
			})
		})
	}
}
