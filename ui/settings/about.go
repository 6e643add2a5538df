package settings

import (
	"context"
	"runtime"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// backup makes copies of the catalog and brings them back.
func (p *Page) backup() fyne.CanvasObject {
	return widgets.NewTitledCard(lang.X("settings.backup", "Backup"),
		widgets.NewText(lang.X("settings.backup.line", "A backup is one file with the devices, the runs, the clouds and the sealed secrets. On another computer its secrets open with the passphrase only."), widgets.StyleBody),
		layout.Flow(fynetheme.Size(theme.SizeNameSpace2),
			widgets.NewButton(widgets.Secondary, lang.X("backup.make", "Make a backup ..."), fynetheme.DocumentSaveIcon(), p.makeBackup),
			widgets.NewButton(widgets.Secondary, lang.X("backup.restore", "Restore a backup ..."), fynetheme.HistoryIcon(), p.restoreBackup)))
}

func (p *Page) makeBackup() {
	pick.Ask(p.c, pick.Question{
		Title: lang.X("backup.make.title", "Make a backup"), Label: lang.X("backup.file", "File"), Hint: lang.X("devices.export.hint", "it must not exist yet"),
		Path: pick.Home("edgewright-" + time.Now().Format(time.DateOnly) + ".db"), Save: true,
		Act: lang.X("backup.make.do", "Make the backup"), Icon: fynetheme.DocumentSaveIcon(), Check: pick.NewFile,
		Do: func(path string) {
			p.do(func(ctx context.Context, a *app.App) error { return a.MakeBackup(ctx, path) }, func() {
				p.say(widgets.Good, lang.X("backup.made", "The backup is made"), path)
			})
		},
	})
}

// restoreBackup asks for the file, says what will be, and brings it back.
func (p *Page) restoreBackup() {
	pick.Ask(p.c, pick.Question{
		Title: lang.X("backup.restore.title", "Restore a backup"),
		Line:  lang.X("backup.restore.line", "The backup takes the place of the catalog. The catalog from now is kept beside it."),
		Label: lang.X("backup.file", "File"), Path: pick.Home("edgewright.db"),
		Act: lang.X("backup.go", "Go on"), Icon: fynetheme.HistoryIcon(), Check: pick.OldFile,
		Do: func(path string) {
			frame.Confirm(p.c, lang.X("backup.sure", "Replace the catalog by this backup?"),
				lang.X("backup.sure.line", "Devices, runs, clouds and secrets are those of {{.File}} afterwards; nothing happens on a device or in a cloud.", map[string]any{"File": path}),
				frame.Answer{Text: lang.X("backup.restore.do", "Replace the catalog"), Icon: fynetheme.HistoryIcon(), Kind: widgets.Danger, Do: func() { p.restore(path) }})
		},
	})
}

func (p *Page) restore(path string) {
	frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (string, error) { return p.c.App.RestoreBackup(ctx, path) }, func(kept string, err error) {
		p.Again()
		p.c.Changed()
		if err != nil {
			p.sayError(err)
			return
		}
		p.say(widgets.Good, lang.X("backup.restored", "The backup is restored"), lang.X("backup.restored.line", "The catalog from before is kept as {{.File}}.", map[string]any{"File": kept}))
	})
}

// parts are the works of others that the program is made with, and their
// licences (SPDX).
var parts = [][2]string{
	{"Fyne, oksvg, rasterx, image, fancyfs", "BSD-3-Clause"},
	{"systray, portal, knownhosts", "Apache-2.0"},
	{"GLFW and its Go binding", "Zlib, BSD-3-Clause"},
	{"Go, golang.org/x, uuid, fsnotify", "BSD-3-Clause"},
	{"godbus", "BSD-2-Clause"},
	{"go-text", "Unlicense or BSD-3-Clause"},
	{"SQLite", "public domain"},
	{"go-sqlite3, azcore, go-winio, go-toml, toml, ssh_config, go-keyring, wincred, go-i18n, go-locale, goldmark, uri, bild, gobmp, gl", "MIT"},
	{"resize", "ISC"},
	{"Noto Sans, Inter, DejaVu Sans Mono", "OFL-1.1, Bitstream Vera"},
	{"Emoji One", "MIT, CC-BY-4.0"},
}

// about says what this program is.
func (p *Page) about() fyne.CanvasObject {
	var lines strings.Builder
	for _, part := range parts {
		lines.WriteString(part[0] + "\n    " + part[1] + "\n")
	}
	title := layout.Row(fynetheme.Size(theme.SizeNameSpace3), layout.Middle,
		widgets.NewIcon(theme.IconMark(), theme.ColorNameAccent, theme.SizeNameIconLarge), layout.Grow(widgets.NewText("Edgewright", widgets.StyleSubtitle)))
	return widgets.NewTitledCard(lang.X("settings.about", "About"), title,
		widgets.NewText(lang.X("about.line", "Makes a machine an Azure IoT Edge device and proves that it connects."), widgets.StyleBody),
		widgets.Facts(
			widgets.Fact{Label: lang.X("about.version", "Version"), Value: p.c.App.Version() + " (" + runtime.GOOS + " " + runtime.GOARCH + ")", Copy: true},
			widgets.Fact{Label: lang.X("about.licence", "Licence"), Value: "MIT"}),
		widgets.NewFoldOut(lang.X("about.parts", "Made with"), lang.X("about.parts.line", "parts and their licences"), strings.TrimSpace(lines.String())))
}
