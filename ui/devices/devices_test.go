package devices

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	uilang "edgewright/ui/lang"
	"edgewright/ui/pagetest"
	"edgewright/ui/theme"
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

func sit(t *testing.T, devices ...app.Device) *desk {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	d := &desk{T: t}
	d.c, d.q = frametest.Context(t, nil, func(place frame.Place) { d.places = append(d.places, place) })
	d.c = pagetest.Window(t, d.c, fyne.NewSize(964, 720))
	fill(t, d.c, devices)
	d.p = New(d.c)
	pagetest.Open(d.c, d.q, d.p, frame.Place{})
	d.q.Until(t, "the catalog is read", func() bool { return d.p.known && d.p.table.VisibleColumns() != nil })
	d.until("the list", func() bool { return len(devices) == 0 || d.shown() > 0 })
	return d
}

func (d *desk) until(what string, done func() bool) {
	d.Helper()
	d.q.Until(d.T, what, done)
	d.q.Settle()
}

func (d *desk) shown() int { return len(d.ids()) }

// ids are the device IDs in the table, from above.
func (d *desk) ids() []string {
	var ids []string
	for _, row := range d.p.current.list {
		ids = append(ids, row.cells[columnDevice].Text)
	}
	return ids
}

func fill(t testing.TB, c *frame.Context, devices []app.Device) {
	t.Helper()
	if len(devices) == 0 {
		return
	}
	text, err := json.Marshal(devices)
	if err != nil {
		t.Fatal(err)
	}
	result, err := c.App.ImportDevices(t.Context(), strings.NewReader(string(text)))
	if err != nil || result.Added != len(devices) {
		t.Fatalf("import of %d devices: %+v, %v", len(devices), result, err)
	}
}

func sample() []app.Device {
	now := time.Now()
	proof, soon, later, past := now.Add(-3*time.Hour), now.Add(12*24*time.Hour+time.Hour), now.AddDate(1, 0, 0), now.AddDate(0, 0, -3)
	device := func(id, state, target, runtime string) app.Device {
		return app.Device{DeviceID: id, HubHost: "contoso.azure-devices.net", State: state, Platform: "linux", Provisioning: "dps", Authentication: "x509",
			Cloud: "contoso", Target: target, RuntimeVersion: runtime, LastProof: &proof, CertificateEnds: &later, Enrollment: "group", Group: "line-7",
			RegistrationID: id, HostName: "plant-" + id, MachineKey: "machine-id:" + id, Tags: `{"line":7,"hall":"north"}`, Plan: "version = 1\n\n[device]\nid = \"" + id + "\"\n"}
	}
	list := []app.Device{
		device("line-7-0042", app.StateProven, "ssh://pi@10.20.4.31", "1.6.0"),
		device("line-7-0041", app.StateRehearsed, "local:", "1.6.0"),
		device("line-7-0040", app.StateRenewSoon, "ssh://pi@10.20.4.29", "1.5.21"),
		device("press-02", app.StateFailed, "rootfs:///media/card", "1.4.33"),
		device("hall-3-gw", app.StateUnsupported, "ssh://HALL3-PC", "1.5"),
		device("line-7-0037", app.StateDiffers, "ssh://pi@10.20.4.26", "1.6.0"),
		device("bench-with-a-very-long-name-of-its-own-0007", app.StateConfigured, "ssh://technician@bench-7.plant.example", "1.6.0"),
	}
	list[2].CertificateEnds, list[3].CertificateEnds, list[3].LastProof, list[4].CertificateEnds = &soon, nil, nil, &past
	list[3].Cloud, list[3].Provisioning, list[3].Authentication, list[3].Group = "other", "manual", "symmetric-key", ""
	return list
}

func TestEmptyCatalogOffersToProvision(t *testing.T) {
	d := sit(t)
	if !pagetest.Sees(d.c, "No device yet") {
		t.Fatal("the page does not say that it is empty")
	}
	pagetest.Press(t, d.c, "Provision a device")
	if len(d.places) != 1 || d.places[0].Page != frame.Provision {
		t.Errorf("the button opens %v", d.places)
	}
}

