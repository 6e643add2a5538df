package ui

import (
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	"edgewright/ui/pagetest"
)

// Files that are dropped are looked at, all of them; a bundle is for the wizard.
func TestDroppedFilesFindTheirPage(t *testing.T) {
	h := sitDown(t, frametest.Config(t))
	dir := t.TempDir()
	drop := func(names ...string) {
		t.Helper()
		var files []fyne.URI
		for _, name := range names {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte("nothing\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, storage.NewFileURI(path))
		}
		h.s.dropped(fyne.Position{}, files)
		h.q.Settle()
	}
	sees := func(text string) {
		t.Helper()
		h.q.Until(t, "the window shows "+text, func() bool { return pagetest.Sees(h.s.c, text) })
	}
	drop("a.pem", "b.pem", "c.pem")
	if h.s.now != frame.Certificates {
		t.Fatalf("certificates are shown on %s", h.s.now)
	}
	sees("3 files")
	sees("c.pem")
	drop("line-7-0001.edgewright")
	if h.s.now != frame.Provision {
		t.Fatalf("a bundle is shown on %s", h.s.now)
	}
	h.s.current().Primary()
	sees("Which bundles?")
	drop("line-7-0002.edgewright") // into the step that asks for one
	if got := pagetest.Field(t, h.s.c, "Bundle").Text; filepath.Base(got) != "line-7-0002.edgewright" {
		t.Errorf("the wizard has %s", got)
	}
	drop("d.pem")
	if h.s.now != frame.Certificates {
		t.Errorf("a certificate is shown on %s", h.s.now)
	}
	drop()
	remote, err := storage.ParseURI("https://example.org/e.pem")
	if err != nil {
		t.Fatal(err)
	}
	h.s.dropped(fyne.Position{}, []fyne.URI{remote})
	sees("d.pem")
}
