package provision

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// save asks for a file and writes the plan into it: what commands, lists and
// other computers read. It holds no secret.
func (p *Page) save() {
	text, err := p.draft.Plan.WithDefaults().TOML()
	if err != nil {
		p.shown(frame.Failure(err, "", nil))
		return
	}
	var box *frame.Dialog
	var field *widgets.Field
	replace := "" // the file that was said to exist already
	var entry *widgets.Entry
	written := func(err error) {
		switch {
		case err == nil:
			box.End(nil)
		case errors.Is(err, fs.ErrExist):
			replace = entry.Text
			field.SetError(lang.X("save.exists", "There is such a file. Save once more to replace it."))
		default:
			field.SetError(lang.X("save.failed", "The file cannot be written: {{.Why}}. Name another one.", map[string]any{"Why": cause(err)}))
		}
		box.Fit()
	}
	write := func() {
		flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
		if entry.Text == replace {
			flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
		}
		written(writeFile(entry.Text, flags, text))
	}
	entry = widgets.NewEntry(func(string) { write() })
	entry.SetText(filepath.Join(homeFolder(), planName(p.draft.Plan.Device.ID)))
	entry.OnChanged = func(string) { field.SetError("") }
	choose := widgets.NewButton(widgets.Secondary, lang.X("action.choose", "Choose ..."), nil, func() { p.chooseFile(entry.Text, text, written) })
	field = widgets.NewField(lang.X("save.file", "File"), "", layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Grow(entry), choose))
	body := layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewText(lang.X("save.line", "A plan is a TOML file without secrets. The command edgewright provision --plan reads it, here or on another computer."), widgets.StyleBody), field)
	box = frame.NewDialog(p.c, lang.X("save.title", "Save as plan"), body, nil,
		frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: lang.X("action.save", "Save"), Kind: widgets.Primary, Do: write, Stay: true})
	box.Show(entry)
}

// chooseFile opens the toolkit's file dialog, which has asked already before it
// gives a file that exists; what it gives is written at once.
func (p *Page) chooseFile(name string, text []byte, done func(error)) {
	box := dialog.NewFileSave(func(file fyne.URIWriteCloser, err error) {
		if err == nil && file == nil {
			return // closed without a choice
		}
		if err == nil {
			_, err = file.Write(text)
			err = errors.Join(err, file.Close())
		}
		done(err)
	}, p.c.Window)
	box.SetFileName(filepath.Base(name))
	box.Show()
}

func writeFile(name string, flags int, text []byte) error {
	file, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

// cause is the system's own word for what went wrong with a file.
func cause(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

func planName(id string) string {
	if id == "" {
		return "plan.toml"
	}
	return id + ".toml"
}

func homeFolder() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return home
}
