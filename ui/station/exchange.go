package station

import (
	"context"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning/finding"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// export asks for the form, for a signature and for the file.
func (k *Keys) export() {
	var dialog *pick.Dialog
	format := widgets.NewSelect([]string{"CSV", "JSON"}, nil)
	format.SetSelectedIndex(0)
	format.OnChanged = func(string) {
		path := dialog.Path()
		dialog.SetPath(strings.TrimSuffix(path, filepath.Ext(path)) + "." + strings.ToLower(format.Selected))
	}
	sign := widgets.NewCheck(lang.X("keys.sign", "Sign it with this station's key"), nil)
	sign.SetChecked(true)
	query := k.query
	dialog = pick.Ask(k.h.C, pick.Question{
		Title: lang.X("keys.export.title", "Export endorsement keys"),
		Line:  lang.X("keys.export.line", "The keys that the search leaves, for enrolment elsewhere. No secret is in the list. The signature is over the cells: a spreadsheet may save the list in its own way, and a changed cell is refused. That of a CSV list lies beside it, in a file that ends in .sig."),
		Above: layout.Column(fynetheme.Size(theme.SizeNameSpace3), widgets.NewField(lang.X("devices.export.format", "Format"), "", format), sign),
		Label: lang.X("devices.export.label", "File"), Hint: lang.X("devices.export.hint", "it must not exist yet"),
		Path: pick.Home("endorsement-keys.csv"), Save: true, Act: lang.X("devices.export.do", "Export"), Icon: fynetheme.DownloadIcon(), Check: pick.NewFile,
		Do: func(path string) {
			request := app.KeyExport{File: path, Format: strings.ToLower(format.Selected), Sign: sign.Checked, Query: query}
			frame.Do(k.h.C, &frame.Task{}, func(ctx context.Context) (app.ExportedKeys, error) { return k.h.C.App.ExportKeys(ctx, request) }, k.exported)
		},
	})
}

func (k *Keys) exported(out app.ExportedKeys, err error) {
	if err != nil {
		k.h.sayError(err)
		return
	}
	title := lang.XN("keys.exported", "{{.N}} keys are exported", out.Keys, map[string]any{"N": out.Keys})
	if out.Station == nil {
		k.h.Say(widgets.Care, title, lang.X("keys.exported.unsigned", "{{.File}}. It is not signed: whoever imports it cannot tell whether it was changed.", map[string]any{"File": out.File}))
		return
	}
	k.h.Say(widgets.Good, title, out.File, widgets.NewCard(widgets.Facts(
		widgets.Fact{Label: lang.X("keys.fingerprint", "Fingerprint of this station"), Value: out.Station.Fingerprint, Mono: true, Copy: true},
		widgets.Fact{Label: lang.X("keys.fingerprint.why", "What for"), Value: lang.X("keys.fingerprint.line", "Who imports the list is asked once whether it is this one: tell them on another way than the list takes.")})))
}

// importList asks for a list and takes its keys into the catalog.
func (k *Keys) importList() {
	pick.Ask(k.h.C, pick.Question{
		Title: lang.X("keys.import.title", "Import endorsement keys"),
		Line:  lang.X("keys.import.line", "A list that a station exported, or any CSV with a column endorsement_key. Keep the .sig file of a CSV list beside it. Nothing is enrolled."),
		Label: lang.X("devices.import.label", "CSV or JSON file"), Path: pick.Home("endorsement-keys.csv"),
		Act: lang.X("devices.import.do", "Import"), Icon: fynetheme.UploadIcon(), Check: pick.OldFile,
		Do: func(path string) {
			frame.Do(k.h.C, &frame.Task{}, func(ctx context.Context) (app.ImportedKeys, error) {
				return k.h.C.App.ImportKeys(ctx, path, app.KeyTrust{Ask: func(key app.StationKey) bool { return k.askStation(ctx, key) }})
			}, k.imported)
		},
	})
}

// askStation asks a person about a station that signed a list and is not known. It
// is called off the screen's thread and waits there.
func (k *Keys) askStation(ctx context.Context, key app.StationKey) bool {
	said := make(chan bool, 1)
	k.h.C.Post(func() {
		body := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
			widgets.NewText(lang.X("keys.station.line", "The list is signed by station {{.Station}}, which was not seen here before. Compare this fingerprint with the one that the station showed when it exported.", map[string]any{"Station": key.Station}), widgets.StyleBody),
			widgets.NewText(key.Fingerprint, widgets.StyleMono))
		frame.NewDialog(k.h.C, lang.X("keys.station.title", "Is this the station's key?"), body, func() { said <- false },
			frame.Answer{Text: lang.X("keys.station.no", "Not this one"), Do: func() { said <- false }},
			frame.Answer{Text: lang.X("keys.station.yes", "Accept and remember"), Kind: widgets.Primary, Do: func() { said <- true }}).Show(nil)
	})
	select {
	case yes := <-said:
		return yes
	case <-ctx.Done():
		return false
	}
}

// imported says what came in, and which rows were left out and why.
func (k *Keys) imported(in app.ImportedKeys, err error) {
	if err != nil {
		k.h.sayError(err)
		return
	}
	k.Read()
	title := lang.XN("keys.imported", "{{.N}} keys came in", in.Added, map[string]any{"N": in.Added})
	line := lang.X("keys.imported.line", "{{.Known}} were known already, {{.Left}} rows were left out.", map[string]any{"Known": in.Known, "Left": len(in.Refused)})
	state := widgets.Good
	if in.Station != nil {
		line += " " + lang.X("keys.imported.signed", "Signed by station {{.Station}}.", map[string]any{"Station": in.Station.Station})
	} else {
		state, line = widgets.Care, line+" "+lang.X("keys.imported.unsigned", "The list is not signed.")
	}
	if len(in.Refused) == 0 {
		k.h.Say(state, title, line)
		return
	}
	k.h.Say(widgets.Care, title, line, widgets.NewCard(widgets.NewFoldOut(lang.X("devices.leftout", "What was left out, and why"), "", reasons(in.Refused))))
}

func reasons(found finding.List) string {
	var lines []string
	for _, f := range found {
		lines = append(lines, f.Field+": "+frame.Finding(f))
	}
	return strings.Join(lines, "\n")
}
