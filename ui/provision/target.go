package provision

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// The choices of the first step.
const (
	chooseLocal    = "local"
	chooseSSH      = "ssh"
	chooseFolder   = "folder"
	choosePractice = "practice"
	chooseMany     = "many"
)

// targetStep asks which device.
type targetStep struct {
	p      *Page
	group  *widgets.ChoiceGroup
	chosen string
	host   *widgets.Entry
	folder *widgets.Entry
	list   *widgets.Entry
	device string // name of the practice device
	chip   *widgets.Check
	wrong  *fyne.Container
	look   frame.Task
}

func (s *targetStep) name() string { return lang.X("step.target", "Target") }
func (s *targetStep) next() string { return lang.X("action.next", "Next") }

func (s *targetStep) summary() string {
	switch s.chosen {
	case chooseLocal:
		return lang.X("target.local", "This computer")
	case choosePractice:
		return lang.X("target.practice.short", "practice device")
	case chooseMany:
		return filepath.Base(s.list.Text)
	}
	return strings.TrimPrefix(strings.TrimPrefix(s.p.draft.Target, "ssh://"), "rootfs://")
}

func (s *targetStep) content() fyne.CanvasObject {
	if s.host == nil {
		s.build()
	}
	s.group.Choose(s.chosen)
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewStepHead(lang.X("target.question", "Which device?"), lang.X("target.line", "Edgewright only looks until you say so in Review.")),
		s.group, s.wrong)
}

func (s *targetStep) build() {
	submit := func(string) { s.p.Primary() }
	s.host, s.folder, s.list = widgets.NewEntry(submit), widgets.NewEntry(submit), widgets.NewEntry(submit)
	s.host.SetPlaceHolder("pi@10.20.4.31")
	s.folder.SetPlaceHolder("/media/rootfs")
	s.list.SetPlaceHolder("targets.csv")
	s.wrong = layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	s.chosen = choosePractice
	device, practice := s.p.c.App.PracticeName(s.p.draft.Target)
	switch target := s.p.draft.Target; {
	case target == "local:":
		s.chosen = chooseLocal
	case strings.HasPrefix(target, "ssh://"):
		s.chosen = chooseSSH
		s.host.SetText(strings.TrimPrefix(target, "ssh://"))
	case practice:
		s.device = device
	case strings.HasPrefix(target, "rootfs://"):
		s.chosen = chooseFolder
		s.folder.SetText(strings.TrimPrefix(target, "rootfs://"))
	}
	if s.device == "" {
		s.device = s.p.c.App.FreePracticeName(s.p.c.Ctx)
	}
	s.chip = widgets.NewCheck(lang.X("target.tpm", "With a software TPM"), nil)
	s.chip.Checked = s.p.c.App.HasSoftwareTPM(s.device)
	s.group = widgets.NewChoiceGroup(func(id string) {
		s.chosen = id
		s.look.Stop()
		s.p.onward.Enable()
		s.say(nil)
	}, s.choices()...)
	s.group.OnSubmitted = func(id string) {
		s.chosen = id
		for choice, entry := range map[string]*widgets.Entry{chooseSSH: s.host, chooseFolder: s.folder, chooseMany: s.list} {
			if choice == id && entry.Text == "" {
				s.p.focusOn(entry)
				return
			}
		}
		s.p.Primary()
	}
}

func (s *targetStep) choices() []widgets.Choice {
	host, _ := os.Hostname()
	browse := widgets.NewButton(widgets.Secondary, lang.X("action.choose", "Choose ..."), nil, s.browse)
	pick := widgets.NewButton(widgets.Secondary, lang.X("action.choose", "Choose ..."), nil, s.pickList)
	beside := func(entry, button fyne.CanvasObject) fyne.CanvasObject {
		return layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Grow(entry), button)
	}
	return []widgets.Choice{
		{ID: choosePractice, Icon: theme.IconPractice(), Title: lang.X("target.practice", "A practice device"),
			Line:    lang.X("target.practice.line", "{{.Name}}, a folder that stands for a device's disk; needs no hardware and no subscription", map[string]any{"Name": s.device}),
			Status:  widgets.Status{State: widgets.Good, Word: lang.X("target.ready", "ready")},
			Content: s.chipSwitch()},
		{ID: chooseLocal, Icon: fynetheme.ComputerIcon(), Title: lang.X("target.local", "This computer"), Line: host},
		{ID: chooseSSH, Icon: theme.IconSSH(), Title: lang.X("target.ssh", "Another machine over SSH"),
			Line:    lang.X("target.ssh.line", "Linux, by name or address; keys, passwords, jump hosts"),
			Content: widgets.NewField(lang.X("target.ssh.label", "User and host"), lang.X("target.ssh.hint", "user@host, user@host:port or an address; your SSH configuration is read"), s.host)},
		{ID: chooseFolder, Icon: theme.IconCard(), Title: lang.X("target.folder", "A card or disk of a device"),
			Line:    lang.X("target.folder.line", "mounted here; or a folder that stands for it"),
			Content: widgets.NewField(lang.X("target.folder.label", "Folder"), lang.X("target.folder.hint", "the root of the device's file system, with etc in it"), beside(s.folder, browse))},
		{ID: chooseMany, Icon: theme.IconList(), Title: lang.X("target.many", "Many, from a list"),
			Line:    lang.X("target.many.line", "a CSV file with the columns target, id and more"),
			Content: widgets.NewField(lang.X("target.many.label", "List"), lang.X("target.many.hint", "columns override the plan: target, id, hostname, group, tag.NAME ..."), beside(s.list, pick))},
	}
}

