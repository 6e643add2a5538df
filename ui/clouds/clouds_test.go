package clouds

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	uilang "edgewright/ui/lang"
	"edgewright/ui/pagetest"
	"edgewright/ui/practice"
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

const (
	hubString = "HostName=contoso.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=cHJvYmVwcm9iZXByb2JlcHJvYmVwcm9iZXByb2JlMTI="
	dpsString = "HostName=contoso.azure-devices-provisioning.net;SharedAccessKeyName=provisioningserviceowner;SharedAccessKey=cHJvYmVwcm9iZXByb2JlcHJvYmVwcm9iZXByb2JlMTI="
)

// desk is the page in a window of the test driver, on a data folder whose vault
// asks for a passphrase and gets one.
type desk struct {
	*testing.T
	c     *frame.Context
	q     *frametest.Queue
	p     *Page
	asked int
}

func sit(t *testing.T) *desk {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	d := &desk{T: t}
	d.c, d.q = frametest.Context(t, nil, nil)
	config := frametest.Config(t)
	config.AskPassphrase = func(context.Context, bool) (secret.Value, error) {
		d.asked++
		return secret.FromString("a passphrase of a test"), nil
	}
	a, err := app.New(d.c.Ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	d.c.App = a
	d.c = pagetest.Window(t, d.c, fyne.NewSize(964, 720))
	d.open()
	return d
}

func (d *desk) open() {
	d.Helper()
	d.p = New(d.c)
	pagetest.Open(d.c, d.q, d.p, frame.Place{})
	d.until("the clouds", func() bool { return d.p.known && d.p.practice.known })
}

// info is what opens the practice cloud now.
func (d *desk) info() app.PracticeInfo {
	d.Helper()
	info, err := d.c.App.PracticeInfo(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	return info
}

func (d *desk) until(what string, done func() bool) {
	d.Helper()
	d.q.Until(d.T, what, done)
	d.q.Settle()
}

func (d *desk) sees(text string) {
	d.Helper()
	d.until("the window shows "+text, func() bool { return pagetest.Sees(d.c, text) })
}

// paste types into the field of the secret.
func (d *desk) paste(text string) {
	d.Helper()
	d.p.form.connection.Clear()
	d.p.form.connection.Focus()
	for _, r := range text {
		d.c.Window.Canvas().Focused().TypedRune(r)
	}
}

func (d *desk) added() []app.CloudRow {
	d.Helper()
	rows, err := d.c.App.Clouds(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	return rows[1:]
}

func TestPracticeCloudIsSwitchedOnAndOff(t *testing.T) {
	d := sit(t)
	for _, text := range []string{"Practice cloud", "off", "Look inside", "None yet."} {
		d.sees(text)
	}
	address := d.info().HTTPS
	answers := func() bool {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = connection.Close()
		}
		return err == nil
	}
	if answers() {
		t.Fatal("the practice cloud answers before it is switched on")
	}
	pagetest.Press(t, d.c, "Switch on")
	d.sees("It answers on this computer only")
	if !answers() || !d.c.App.PracticeOn() {
		t.Error("the practice cloud does not answer")
	}
	pagetest.Press(t, d.c, "Switch off")
	d.sees("Runs switch it on")
	if answers() {
		t.Error("the practice cloud still answers")
	}
}

// The practice cloud is looked into, off and on, and left again.
func TestPracticeCloudOpens(t *testing.T) {
	d := sit(t)
	pagetest.Press(t, d.c, "Look inside")
	d.sees("The practice cloud is off")
	d.p.Primary()
	d.sees("No device in the practice cloud")
	if !d.p.Back() || d.p.Back() || !pagetest.Sees(d.c, "None yet.") {
		t.Error("Back does not lead to the clouds, once")
	}
	d.p.Show(frame.Place{Page: frame.Clouds, Cloud: app.Practice, Tab: practice.TabConnect})
	d.sees("How to trust it")
	pagetest.Press(t, d.c, "Empty it ...")
	pagetest.Press(t, d.c, "Empty the practice cloud")
	d.until("its end", func() bool {
		return !d.p.practice.busy && (pagetest.Sees(d.c, "The practice cloud is empty") || pagetest.Sees(d.c, "another program uses that port"))
	})
}

func TestResetAsksAndMakesNewKeys(t *testing.T) {
	d := sit(t)
	before := d.info().Revealed().HubConnectionString
	pagetest.Press(t, d.c, "Empty it ...")
	if !pagetest.Sees(d.c, "Empty the practice cloud?") {
		t.Fatal("nobody asks before the practice cloud is emptied")
	}
	pagetest.Press(t, d.c, "Cancel")
	d.q.Settle()
	if info, err := d.c.App.PracticeInfo(t.Context()); err != nil || info.Revealed().HubConnectionString != before {
		t.Fatalf("Cancel emptied it: %v", err)
	}
	pagetest.Press(t, d.c, "Empty it ...")
	pagetest.Press(t, d.c, "Empty the practice cloud")
	d.sees("The practice cloud is empty")
	if d.info().Revealed().HubConnectionString == before {
		t.Error("the key is the one from before")
	}
}

// An emptied practice cloud listens on its first ports again, which another
// program on this computer may have; then it stays off and says so.
func TestResetWhileItIsOn(t *testing.T) {
	d := sit(t)
	before := d.info().Revealed().HubConnectionString
	pagetest.Press(t, d.c, "Switch on")
	d.sees("It answers on this computer only")
	pagetest.Press(t, d.c, "Empty it ...")
	pagetest.Press(t, d.c, "Empty the practice cloud")
	d.until("the end", func() bool { return !d.p.practice.busy && len(d.p.notice.Objects) > 0 })
	if on := d.p.practice.release != nil; on != pagetest.Sees(d.c, "The practice cloud is empty") || on == pagetest.Sees(d.c, "another program uses that port") {
		t.Errorf("it is on: %v, and the page does not say so", on)
	}
	if d.info().Revealed().HubConnectionString == before {
		t.Error("the key is the one from before")
	}
}

func TestWrongFieldsStoreNothing(t *testing.T) {
	for name, wrong := range map[string]struct {
		cloud, text, scope, global string
		hub                        bool
		says                       string
	}{
		"no name":             {text: dpsString, scope: "0ne1", says: "The name cannot be used."},
		"the practice cloud":  {cloud: "Practice", text: dpsString, scope: "0ne1", says: "The practice cloud has this name."},
		"nothing":             {cloud: "c", scope: "0ne1", says: "The connection string is missing."},
		"no string":           {cloud: "c", text: "hello", scope: "0ne1", says: "The connection string does not read."},
		"cut":                 {cloud: "c", text: dpsString[:60], scope: "0ne1", says: "The connection string does not read."},
		"a device":            {cloud: "c", text: "HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey=cHJvYmU=", hub: true, says: "of a device, not of a service"},
		"a hub for a DPS":     {cloud: "c", text: hubString, scope: "0ne1", says: "connection string of an IoT Hub"},
		"a DPS for a hub":     {cloud: "c", text: dpsString, hub: true, says: "connection string of a DPS"},
		"no scope":            {cloud: "c", text: dpsString, says: "The ID scope is missing."},
		"a wrong scope":       {cloud: "c", text: dpsString, scope: "0ne1;HostName=x", says: "This is no ID scope."},
		"a wrong endpoint":    {cloud: "c", text: dpsString, scope: "0ne1", global: "http://x", says: "The global endpoint is no address."},
		"an injected endpont": {cloud: "c", text: dpsString, scope: "0ne1", global: "https://x;HostName=y", says: "The global endpoint is no address."},
	} {
		t.Run(name, func(t *testing.T) {
			d := sit(t)
			d.p.Primary()
			if d.c.Window.Canvas().Focused() != d.p.form.name {
				t.Error("the first focus of the form is not its name")
			}
			d.p.form.name.SetText(wrong.cloud)
			if wrong.hub {
				d.p.form.kind.Choose(string(app.HubConnection))
				d.p.form.kind.OnChosen(string(app.HubConnection))
			}
			d.paste(wrong.text)
			d.p.form.scope.SetText(wrong.scope)
			d.p.form.global.SetText(wrong.global)
			d.p.Primary()
			pagetest.Settle(d.c.Window)
			if !pagetest.Sees(d.c, wrong.says) {
				t.Errorf("no field says %q", wrong.says)
			}
			if d.p.form == nil || len(d.added()) != 0 || d.asked != 0 {
				t.Errorf("form open %v, stored %v, asked %d times", d.p.form != nil, d.added(), d.asked)
			}
		})
	}
}

func TestAddReplaceAndRemove(t *testing.T) {
	d := sit(t)
	pagetest.Press(t, d.c, "Add a cloud")
	d.sees("A connection string needs a passphrase")
	d.p.form.name.SetText("contoso")
	d.paste(dpsString)
	d.p.form.scope.SetText("0ne00ABCDEF")
	d.p.form.scope.OnSubmitted("") // Enter
	d.sees("contoso is added")
	if d.asked != 1 {
		t.Errorf("the passphrase was asked for %d times, want once", d.asked)
	}
	if got := d.added(); len(got) != 1 || got[0].DPSHost != "contoso.azure-devices-provisioning.net" || got[0].IDScope != "0ne00ABCDEF" || got[0].GlobalEndpoint != app.DefaultGlobalEndpoint {
		t.Fatalf("added is %+v", got)
	}

	pagetest.Press(t, d.c, "Add a cloud")
	d.p.form.name.SetText("contoso")
	d.p.form.kind.Choose(string(app.HubConnection))
	d.paste(hubString)
	d.p.Primary()
	d.until("the hub", func() bool { return d.p.form == nil && len(d.added()) == 1 && d.added()[0].HubHost != "" })

	pagetest.Press(t, d.c, "Add a cloud")
	d.p.form.name.SetText("Contoso")
	d.p.form.kind.Choose(string(app.HubConnection))
	d.paste(strings.Replace(hubString, "contoso", "fabrikam", 1))
	d.p.Primary()
	if !pagetest.Sees(d.c, "Replace the connection string of Contoso?") {
		t.Fatal("nobody asks before a connection string is replaced")
	}
	pagetest.Press(t, d.c, "Replace it for Contoso")
	d.until("the other hub", func() bool { return d.p.form == nil && d.added()[0].HubHost == "fabrikam.azure-devices.net" })
	d.sees("fabrikam.azure-devices.net")

	pagetest.Press(t, d.c, "Remove ...")
	if !pagetest.Sees(d.c, "Nothing is deleted in Azure") {
		t.Fatal("nobody says what removing does")
	}
	pagetest.Press(t, d.c, "Remove "+d.added()[0].Name)
	d.sees("is removed")
	if got := d.added(); len(got) != 0 {
		t.Errorf("still there: %+v", got)
	}
}

func TestEscapeKeepsNoSecret(t *testing.T) {
	d := sit(t)
	d.p.Primary()
	d.paste(hubString)
	if !d.p.Back() || d.p.form != nil || d.p.Back() {
		t.Fatal("Escape does not close the form, or closes more")
	}
	d.p.Primary()
	if !d.p.form.connection.IsEmpty() {
		t.Error("the connection string is still in the field")
	}
}

func TestTakenPortIsExplained(t *testing.T) {
	d := sit(t)
	listener, err := net.Listen("tcp", d.info().HTTPS)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() { _ = http.Serve(listener, http.NotFoundHandler()) }() // ends with the listener
	pagetest.Press(t, d.c, "Switch on")
	d.sees("another program uses that port")
	if d.p.practice.release != nil {
		t.Error("the switch says on")
	}
}

func TestNothingIsClipped(t *testing.T) {
	d := sit(t)
	ready := func(t *testing.T, c *frame.Context) *Page {
		p := New(c)
		pagetest.Open(c, d.q, p, frame.Place{})
		d.q.Until(t, "the clouds", func() bool { return p.known && p.practice.known })
		d.q.Settle()
		return p
	}
	t.Run("practice only", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page { return ready(t, c) })
	})
	t.Run("form", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
			p := ready(t, c)
			p.Primary()
			d.q.Until(t, "the banner", func() bool { return len(p.form.vault.Objects) > 0 })
			return p
		})
	})
	t.Run("form with faults", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
			p := ready(t, c)
			p.Primary()
			p.Primary()
			return p
		})
	})
	for name, kind := range map[string]app.Connection{"contoso-with-a-long-name": app.DPSConnection, "fabrikam": app.HubConnection} {
		text := hubString
		if kind == app.DPSConnection {
			text = dpsString + ";IDScope=0ne00ABCDEF"
		}
		if _, err := d.c.App.AddCloud(t.Context(), name, kind, secret.FromString(text)); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("filled", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
			p := ready(t, c)
			p.say(widgets.Good, "A message", "with a line")
			return p
		})
	})
}
