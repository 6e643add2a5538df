// Package pick asks for a path: a field to type it into, and a button for the
// toolkit's file dialog. It opens no file itself.
package pick

import (
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/storage"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// Question asks for a path.
type Question struct {
	Title, Line string
	Label, Hint string
	Path        string // what the field has at first
	// Save asks for a file that will be written: the file dialog chooses its
	// folder. Otherwise it chooses a file that is there.
	Save  bool
	Above fyne.CanvasObject // further fields, above the path; may be nil
	// Ready tells whether the fields above are right, and says in them what is
	// not; may be nil.
	Ready func() bool
	// Act is the word on the blue button, Icon its drawing.
	Act  string
	Icon fyne.Resource
	// Check says what is wrong with a path, "" for nothing; may be nil.
	Check func(path string) string
	Do    func(path string)
}

// Dialog is a Question on the screen.
type Dialog struct {
	c      *frame.Context
	q      Question
	entry  *widgets.Entry
	field  *widgets.Field
	dialog *frame.Dialog
}

// Ask shows the question; it stays until the path is right or the person closes
// it.
func Ask(c *frame.Context, q Question) *Dialog {
	d := &Dialog{c: c, q: q}
	d.entry = widgets.NewEntry(func(string) { d.agree() })
	d.entry.SetText(q.Path)
	d.entry.OnChanged = func(string) { d.field.SetError("") }
	d.field = widgets.NewField(q.Label, q.Hint, d.entry)
	body := layout.Column(fynetheme.Size(theme.SizeNameSpace3))
	if q.Line != "" {
		body.Add(widgets.NewText(q.Line, widgets.StyleBody))
	}
	if q.Above != nil {
		body.Add(q.Above)
	}
	choose := widgets.NewButton(widgets.Secondary, lang.X("pick.file", "Choose a file ..."), fynetheme.FolderOpenIcon(), d.choose)
	if q.Save {
		choose.SetText(lang.X("pick.folder", "Choose a folder ..."))
	}
	body.Add(d.field)
	body.Add(layout.Flow(0, choose))
	d.dialog = frame.NewDialog(c, q.Title, body, nil,
		frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: q.Act, Icon: q.Icon, Kind: widgets.Primary, Do: d.agree, Stay: true})
	d.dialog.Show(d.entry)
	return d
}

// Fit gives the dialog the height that the fields above need now.
func (d *Dialog) Fit() { d.dialog.Fit() }

// SetPath changes what is in the field.
func (d *Dialog) SetPath(path string) { d.entry.SetText(path) }

// Path is what is in the field, with the home folder in place of "~".
func (d *Dialog) Path() string { return Whole(d.entry.Text) }

// Whole is a path that was typed, with the home folder in place of "~".
func Whole(text string) string {
	path := strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || rest[0] == '/' || rest[0] == filepath.Separator) {
		if home, err := os.UserHomeDir(); err == nil {
			return home + rest
		}
	}
	return path
}

func (d *Dialog) agree() {
	if d.q.Ready != nil && !d.q.Ready() {
		d.dialog.Fit()
		return
	}
	path := d.Path()
	wrong := ""
	switch {
	case path == "":
		wrong = lang.X("pick.empty", "The path is missing. Write it, or choose.")
	case !filepath.IsAbs(path):
		wrong = lang.X("pick.relative", "The path is not whole. Begin it at the root, or with ~.")
	case d.q.Check != nil:
		wrong = d.q.Check(path)
	}
	if wrong != "" {
		d.field.SetError(wrong)
		d.dialog.Fit()
		d.c.Window.Canvas().Focus(d.entry)
		return
	}
	d.dialog.End(func() { d.q.Do(path) })
}

// choose opens the toolkit's file dialog where the path is.
func (d *Dialog) choose() {
	at := func(chooser *dialog.FileDialog) {
		if folder, err := storage.ListerForURI(storage.NewFileURI(filepath.Dir(d.Path()))); err == nil {
			chooser.SetLocation(folder)
		}
		chooser.Show()
	}
	if d.q.Save {
		at(dialog.NewFolderOpen(func(folder fyne.ListableURI, err error) {
			if err == nil && folder != nil {
				d.SetPath(filepath.Join(folder.Path(), filepath.Base(d.Path())))
			}
		}, d.c.Window))
		return
	}
	at(dialog.NewFileOpen(func(file fyne.URIReadCloser, err error) {
		if err == nil && file != nil {
			d.SetPath(file.URI().Path())
			_ = file.Close()
		}
	}, d.c.Window))
}

// NewFile says what is wrong with the path of a file that will be made: its
// folder is missing, or the file is there.
func NewFile(path string) string {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return lang.X("pick.nofolder", "There is no such folder. Choose another one.")
	}
	if _, err := os.Lstat(path); err == nil {
		return lang.X("pick.exists", "A file of that name is there. Choose another name.")
	}
	return ""
}

// OldFile says what is wrong with the path of a file that will be read.
func OldFile(path string) string {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return lang.X("pick.nofile", "There is no such file.")
	}
	return ""
}

// Home gives the path of a file of that name in the home folder.
func Home(name string) string {
	home, err := os.UserHomeDir()
	if err != nil {
		return name
	}
	return filepath.Join(home, name)
}
