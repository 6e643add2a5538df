package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// statusEvery is how often the rail looks whether another process has switched
// the practice cloud on or off.
const statusEvery = 5 * time.Second

// shell is the window: the rail and the page in front of it. All of it belongs
// to the main goroutine.
type shell struct {
	c      *frame.Context
	face   fyne.App
	window fyne.Window
	config app.Config

	rail  *widgets.Rail
	front *fyne.Container
	pages map[frame.ID]*opened
	now   frame.ID

	looking bool
	status  frame.Task
	closing bool
	code    int
	unwatch func()
	// language and size are those that the pages were built with.
	language string
	size     int
}

// opened is a page that was built. Pages are built when they are first opened,
// and kept: a table costs memory as soon as it was laid out once.
type opened struct {
	page    frame.Page
	content fyne.CanvasObject
}

func newShell(ctx context.Context, face fyne.App, window fyne.Window, post func(func())) *shell {
	s := &shell{face: face, window: window, looking: true, unwatch: func() {}}
	s.c = &frame.Context{Ctx: ctx, Window: window, Post: post, Preferences: face.Preferences()}
	s.c.Open = s.openPlace
	s.c.Changed = s.changed
	s.c.Appearance = s.appearance
	s.c.Front = func() frame.ID { return s.now }
	s.c.Looking = func() bool { return s.looking }
	asks := newAsker(s.c)
	s.c.Access = asks.access
	s.config.AskPassphrase = asks.passphrase
	s.config.AskPIN = asks.pin

	window.SetPadded(false)
	window.Resize(frame.WindowSize(s.c.Preferences))
	window.SetCloseIntercept(s.close)
	window.SetOnDropped(s.dropped)
	face.Lifecycle().SetOnEnteredForeground(func() { s.looking = true })
	face.Lifecycle().SetOnExitedForeground(func() { s.looking = false })
	return s
}

// open opens the data folder and shows the first page, or what is wrong.
func (s *shell) open(config app.Config) {
	config.AskPassphrase, config.AskPIN = s.config.AskPassphrase, s.config.AskPIN
	s.config = config
	opened, err := app.New(s.c.Ctx, config)
	if err != nil {
		s.refuse(err)
		return
	}
	s.c.App = opened
	s.code = exitOK
	s.build()
	s.keyboard()
	s.unwatch = opened.Watch(func() { s.c.Post(s.changed) })
	s.openFirst(frame.Place{Page: frame.Computer})
	s.watchStatus()
	s.offerUnfinished()
}

// refuse explains why the data folder does not open.
func (s *shell) refuse(err error) {
	s.code = exitFailed
	head := widgets.NewPageHead(lang.X("refused.title", "The data folder does not open"), s.config.DataDir)
	failure := frame.Failure(err, lang.X("refused.now", "Nothing in the folder was changed."), func() { s.open(s.config) })
	s.window.SetContent(layout.Page(head, layout.VScroll(failure), nil))
	s.window.Canvas().Focus(widgets.FirstFocus(failure))
}

// build puts the rail beside an empty page.
func (s *shell) build() {
	s.pages = map[frame.ID]*opened{}
	s.language, s.size = s.c.Preferences.String(frame.PreferenceLanguage), frame.LookOf(s.c.Preferences).TextScale
	s.rail = widgets.NewRail(func(id string) { s.openPlace(frame.Place{Page: frame.ID(id)}) },
		widgets.RailItem{ID: string(frame.Computer), Icon: fynetheme.ComputerIcon(), Text: lang.X("rail.computer", "This computer")},
		widgets.RailItem{ID: string(frame.Provision), Icon: theme.IconProvision(), Text: lang.X("rail.provision", "Provision")},
		widgets.RailItem{ID: string(frame.Devices), Icon: theme.IconDevice(), Text: lang.X("rail.devices", "Devices")},
		widgets.RailItem{ID: string(frame.Certificates), Icon: theme.IconCertificate(), Text: lang.X("rail.certificates", "Certificates")},
		widgets.RailItem{ID: string(frame.Runs), Icon: fynetheme.HistoryIcon(), Text: lang.X("rail.runs", "Runs")},
		widgets.RailItem{ID: string(frame.Clouds), Icon: theme.IconCloud(), Text: lang.X("rail.clouds", "Clouds")},
		widgets.RailItem{ID: string(frame.Settings), Icon: fynetheme.SettingsIcon(), Text: lang.X("rail.settings", "Settings"), Low: true})
	s.front = &fyne.Container{Layout: &full{}}
	s.window.SetContent(layout.Shell(s.rail, s.front, s.rail.SetNarrow))
	s.window.Canvas().SetOnTypedKey(s.key)
}

// full gives the page the whole of its room. The room's own least size is the
// window's, whatever a page would like.
type full struct{}

func (*full) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.Position{})
		o.Resize(size)
	}
}

func (*full) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(frame.SmallestWidth-fynetheme.Size(theme.SizeNameRailNarrow), frame.SmallestHeight)
}