// chipSwitch is the switch of the practice device's software TPM. Without swtpm
// it is off and names the package.
func (s *targetStep) chipSwitch() fyne.CanvasObject {
	line := lang.X("target.tpm.line", "swtpm plays the chip; its keys stay until the practice device is removed")
	if app.SoftwareTPMAvailable() != nil {
		s.chip.Disable()
		line = lang.X("target.tpm.none", "swtpm is not installed; its package is called swtpm, and there is none for Windows")
	}
	return layout.Column(fynetheme.Size(theme.SizeNameSpace1), s.chip, widgets.NewText(line, widgets.StyleSmall))
}

func (s *targetStep) browse() {
	dialog.ShowFolderOpen(func(uri fyne.ListableURI, err error) {
		if err == nil && uri != nil {
			s.folder.SetText(uri.Path())
		}
	}, s.p.c.Window)
}

func (s *targetStep) pickList() {
	dialog.ShowFileOpen(func(file fyne.URIReadCloser, err error) {
		if err == nil && file != nil {
			s.list.SetText(file.URI().Path())
			_ = file.Close()
		}
	}, s.p.c.Window)
}

func (s *targetStep) focus() fyne.Focusable { return s.group }

// leave turns the choice into a target and looks at it.
func (s *targetStep) leave(on func()) {
	draft := s.p.draft
	var err error
	s.p.list = nil
	switch s.chosen {
	case chooseLocal:
		draft.Target = "local:"
	case chooseSSH:
		draft.Target, err = app.MachineTarget(s.host.Text)
	case chooseFolder:
		err = s.checkFolder()
	case choosePractice:
		var request app.Request
		if request, err = s.p.c.App.PracticeRequest(s.device); err == nil {
			draft.Target = request.Target
			if draft.Plan.Device.ID == "" {
				draft.Plan.Device.ID = s.device
			}
		}
	case chooseMany:
		draft.Target, draft.Found = "", nil
		// Each line has its own.
		draft.Plan.Device.ID, draft.Plan.Device.RegistrationID, draft.Plan.Device.Hostname = "", "", ""
		s.p.list, err = readList(s.list.Text, draft.Plan)
	}
	if s.chosen != choosePractice && draft.Plan.Device.ID == s.device {
		draft.Plan.Device.ID = "" // it was the practice device's
	}
	draft.Access = s.p.c.Access()
	s.say(err)
	if err != nil {
		return
	}
	if s.p.list != nil {
		on()
		return
	}
	s.wrong.Objects = []fyne.CanvasObject{widgets.NewText(lang.X("target.looking", "Looking at the device ..."), widgets.StyleMuted)}
	s.p.onward.Disable()
	s.p.arrange()
	practice, device, chip := s.chosen == choosePractice, s.device, s.chip.Checked
	frame.Do(s.p.c, &s.look, func(ctx context.Context) (app.Detection, error) {
		if practice {
			if err := s.p.c.App.SwitchSoftwareTPM(ctx, device, chip); err != nil {
				return app.Detection{}, err
			}
		}
		return s.p.c.App.Detect(ctx, draft.Target, draft.Access)
	}, func(found app.Detection, err error) {
		s.p.onward.Enable()
		s.say(err)
		if err == nil && s.p.draft == draft {
			draft.See(found)
			on()
		}
	})
}

func (s *targetStep) checkFolder() error {
	info, err := os.Stat(s.folder.Text)
	if s.folder.Text == "" || err != nil || !info.IsDir() {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: lang.X("target.folder.none", "There is no such folder."),
			Hint: lang.X("target.folder.fix", "Mount the card or disk and name the folder where it is."), Err: err}
	}
	s.p.draft.Target = app.FolderTarget(s.folder.Text)
	return nil
}

// say shows what is wrong, or takes it back.
func (s *targetStep) say(err error) {
	s.wrong.Objects = nil
	if err != nil {
		view := frame.View(err)
		s.wrong.Objects = []fyne.CanvasObject{widgets.NewBanner(widgets.Bad, view.Message, view.Hint)}
	}
	s.p.arrange()
}
