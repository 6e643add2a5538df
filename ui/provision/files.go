package provision

import (
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// newFileFields ask for a certificate and its key on this computer; changed is
// called when a person has typed into either.
func newFileFields(changed func(), submit func(string)) (cert, key *widgets.Entry, field *widgets.Field) {
	cert, key = widgets.NewEntry(submit), widgets.NewEntry(submit)
	cert.SetPlaceHolder(lang.X("certificate.file", "certificate, with those above it"))
	key.SetPlaceHolder(lang.X("certificate.keyfile", "private key"))
	field = widgets.NewField(lang.X("certificate.files", "Files on this computer"), "", layout.Column(fynetheme.Size(theme.SizeNameSpace1), cert, key))
	cert.OnChanged = func(string) { changed(); field.SetError("") }
	key.OnChanged = func(string) { changed(); field.SetError("") }
	return cert, key, field
}
