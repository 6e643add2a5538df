package provision

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/hostdetect"
	"edgewright/provisioning"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// wayStep is the board of fifteen cells.
type wayStep struct {
	p       *Page
	board   *widgets.Board
	needs   *widgets.Text
	cells   []app.CellRow
	lastFor *app.Detection
	// bundle is asked for in the place of the board, nil for the board.
	bundle *bundleFields
}

func (s *wayStep) name() string { return lang.X("step.way", "Way") }

func (s *wayStep) next() string {
	if s.p.byBundle() && s.bundle.opened == nil && s.bundle.many == nil {
		return lang.X("bundle.open", "Open the bundle")
	}
	return lang.X("action.next", "Next")
}

func (s *wayStep) summary() string {
	if s.p.byBundle() {
		return s.bundle.name()
	}
	cell := s.p.draft.Plan.Cell
	return PlatformName(cell.Platform) + ", " + MethodName(cell.Provisioning) + ", " + AuthenticationName(cell.Authentication)
}

func (s *wayStep) content() fyne.CanvasObject {
	if s.p.byBundle() {
		if list := s.p.list; list != nil && list.bundles {
			s.p.list = list.targets // until the targets are agreed to once more
		}
		if s.bundle.many != nil && s.bundle.askedFor != s.bundle.chosenTarget() {
			s.bundle.changed() // another target was chosen
			s.p.onward.SetText(s.next())
		}
		board := widgets.NewButton(widgets.Secondary, lang.X("bundle.board", "Choose a way instead"), nil, func() { s.byBundle(false) })
		return layout.Column(fynetheme.Size(theme.SizeNameSpace3),
			widgets.NewStepHead(lang.X("bundle.question", "Which bundles?"), lang.X("bundle.line", "Each holds the plan, the certificates and the keys of one device. Nothing of them is unpacked here.")),
			s.bundle.column, layout.Flow(0, board))
	}
	if s.board == nil {
		cells, err := s.p.c.App.Cells(s.p.c.Ctx)
		if err != nil {
			return frame.Failure(err, "", s.p.show)
		}
		s.cells = cells
		s.needs = widgets.NewText("", widgets.StyleSmall)
		s.board = widgets.NewBoard(s.model())
		s.board.OnPreview = s.explain
		s.board.OnSubmitted = func(widgets.BoardCell) { s.p.Primary() }
		if s.p.draft.Given {
			s.board.Take(s.p.draft.Plan.Cell.String())
		}
	} else if s.lastFor != s.p.draft.Found {
		s.board.Set(s.model())
	}
	s.lastFor = s.p.draft.Found
	head := widgets.NewStepHead(lang.X("way.question", "Which way?"),
		lang.X("way.line", "Platform, provisioning and authentication of {{.Target}}. Greyed ways say what is missing.", map[string]any{"Target": s.p.targetName()}))
	use := widgets.NewButton(widgets.Secondary, lang.X("bundle.use", "From sealed bundles ..."), theme.IconKey(), func() { s.byBundle(true) })
	head = layout.Beside(fynetheme.Size(theme.SizeNameSpace3), 300*theme.TextFactor(), head, layout.Flow(0, use))
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3), head, s.board, s.needs)
}

// byBundle asks for a bundle, or for a way again with a plan that is empty.
func (s *wayStep) byBundle(yes bool) {
	s.p.draft.Bundle, s.bundle = nil, nil
	if list := s.p.list; list != nil && list.bundles {
		s.p.list = list.targets
	}
	if yes {
		s.bundle = newBundleFields(s.p)
	} else {
		s.p.draft.Plan = app.NewDraft().Plan
	}
	s.p.show()
	s.p.focusSoon()
}

func (s *wayStep) focus() fyne.Focusable {
	if s.p.byBundle() {
		return s.bundle.file
	}
	if s.board == nil {
		return nil
	}
	return s.board
}

func (s *wayStep) leave(on func()) {
	if s.p.byBundle() {
		s.bundle.leave(on)
		return
	}
	if s.p.draft.Bundle != nil { // its certificates are no list's
		s.p.draft.Bundle, s.p.draft.Plan = nil, app.NewDraft().Plan
	}
	for _, cell := range s.cells {
		if cell.String() == s.board.Taken() {
			s.p.draft.SetCell(cell.Cell)
			on()
			return
		}
	}
	s.needs.SetText(lang.X("way.none", "Take one of the ways that are not greyed."))
	s.p.arrange()
}

