package certificates

import (
	"context"
	"fmt"
	"os"
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
)

func TestMain(m *testing.M) {
	// Without a session bus there is no credential store, on any machine.
	_ = os.Unsetenv("DBUS_SESSION_BUS_ADDRESS")
	_ = os.Unsetenv("XDG_RUNTIME_DIR")
	if len(os.Args) == 2 && os.Args[1] == tokenArgument {
		if err := app.ServeTokenHelper(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if err := uilang.Use("en"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// desk is the page in a window of the test driver, on a data folder whose vault
// gets a passphrase when it asks.
type desk struct {
	*testing.T
	c    *frame.Context
	q    *frametest.Queue
	p    *Page
	went []frame.Place
}

func sit(t *testing.T) *desk {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	d := &desk{T: t}
	d.c, d.q = frametest.Context(t, nil, func(place frame.Place) { d.went = append(d.went, place) })
	config := frametest.Config(t)
	config.AskPassphrase = func(context.Context, bool) (secret.Value, error) {
		return secret.FromString("a passphrase of a test"), nil
	}
	a, err := app.New(d.c.Ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	d.c.App = a
	return d
}

// open opens the page in the first window.
func (d *desk) open() {
	d.Helper()
	d.c = pagetest.Window(d.T, d.c, fyne.NewSize(964, 720))
	d.p = New(d.c)
	pagetest.Open(d.c, d.q, d.p, frame.Place{})
	d.until("the certificates", func() bool { return d.p.tree.known })
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

func (d *desk) key(names ...fyne.KeyName) {
	d.Helper()
	for _, name := range names {
		d.c.Window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: name})
		d.q.Settle()
	}
}

// makes makes a certificate without the window.
func (d *desk) makes(profile, commonName, ca string) app.CertificateView {
	d.Helper()
	view, err := d.c.App.MakeCertificate(d.Context(), app.NewCertificate{Profile: profile, CommonName: commonName, CA: ca})
	if err != nil {
		d.Fatal(err)
	}
	return view
}

// plant makes a root, a CA under it and devices under that.
func (d *desk) plant(devices int) (leaf app.CertificateView) {
	d.Helper()
	d.makes("root CA", "Plant Root 2026", "")
	d.makes("intermediate CA", "Line 7 issuing", "Plant Root 2026")
	for i := range devices {
		leaf = d.makes("device identity", fmt.Sprintf("line-7-%04d", i+1), "Line 7 issuing")
	}
	return leaf
}

// titles are the titles of the tree's rows, with their depth as points.
func (d *desk) titles() string {
	var all []string
	for _, row := range d.p.tree.list.Rows() {
		title := strings.Repeat(".", row.Depth) + row.Title
		if row.Muted {
			title = "(" + title + ")"
		}
		all = append(all, title)
	}
	return strings.Join(all, " ")
}

func (d *desk) wantTitles(want string) {
	d.Helper()
	d.q.Settle()
	d.until("the rows "+want, func() bool { return d.titles() == want })
}

func TestTreeOpensByKeys(t *testing.T) {
	d := sit(t)
	d.plant(2)
	d.open()
	d.wantTitles("Plant Root 2026")
	d.sees("No certificate is chosen")
	d.c.Window.Canvas().Focus(d.p.tree.list)
	d.key(fyne.KeyDown, fyne.KeyRight)
	d.wantTitles("Plant Root 2026 .Line 7 issuing")
	d.key(fyne.KeyRight, fyne.KeyRight)
	d.wantTitles("Plant Root 2026 .Line 7 issuing ..line-7-0001 ..line-7-0002")
	d.key(fyne.KeyRight)
	d.sees("a device that proves who it is to DPS and the hub")
	d.sees("Line 7 issuing, below Plant Root 2026")
	d.key(fyne.KeyLeft, fyne.KeyLeft)
	d.wantTitles("Plant Root 2026 .Line 7 issuing")
	d.sees("signing device identities and Edge CAs")
}

// A branch with more certificates than one portion is read as it is wanted.
func TestBranchIsReadInPortions(t *testing.T) {
	f := newForest()
	page := func(from, n, of int) (p app.CertificatePage) {
		for i := range n {
			node := app.CertificateNode{}
			node.ID, node.Subject = fmt.Sprint(from+i), fmt.Sprint("device ", from+i)
			p.Nodes = append(p.Nodes, node)
		}
		p.Of = of
		return p
	}
	f.put("", 0, page(0, portion, 200_000))
	rows := f.rows(testNow)
	if last := rows[len(rows)-1]; len(rows) != portion+1 || !last.More || last.Title != "199800 more" {
		t.Fatalf("%d rows, the last is %+v", len(rows), last)
	}
	f.put("", portion, page(portion, portion, 200_000))
	if rows = f.rows(testNow); len(rows) != 2*portion+1 || rows[portion].Title != "device 200" {
		t.Errorf("%d rows, the second portion begins with %+v", len(rows), rows[portion])
	}
}

func TestSearchFindsUnderIssuers(t *testing.T) {
	d := sit(t)
	leaf := d.plant(3)
	d.open()
	d.p.tree.search.SetText("0003")
	d.wantTitles("(Plant Root 2026) (.Line 7 issuing) ..line-7-0003")
	d.p.tree.search.SetText(leaf.SHA1)
	d.wantTitles("(Plant Root 2026) (.Line 7 issuing) ..line-7-0003")
	d.c.Window.Canvas().Focus(d.p.tree.search)
	d.key(fyne.KeyReturn)
	d.sees(leaf.SHA256)
	d.p.tree.search.SetText("nowhere")
	d.sees("No certificate fits")
	if !d.p.Back() {
		t.Error("Escape does not take the search back")
	}
	d.wantTitles("Plant Root 2026")
}

func TestPlaceOpensACertificate(t *testing.T) {
	d := sit(t)
	leaf := d.plant(1)
	d.open()
	d.p.Show(frame.Place{Certificate: leaf.ID})
	d.wantTitles("Plant Root 2026 .Line 7 issuing ..line-7-0001")
	d.sees(leaf.SHA256)
	if d.p.tree.list.Selected() != leaf.ID {
		t.Error("it is not selected")
	}
}

// In a narrow window the certificate takes the place of the tree, and Escape
// gives it back.
func TestNarrowWindowShowsOneOfBoth(t *testing.T) {
	d := sit(t)
	leaf := d.plant(1)
	d.c = pagetest.Window(t, d.c, fyne.NewSize(600, 560))
	d.p = New(d.c)
	pagetest.Open(d.c, d.q, d.p, frame.Place{Certificate: leaf.ID})
	d.sees(leaf.SHA256)
	d.sees("Back to the tree")
	if pagetest.Sees(d.c, "Plant Root 2026root CA") {
		t.Error("the tree is still there")
	}
	if !d.p.Back() {
		t.Fatal("Escape does not go back")
	}
	d.sees("root CA, key in the vault")
	if pagetest.Sees(d.c, leaf.SHA256) {
		t.Error("the certificate is still there")
	}
}

func TestFileIsImported(t *testing.T) {
	d := sit(t)
	d.open()
	d.sees("No certificate yet")
	other := sit(t)
	other.plant(1)
	leaf, err := other.c.App.Certificates(t.Context(), "line-7-0001")
	if err != nil {
		t.Fatal(err)
	}
	pfx, err := other.c.App.ExportCertificate(t.Context(), leaf[0].ID, app.ExportPFX, true, secret.FromString("a passphrase"))
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/line.pfx"
	if err := os.WriteFile(file, pfx, 0o600); err != nil {
		t.Fatal(err)
	}
	pagetest.Press(t, d.c, "Import ...")
	pagetest.Field(t, d.c, "File").SetText(file)
	pagetest.Press(t, d.c, "Import")
	d.sees("Nothing came in")
	d.sees("passphrase")
	pagetest.Press(t, d.c, "Import ...")
	pagetest.Field(t, d.c, "Passphrase").SetText("a passphrase")
	pagetest.Field(t, d.c, "File").SetText(file)
	pagetest.Press(t, d.c, "Import")
	d.sees("3 certificates came in")
	d.wantTitles("Plant Root 2026 .Line 7 issuing ..line-7-0001")
	d.sees("EC P-256, key in the vault")
}

func TestEverywhere(t *testing.T) {
	d := sit(t)
	leaf := d.plant(3)
	pagetest.Everywhere(t, d.c, func(t *testing.T, c *frame.Context) frame.Page {
		p := New(c)
		pagetest.Open(c, d.q, p, frame.Place{Certificate: leaf.ID})
		d.q.Until(t, "the certificate", func() bool { return p.tree.shown != nil && len(p.tree.list.Rows()) == 5 })
		d.q.Settle()
		return p
	})
}
