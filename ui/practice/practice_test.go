package practice

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
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
	"edgewright/ui/widgets"
)

func TestMain(m *testing.M) {
	// Without a session bus there is no credential store, on any machine.
	_ = os.Unsetenv("DBUS_SESSION_BUS_ADDRESS")
	_ = os.Unsetenv("XDG_RUNTIME_DIR")
	if err := uilang.Use("en"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// desk is the view in a window of the test driver, over a practice cloud that
// is on.
type desk struct {
	*testing.T
	c *frame.Context
	q *frametest.Queue
	v *View
	// closed, on and emptied count what the view asked for.
	closed, on, emptied int
}

func sit(t *testing.T, devices ...string) *desk {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	d := &desk{T: t}
	d.c, d.q = frametest.Context(t, nil, nil)
	if _, _, err := d.c.App.KeepPractice(t.Context()); err != nil { // until the program closes
		t.Fatal(err)
	}
	for _, id := range devices {
		d.provision(id)
	}
	d.c = pagetest.Window(t, d.c, fyne.NewSize(964, 720))
	d.v = d.open(d.c, TabDevices)
	return d
}

// provision makes an edge device by hand.
func (d *desk) provision(id string) {
	d.Helper()
	request, err := d.c.App.PracticeRequest(id)
	if err != nil {
		d.Fatal(err)
	}
	request.Plan.Cell.Provisioning, request.Plan.Cloud.Enrollment = provisioning.Manual, ""
	request.Plan.Device.Tags = map[string]any{"line": 7}
	if out := d.c.App.Provision(d.Context(), request, nil); out.Outcome != provisioning.RunSucceeded {
		d.Fatalf("provision %s: %+v", id, out.Error)
	}
}

// asPage is a View as a page.
type asPage struct {
	frame.Page
	v *View
}

func (p asPage) Content() fyne.CanvasObject { return p.v.Content() }
func (p asPage) Show(place frame.Place)     { p.v.Show(place.Tab, place.Device) }
func (p asPage) Focus() fyne.Focusable      { return p.v.Focus() }

func (d *desk) open(c *frame.Context, tab string) *View {
	d.Helper()
	v := New(c, Actions{Close: func() { d.closed++ }, SwitchOn: func() { d.on++ }, Empty: func() { d.emptied++ }})
	pagetest.Open(c, d.q, asPage{v: v}, frame.Place{Tab: tab})
	d.q.Until(d.T, "the view", func() bool { return v.known })
	return v
}

func (d *desk) sees(text string) {
	d.Helper()
	d.q.Until(d.T, "the window shows "+text, func() bool { return pagetest.Sees(d.c, text) })
}

func (d *desk) tab(id string) {
	d.Helper()
	d.v.tabs.Select(id)
	d.v.open(id)
}

func TestDevicesAreSearchedAndOpened(t *testing.T) {
	d := sit(t, "line-7-0001", "press-2")
	for _, text := range []string{"2 devices", "line-7-0001", "press-2", "not connected", "edge", "sas"} {
		d.sees(text)
	}
	d.v.Search()
	for _, r := range "PRESS" {
		d.c.Window.Canvas().Focused().TypedRune(r)
	}
	d.q.Until(t, "one row", func() bool {
		return d.v.parts[TabDevices].(*devices).table.Selected() == "" && !pagetest.Sees(d.c, "line-7-0001")
	})
	d.v.parts[TabDevices].(*devices).openFirst()
	for _, text := range []string{"edge device of hub", "made by hand", "$edgeAgent", "$edgeHub", `"line": 7`, "version 3"} {
		d.sees(text)
	}
	if !d.v.Back() || d.v.Back() {
		t.Error("Back closes more or less than the device")
	}
	d.v.Search()
	d.c.Window.Canvas().Focused().(*widgets.Entry).SetText("nothing")
	d.sees("No device fits")
}

// A twin that changes is shown without being asked for.
func TestDeviceFollowsItsTwin(t *testing.T) {
	d := sit(t, "press-2")
	d.v.openDevice(app.PracticeDefaultHub, "press-2")
	d.sees(`"line": 7`)
	if pagetest.Sees(d.c, "SharedAccessKey=") {
		t.Error("a key is on the screen")
	}
	pagetest.Press(t, d.c, "Copy its connection string")
	d.sees("The key is in the clipboard")
	if text := fyne.CurrentApp().Clipboard().Content(); !strings.Contains(text, ";DeviceId=press-2;SharedAccessKey=") || strings.Contains(text, "***") {
		t.Errorf("the clipboard holds %d characters", len(text))
	}
	d.v.inner.twins.SetSelected("$edgeHub")
	d.q.Until(t, "the twin of the module", func() bool { return d.v.inner.shown.Of == "$edgeHub" })
	d.v.inner.copy()
	d.sees("It has no key")
	d.provision("press-3") // anything that moves the counter
	d.q.Until(t, "the next sample", func() bool { return d.v.overview.Hubs[0].Devices == 2 })
	d.v.openDevice(app.PracticeDefaultHub, "gone")
	d.sees("edgewright practice devices")
}

func TestMessagesGoToTheDevice(t *testing.T) {
	d := sit(t, "press-2")
	d.v.openDevice(app.PracticeDefaultHub, "press-2")
	d.sees(`"line": 7`)
	m := d.v.inner.message
	m.text.SetText("restart")
	m.properties.SetText("urgent")
	pagetest.Press(t, d.c, "Send")
	d.sees("urgent is no property")
	m.properties.SetText("urgent = yes, line=7")
	pagetest.Press(t, d.c, "Send")
	d.sees("Queued as ")
}

func TestRequestsAreFilteredAndCopied(t *testing.T) {
	d := sit(t, "press-2")
	d.tab(TabRequests)
	r := d.v.parts[TabRequests].(*requests)
	d.sees("/devices/press-2")
	d.sees("DeviceNotFound")
	all := len(r.known)
	pagetest.Press(t, d.c, "Failed only")
	d.q.Until(t, "fewer", func() bool { return len(r.known) < all && len(r.known) > 0 })
	for key, request := range r.known {
		if request.Status < 400 {
			t.Errorf("%d is no failure", request.Status)
		}
		r.table.Select(key)
		r.selected(key)
		d.sees(request.CorrelationID)
		pagetest.Press(t, d.c, "Copy the request")
		if text := fyne.CurrentApp().Clipboard().Content(); !strings.Contains(text, request.CorrelationID) || !strings.Contains(text, fmt.Sprint(request.Status)) {
			t.Errorf("the clipboard holds %q", text)
		}
	}
}

func TestARefusedConnectionIsShown(t *testing.T) {
	d := sit(t)
	info, err := d.c.App.PracticeInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(info.CAPEM)
	conn, err := tls.Dial("tcp", info.MQTT, &tls.Config{RootCAs: roots, ServerName: "hub.practice.test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	field := func(s string) string { return "\x00" + string(rune(len(s))) + s }
	// CONNECT with user name and password (MQTT 3.1.1, 3.1).
	body := field("MQTT") + "\x04\xc2\x00\x3c" + field("press-9") + field("hub.practice.test/press-9/?api-version=2021-04-12") + field("nonsense")
	if _, err := conn.Write([]byte("\x10" + string(rune(len(body))) + body)); err != nil {
		t.Fatal(err)
	}
	d.tab(TabConnections)
	d.sees("press-9")
	d.sees("refused")
	d.sees("CONNACK 5")
}

func TestOnlyTheClipboardGetsTheKey(t *testing.T) {
	d := sit(t)
	d.tab(TabConnect)
	for _, text := range []string{"0ne00PRACTICE", "SharedAccessKey=***", "export NODE_EXTRA_CA_CERTS=", "server_verification_cert=", "update-ca-certificates", "registryRead of the hub hub", "provisioningserviceowner of DPS"} {
		d.sees(text)
	}
	info, err := d.c.App.PracticeInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	whole := info.Revealed().DPSConnectionString
	if pagetest.Sees(d.c, whole) || !strings.Contains(whole, "SharedAccessKey=") || strings.Contains(whole, "***") {
		t.Fatalf("the window shows the key, or there is none in %d characters", len(whole))
	}
	pagetest.Press(t, d.c, "Copy with its key") // the last one: that of the DPS
	if got := fyne.CurrentApp().Clipboard().Content(); got != whole {
		t.Errorf("the clipboard holds %d characters, want the connection string of %d", len(got), len(whole))
	}
	d.sees("The key is in the clipboard")
}

func TestFaultsAreSwitchedOnAndSaySo(t *testing.T) {
	d := sit(t)
	d.tab(TabRehearse)
	r := d.v.parts[TabRehearse].(*rehearse)
	d.q.Until(t, "the choices", func() bool { return len(r.faults[0].choice.Options) > 0 })
	if pagetest.Sees(d.c, "misbehaves on purpose") {
		t.Error("the sign is on")
	}
	faults := func() app.PracticeFaults {
		t.Helper()
		o, err := d.c.App.PracticeOverview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return o.Faults
	}
	for i, choice := range []string{"1 of 2 requests", "every request", "1.0 s", "2 h 0 min behind", "S2 x 1"} {
		r.faults[i].choice.SetSelected(choice)
		d.q.Until(t, choice, func() bool { return r.faults[i].pill.Visible() })
		d.sees("misbehaves on purpose")
	}
	pagetest.Press(t, d.c, "Take hub away")
	d.q.Until(t, "the hub", func() bool { return len(faults().Offline) == 1 })
	want := app.PracticeFaults{Throttle: app.PracticeThrottle{N: 1, Of: 2}, Fail: app.PracticeFailure{N: 1, Of: 1, Status: 503},
		Delay: app.PracticeSpan(time.Second), Skew: app.PracticeSpan(-2 * time.Hour), Offline: []string{"hub"}}
	if got := faults(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// A share that a command chose has an option too.
	if _, err := d.c.App.ChangePracticeFaults(t.Context(), func(f *app.PracticeFaults) { f.Throttle.N, f.Throttle.Of = 2, 7 }); err != nil {
		t.Fatal(err)
	}
	d.q.Until(t, "the share of a command", func() bool { return r.faults[0].choice.Selected == "2 of 7 requests" })
	d.q.Until(t, "the sign", func() bool { return pagetest.Sees(d.c, "Switch all off") })
	pagetest.Press(t, d.c, "Switch all off")
	d.q.Until(t, "peace", func() bool { return !faults().Any() && !pagetest.Sees(d.c, "misbehaves on purpose") })
}

func TestEnrollmentsAndRegistrations(t *testing.T) {
	d := sit(t)
	d.tab(TabEnrollments)
	d.sees("No enrollment")
	d.v.parts[TabEnrollments].(*enrollments).what.SetSelectedIndex(1)
	d.sees("No registration")
}

func TestOffAndActions(t *testing.T) {
	d := sit(t)
	pagetest.Press(t, d.c, "Empty it ...")
	pagetest.Press(t, d.c, "Back")
	if d.closed != 1 || d.emptied != 1 {
		t.Errorf("closed %d, emptied %d", d.closed, d.emptied)
	}
	d.v.on = false
	d.v.show()
	d.sees("The practice cloud is off")
	pagetest.Press(t, d.c, "Switch on")
	if d.v.Primary(); d.on != 2 {
		t.Errorf("switched on %d times", d.on)
	}
}

func TestNothingIsClipped(t *testing.T) {
	d := sit(t, "line-7-0001-with-a-long-name-of-the-bench")
	if _, err := d.c.App.ChangePracticeFaults(t.Context(), func(f *app.PracticeFaults) {
		f.Throttle.N, f.Throttle.Of, f.Skew = 1, 1000, app.PracticeSpan(time.Hour)
	}); err != nil {
		t.Fatal(err)
	}
	for tab, ready := range map[string]func(v *View) bool{
		TabDevices:     func(v *View) bool { return len(v.parts[TabDevices].(*devices).labels) > 0 },
		TabEnrollments: func(*View) bool { return true },
		TabRequests:    func(v *View) bool { return v.parts[TabRequests].(*requests).known != nil },
		TabConnections: func(*View) bool { return true },
		TabConnect:     func(v *View) bool { return v.parts[TabConnect].(*connect).hubs > 0 },
		TabRehearse:    func(v *View) bool { return v.parts[TabRehearse].(*rehearse).listed != "" },
	} {
		t.Run(tab, func(t *testing.T) {
			pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
				v := d.open(c, tab)
				d.q.Until(t, tab, func() bool { return ready(v) })
				d.q.Settle()
				return nil
			})
		})
	}
	t.Run("device", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
			v := d.open(c, TabDevices)
			v.openDevice(app.PracticeDefaultHub, "line-7-0001-with-a-long-name-of-the-bench")
			d.q.Until(t, "the device", func() bool { return v.inner.shown.ID != "" })
			return nil
		})
	})
	t.Run("off", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
			v := d.open(c, TabDevices)
			v.on = false
			v.show()
			return nil
		})
	})
}
