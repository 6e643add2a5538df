package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/ui"
	"edgewright/ui/devices"
	"edgewright/ui/frame"
	"edgewright/ui/widgets"
)

// stationDevices are the practice devices whose software TPMs are read.
var stationDevices = []string{"press-1", "press-2", "press-3"}

// fillStation gives practice devices software TPMs, and the catalog keys that came
// with the list of another station. It needs swtpm.
func fillStation(ctx context.Context, config app.Config, dir string) error {
	a, err := app.New(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	for _, name := range stationDevices {
		if err := a.SwitchSoftwareTPM(ctx, name, true); err != nil {
			return err
		}
	}
	other, err := app.New(ctx, app.Config{DataDir: filepath.Join(dir, "other"), StateDir: filepath.Join(dir, "other-state"), Version: config.Version,
		PassphraseFile: config.PassphraseFile, Now: func() time.Time { return time.Now().AddDate(0, 0, -2) }})
	if err != nil {
		return err
	}
	defer func() { _ = other.Close() }()
	var request app.CollectRequest
	for i := range 5 {
		name := fmt.Sprintf("line-9-%04d", i+1)
		if err := other.SwitchSoftwareTPM(ctx, name, true); err != nil {
			return err
		}
		request.Targets = append(request.Targets, app.CollectTarget{Target: app.PracticeTarget(name), Device: name})
	}
	if out, err := other.Collect(ctx, request, nil); err != nil || out.Failed > 0 {
		return fmt.Errorf("collect keys for the pictures: %+v, %w", out, err)
	}
	list, err := other.ExportKeys(ctx, app.KeyExport{File: filepath.Join(dir, "keys.json"), Format: "json", Sign: true})
	if err != nil {
		return err
	}
	_, err = a.ImportKeys(ctx, list.File, app.KeyTrust{Fingerprint: list.Station.Fingerprint})
	return err
}

// drawStation draws the station before and after collecting, a key, and the forms.
func drawStation(q *posts, window fyne.Window, studio *ui.Studio, draw func(string) error) error {
	page := func(tab, name string) error {
		studio.Open(frame.Place{Page: frame.Devices, Tab: tab})
		if err := q.rest(400 * time.Millisecond); err != nil {
			return err
		}
		return draw("3-devices-tpm-" + name)
	}
	front := studio.Open(frame.Place{Page: frame.Devices, Tab: devices.TabStation})
	for _, name := range append(stationDevices, "press-9") {
		for _, o := range everything(window) {
			if entry, ok := o.(*widgets.Entry); ok && strings.HasPrefix(entry.PlaceHolder, "pi@") {
				entry.SetText(app.PracticeTarget(name))
				entry.OnSubmitted(entry.Text)
			}
		}
	}
	if err := page(devices.TabStation, "station"); err != nil {
		return err
	}
	front.Primary()
	ended := false
	if err := q.until(func() bool {
		texts := 0
		for _, o := range everything(window) {
			if button, ok := o.(*widgets.Button); ok && button.Text == lang.X("station.collect", "Collect") && !button.Disabled() {
				texts++
			}
		}
		ended = texts > 0
		return ended
	}); err != nil {
		return err
	}
	for _, o := range everything(window) {
		if table, ok := o.(*widgets.DataTable); ok {
			table.Select(app.PracticeTarget("press-9") + " ")
			table.OnOpened(app.PracticeTarget("press-9") + " ")
		}
	}
	if err := q.rest(300 * time.Millisecond); err != nil {
		return err
	}
	if err := draw("3-devices-tpm-collected"); err != nil {
		return err
	}
	if err := page(devices.TabKeys, "keys"); err != nil {
		return err
	}
	for _, o := range everything(window) {
		if table, ok := o.(*widgets.DataTable); ok {
			table.OnOpened(studioKey(studio))
		}
	}
	if err := q.rest(300 * time.Millisecond); err != nil {
		return err
	}
	if err := draw("3-devices-tpm-key"); err != nil {
		return err
	}
	for _, step := range []struct{ name, text string }{{"export", lang.X("keys.export", "Export ...")}, {"enrol", lang.X("keys.enrol", "Enrol ...")}} {
		if err := pressed(q, window, step.text); err != nil {
			return err
		}
		if err := draw("3-devices-tpm-" + step.name); err != nil {
			return err
		}
		closeDialog(window)
	}
	studio.Open(frame.Place{Page: frame.Devices, Tab: devices.TabCatalog})
	return q.rest(100 * time.Millisecond)
}

// studioKey is the key that was read last.
func studioKey(studio *ui.Studio) string {
	keys, err := studio.App().CollectedKeys(context.Background(), app.TPMKeyQuery{Limit: 1})
	if err != nil || len(keys) == 0 {
		return ""
	}
	return keys[0].ID
}
