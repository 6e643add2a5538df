package settings

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// vaultCard says how far the vault is open, and sets its passphrase.
type vaultCard struct {
	p      *Page
	object *widgets.Card
	load   frame.Task
	view   app.VaultView
	known  bool
}

func newVaultCard(p *Page) *vaultCard {
	v := &vaultCard{p: p}
	v.object = widgets.NewCard(widgets.SectionTitle(lang.X("settings.vault", "Vault")))
	return v
}

func (v *vaultCard) read() {
	frame.Do(v.p.c, &v.load, v.p.c.App.VaultState, func(view app.VaultView, err error) {
		if err != nil {
			v.p.sayError(err)
			return
		}
		v.view, v.known = view, true
		v.show()
	})
}

// show says the state in one sentence and offers what can be done about it.
func (v *vaultCard) show() {
	status := widgets.Status{State: widgets.Good, Word: lang.X("vault.state.open", "open")}
	line := lang.X("vault.state.open.line", "The credential store of this computer opens it. With a passphrase as well, a backup can be opened elsewhere.")
	text, do := lang.X("vault.setnow", "Set a passphrase ..."), v.set
	switch {
	case v.view.State == app.VaultLocked:
		status = widgets.Status{State: widgets.Care, Word: lang.X("vault.state.locked", "locked")}
		line = lang.X("vault.state.locked.line", "It opens with its passphrase, when a secret is needed.")
		text, do = lang.X("vault.opennow", "Open the vault ..."), v.unlock
	case v.view.State == app.VaultPracticeOnly:
		status = widgets.Status{State: widgets.Care, Word: lang.X("vault.state.practice", "practice only")}
		line = lang.X("vault.state.practice.line", "This computer has no credential store. Until a passphrase is set, only secrets of the practice cloud can be kept, under a key file of yours.")
		do = v.unlock
	case v.view.Passphrase:
		line = lang.X("vault.state.pass.line", "A passphrase opens it; without it the secrets are lost.")
		text = lang.X("vault.change", "Change the passphrase ...")
	}
	v.object.SetObjects(
		layout.Flow(fynetheme.Size(theme.SizeNameSpace3), widgets.SectionTitle(lang.X("settings.vault", "Vault")), widgets.NewPill(status.State, status.Word)),
		widgets.NewText(line, widgets.StyleBody),
		layout.Flow(0, widgets.NewButton(widgets.Secondary, text, theme.IconLock(), do)))
}

// unlock asks as storing a secret would: for the passphrase, or for a new one.
func (v *vaultCard) unlock() {
	v.p.do(func(ctx context.Context, a *app.App) error { return a.UnlockVault(ctx) }, func() {
		v.p.say(widgets.Good, lang.X("vault.isopen", "The vault is open"), "")
	})
}

// set asks for a new passphrase, twice.
func (v *vaultCard) set() {
	c := v.p.c
	one, two := widgets.NewSecretField(""), widgets.NewSecretField("")
	first := widgets.NewField(lang.X("vault.new.label", "New passphrase"), lang.X("vault.new.hint", "8 characters or more; it cannot be brought back"), one)
	again := widgets.NewField(lang.X("vault.again", "Once more"), "", two)
	var dialog *frame.Dialog
	agree := func() {
		first.SetError("")
		again.SetError("")
		value := one.Value()
		switch {
		case len([]rune(value.RevealString())) < app.ShortestPassphrase:
			first.SetError(lang.X("vault.short", "The passphrase is too short. Use 8 characters or more."))
			one.Focus()
		case !value.Equal(two.Value()):
			again.SetError(lang.X("vault.differ", "The two differ. Type the same twice."))
			two.Focus()
		default:
			dialog.End(func() {
				v.p.do(func(ctx context.Context, a *app.App) error { return a.SetPassphrase(ctx, value) }, func() {
					v.p.say(widgets.Good, lang.X("vault.isset", "The passphrase is set"), lang.X("vault.isset.line", "A backup from before keeps the one from before."))
				})
			})
			return
		}
		dialog.Fit()
	}
	one.OnSubmitted, two.OnSubmitted = two.Focus, agree
	title := lang.X("vault.set.title", "Set a passphrase")
	if v.view.Passphrase {
		title = lang.X("vault.change.title", "Change the passphrase")
	}
	body := layout.Column(fynetheme.Size(theme.SizeNameSpace3), widgets.NewText(lang.X("vault.set.line", "Every secret stays as it is; only the key that opens them is sealed anew."), widgets.StyleBody), first, again)
	dialog = frame.NewDialog(c, title, body, nil, frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: lang.X("vault.set", "Set passphrase"), Kind: widgets.Primary, Do: agree, Stay: true})
	dialog.Show(widgets.FirstFocus(one))
}

