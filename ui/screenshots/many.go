package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui"
	"edgewright/ui/certificates"
	"edgewright/ui/frame"
	"edgewright/ui/provision"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// sealedFor is the bench identity of the pictures.
const sealedFor = "bench-1"

// bundles is where the batch of the pictures lies: always in the same place, unless
// somebody else draws at the same time.
var bundles string

func makeBundles() (err error) {
	bundles = filepath.Join(os.TempDir(), "line-8-bundles")
	if err = os.Mkdir(bundles, 0o700); os.IsExist(err) {
		bundles, err = os.MkdirTemp("", "line-8-bundles-")
	}
	return err
}

// mintSome makes a batch, once for all looks, so that there is one in the list and
// a bundle for the wizard.
func mintSome(ctx context.Context, a *app.App) error {
	if _, err := a.MakeBenchIdentity(ctx, sealedFor); err != nil {
		return err
	}
	rows, err := app.ReadMintRange("line-8-{01..12}", app.MintRow{EdgeCA: true, Group: "line-8"})
	if err != nil {
		return err
	}
	out, err := a.Mint(ctx, app.MintRequest{Rows: rows, CA: "Line 7 issuing", Recipient: sealedFor, Folder: bundles}, nil)
	if err == nil && out.Made != len(rows) {
		err = fmt.Errorf("the batch of the pictures: %+v", out)
	}
	return err
}

// entry types into the field whose example begins so.
func entry(window fyne.Window, example, text string) {
	for _, o := range everything(window) {
		if e, ok := o.(*widgets.Entry); ok && strings.HasPrefix(e.PlaceHolder, example) {
			e.SetText(text)
		}
	}
}

// choose takes an entry of the list that has it.
func choose(window fyne.Window, option string) {
	for _, o := range everything(window) {
		if s, ok := o.(*widgets.Select); ok {
			for _, offered := range s.Options {
				if offered == option {
					s.SetSelected(option)
				}
			}
		}
	}
}

// drawToken draws the place of a key in a token, on the form for a new one.
func drawToken(q *posts, window fyne.Window, draw func(string) error) error {
	choose(window, lang.X("keyplace.another", "Another token"))
	entry(window, "pkcs11:", "pkcs11:token=plant?module-path=/usr/lib/pkcs11/module.so")
	if err := pressed(q, window, lang.X("keyplace.look", "Open the token")); err != nil {
		return err
	}
	return draw("4-certificates-token")
}

// drawMany draws the batches, the form for another one and its end.
func drawMany(q *posts, window fyne.Window, studio *ui.Studio, draw func(string) error) error {
	studio.Open(frame.Place{Page: frame.Certificates, Tab: certificates.TabBatches})
	if err := q.rest(300 * time.Millisecond); err != nil {
		return err
	}
	if err := draw("4-certificates-batches"); err != nil {
		return err
	}
	if err := pressed(q, window, lang.X("mint.many", "Make many ...")); err != nil {
		return err
	}
	if err := q.rest(500 * time.Millisecond); err != nil {
		return err
	}
	choose(window, "Line 7 issuing")
	entry(window, "line-7-{", "line-7-{0001..0500}")
	if err := q.rest(800 * time.Millisecond); err != nil {
		return err
	}
	if err := draw("4-certificates-many"); err != nil {
		return err
	}
	entry(window, "line-7-{", "line-7-{0001..500}")
	if err := q.rest(800 * time.Millisecond); err != nil {
		return err
	}
	if err := draw("4-certificates-many-wrong"); err != nil {
		return err
	}
	studio.Open(frame.Place{Page: frame.Certificates}).Back()
	return q.rest(100 * time.Millisecond)
}

// drawX509 draws the fields of a certificate and a bundle, from the start.
func drawX509(q *posts, window fyne.Window, wizard *provision.Page, draw func(string) error) error {
	next := func(at int) error {
		wizard.Primary()
		return q.until(func() bool { return wizard.At() == at })
	}
	if err := pressed(q, window, lang.X("run.new", "Start over")); err != nil {
		return err
	}
	if err := next(1); err != nil {
		return err
	}
	for _, o := range everything(window) {
		if board, ok := o.(*widgets.Board); ok {
			board.Take(provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.X509}.String())
		}
	}
	if err := next(2); err != nil {
		return err
	}
	var by *widgets.ChoiceGroup // the last one asks for the enrollment
	for _, o := range everything(window) {
		if group, ok := o.(*widgets.ChoiceGroup); ok {
			by = group
		}
	}
	by.Choose(provisioning.GroupWord)
	by.OnChosen(provisioning.GroupWord)
	entry(window, "line-7", "line-7")
	if err := next(3); err != nil {
		return err
	}
	if err := draw("2-provision-x509"); err != nil {
		return err
	}
	for _, o := range everything(window) {
		if scroll, ok := o.(*layout.Scroller); ok {
			scroll.ScrollToBottom()
		}
	}
	if err := draw("2-provision-x509-key"); err != nil {
		return err
	}
	if err := drawMore(q, window, draw); err != nil {
		return err
	}
	wizard.Back()
	wizard.Back()
	if !wizard.Dropped([]string{filepath.Join(bundles, "line-8-01.edgewright")}) {
		return fmt.Errorf("the wizard takes no bundle")
	}
	if err := draw("2-provision-bundle"); err != nil {
		return err
	}
	wizard.Primary()
	if err := q.rest(500 * time.Millisecond); err != nil {
		return err
	}
	if err := draw("2-provision-bundle-open"); err != nil {
		return err
	}
	several := []string{}
	for _, name := range []string{"01", "02", "03", "04", "05"} {
		several = append(several, filepath.Join(bundles, "line-8-"+name+".edgewright"))
	}
	if !wizard.Dropped(several) {
		return fmt.Errorf("the wizard takes no bundles")
	}
	wizard.Primary()
	if err := q.rest(800 * time.Millisecond); err != nil {
		return err
	}
	return draw("2-provision-bundles")
}

// drawMore draws what is seldom said: an Edge CA of its own, and what is folded
// away.
func drawMore(q *posts, window fyne.Window, draw func(string) error) error {
	for _, o := range everything(window) {
		if box, ok := o.(*widgets.Check); ok && box.Text == lang.X("certificate.edge", "Give it an Edge CA of its own") {
			box.SetChecked(true)
		}
	}
	bottom := func() error {
		if err := q.rest(100 * time.Millisecond); err != nil {
			return err
		}
		for _, o := range everything(window) {
			if scroll, ok := o.(*layout.Scroller); ok {
				scroll.ScrollToBottom()
			}
		}
		return nil
	}
	if err := bottom(); err != nil {
		return err
	}
	if err := draw("2-provision-edge-ca"); err != nil {
		return err
	}
	if err := pressed(q, window, lang.X("more.fold", "Version, tags, trust bundle")); err != nil {
		return err
	}
	for _, o := range everything(window) {
		if e, ok := o.(*widgets.Entry); ok && e.MultiLine {
			e.SetText("line = 7\nsite = Ulm")
		}
	}
	if err := bottom(); err != nil {
		return err
	}
	return draw("2-provision-more")
}
