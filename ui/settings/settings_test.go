package settings

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning/secret"
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

const firstPassphrase = "the first passphrase"

// desk is the page in a window of the test driver.
type desk struct {
	*testing.T
	c       *frame.Context
	q       *frametest.Queue
	p       *Page
	config  app.Config
	applied int
	asked   []bool // what was asked for: a new passphrase or the one that is set
	answer  string
}

func sit(t *testing.T) *desk {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	d := &desk{T: t, answer: firstPassphrase}
	d.c, d.q = frametest.Context(t, nil, nil)
	d.c.Appearance = func() { d.applied++ }
	d.config = frametest.Config(t)
	d.config.AskPassphrase = func(_ context.Context, isNew bool) (secret.Value, error) {
		d.asked = append(d.asked, isNew)
		return secret.FromString(d.answer), nil
	}
	d.start()
	d.c = pagetest.Window(t, d.c, fyne.NewSize(964, 720))
	d.open()
	return d
}

// start opens the program on the data folder, as after a new start.
func (d *desk) start() {
	d.Helper()
	a, err := app.New(d.c.Ctx, d.config)
	if err != nil {
		d.Fatal(err)
	}
	d.Cleanup(func() { _ = a.Close() })
	d.c.App = a
}

func (d *desk) open() {
	d.Helper()
	d.p = New(d.c)
	pagetest.Open(d.c, d.q, d.p, frame.Place{})
	d.until("the vault", func() bool { return d.p.vault.known && d.p.secrets.known })
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

// write types into the field of that label.
func (d *desk) write(label, text string) {
	d.Helper()
	pagetest.Field(d.T, d.c, label).SetText(text)
}

// take takes an option of the drop-down of that label.
func (d *desk) take(options ...string) {
	d.Helper()
	taken := false
	pagetest.Each(d.c, func(o fyne.CanvasObject) {
		if s, ok := o.(*widgets.Select); ok && slices.Equal(s.Options, options) {
			taken = true
			s.SetSelected(options[len(options)-1])
		}
	})
	if !taken {
		d.Fatalf("there is no drop-down %v", options)
	}
}

func TestLookIsKeptAndApplied(t *testing.T) {
	d := sit(t)
	d.take("As the system", "Light", "Dark")
	if got := frame.LookOf(d.c.Preferences); got.Appearance != theme.Dark || d.applied != 1 {
		t.Errorf("after Dark the look is %+v, applied %d times", got, d.applied)
	}
	d.take("100 %", "110 %", "125 %", "150 %")
	if got := frame.LookOf(d.c.Preferences); got.TextScale != 150 || d.applied != 2 {
		t.Errorf("after 150 %% the look is %+v, applied %d times", got, d.applied)
	}
	d.take("As the system", "English", "Deutsch")
	if got := d.c.Preferences.String(frame.PreferenceLanguage); got != "de" || d.applied != 3 {
		t.Errorf("after Deutsch the language is %q, applied %d times", got, d.applied)
	}
	again := New(d.c)
	again.Content()
	if again.appearance.Selected != "Dark" {
		t.Errorf("a new page has %q chosen", again.appearance.Selected)
	}
}

func TestPageSaysWhereAndWhat(t *testing.T) {
	d := sit(t)
	for _, text := range []string{d.c.App.DataDir(), "catalog.db", "MIT", "test (", "practice only", "no credential store", "None yet."} {
		d.sees(text)
	}
}

func TestPassphraseIsSetChangedAndAskedFor(t *testing.T) {
	d := sit(t)
	pagetest.Press(t, d.c, "Set a passphrase ...")
	d.sees("A passphrase opens it")
	if len(d.asked) != 1 || !d.asked[0] {
		t.Fatalf("asked for %v, want a new passphrase once", d.asked)
	}
	if err := d.c.App.SetSecret(t.Context(), "kept", secret.FromString("hush")); err != nil {
		t.Fatal(err)
	}

	pagetest.Press(t, d.c, "Change the passphrase ...")
	d.write("New passphrase", "short")
	d.write("Once more", "short")
	pagetest.Press(t, d.c, "Set passphrase")
	if !pagetest.Sees(d.c, "too short") {
		t.Fatal("a short passphrase is taken")
	}
	d.write("New passphrase", "another passphrase")
	d.write("Once more", "another pasphrase")
	pagetest.Press(t, d.c, "Set passphrase")
	if !pagetest.Sees(d.c, "The two differ") {
		t.Fatal("two different passphrases are taken")
	}
	d.write("Once more", "another passphrase")
	pagetest.Press(t, d.c, "Set passphrase")
	d.sees("The passphrase is set")

	// After the next start only the new one opens the vault.
	if err := d.c.App.Close(); err != nil {
		t.Fatal(err)
	}
	d.start()
	d.asked = nil
	d.open()
	d.sees("locked")
	if len(d.asked) != 0 {
		t.Fatal("opening the page asks for the passphrase")
	}
	pagetest.Press(t, d.c, "Open the vault ...")
	d.sees("The passphrase does not open the vault.")
	d.answer = "another passphrase"
	pagetest.Press(t, d.c, "Open the vault ...")
	d.sees("The vault is open")
	if value, err := d.c.App.Secrets(t.Context()); err != nil || !slices.Equal(value, []string{"kept"}) {
		t.Errorf("the vault has %v, %v", value, err)
	}
}

func TestSecretsByName(t *testing.T) {
	d := sit(t)
	pagetest.Press(t, d.c, "Add a secret ...")
	d.write("Name", "not a name")
	d.write("Secret", "hush-hush")
	pagetest.Press(t, d.c, "Add")
	if !pagetest.Sees(d.c, "The name cannot be used") {
		t.Fatal("a name with spaces is taken")
	}
	d.write("Name", "line-7.key")
	d.write("Secret", "")
	pagetest.Press(t, d.c, "Add")
	if !pagetest.Sees(d.c, "The secret is missing") {
		t.Fatal("an empty secret is taken")
	}
	d.write("Secret", "hush-hush")
	pagetest.Press(t, d.c, "Add")
	d.sees("line-7.key is in the vault")
	d.until("the list", func() bool { return slices.Equal(d.p.secrets.names, []string{"line-7.key"}) })
	if pagetest.Sees(d.c, "hush-hush") {
		t.Error("the window shows the secret")
	}
	pagetest.Press(t, d.c, "Remove line-7.key ...")
	if !pagetest.Sees(d.c, "Remove the secret line-7.key?") {
		t.Fatal("nobody asks before a secret is removed")
	}
	pagetest.Press(t, d.c, "Remove line-7.key")
	d.until("it is gone", func() bool { return len(d.p.secrets.names) == 0 })
}

func TestBackupAndRestore(t *testing.T) {
	d := sit(t)
	device := `[{"device_id":"line-7-0042","hub_host":"h","state":"proven"}]`
	if _, err := d.c.App.ImportDevices(t.Context(), strings.NewReader(device)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "copy.db")
	pagetest.Press(t, d.c, "Make a backup ...")
	d.write("File", file)
	pagetest.Press(t, d.c, "Make the backup")
	d.sees("The backup is made")
	pagetest.Press(t, d.c, "Make a backup ...")
	d.write("File", file)
	pagetest.Press(t, d.c, "Make the backup")
	if !pagetest.Sees(d.c, "A file of that name is there") {
		t.Fatal("a backup takes the place of another file")
	}
	pagetest.Press(t, d.c, "Cancel")

	found, err := d.c.App.Device(t.Context(), "line-7-0042")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.c.App.ForgetDevice(t.Context(), found.UUID); err != nil {
		t.Fatal(err)
	}
	pagetest.Press(t, d.c, "Restore a backup ...")
	d.write("File", file)
	pagetest.Press(t, d.c, "Go on")
	if !pagetest.Sees(d.c, "Replace the catalog by this backup?") {
		t.Fatal("nobody asks before the catalog is replaced")
	}
	pagetest.Press(t, d.c, "Replace the catalog")
	d.sees("The backup is restored")
	if _, err := d.c.App.Device(t.Context(), "line-7-0042"); err != nil {
		t.Errorf("the device is not back: %v", err)
	}
}

func TestNothingIsClipped(t *testing.T) {
	d := sit(t)
	ready := func(t *testing.T, c *frame.Context) *Page {
		p := New(c)
		pagetest.Open(c, d.q, p, frame.Place{})
		d.q.Until(t, "the vault", func() bool { return p.vault.known && p.secrets.known })
		d.q.Settle()
		return p
	}
	t.Run("first", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page { return ready(t, c) })
	})
	for _, name := range []string{"line-7.key", "a-secret-with-a-name-of-just-sixty-four-characters-in-all-000001"} {
		if err := d.c.App.SetSecret(t.Context(), name, secret.FromString("x")); err != nil {
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
	t.Run("dialogs", func(t *testing.T) {
		pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
			p := ready(t, c)
			p.secrets.add()
			pagetest.Press(t, c, pagetest.Primary(c))
			return p
		})
	})
}
