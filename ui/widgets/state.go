package widgets

import (
	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// State is what a pill, a card or a remark says about a thing.
type State int

const (
	// Neutral says nothing about good or bad.
	Neutral State = iota
	// Advice is a suggestion of the program.
	Advice
	// Good says that something is well.
	Good
	// Care says that something wants attention.
	Care
	// Bad says that something failed or has ended.
	Bad
)

// Color is the colour of the state's word and icon.
func (s State) Color() fyne.ThemeColorName {
	switch s {
	case Advice:
		return theme.ColorNameAccent
	case Good:
		return theme.ColorNameGood
	case Care:
		return theme.ColorNameCare
	case Bad:
		return theme.ColorNameBad
	default:
		return theme.ColorNameMuted
	}
}

// Wash is the colour that lies under it.
func (s State) Wash() fyne.ThemeColorName {
	switch s {
	case Advice:
		return theme.ColorNameAccentWash
	case Good:
		return theme.ColorNameGoodWash
	case Care:
		return theme.ColorNameCareWash
	case Bad:
		return theme.ColorNameBadWash
	default:
		return theme.ColorNameNeutralWash
	}
}

// Icon is the drawing that goes with it.
func (s State) Icon() fyne.Resource {
	switch s {
	case Advice:
		return fynetheme.InfoIcon()
	case Good:
		return fynetheme.ConfirmIcon()
	case Care:
		return fynetheme.WarningIcon()
	case Bad:
		return fynetheme.CancelIcon()
	default:
		return theme.IconToCome()
	}
}