// openPlace brings a page to the front.
func (s *shell) openPlace(place frame.Place) {
	if page := s.bring(place.Page); page != nil {
		page.Show(place)
		s.focusPage()
	}
}

// openFirst brings the first page to the front; what it looks at has to wait
// until the window is there, which would come later for it.
func (s *shell) openFirst(place frame.Place) {
	page := s.bring(place.Page)
	s.c.Post(func() {
		page.Show(place)
		s.focusPage()
	})
}

// bring puts a page in front, nil if there is no such page.
func (s *shell) bring(id frame.ID) frame.Page {
	page := s.page(id)
	if page == nil {
		return nil
	}
	s.window.Canvas().Unfocus() // a caret that nobody sees would go on blinking
	s.now = id
	s.front.Objects = []fyne.CanvasObject{page.content}
	s.front.Refresh()
	s.rail.Select(string(id))
	return page.page
}

// dropped is told of files that are dropped on the window: the page in front takes
// them, or they are looked at.
func (s *shell) dropped(_ fyne.Position, dropped []fyne.URI) {
	if s.c.App == nil || s.c.DialogOpen() {
		return
	}
	var files []string
	for _, file := range dropped {
		if file.Scheme() == "file" {
			files = append(files, file.Path())
		}
	}
	if len(files) == 0 {
		return
	}
	if taker, ok := s.current().(frame.Dropped); ok && taker.Dropped(files) {
		return
	}
	page := frame.Certificates
	if app.AreBundles(files) {
		page = frame.Provision
	}
	s.openPlace(frame.Place{Page: page, Files: files})
}

// page builds a page when it is first asked for.
func (s *shell) page(id frame.ID) *opened {
	if known, ok := s.pages[id]; ok {
		return known
	}
	make, ok := makers[id]
	if !ok {
		return nil
	}
	page := make(s.c)
	s.pages[id] = &opened{page, page.Content()}
	return s.pages[id]
}

// current is the page in front.
func (s *shell) current() frame.Page { return s.pages[s.now].page }

// focusPage gives the keyboard to the page in front, once its parts are on the
// screen.
func (s *shell) focusPage() {
	s.c.Post(func() {
		if s.c.DialogOpen() || s.pages[s.now] == nil {
			return
		}
		if first := s.current().Focus(); first != nil {
			s.c.Focus(first)
		}
	})
}

// appearance applies the preferences again. A language or a size of text needs
// the pages anew; a run that is being followed stays as it is.
func (s *shell) appearance() {
	s.face.Settings().SetTheme(theme.New(frame.LookOf(s.c.Preferences)))
	language, size := s.c.Preferences.String(frame.PreferenceLanguage), frame.LookOf(s.c.Preferences).TextScale
	if language == s.language && size == s.size {
		return
	}
	if language != s.language {
		_ = uilang.Use(language)
	}
	kept := s.pages[frame.Provision]
	now := s.now
	s.build()
	if busy, ok := keeps(kept); ok && busy {
		s.pages[frame.Provision] = kept
	}
	s.openPlace(frame.Place{Page: now})
	s.changed()
}

// keeps tells whether a page holds something that must not be thrown away.
func keeps(page *opened) (busy, ok bool) {
	if page == nil {
		return false, false
	}
	holder, ok := page.page.(interface{ Busy() bool })
	return ok && holder.Busy(), ok
}

// changed brings counts and the practice cloud's line up to date.
func (s *shell) changed() {
	type seen struct {
		counts           app.Counts
		practice, faults bool
	}
	frame.Do(s.c, &s.status, func(ctx context.Context) (seen, error) {
		counts, err := s.c.App.Counts(ctx)
		return seen{counts, s.c.App.PracticeOn(), s.c.App.PracticeMisbehaves()}, err
	}, func(found seen, err error) {
		if err != nil {
			return // the pages say what is wrong with the catalog
		}
		s.rail.SetCount(string(frame.Devices), found.counts.Devices)
		s.rail.SetCount(string(frame.Certificates), found.counts.CertificatesEndSoon)
		s.rail.SetCount(string(frame.Runs), found.counts.LiveRuns)
		status := widgets.Status{State: widgets.Neutral, Word: lang.X("rail.practice.off", "Practice cloud is off")}
		switch {
		case found.faults:
			status = widgets.Status{State: widgets.Care, Word: lang.X("rail.practice.faults", "Practice cloud misbehaves on purpose")}
		case found.practice:
			status = widgets.Status{State: widgets.Good, Word: lang.X("rail.practice.on", "Practice cloud is on")}
		}
		s.rail.SetStatus(status)
	})
}

func (s *shell) watchStatus() {
	if s.c.Ctx.Err() != nil {
		return
	}
	s.changed()
	time.AfterFunc(statusEvery, func() { s.c.Post(s.watchStatus) })
}

// end closes the data folder after the window.
func (s *shell) end() int {
	s.unwatch()
	if s.c.App != nil {
		if err := s.c.App.Close(); err != nil {
			return exitFailed
		}
	}
	return s.code
}
