package certificates

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning/pki"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// placeFields ask where a new key goes: the vault, a PKCS #11 token that the
// catalog knows, or another one by its address. A token can be opened before
// anything is made in it.
type placeFields struct {
	p       *Page
	where   *widgets.Select
	address *widgets.Entry
	key     *widgets.Entry
	look    *widgets.Button
	state   *fyne.Container
	whereF  *widgets.Field
	inToken *fyne.Container // hidden for the vault
	another fyne.CanvasObject
	field   *widgets.Field
	tokens  []app.KnownToken
	// found is told the kind of a key that is in the token already, "" for a key
	// that will be made.
	found func(pki.Algorithm)
	task  frame.Task
}

func newPlaceFields(p *Page, found func(pki.Algorithm)) *placeFields {
	f := &placeFields{p: p, found: found}
	space := fynetheme.Size(theme.SizeNameSpace3)
	f.where = widgets.NewSelect(nil, func(string) { f.follow() })
	f.address, f.key = widgets.NewEntry(nil), widgets.NewEntry(nil)
	f.address.SetPlaceHolder("pkcs11:token=NAME?module-path=/usr/lib/…/module.so")
	f.address.OnChanged = func(string) { f.changed() }
	f.key.OnChanged = func(string) { f.changed() }
	f.field = widgets.NewField(lang.X("keyplace.address", "Address of the token"), lang.X("keyplace.address.hint", "RFC 7512: token or serial say which one, module-path names the file of its maker's module"), f.address)
	f.another = layout.Column(0, f.field)
	f.look = widgets.NewButton(widgets.Secondary, lang.X("keyplace.look", "Open the token"), theme.IconKey(), f.open)
	f.state = layout.Column(fynetheme.Size(theme.SizeNameSpace1))
	f.inToken = layout.Column(space, f.another,
		widgets.NewField(lang.X("keyplace.key", "Name of the key in it"), lang.X("keyplace.key.hint", "one that is there is taken; left empty, a new one is called like the certificate"), f.key),
		layout.Flow(0, f.look), f.state)
	f.whereF = widgets.NewField(lang.X("keyplace.where", "Place of the key"), "", f.where)
	f.inToken.Hide()
	return f
}

// offer lists the vault, the tokens that are known, and any other.
func (f *placeFields) offer(tokens []app.KnownToken) {
	f.tokens = tokens
	f.where.Options = []string{lang.X("keyplace.vault", "The vault")}
	for _, token := range tokens {
		f.where.Options = append(f.where.Options, lang.X("keyplace.token", "The token {{.Name}}", map[string]any{"Name": token.Name}))
	}
	f.where.Options = append(f.where.Options, lang.X("keyplace.another", "Another token"))
	f.where.SetSelectedIndex(0)
}

// follow shows the fields of the place that is chosen.
func (f *placeFields) follow() {
	at := f.where.SelectedIndex()
	show(f.inToken, at > 0)
	show(f.another, at > len(f.tokens))
	f.changed()
}

// changed makes what was said of the token void.
func (f *placeFields) changed() {
	f.task.Stop()
	f.look.Enable()
	f.field.SetError("")
	f.say()
}

func (f *placeFields) say(objects ...fyne.CanvasObject) {
	f.state.Objects = objects
	f.state.Refresh()
	f.inToken.Refresh()
	f.found("")
}

// place is where the key goes, as NewCertificate.Key has it; false where the
// address does not read, which its field says then.
func (f *placeFields) place() (string, bool) {
	at := f.where.SelectedIndex()
	if at <= 0 {
		return "", true
	}
	address := f.address.Text
	if at <= len(f.tokens) {
		address = f.tokens[at-1].Address
	}
	place, err := app.TokenKeyPlace(address, strings.TrimSpace(f.key.Text))
	if err != nil {
		f.field.SetError(errorLine(err))
		return "", false
	}
	return place, true
}

// open opens the token, for which its PIN is asked, and says how it is.
func (f *placeFields) open() {
	place, ok := f.place()
	if !ok {
		f.inToken.Refresh()
		f.p.c.Focus(f.address)
		return
	}
	f.look.Disable()
	f.say(widgets.NewText(lang.X("keyplace.opening", "Opening the token ..."), widgets.StyleMuted))
	frame.Do(f.p.c, &f.task, func(ctx context.Context) (app.TokenState, error) {
		return f.p.c.App.LookAtToken(ctx, place)
	}, func(state app.TokenState, err error) {
		f.look.Enable()
		if err != nil {
			view := frame.View(err)
			f.say(widgets.Remark(widgets.Bad, view.Message), widgets.NewText(view.Hint, widgets.StyleMuted))
			return
		}
		f.say(tokenLines(state)...)
		f.found(state.Key)
	})
}

// tokenLines say how an open token is, and what becomes of the key.
func tokenLines(s app.TokenState) []fyne.CanvasObject {
	its := map[string]any{"Name": s.Name, "Serial": s.Serial, "Maker": s.Maker, "Model": s.Model, "Key": s.Key.String()}
	lines := []fyne.CanvasObject{widgets.Remark(widgets.Good, lang.X("keyplace.open", "{{.Name}} is open: {{.Maker}} {{.Model}}, serial number {{.Serial}}.", its))}
	if s.CountLow {
		lines = append(lines, widgets.Remark(widgets.Care, lang.X("keyplace.low", "A wrong PIN was given for it before this one.")))
	}
	if s.Key != "" {
		return append(lines, widgets.Remark(widgets.Advice, lang.X("keyplace.there", "The key is there and is taken: {{.Key}}.", its)))
	}
	return append(lines, widgets.Remark(widgets.Advice, lang.X("keyplace.made", "The key will be made in it and never leaves it.")))
}