// model is the board for the target that was looked at.
func (s *wayStep) model() widgets.BoardModel {
	suggested := provisioning.Cell{Platform: provisioning.Linux, Provisioning: provisioning.DPS, Authentication: provisioning.SymmetricKey}
	reasons := map[string]hostdetect.Way{}
	if found := s.p.draft.Found; found != nil {
		for _, way := range found.Advice.Ways {
			reasons[way.String()] = way
			if way.Suggested && !s.p.practiceDevice() {
				suggested = provisioning.Cell{Platform: provisioning.Platform(way.Platform), Provisioning: provisioning.Method(way.Provisioning), Authentication: provisioning.Authentication(way.Authentication)}
			}
		}
	}
	model := widgets.BoardModel{Groups: []widgets.BoardGroup{
		{Title: lang.X("way.manual", "One device, by hand"), Rows: make([][]widgets.BoardCell, 2)},
		{Title: lang.X("way.dps", "Many devices, through the Device Provisioning Service"), Rows: make([][]widgets.BoardCell, 3)},
	}}
	for i, cell := range s.cells {
		if i%5 == 0 {
			model.Columns = append(model.Columns, s.column(cell))
		}
		field := widgets.BoardCell{ID: cell.String(), Title: cellTitle(cell.Authentication), Line: cellLine(cell.Cell), Suggested: cell.Cell == suggested}
		if !cell.Available {
			field.Muted, field.Line = true, comesLater(cell.Reason)
		}
		if way, ok := reasons[cell.String()]; ok && !way.Possible && !s.hasTPM(cell) {
			field.Muted = true
			if reason := frame.Say(way.Reason); reason != "" && cell.Available {
				field.Line = reason
			}
		}
		if s.p.practiceDevice() && cell.Available && cell.Authentication != provisioning.TPM {
			field.Muted, field.Line = false, cellLine(cell.Cell)
		}
		group, row := 0, i%5
		if row > 1 {
			group, row = 1, row-2
		}
		model.Groups[group].Rows[row] = append(model.Groups[group].Rows[row], field)
	}
	return model
}

// hasTPM tells whether the plan names a TPM that the look at the device does not
// find: a software TPM, or a key that was collected.
func (s *wayStep) hasTPM(cell app.CellRow) bool {
	plan := s.p.draft.Plan
	return cell.Available && cell.Authentication == provisioning.TPM && (provisioning.SoftwareTPM(plan.TPM.At) || plan.CollectedKey() != "")
}

func (s *wayStep) column(cell app.CellRow) widgets.BoardColumn {
	until, _ := time.Parse(time.DateOnly, cell.Support.Until)
	column := widgets.BoardColumn{Title: PlatformName(cell.Platform), Support: frame.Support(cell.Support.State, until)}
	switch cell.Platform {
	case provisioning.Linux:
		column.Icon, column.Line = theme.IconLinux(), lang.X("way.linux.line", "on this device")
	case provisioning.EFLOW:
		column.Icon, column.Line = theme.IconEFLOW(), lang.X("way.eflow.line", "EFLOW machine")
	default:
		column.Icon, column.Line = theme.IconWindows(), lang.X("way.windows.line", "IoT Edge 1.1")
	}
	return column
}

// explain shows what a cell needs and what it will do.
func (s *wayStep) explain(cell widgets.BoardCell) {
	for _, known := range s.cells {
		if known.String() == cell.ID {
			text := lang.X("way.needs", "Needs {{.Needs}}.", map[string]any{"Needs": strings.Join(uilang.DomainAll(known.Needs), ", ")})
			if len(known.Steps) > 0 {
				var names []string
				for _, step := range known.Steps {
					names = append(names, StepName(step))
				}
				text += " " + lang.X("way.does", "It will: {{.Steps}}.", map[string]any{"Steps": strings.Join(names, ", ")})
			}
			s.needs.SetText(text)
			s.p.arrange()
		}
	}
}

// comesLater shortens the reason of a cell that this version cannot run.
func comesLater(reason string) string {
	if strings.HasPrefix(reason, "comes later") {
		return lang.X("way.later", "comes later")
	}
	return reason
}

func cellTitle(a provisioning.Authentication) string {
	switch a {
	case provisioning.SymmetricKey:
		return lang.X("auth.key", "Symmetric key")
	case provisioning.X509:
		return lang.X("auth.x509", "X.509 certificate")
	}
	return "TPM"
}

func cellLine(c provisioning.Cell) string {
	switch {
	case c.Authentication == provisioning.TPM:
		return lang.X("cell.tpm", "individual")
	case c.Authentication == provisioning.X509 && c.Provisioning == provisioning.Manual:
		return lang.X("cell.thumbprints", "two thumbprints")
	case c.Authentication == provisioning.X509:
		return lang.X("cell.chain", "chain of trust")
	case c.Provisioning == provisioning.Manual:
		return lang.X("cell.quick", "quick to try")
	}
	return lang.X("cell.group", "group key, derived per device")
}
