package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// StepState is where a step stands.
type StepState int

const (
	// StepToCome has not begun.
	StepToCome StepState = iota
	// StepNow is the one that is open or running.
	StepNow
	// StepDone is finished.
	StepDone
	// StepFailed has failed; Summary says how.
	StepFailed
	// StepCare is finished with something to look at.
	StepCare
	// StepUndone was done and put back.
	StepUndone
)

// Step is one line of a StepList.
type Step struct {
	Title   string
	Summary string // what came of it, or what it will do
	Time    string // how long it took, written out
	State   StepState
}

// StepList shows the steps of a wizard or a run from top to bottom. With
// OnTapped, done steps can be opened again with the pointer or the keyboard.
type StepList struct {
	widget.BaseWidget
	rows    []*stepRow
	column  *fyne.Container
	onTap   func(index int)
	visible []Step
}

// NewStepList makes a StepList. onTapped may be nil; it gets the index of a done
// step.
func NewStepList(onTapped func(index int), steps ...Step) *StepList {
	l := &StepList{onTap: onTapped, column: layout.Column(fynetheme.Size(theme.SizeNameSpace1))}
	l.ExtendBaseWidget(l)
	l.Set(steps)
	return l
}

// Set shows steps. Rows that stay are updated in place.
func (l *StepList) Set(steps []Step) {
	l.visible = steps
	for len(l.rows) < len(steps) {
		row := &stepRow{list: l, index: len(l.rows)}
		row.ExtendBaseWidget(row)
		l.rows = append(l.rows, row)
	}
	l.column.Objects = nil
	for i, step := range steps {
		row := l.rows[i]
		if row.step != step {
			row.step = step
			row.Refresh()
		}
		l.column.Objects = append(l.column.Objects, row)
	}
	l.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (l *StepList) CreateRenderer() fyne.WidgetRenderer { return newComposite(l, l.column, nil) }

func (l *StepList) parts() []fyne.CanvasObject { return l.column.Objects }

type stepRow struct {
	widget.BaseWidget
	list             *StepList
	index            int
	step             Step
	focused, hovered bool
}

var (
	_ fyne.Focusable    = (*stepRow)(nil)
	_ fyne.Disableable  = (*stepRow)(nil)
	_ fyne.Accessible   = (*stepRow)(nil)
	_ desktop.Hoverable = (*stepRow)(nil)
)

// Disabled implements fyne.Disableable: only a done step of a list that can be
// tapped takes the focus.
func (s *stepRow) Disabled() bool {
	return s.list.onTap == nil || (s.step.State != StepDone && s.step.State != StepCare)
}

func (s *stepRow) Enable()  {}
func (s *stepRow) Disable() {}

func (s *stepRow) Tapped(*fyne.PointEvent) {
	if !s.Disabled() {
		s.list.onTap(s.index)
	}
}

func (s *stepRow) FocusGained() { s.focused = true; s.Refresh() }
func (s *stepRow) FocusLost()   { s.focused = false; s.Refresh() }

// TypedRune presses by Space, as a Button does.
func (s *stepRow) TypedRune(r rune) {
	if r == ' ' {
		s.Tapped(nil)
	}
}
func (s *stepRow) TypedKey(event *fyne.KeyEvent) {
	switch event.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		s.Tapped(nil)
	default:
		Forward(s, event)
	}
}
func (s *stepRow) MouseIn(*desktop.MouseEvent)    { s.hovered = true; s.Refresh() }
func (s *stepRow) MouseMoved(*desktop.MouseEvent) {}
func (s *stepRow) MouseOut()                      { s.hovered = false; s.Refresh() }

func (s *stepRow) AccessibilityLabel() string { return s.step.Title + ", " + s.step.Summary }
func (s *stepRow) AccessibilityRole() fyne.AccessibleRole {
	if s.Disabled() {
		return fyne.AccessibleRoleText
	}
	return fyne.AccessibleRoleButton
}

// look is the icon, its colour and the style of the title for a state.
func (s StepState) look() (fyne.Resource, fyne.ThemeColorName, Style) {
	switch s {
	case StepNow:
		return theme.IconNow(), theme.ColorNameAccent, StyleStrong.In(theme.ColorNameAccent)
	case StepDone:
		return fynetheme.ConfirmIcon(), theme.ColorNameGood, StyleBody
	case StepFailed:
		return fynetheme.CancelIcon(), theme.ColorNameBad, StyleStrong.In(theme.ColorNameBad)
	case StepCare:
		return fynetheme.WarningIcon(), theme.ColorNameCare, StyleBody
	case StepUndone:
		return fynetheme.ContentUndoIcon(), theme.ColorNameMuted, StyleMuted
	default:
		return theme.IconToCome(), theme.ColorNameFieldBorder, StyleMuted
	}
}

func (s *stepRow) CreateRenderer() fyne.WidgetRenderer {
	icon := NewIcon(nil, theme.ColorNameMuted, theme.SizeNameIcon)
	title, summary, took := NewText("", StyleBody), NewText("", StyleSmall), NewText("", StyleSmall.As(Single))
	hover := NewBox(fynetheme.ColorNameHover, "", theme.SizeNameFieldCorner)
	ring := newRing(theme.SizeNameFieldCorner)
	row := layout.Row(fynetheme.Size(theme.SizeNameSpace3), layout.Top, icon, layout.Grow(layout.Column(1, title, summary)), took)
	body := stack(hover, layout.Insets(6, 8, 6, 8, row), ring)
	return newComposite(s, body, func() {
		resource, color, style := s.step.State.look()
		icon.Set(resource, color)
		title.Set(s.step.Title, style)
		summary.SetText(s.step.Summary)
		show(summary, s.step.Summary != "")
		took.SetText(s.step.Time)
		show(took, s.step.Time != "")
		show(hover, s.hovered && !s.Disabled())
		show(ring, s.focused)
	})
}