// secretsCard lists the secrets that plans refer to, by name.
type secretsCard struct {
	p      *Page
	object *widgets.Card
	load   frame.Task
	names  []string
	known  bool
}

func newSecretsCard(p *Page) *secretsCard {
	return &secretsCard{p: p, object: widgets.NewCard(widgets.SectionTitle(lang.X("settings.secrets", "Secrets")))}
}

func (s *secretsCard) read() {
	frame.Do(s.p.c, &s.load, s.p.c.App.Secrets, func(names []string, err error) {
		if err != nil {
			s.p.sayError(err)
			return
		}
		s.names, s.known = names, true
		s.show()
	})
}

func (s *secretsCard) show() {
	space := fynetheme.Size(theme.SizeNameSpace2)
	parts := []fyne.CanvasObject{widgets.SectionTitle(lang.X("settings.secrets", "Secrets")),
		widgets.NewText(lang.X("secrets.line", "A plan refers to one as vault:NAME. Nothing here shows what they hold."), widgets.StyleMuted)}
	for _, name := range s.names {
		parts = append(parts, layout.Row(space, layout.Middle, layout.Grow(widgets.NewText(name, widgets.StyleMono)),
			widgets.NewIconButton(lang.X("secrets.remove", "Remove {{.Name}} ...", map[string]any{"Name": name}), fynetheme.DeleteIcon(), func() { s.remove(name) })))
	}
	if len(s.names) == 0 {
		parts = append(parts, widgets.NewText(lang.X("secrets.none", "None yet."), widgets.StyleBody))
	}
	parts = append(parts, layout.Flow(0, widgets.NewButton(widgets.Secondary, lang.X("secrets.add", "Add a secret ..."), fynetheme.ContentAddIcon(), s.add)))
	s.object.SetObjects(parts...)
}

// add asks for a name and a value.
func (s *secretsCard) add() {
	c := s.p.c
	name := widgets.NewEntry(nil)
	value := widgets.NewSecretField("")
	named := widgets.NewField(lang.X("secrets.name", "Name"), lang.X("secrets.name.hint", "letters, digits, dots, dashes and underscores; a secret of that name is replaced"), name)
	valued := widgets.NewField(lang.X("secrets.value", "Secret"), lang.X("secrets.value.hint", "it is sealed in the vault and never shown again"), value)
	var dialog *frame.Dialog
	agree := func() {
		named.SetError("")
		valued.SetError("")
		switch {
		case app.CheckSecretName(name.Text) != nil:
			named.SetError(lang.X("secrets.badname", "The name cannot be used. Use 1 to 64 letters, digits, dots, dashes and underscores."))
			c.Window.Canvas().Focus(name)
		case value.IsEmpty():
			valued.SetError(lang.X("secrets.empty", "The secret is missing."))
			value.Focus()
		default:
			called, kept := name.Text, value.Value()
			dialog.End(func() {
				s.p.do(func(ctx context.Context, a *app.App) error { return a.SetSecret(ctx, called, kept) }, func() {
					s.p.say(widgets.Good, lang.X("secrets.kept", "{{.Name}} is in the vault", map[string]any{"Name": called}), "")
				})
			})
			return
		}
		dialog.Fit()
	}
	name.OnSubmitted = func(string) { value.Focus() }
	value.OnSubmitted = agree
	dialog = frame.NewDialog(c, lang.X("secrets.add.title", "Add a secret"), layout.Column(fynetheme.Size(theme.SizeNameSpace3), named, valued), nil,
		frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: lang.X("secrets.add.do", "Add"), Kind: widgets.Primary, Do: agree, Stay: true})
	dialog.Show(name)
}

// remove asks and forgets a secret.
func (s *secretsCard) remove(name string) {
	called := map[string]any{"Name": name}
	frame.Confirm(s.p.c, lang.X("secrets.remove.title", "Remove the secret {{.Name}}?", called),
		lang.X("secrets.remove.line", "It cannot be brought back. Plans that refer to vault:{{.Name}} can no longer be run.", called),
		frame.Answer{Text: lang.X("secrets.remove.do", "Remove {{.Name}}", called), Icon: fynetheme.DeleteIcon(), Kind: widgets.Danger, Do: func() {
			s.p.do(func(ctx context.Context, a *app.App) error { return a.RemoveSecret(ctx, name) }, func() {
				s.p.say(widgets.Good, lang.X("secrets.removed", "{{.Name}} is removed", called), "")
			})
		}})
}
