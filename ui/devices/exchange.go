package devices

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// say puts a passing message above the list, with what belongs to it; it stays
// until it is closed or the next one comes.
func (p *Page) say(state widgets.State, title, line string, below ...fyne.CanvasObject) {
	closer := widgets.NewIconButton(lang.X("action.close", "Close"), fynetheme.CancelIcon(), p.hush)
	p.notice.Objects = append([]fyne.CanvasObject{widgets.NewBanner(state, title, line, closer)}, below...)
	p.notice.Show()
	p.notice.Refresh()
	p.list.Refresh()
}

// hush takes the message away.
func (p *Page) hush() {
	p.notice.Objects = nil
	p.notice.Hide()
	p.list.Refresh()
}

// sayError says that something asked for did not happen.
func (p *Page) sayError(err error) {
	view := frame.View(err)
	var below []fyne.CanvasObject
	if view.Detail != view.Message {
		below = append(below, widgets.NewCard(widgets.NewFoldOut(lang.X("failure.details", "Details"), view.Kind, view.Detail)))
	}
	p.say(widgets.Bad, view.Message, view.Hint, below...)
}

// export asks for the format and the file.
func (p *Page) export() {
	var dialog *pick.Dialog
	format := widgets.NewSelect([]string{"CSV", "JSON"}, nil)
	format.SetSelectedIndex(0)
	ending := func() string { return "." + strings.ToLower(format.Selected) }
	format.OnChanged = func(string) {
		path := dialog.Path()
		dialog.SetPath(strings.TrimSuffix(path, filepath.Ext(path)) + ending())
	}
	dialog = pick.Ask(p.c, pick.Question{
		Title: lang.X("devices.export.title", "Export the catalog"),
		Line:  lang.X("devices.export.line", "All devices with their facts and plans. No secret is in it."),
		Label: lang.X("devices.export.label", "File"), Hint: lang.X("devices.export.hint", "it must not exist yet"),
		Path: pick.Home("edgewright-devices.csv"), Save: true,
		Above: widgets.NewField(lang.X("devices.export.format", "Format"), lang.X("devices.export.format.hint", "CSV opens in a spreadsheet; both can be imported again"), format),
		Act:   lang.X("devices.export.do", "Export"), Icon: fynetheme.DownloadIcon(), Check: pick.NewFile,
		Do: func(path string) {
			kind := strings.ToLower(format.Selected)
			frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, p.c.App.ExportDevicesTo(ctx, kind, path)
			}, func(_ struct{}, err error) {
				if err != nil {
					p.sayError(err)
					return
				}
				p.say(widgets.Good, lang.X("devices.exported", "The catalog is exported"), path)
			})
		},
	})
}

// importDevices asks for a file and takes its devices into the catalog.
func (p *Page) importDevices() {
	pick.Ask(p.c, pick.Question{
		Title: lang.X("devices.import.title", "Import devices"),
		Line:  lang.X("devices.import.line", "A file that Export wrote, or any CSV with a column device_id. Devices that are known already are updated; nothing else is touched."),
		Label: lang.X("devices.import.label", "CSV or JSON file"), Path: pick.Home("edgewright-devices.csv"),
		Act: lang.X("devices.import.do", "Import"), Icon: fynetheme.UploadIcon(), Check: pick.OldFile,
		Do: func(path string) {
			frame.Do(p.c, &frame.Task{}, func(ctx context.Context) (app.ImportResult, error) {
				file, err := os.Open(path)
				if err != nil {
					return app.ImportResult{}, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: lang.X("devices.import.unreadable", "The file cannot be read."), Hint: path, Err: err}
				}
				defer func() { _ = file.Close() }()
				return p.c.App.ImportDevices(ctx, file)
			}, p.imported)
		},
	})
}

// imported says what came in, and which rows were left out and why.
func (p *Page) imported(result app.ImportResult, err error) {
	if err != nil {
		p.sayError(err)
		return
	}
	p.readAll()
	p.c.Changed()
	title := lang.XN("devices.imported", "{{.N}} devices came in", result.Added+result.Updated, map[string]any{"N": result.Added + result.Updated})
	line := lang.X("devices.imported.line", "{{.Added}} new, {{.Updated}} updated, {{.Left}} rows left out.",
		map[string]any{"Added": result.Added, "Updated": result.Updated, "Left": len(result.Findings)})
	if len(result.Findings) == 0 {
		p.say(widgets.Good, title, line)
		return
	}
	var reasons []string
	for _, finding := range result.Findings {
		reasons = append(reasons, finding.Field+": "+frame.Finding(finding))
	}
	fold := widgets.NewFoldOut(lang.X("devices.leftout", "What was left out, and why"), "", strings.Join(reasons, "\n"))
	p.say(widgets.Care, title, line, widgets.NewCard(layout.Column(0, fold)))
}
