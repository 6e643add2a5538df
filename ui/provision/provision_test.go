package provision

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/hostdetect"
	"edgewright/provisioning"
	"edgewright/ui/frame/frametest"
	uilang "edgewright/ui/lang"
	"edgewright/ui/pagetest"
	"edgewright/ui/theme"
	"edgewright/ui/widgets/widgettest"
)

// sit opens the wizard in a window of the test driver, in German and with
// large text, where things are cut first.
func sit(t *testing.T) (*Page, *frametest.Queue, func(what string)) {
	t.Helper()
	if err := uilang.Use("de"); err != nil {
		t.Fatal(err)
	}
	face := test.NewTempApp(t)
	face.Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light, TextScale: 150}))
	window := test.NewTempWindow(t, nil)
	c, q := frametest.Context(t, window, nil)
	p := New(c)
	window.SetContent(p.Content())
	window.Resize(fyne.NewSize(960, 720))
	return p, q, func(what string) {
		t.Helper()
		q.Settle()
		if report := widgettest.Report(widgettest.ClippedText(window.Canvas())); report != "" {
			t.Errorf("%s:\n%s", what, report)
		}
		if report := widgettest.Report(widgettest.OverlappingText(window.Canvas())); report != "" {
			t.Errorf("%s:\n%s", what, report)
		}
	}
}

// goOn presses the blue button until the wizard is at a step.
func goOn(t *testing.T, p *Page, q *frametest.Queue, step int) {
	t.Helper()
	for p.at < step {
		at := p.at
		p.Primary()
		q.Until(t, fmt.Sprint("step ", at+1), func() bool { return p.at > at && (p.at != stepReview || p.Ready()) })
	}
}

func (p *Page) target() *targetStep { return p.steps[stepTarget].(*targetStep) }
func (p *Page) run() *runStep       { return p.steps[stepRun].(*runStep) }

func ended(t *testing.T, p *Page, q *frametest.Queue) {
	t.Helper()
	q.Until(t, "the end of the run", func() bool { return p.job != nil && p.job.ended() })
}

// byHand chooses the way without DPS, which would ask to wait.
func byHand(p *Page) {
	p.draft.SetCell(provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.Manual, Authentication: provisioning.SymmetricKey})
	p.steps[stepWay].(*wayStep).board.Take(p.draft.Plan.Cell.String())
}

func TestManyFromAList(t *testing.T) {
	p, q, check := sit(t)
	dir := t.TempDir()
	list := filepath.Join(dir, "targets.csv")
	text := "target,id\n"
	for i := range 5 {
		root := filepath.Join(dir, fmt.Sprint("root", i))
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("rootfs://%s,line-7-%04d\n", root, i)
	}
	text += "rootfs:///nowhere,not a name\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.target().chosen = chooseMany
	p.target().list.SetText(list)
	goOn(t, p, q, stepWay)
	byHand(p)
	goOn(t, p, q, stepIdentity)
	check("the names of the list")
	if len(p.list.rows) != 5 || !p.list.findings.Errors() {
		t.Fatalf("%d rows, findings %v; want 5 and one finding", len(p.list.rows), p.list.findings)
	}
	goOn(t, p, q, stepReview)
	check("the review of the list")
	p.Primary()
	ended(t, p, q)
	check("the end of the batch")
	b := p.job.(*batch)
	for _, row := range b.rows {
		if row.state != string(provisioning.RunSucceeded) || row.run == "" {
			t.Errorf("%s ends %q (%s), run %q", row.device, row.state, row.text, row.run)
		}
	}
	s := p.run()
	s.carryOnBatch(b, s.batchWork(b.id, true))
	ended(t, p, q)
	check("the batch put back")
	for _, row := range p.job.(*batch).rows {
		if row.state != string(provisioning.RunUndone) {
			t.Errorf("%s ends %q (%s), want it put back", row.device, row.state, row.text)
		}
	}
	devices, err := p.c.App.Counts(t.Context())
	if err != nil || devices.Devices != 0 {
		t.Errorf("%d devices are left (%v)", devices.Devices, err)
	}
}

