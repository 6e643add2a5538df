// Package settings is the page of everything that is set once: how the window
// looks, where the data lies, the vault and its secrets, backups, and what this
// program is.
package settings

import (
	"context"
	"net/url"
	"path/filepath"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// textSizes are what can be chosen, in percent.
var textSizes = []int{100, 110, 125, 150}

// Page is the screen.
type Page struct {
	c          *frame.Context
	head       *widgets.PageHead
	notice     *fyne.Container
	appearance *widgets.Select
	vault      *vaultCard
	secrets    *secretsCard
	content    fyne.CanvasObject
}

// New makes the page; the vault is looked at when it is shown.
func New(c *frame.Context) *Page {
	p := &Page{c: c, notice: layout.Column(fynetheme.Size(theme.SizeNameSpace2))}
	p.notice.Hide()
	p.head = widgets.NewPageHead(lang.X("settings.title", "Settings"), lang.X("settings.line", "Every setting takes effect at once"))
	p.vault = newVaultCard(p)
	p.secrets = newSecretsCard(p)
	return p
}

// Content implements frame.Page.
func (p *Page) Content() fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace3)
	p.content = layout.Page(p.head, layout.VScroll(layout.Column(space, p.notice,
		layout.Grid(2, 360*theme.TextFactor(), space, p.look(), p.data()),
		layout.Grid(2, 360*theme.TextFactor(), space, p.vault.object, p.secrets.object),
		p.backup(), p.about())), nil)
	return p.content
}

// Show looks at the vault.
func (p *Page) Show(frame.Place) { p.Again() }

// Focus implements frame.Page.
func (p *Page) Focus() fyne.Focusable { return p.appearance }

// Primary does nothing: every setting takes effect at once.
func (p *Page) Primary() {}

// Back implements frame.Page.
func (p *Page) Back() bool { return false }

// Again implements frame.Page.
func (p *Page) Again() {
	p.vault.read()
	p.secrets.read()
}

// Help implements frame.Page.
func (p *Page) Help() string {
	return lang.X("settings.help", "Every setting takes effect at once. Secrets lie sealed in the vault: under the credential store of this computer, under a passphrase, or both. A backup holds the catalog and the sealed secrets.")
}

// look is how the window looks.
func (p *Page) look() fyne.CanvasObject {
	prefs := p.c.Preferences
	appearances := []string{frame.AppearanceSystem, frame.AppearanceLight, frame.AppearanceDark}
	p.appearance = choice([]string{lang.X("settings.system", "As the system"), lang.X("settings.light", "Light"), lang.X("settings.dark", "Dark")},
		index(appearances, prefs.StringWithFallback(frame.PreferenceAppearance, frame.AppearanceSystem)), func(i int) {
			prefs.SetString(frame.PreferenceAppearance, appearances[i])
			p.c.Appearance()
		})
	tags, names := []string{""}, []string{lang.X("settings.system", "As the system")}
	for _, language := range uilang.Languages() {
		tags, names = append(tags, language.Tag), append(names, language.Name)
	}
	language := choice(names, index(tags, prefs.String(frame.PreferenceLanguage)), func(i int) {
		prefs.SetString(frame.PreferenceLanguage, tags[i])
		p.c.Appearance()
	})
	var sizes []string
	var percents []string
	for _, size := range textSizes {
		percents = append(percents, strconv.Itoa(size))
		sizes = append(sizes, strconv.Itoa(size)+" %")
	}
	size := choice(sizes, index(percents, strconv.Itoa(prefs.IntWithFallback(frame.PreferenceTextScale, theme.SmallestTextScale))), func(i int) {
		prefs.SetInt(frame.PreferenceTextScale, textSizes[i])
		p.c.Appearance()
	})
	return widgets.NewTitledCard(lang.X("settings.look", "Appearance"),
		widgets.NewField(lang.X("settings.colours", "Light or dark"), "", p.appearance),
		widgets.NewField(lang.X("settings.language", "Language"), lang.X("settings.language.hint", "takes effect at once; a wizard that is under way keeps its own"), language),
		widgets.NewField(lang.X("settings.size", "Size of text"), "", size))
}

// choice is a drop-down that tells the index of what the person takes.
func choice(options []string, at int, taken func(int)) *widgets.Select {
	s := widgets.NewSelect(options, nil)
	s.SetSelectedIndex(at)
	s.OnChanged = func(string) { taken(s.SelectedIndex()) }
	return s
}

// index finds a value, or gives the first place.
func index(values []string, wanted string) int {
	for i, value := range values {
		if value == wanted {
			return i
		}
	}
	return 0
}

// data is where everything lies.
func (p *Page) data() fyne.CanvasObject {
	dir := p.c.App.DataDir()
	open := widgets.NewButton(widgets.Secondary, lang.X("settings.open", "Open the folder"), fynetheme.FolderOpenIcon(), func() {
		folder := &url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}
		if err := fyne.CurrentApp().OpenURL(folder); err != nil {
			p.sayError(err)
		}
	})
	return widgets.NewTitledCard(lang.X("settings.data", "Data folder"),
		widgets.NewText(lang.X("settings.data.line", "Catalog, practice cloud, known host keys and sealed secrets. Another folder is taken with --data at the start."), widgets.StyleMuted),
		widgets.Facts(
			widgets.Fact{Label: lang.X("settings.folder", "Folder"), Value: dir, Mono: true, Copy: true},
			widgets.Fact{Label: lang.X("settings.catalog", "Catalog"), Value: filepath.Join(dir, "catalog.db"), Mono: true},
			widgets.Fact{Label: lang.X("settings.practice", "Practice cloud"), Value: filepath.Join(dir, "practice"), Mono: true}),
		layout.Flow(0, open))
}

// say puts a message above the page until it is closed or the next one comes.
func (p *Page) say(state widgets.State, title, line string) {
	closer := widgets.NewIconButton(lang.X("action.close", "Close"), fynetheme.CancelIcon(), func() {
		p.notice.Objects = nil
		p.notice.Hide()
		p.content.Refresh()
	})
	p.notice.Objects = []fyne.CanvasObject{widgets.NewBanner(state, title, line, closer)}
	p.notice.Show()
	p.notice.Refresh()
	p.content.Refresh()
}

// sayError says that something asked for did not happen; a question that the
// person closed is no error.
func (p *Page) sayError(err error) {
	view := frame.View(err)
	p.say(widgets.Bad, view.Message, view.Hint)
}

// do runs something that has no result but an error, and says how it ended.
func (p *Page) do(work func(ctx context.Context, a *app.App) error, done func()) {
	frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (struct{}, error) { return struct{}{}, work(ctx, p.c.App) }, func(_ struct{}, err error) {
		if err != nil {
			p.sayError(err)
		} else {
			done()
		}
		p.Again()
	})
}
