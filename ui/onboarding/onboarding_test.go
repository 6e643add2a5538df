package onboarding

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame/frametest"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/widgettest"
)

func TestMain(m *testing.M) {
	_ = os.Unsetenv("DBUS_SESSION_BUS_ADDRESS")
	_ = os.Unsetenv("XDG_RUNTIME_DIR")
	os.Exit(m.Run())
}

// ask opens the dialog for a root, in German and with large text, where things
// are cut first.
func ask(t *testing.T) (*Dialog, *frametest.Queue, func(string), *int) {
	t.Helper()
	if err := uilang.Use("de"); err != nil {
		t.Fatal(err)
	}
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light, TextScale: 150}))
	window := test.NewTempWindow(t, nil)
	window.Resize(fyne.NewSize(960, 720))
	c, q := frametest.Context(t, window, nil)
	config := frametest.Config(t)
	config.AskPassphrase = func(context.Context, bool) (secret.Value, error) {
		return secret.FromString("a passphrase of a test"), nil
	}
	a, err := app.New(c.Ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	c.App = a
	ca, err := a.MakeCertificate(t.Context(), app.NewCertificate{Profile: "root CA", CommonName: "Plant Root 7"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddCloud(t.Context(), "plant", app.HubConnection, secret.FromString("HostName=plant.example.test;SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0LWtleS1ieXRlcyEh")); err != nil {
		t.Fatal(err)
	}
	told := 0
	d, err := Ask(c, ca, func() { told++ })
	if err != nil {
		t.Fatal(err)
	}
	return d, q, func(what string) {
		t.Helper()
		q.Settle()
		if report := widgettest.Report(widgettest.ClippedText(window.Canvas())); report != "" {
			t.Errorf("%s:\n%s", what, report)
		}
	}, &told
}

func (d *Dialog) states() (states []widgets.StepState) {
	for _, stage := range d.stages {
		states = append(states, stage.State)
	}
	return states
}

func TestOneButtonDoesAll(t *testing.T) {
	d, q, check, told := ask(t)
	check("the question")
	if d.name.Text != "Plant-Root-7" {
		t.Errorf("the name is %q", d.name.Text)
	}
	d.name.SetText("not a name")
	d.start()
	if d.busy || len(d.stages) > 0 {
		t.Fatal("a name that no cloud takes was sent")
	}
	check("a wrong name")
	d.name.SetText("plant-root")
	d.c.SubmitDialog()
	q.Until(t, "the proof", func() bool { return *told == 1 })
	check("the end")
	for i, state := range d.states() {
		if state != widgets.StepDone {
			t.Errorf("stage %d is in state %d", i, state)
		}
	}
	cas, err := d.c.App.PracticeCAs(t.Context(), app.PracticeDPS)
	if err != nil || len(cas) != 1 || cas[0].Name != "plant-root" || !cas[0].Verified {
		t.Errorf("the cloud has %+v, %v", cas, err)
	}
	// Another CA may not take its place; the failed stage says so.
	other, err := d.c.App.MakeCertificate(t.Context(), app.NewCertificate{Profile: "root CA", CommonName: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	d.ca = other
	d.c.SubmitDialog() // brings the question back
	check("the question again")
	d.c.SubmitDialog()
	q.Until(t, "the refusal", func() bool { return !d.busy })
	check("the refusal")
	if d.stages[0].State != widgets.StepFailed || len(d.result.Objects) != 1 || *told != 1 {
		t.Errorf("stages %+v", d.stages)
	}
	if !d.c.DialogOpen() {
		t.Error("the dialog is closed")
	}
}

func TestACloudThatCannotBeWritten(t *testing.T) {
	d, q, check, told := ask(t)
	d.cloud.SetSelected("plant")
	check("the question with a code")
	for i, code := range []string{"", "ABC123"} {
		d.code.SetText(code)
		file := filepath.Join(t.TempDir(), "out.pem")
		d.start()
		entry, ok := d.c.Window.Canvas().Focused().(interface{ SetText(string) })
		if !ok {
			t.Fatal("the path has no focus")
		}
		entry.SetText(file)
		d.c.SubmitDialog()
		q.Until(t, "the file", func() bool { return *told == i+1 })
		check("what is left")
		d.c.SubmitDialog() // brings the question back
		check("the question with a code again")
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "BEGIN CERTIFICATE") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