// What all devices of a list share is asked for below their names, and counts for
// each of them.
func TestAListSharesWhatIsAskedBelowIt(t *testing.T) {
	p, q, check := sit(t)
	dir := t.TempDir()
	list := filepath.Join(dir, "targets.csv")
	text := "target,id\n"
	for i := range 2 {
		root := filepath.Join(dir, fmt.Sprint("root", i))
		if err := os.Mkdir(root, 0o755); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("rootfs://%s,line-7-%04d\n", root, i)
	}
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.draft.Plan.Device.Hostname = "one.example.test" // of one device, before
	p.target().chosen = chooseMany
	p.target().list.SetText(list)
	goOn(t, p, q, stepWay)
	p.draft.SetCell(provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.Manual, Authentication: provisioning.X509})
	p.way().board.Take(p.draft.Plan.Cell.String())
	goOn(t, p, q, stepIdentity)
	check("names and fields")
	step := p.steps[stepIdentity].(*identityStep)
	step.more.fold.SetOpen(true)
	step.more.tags.SetText("line")
	p.Primary()
	check("a wrong tag")
	if p.at != stepIdentity || !pagetest.Sees(p.c, "Zeile 1 der Tags hat nicht die Form NAME = WERT.") {
		t.Fatal("the wizard goes on with a tag that does not read")
	}
	step.more.tags.SetText("line = 7")
	step.edge.on.SetChecked(true)
	step.certs.hash.hash.SetSelected("SHA-1")
	goOn(t, p, q, stepReview)
	check("the review")
	if len(p.list.rows) != 2 {
		t.Fatalf("%d rows: %v", len(p.list.rows), p.list.findings)
	}
	for _, row := range p.list.rows {
		plan := row.Plan
		if plan.EdgeCA == nil || plan.X509.Thumbprint != provisioning.ThumbprintSHA1 || plan.Device.Tags["line"] != int64(7) || plan.Device.Hostname != "" {
			t.Errorf("%+v", plan)
		}
	}
}

