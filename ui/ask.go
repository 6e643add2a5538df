package ui

import (
	"context"
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// asker puts questions of goroutines to the person in front of the window, one
// at a time.
type asker struct {
	c    *frame.Context
	turn chan struct{}
}

func newAsker(c *frame.Context) *asker { return &asker{c: c, turn: make(chan struct{}, 1)} }

// errNotAnswered is what a question ends with that a person closed.
var errNotAnswered = &provisioning.Error{Kind: provisioning.ErrRefused, Message: "The question was closed without an answer.", Hint: "Try again and answer it."}

// access is how pages get into targets.
func (a *asker) access() app.Access {
	return app.Access{Ask: a.secret, TrustHostKey: a.trust}
}

// put shows a dialog and waits for what it answers, or for the end of ctx. It
// is called on any goroutine but the main one.
func put[T any](ctx context.Context, a *asker, build func(answer func(T), closed func()) (*frame.Dialog, func() fyne.Focusable)) (T, error) {
	var none T
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return none, ctx.Err()
	case <-a.c.Ctx.Done():
		return none, a.c.Ctx.Err()
	}
	answers, closed := make(chan T, 1), make(chan struct{}, 1)
	var dialog *frame.Dialog // of the main goroutine
	a.c.Post(func() {
		var first func() fyne.Focusable
		dialog, first = build(func(answer T) { answers <- answer }, func() { closed <- struct{}{} })
		dialog.Show(first())
	})
	select {
	case answer := <-answers:
		return answer, nil
	case <-closed:
		return none, errNotAnswered
	case <-ctx.Done():
	case <-a.c.Ctx.Done():
	}
	a.c.Post(func() { dialog.Close() })
	return none, errors.Join(ctx.Err(), a.c.Ctx.Err())
}

// secret asks for a password, a passphrase, sudo's password or a code.
func (a *asker) secret(ctx context.Context, q app.Question) (secret.Value, error) {
	title, line := lang.X("ask.password", "Password for {{.Target}}", map[string]any{"Target": q.Target}), ""
	switch q.Kind {
	case "passphrase":
		title = lang.X("ask.passphrase", "Passphrase of the SSH key for {{.Target}}", map[string]any{"Target": q.Target})
	case "sudo":
		title = lang.X("ask.sudo", "Password for sudo on {{.Target}}", map[string]any{"Target": q.Target})
		line = lang.X("ask.sudo.line", "The next step needs administrator rights on the device.")
	case "code":
		title = lang.X("ask.code", "{{.Target}} asks", map[string]any{"Target": q.Target})
	}
	return a.typed(ctx, title, line, q.Prompt, lang.X("ask.go", "Go on"))
}

// pin asks for the PIN of a token that holds the key of a CA.
func (a *asker) pin(ctx context.Context, q app.PINQuestion) (secret.Value, error) {
	line := lang.X("ask.pin.line", "A CA has its key there and is to sign. Serial number: {{.Serial}}", map[string]any{"Serial": q.Serial})
	switch {
	case q.LastTry:
		line = lang.X("ask.pin.last", "This is the last try: another wrong PIN locks the token.")
	case q.Again, q.Low:
		line = lang.X("ask.pin.again", "The last PIN was wrong. A few more wrong ones lock the token.")
	}
	return a.typed(ctx, lang.X("ask.pin", "PIN of the token {{.Token}}", map[string]any{"Token": q.Token}), line,
		lang.X("ask.pin.label", "PIN"), lang.X("ask.go", "Go on"))
}

// passphrase asks for the vault's.
func (a *asker) passphrase(ctx context.Context, isNew bool) (secret.Value, error) {
	if !isNew {
		return a.typed(ctx, lang.X("vault.open", "Open the vault"), lang.X("vault.open.line", "A secret of this data folder is needed, and it is sealed under your passphrase."),
			lang.X("vault.label", "Passphrase"), lang.X("vault.open.do", "Open"))
	}
	return put(ctx, a, func(answer func(secret.Value), closed func()) (*frame.Dialog, func() fyne.Focusable) {
		one, two := widgets.NewSecretField(""), widgets.NewSecretField("")
		again := widgets.NewField(lang.X("vault.again", "Once more"), "", two)
		body := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
			widgets.NewText(lang.X("vault.new.line", "This computer has no credential store, so your secrets are sealed under a passphrase. It cannot be brought back: keep it safe."), widgets.StyleBody),
			widgets.NewField(lang.X("vault.label", "Passphrase"), "", one), again)
		var dialog *frame.Dialog
		agree := func() {
			switch value := one.Value(); {
			case value.IsEmpty():
				one.Focus()
			case !value.Equal(two.Value()):
				again.SetError(lang.X("vault.differ", "The two differ. Type the same twice."))
				dialog.Fit()
				two.Focus()
			default:
				dialog.End(func() { answer(value) })
			}
		}
		one.OnSubmitted, two.OnSubmitted = two.Focus, agree
		dialog = frame.NewDialog(a.c, lang.X("vault.new", "Set a passphrase for the vault"), body, closed,
			frame.Answer{Text: lang.X("action.cancel", "Cancel"), Do: closed},
			frame.Answer{Text: lang.X("vault.set", "Set passphrase"), Kind: widgets.Primary, Do: agree, Stay: true})
		return dialog, func() fyne.Focusable { return widgets.FirstFocus(one) }
	})
}

// typed asks for one secret.
func (a *asker) typed(ctx context.Context, title, line, label, submit string) (secret.Value, error) {
	return put(ctx, a, func(answer func(secret.Value), closed func()) (*frame.Dialog, func() fyne.Focusable) {
		field := widgets.NewSecretField("")
		body := layout.Column(fynetheme.Size(theme.SizeNameSpace3))
		if line != "" {
			body.Add(widgets.NewText(line, widgets.StyleBody))
		}
		body.Add(widgets.NewField(label, "", field))
		var dialog *frame.Dialog
		field.OnSubmitted = func() { dialog.End(func() { answer(field.Value()) }) }
		dialog = frame.NewDialog(a.c, title, body, closed,
			frame.Answer{Text: lang.X("action.cancel", "Cancel"), Do: closed},
			frame.Answer{Text: submit, Kind: widgets.Primary, Do: func() { answer(field.Value()) }})
		return dialog, func() fyne.Focusable { return widgets.FirstFocus(field) }
	})
}

// trust shows the key of a machine that is seen for the first time.
func (a *asker) trust(key app.HostKey) bool {
	trusted, err := put(a.c.Ctx, a, func(answer func(bool), closed func()) (*frame.Dialog, func() fyne.Focusable) {
		mono := widgets.StyleMono
		body := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
			widgets.NewText(lang.X("trust.line", "{{.Host}} shows this key. Compare it with the device's own; ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints it there.", map[string]any{"Host": key.Host}), widgets.StyleBody),
			widgets.NewText(key.Type+"  "+key.Fingerprint, mono))
		dialog := frame.NewDialog(a.c, lang.X("trust.title", "First time: is this its key?"), body, closed,
			frame.Answer{Text: lang.X("trust.no", "Not mine"), Do: func() { answer(false) }},
			frame.Answer{Text: lang.X("trust.yes", "Trust and remember"), Kind: widgets.Primary, Do: func() { answer(true) }})
		return dialog, func() fyne.Focusable { return nil }
	})
	return err == nil && trusted
}