func TestHeadCountsAndListShowsEveryState(t *testing.T) {
	d := sit(t, sample()...)
	for _, text := range []string{"7 devices, 4 need care", "Needs care (4)", "proven", "rehearsed", "renew soon", "failed", "unsupported", "differs", "in 12 days", "never",
		"pi@10.20.4.31", "this computer", "/media/card", "Linux DPS X.509", "Linux by hand"} {
		if !pagetest.Sees(d.c, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
}

func TestSearchAsYouType(t *testing.T) {
	d := sit(t, sample()...)
	d.p.Search()
	focused := d.c.Window.Canvas().Focused()
	if focused != d.p.search {
		t.Fatalf("Ctrl+F gives the focus to %v", focused)
	}
	for i, r := range "press" {
		focused.TypedRune(r)
		if i%2 == 0 {
			continue // two keys between two frames: only the newer answer counts
		}
		d.q.Settle()
	}
	d.until("one hit", func() bool { return strings.Join(d.ids(), " ") == "press-02" })
	if !d.p.Back() {
		t.Fatal("Escape does not take the search back")
	}
	d.until("all devices", func() bool { return d.shown() == 7 })
	if d.p.Back() {
		t.Error("Escape claims to have done something once more")
	}
}

func TestOlderAnswerNeverReplacesNewer(t *testing.T) {
	d := sit(t, sample()...)
	posted := make(chan struct{}, 100)
	post := d.c.Post
	d.c.Post = func(f func()) { post(f); posted <- struct{}{} }
	d.p.search.SetText("hall")
	<-posted // the answer waits in the queue, not yet taken
	d.p.search.SetText("press")
	d.until("the newer answer", func() bool { return d.shown() == 1 })
	if got := d.ids(); got[0] != "press-02" {
		t.Errorf("the table shows %v", got)
	}
}

func TestNothingFits(t *testing.T) {
	d := sit(t, sample()...)
	d.p.search.SetText("nowhere-at-all")
	d.until("no hit", func() bool { return d.shown() == 0 })
	pagetest.Settle(d.c.Window)
	if !pagetest.Sees(d.c, "No device fits") {
		t.Fatal("the page does not say that nothing fits")
	}
	pagetest.Press(t, d.c, "Show all devices")
	d.until("all devices", func() bool { return d.shown() == 7 })
}

func TestFilters(t *testing.T) {
	d := sit(t, sample()...)
	pagetest.Press(t, d.c, "Needs care (4)")
	d.until("those that need care", func() bool { return d.shown() == 4 })
	pagetest.Press(t, d.c, "Needs care (4)")
	d.until("all", func() bool { return d.shown() == 7 })
	for i, name := range d.p.clouds.Options {
		if name == app.Practice {
			d.p.clouds.SetSelectedIndex(i)
		}
	}
	d.until("those of a cloud", func() bool { return d.shown() == 0 })
}

func TestSortIsRemembered(t *testing.T) {
	d := sit(t, sample()...)
	if got := d.ids()[0]; got != "bench-with-a-very-long-name-of-its-own-0007" {
		t.Fatalf("first by device is %s", got)
	}
	d.p.table.OnSort(columnDevice, true)
	d.until("the other direction", func() bool { return d.ids()[0] == "press-02" })
	again := New(d.c)
	if again.query.SortBy != columnDevice || !again.query.Descending {
		t.Errorf("a new page sorts by %s, descending %v", again.query.SortBy, again.query.Descending)
	}
	d.p.table.OnColumns([]string{columnDevice, columnHub})
	if got := New(d.c).table.VisibleColumns(); strings.Join(got, " ") != "device hub" {
		t.Errorf("a new page shows the columns %v", got)
	}
}

func TestEnterOpensAndEscapeGoesBack(t *testing.T) {
	d := sit(t, sample()...)
	d.p.Search()
	d.p.search.SetText("line-7-0042")
	d.p.search.OnSubmitted(d.p.search.Text)
	d.until("the device", func() bool { return d.p.inner != nil })
	pagetest.Settle(d.c.Window)
	for _, text := range []string{"line-7-0042 is proven", "Last proof", "contoso.azure-devices.net", "ssh://pi@10.20.4.31", "group line-7", "The plan", "north"} {
		if !pagetest.Sees(d.c, text) {
			t.Errorf("the device's page does not show %q", text)
		}
	}
	d.p.Primary()
	if last := d.places[len(d.places)-1]; last.Page != frame.Provision || last.Target != "ssh://pi@10.20.4.31" || last.Device == "" {
		t.Errorf("the blue button opens %+v", last)
	}
	if !d.p.Back() || d.p.inner != nil {
		t.Fatal("Escape does not close the device")
	}
	if d.p.table.Selected() == "" {
		t.Error("the device that was open is not selected in the list")
	}
}

func TestPlaceOpensByDeviceID(t *testing.T) {
	d := sit(t, sample()...)
	d.p.Show(frame.Place{Page: frame.Devices, Device: "press-02"})
	d.until("the device", func() bool { return d.p.inner != nil && d.p.inner.device.DeviceID == "press-02" })
	d.p.Show(frame.Place{Page: frame.Devices, Device: "nobody-0000"})
	d.until("the list again", func() bool { return d.p.inner == nil && pagetest.Sees(d.c, "The catalog does not know that.") })
}

func TestRemoveNamesTheDeviceAndAsks(t *testing.T) {
	d := sit(t, sample()...)
	d.p.open("press-02")
	d.until("the device", func() bool { return d.p.inner != nil })
	pagetest.Press(t, d.c, "Remove ...")
	if !d.c.DialogOpen() || !pagetest.Sees(d.c, "Remove press-02 from the catalog?") || !pagetest.Sees(d.c, "The device and the cloud stay as they are") {
		t.Fatal("nobody asks before a device is removed")
	}
	pagetest.Press(t, d.c, "Cancel")
	if _, err := d.c.App.Device(t.Context(), "press-02"); err != nil {
		t.Fatalf("Cancel removed the device: %v", err)
	}
	pagetest.Press(t, d.c, "Remove ...")
	pagetest.Press(t, d.c, "Remove press-02")
	d.until("it is gone", func() bool { return d.p.inner == nil && d.shown() == 6 })
	if _, err := d.c.App.Device(t.Context(), "press-02"); err == nil {
		t.Error("the device is still in the catalog")
	}
}

func TestExportAndImport(t *testing.T) {
	d := sit(t, sample()...)
	file := filepath.Join(t.TempDir(), "devices.csv")
	pagetest.Press(t, d.c, "Export ...")
	entry := pagetest.Field(t, d.c, "File")
	entry.SetText("relative.csv")
	pagetest.Press(t, d.c, "Export")
	if !pagetest.Sees(d.c, "The path is not whole") || !d.c.DialogOpen() {
		t.Fatal("a relative path is taken")
	}
	entry.SetText(file)
	pagetest.Press(t, d.c, "Export")
	d.until("the export", func() bool { return pagetest.Sees(d.c, "The catalog is exported") })
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "line-7-00") < 4 {
		t.Fatalf("the file holds %d bytes, %v", len(text), err)
	}

	other := sit(t)
	pagetest.Press(t, other.c, "Import ...")
	pagetest.Field(t, other.c, "CSV or JSON file").SetText(file + ".missing")
	pagetest.Press(t, other.c, "Import")
	if !pagetest.Sees(other.c, "There is no such file") {
		t.Fatal("a missing file is taken")
	}
	pagetest.Field(t, other.c, "CSV or JSON file").SetText(file)
	pagetest.Press(t, other.c, "Import")
	other.until("the import", func() bool { return other.shown() == 7 })
	if !pagetest.Sees(other.c, "7 devices came in") {
		t.Error("the page does not say what came in")
	}
}

func TestExportPlan(t *testing.T) {
	d := sit(t, sample()...)
	d.p.open("line-7-0042")
	d.until("the device", func() bool { return d.p.inner != nil })
	file := filepath.Join(t.TempDir(), "plan.toml")
	pagetest.Press(t, d.c, "Export the plan ...")
	pagetest.Field(t, d.c, "File").SetText(file)
	pagetest.Press(t, d.c, "Export")
	d.until("the file", func() bool { return pagetest.Sees(d.c, "The plan is exported") })
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), `id = "line-7-0042"`) {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

func TestMoreThanTheListHolds(t *testing.T) {
	var many []app.Device
	for i := range most + 30 {
		many = append(many, app.Device{DeviceID: fmt.Sprintf("dev-%04d", i), HubHost: "h", State: app.StateProven, Target: "local:"})
	}
	d := sit(t, many...)
	d.until("the note", func() bool { return pagetest.Sees(d.c, "The first 200 of 230.") })
	d.p.search.SetText("dev-022")
	d.until("fewer", func() bool { return d.shown() == 10 && !pagetest.Sees(d.c, "Type more") })
}

func TestNothingIsClipped(t *testing.T) {
	test.NewTempApp(t)
	var q *frametest.Queue
	c, q := frametest.Context(t, nil, nil)
	t.Run("empty", func(t *testing.T) {
		pagetest.Everywhere(t, c, func(t *testing.T, c *frame.Context) frame.Page {
			p := New(c)
			pagetest.Open(c, q, p, frame.Place{})
			q.Until(t, "the catalog is read", func() bool { return p.known })
			q.Settle()
			return p
		})
	})
	fill(t, c, sample())
	t.Run("list", func(t *testing.T) {
		pagetest.Everywhere(t, c, func(t *testing.T, c *frame.Context) frame.Page {
			p := New(c)
			pagetest.Open(c, q, p, frame.Place{})
			q.Until(t, "the list", func() bool { return p.known && len(p.current.list) == 7 })
			p.say(1, "A message that stands above the list", "with a line")
			return p
		})
	})
	t.Run("device", func(t *testing.T) {
		pagetest.Everywhere(t, c, func(t *testing.T, c *frame.Context) frame.Page {
			p := New(c)
			pagetest.Open(c, q, p, frame.Place{Device: "bench-with-a-very-long-name-of-its-own-0007"})
			q.Until(t, "the device", func() bool { return p.inner != nil })
			return p
		})
	})
	t.Run("dialog", func(t *testing.T) {
		pagetest.Everywhere(t, c, func(t *testing.T, c *frame.Context) frame.Page {
			p := New(c)
			pagetest.Open(c, q, p, frame.Place{})
			q.Until(t, "the list", func() bool { return p.known && len(p.current.list) == 7 })
			p.export()
			return p
		})
	})
}

func TestADeviceIsRotatedFromItsPage(t *testing.T) {
	d := sit(t)
	request, err := d.c.App.PracticeRequest("press-2")
	if err != nil {
		t.Fatal(err)
	}
	plan := &request.Plan
	plan.Cell.Provisioning, plan.Cell.Authentication = provisioning.Manual, provisioning.X509
	plan.Cloud.Enrollment, plan.Cloud.Group = "", ""
	if out := d.c.App.Provision(t.Context(), request, nil); out.Outcome != provisioning.RunSucceeded {
		t.Fatalf("provision: %+v", out.Error)
	}
	d.p.open("press-2")
	d.until("the device", func() bool { return d.p.inner != nil })
	if pagetest.Sees(d.c, "Rotate Edge CA ...") {
		t.Error("a device without an Edge CA of its own offers to rotate it")
	}
	pagetest.Press(t, d.c, "Rotate identity ...")
	d.until("the preview", d.c.DialogOpen)
	pagetest.Press(t, d.c, "Rotate")
	d.until("the run is followed", func() bool { return len(d.places) > 0 && d.places[len(d.places)-1].Page == frame.Runs })
	run := d.places[len(d.places)-1].Run
	d.until("the rotation ends", func() bool {
		runs, err := d.c.App.Runs(t.Context())
		return err == nil && len(runs) == 2 && runs[0].ID == run && runs[0].State == string(provisioning.RunSucceeded)
	})
}

func TestAPracticeDeviceIsRemovedWhole(t *testing.T) {
	d := sit(t)
	request, err := d.c.App.PracticeRequest("press-2")
	if err != nil {
		t.Fatal(err)
	}
	request.Plan.Cell.Provisioning, request.Plan.Cloud.Enrollment = provisioning.Manual, ""
	if out := d.c.App.Provision(t.Context(), request, nil); out.Outcome != provisioning.RunSucceeded {
		t.Fatalf("provision: %+v", out.Error)
	}
	disk := filepath.Join(d.c.App.DataDir(), "practice-devices", "press-2")
	d.p.open("press-2")
	d.until("the device", func() bool { return d.p.inner != nil })
	pagetest.Press(t, d.c, "Remove ...")
	d.until("the question", d.c.DialogOpen)
	if !pagetest.Sees(d.c, "Remove the practice device press-2?") {
		t.Error("the question does not say that the device goes")
	}
	if _, err := os.Stat(disk); err != nil {
		t.Fatal(err)
	}
	pagetest.Press(t, d.c, "Remove press-2")
	d.until("the device is gone", func() bool {
		_, gone := os.Stat(disk)
		counts, err := d.c.App.Counts(t.Context())
		return err == nil && counts.Devices == 0 && gone != nil
	})
}