func TestAFailureIsTriedAgainAndPutBack(t *testing.T) {
	p, q, check := sit(t)
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.target().chosen = chooseFolder
	p.target().folder.SetText(root)
	goOn(t, p, q, stepWay)
	byHand(p)
	goOn(t, p, q, stepIdentity)
	p.steps[stepIdentity].(*identityStep).id.SetText("line-7-0042")
	goOn(t, p, q, stepReview)
	check("review")
	// A file where a folder has to be stops the third step.
	inTheWay := filepath.Join(root, "etc", "aziot")
	if err := os.WriteFile(inTheWay, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.Primary()
	ended(t, p, q)
	check("the failure")
	r := p.job.(*running)
	if r.outcome.Outcome != provisioning.RunFailed || r.outcome.Run == "" {
		t.Fatalf("the run ends %s", r.outcome.Outcome)
	}
	if p.Focus() == nil {
		t.Error("nothing has the focus on the failure page")
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	p.Primary() // Try again
	ended(t, p, q)
	check("the proof")
	if again := p.job.(*running).outcome; again.Outcome != provisioning.RunSucceeded || again.Run != r.outcome.Run {
		t.Fatalf("tried again, run %s ends %s: %+v", again.Run, again.Outcome, again.Error)
	}
	p.run().undo(p.job.(*running).outcome)
	ended(t, p, q)
	check("put back")
	if got := p.job.(*running).outcome.Outcome; got != provisioning.RunUndone {
		t.Errorf("the undo ends %s", got)
	}
	if _, err := os.Stat(filepath.Join(root, "etc", "aziot", "config.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("config.toml is still there (%v)", err)
	}
}

func TestGoingBackKeepsWhatWasTyped(t *testing.T) {
	p, q, _ := sit(t)
	goOn(t, p, q, stepIdentity)
	p.steps[stepIdentity].(*identityStep).id.SetText("typed-1")
	for p.Back() {
		q.Settle()
	}
	if p.at != stepTarget {
		t.Fatalf("Escape stops at step %d", p.at)
	}
	goOn(t, p, q, stepIdentity)
	if got := p.steps[stepIdentity].(*identityStep).id.Text; got != "typed-1" {
		t.Errorf("the ID is %q", got)
	}
}

func TestCancelPutsBack(t *testing.T) {
	p, q, check := sit(t)
	goOn(t, p, q, stepReview) // through DPS, which asks to wait
	p.Primary()
	r := p.job.(*running)
	q.Until(t, "the proof to wait", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.wait != ""
	})
	check("running")
	p.run().cancel()
	ended(t, p, q)
	if got := r.outcome.Outcome; got != provisioning.RunCancelled {
		t.Errorf("the run ends %s", got)
	}
}

func TestSavedPlanReadsBack(t *testing.T) {
	p, q, check := sit(t)
	goOn(t, p, q, stepIdentity)
	name := filepath.Join(t.TempDir(), "plan.toml")
	p.save()
	check("save")
	entry, ok := p.c.Window.Canvas().Focused().(interface{ SetText(string) })
	if !ok {
		t.Fatal("the field has no focus")
	}
	entry.SetText(name)
	p.c.SubmitDialog()
	if p.c.DialogOpen() {
		t.Fatal("the dialog is still open")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	plan, _, err := provisioning.ParsePlan(text)
	if err != nil || plan.Device.ID != p.draft.Plan.Device.ID {
		t.Errorf("the plan reads back as %+v (%v)", plan, err)
	}
	// A file that exists is replaced only after saying so.
	p.save()
	p.c.Window.Canvas().Focused().(interface{ SetText(string) }).SetText(name)
	p.c.SubmitDialog()
	if !p.c.DialogOpen() {
		t.Fatal("an existing file was replaced at once")
	}
	p.c.SubmitDialog()
	if p.c.DialogOpen() {
		t.Fatal("saving once more does not replace it")
	}
}

// The switch of the practice device's software TPM makes the TPM that the look
// and the board then show.
func TestAPracticeDeviceWithASoftwareTPM(t *testing.T) {
	p, q, check := sit(t)
	check("the switch")
	if app.SoftwareTPMAvailable() != nil {
		if !p.target().chip.Disabled() {
			t.Error("without swtpm the switch can be turned")
		}
		t.Skip("needs swtpm")
	}
	goOn(t, p, q, stepWay)
	if chip := p.draft.Found.Report.TPM; chip.State != hostdetect.Absent {
		t.Errorf("without it the device has a TPM: %+v", chip)
	}
	p.Back()
	q.Settle()
	p.target().chip.SetChecked(true)
	goOn(t, p, q, stepWay)
	if chip := p.draft.Found.Report.TPM; chip.State != hostdetect.Found || chip.Version != "2.0" {
		t.Errorf("the look shows %+v", chip)
	}
	view, err := p.c.App.ShowTPM(t.Context(), app.TPMRequest{Target: p.draft.Target})
	if err != nil || view.TPM != "practice:practice-1" {
		t.Fatalf("the TPM is %q, %v", view.TPM, err)
	}
	next, err := p.c.App.NextDraft(t.Context(), p.draft, "press-2")
	if err != nil || next.Target != "practice:press-2" || !p.c.App.HasSoftwareTPM("press-2") {
		t.Errorf("the next one is %s, %v", next.Target, err)
	}
	if next, err = p.c.App.NextDraft(t.Context(), p.draft, "Press.3"); err != nil || next.Plan.Device.ID != "Press.3" || !strings.HasPrefix(next.Target, "practice:practice-") {
		t.Errorf("an ID that names no folder is on %s, %v", next.Target, err)
	}
}

// From nothing to proven by the practice device's software TPM, the second time
// unchanged, and back.
func TestTPMFromNothingToProven(t *testing.T) {
	p, q, check := sit(t)
	if app.SoftwareTPMAvailable() != nil {
		t.Skip("needs swtpm")
	}
	p.target().chip.SetChecked(true)
	goOn(t, p, q, stepWay)
	cell := provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.TPM}
	p.draft.SetCell(cell)
	p.steps[stepWay].(*wayStep).board.Take(cell.String())
	check("the board with a TPM")
	goOn(t, p, q, stepReview)
	check("the review")
	p.Primary()
	ended(t, p, q)
	check("the proof")
	first := p.job.(*running).outcome
	if first.Outcome != provisioning.RunSucceeded || !first.Proof.Device || !first.Proof.Cloud || first.Proof.How != provisioning.ProofPlayed {
		t.Fatalf("%+v, %+v", first, first.Error)
	}
	again := p.c.App.Provision(t.Context(), p.draft.Request(), nil)
	if again.Outcome != provisioning.RunSucceeded || again.Changed {
		t.Errorf("the second run: %+v, %+v", again, again.Error)
	}
	p.run().undo(first)
	ended(t, p, q)
	if got := p.job.(*running).outcome; got.Outcome != provisioning.RunUndone {
		t.Errorf("the undo ends %s: %+v", got.Outcome, got.Error)
	}
	if counts, err := p.c.App.Counts(t.Context()); err != nil || counts.Devices != 0 {
		t.Errorf("%d devices are left, %v", counts.Devices, err)
	}
}
