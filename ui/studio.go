package ui

import (
	"context"

	"fyne.io/fyne/v2"

	"edgewright/app"
	"edgewright/ui/frame"
)

// Studio is the window without a desktop around it: it draws pages for
// pictures. Post is what its goroutines hand their results to.
type Studio struct{ s *shell }

// NewStudio opens the window's content on a data folder.
func NewStudio(ctx context.Context, face fyne.App, window fyne.Window, config app.Config, post func(func())) *Studio {
	s := newShell(ctx, face, window, post)
	s.open(config)
	return &Studio{s}
}

// App is the program behind the window.
func (d *Studio) App() *app.App { return d.s.c.App }

// Open brings a page to the front and gives it.
func (d *Studio) Open(place frame.Place) frame.Page {
	d.s.openPlace(place)
	return d.s.current()
}

// Pages are the pages of the rail.
func (d *Studio) Pages() []frame.ID {
	return []frame.ID{frame.Computer, frame.Provision, frame.Devices, frame.Certificates, frame.Runs, frame.Clouds, frame.Settings}
}

// Close ends it.
func (d *Studio) Close() { d.s.end() }
