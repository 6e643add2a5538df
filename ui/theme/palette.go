package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

type palette map[fyne.ThemeColorName]color.NRGBA

// tokens are the named colours of one variant before they are spread over the
// names of the toolkit.
type tokens struct {
	background, surface, line, fieldBorder, text, muted uint32
	accent, onAccent, accentWash                        uint32
	good, goodWash, care, careWash, bad, badWash        uint32
	onState, neutralWash, disabledButton, selection     uint32
	focus, hover, pressed, shadow                       color.NRGBA
}

var lightTokens = tokens{
	background: 0xF6F7F9, surface: 0xFFFFFF, line: 0xDDE1E8, fieldBorder: 0x858FA1,
	text: 0x1B2330, muted: 0x5A6577,
	accent: 0x2F54C8, onAccent: 0xFFFFFF, accentWash: 0xE8EDFB,
	good: 0x176F42, goodWash: 0xE3F4EA, care: 0x8A5A00, careWash: 0xFBF0D9, bad: 0xB3261E, badWash: 0xFBE6E4,
	onState: 0xFFFFFF, neutralWash: 0xECEEF2, disabledButton: 0xECEEF2, selection: 0xCBD7F9,
	// The toolkit lays focus over the button it marks, so the colour has to be
	// seen on a page and must leave text readable on plain and primary buttons.
	focus: color.NRGBA{R: 0x10, G: 0x24, B: 0x5F, A: 0x80},
	hover: color.NRGBA{R: 0x1B, G: 0x23, B: 0x30, A: 0x0D}, pressed: color.NRGBA{R: 0x1B, G: 0x23, B: 0x30, A: 0x1F},
	shadow: color.NRGBA{A: 0x1A},
}

var darkTokens = tokens{
	background: 0x14181F, surface: 0x1C222B, line: 0x343D4A, fieldBorder: 0x6F7A8D,
	text: 0xE8ECF2, muted: 0x9AA6B8,
	accent: 0x8FA9FF, onAccent: 0x10182B, accentWash: 0x242F4D,
	good: 0x6FD09B, goodWash: 0x1B3427, care: 0xF0C36B, careWash: 0x3A2F17, bad: 0xFF9A92, badWash: 0x3D2220,
	onState: 0x10182B, neutralWash: 0x2A323E, disabledButton: 0x2A323E, selection: 0x34467A,
	focus: color.NRGBA{R: 0xB4, G: 0xC4, B: 0xFF, A: 0x71},
	hover: color.NRGBA{R: 0xFF, G: 0xFF, B: 0xFF, A: 0x0F}, pressed: color.NRGBA{R: 0xFF, G: 0xFF, B: 0xFF, A: 0x1F},
	shadow: color.NRGBA{A: 0x66},
}

var (
	lightPalette = lightTokens.palette()
	darkPalette  = darkTokens.palette()
)

func opaque(rgb uint32) color.NRGBA {
	return color.NRGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: 0xFF}
}

func (t tokens) palette() palette {
	scrollBar := opaque(t.fieldBorder)
	scrollBar.A = 0xC0
	return palette{
		ColorNameSurface:     opaque(t.surface),
		ColorNameLine:        opaque(t.line),
		ColorNameFieldBorder: opaque(t.fieldBorder),
		ColorNameMuted:       opaque(t.muted),
		ColorNameAccentWash:  opaque(t.accentWash),
		ColorNameGood:        opaque(t.good),
		ColorNameGoodWash:    opaque(t.goodWash),
		ColorNameCare:        opaque(t.care),
		ColorNameCareWash:    opaque(t.careWash),
		ColorNameBad:         opaque(t.bad),
		ColorNameBadWash:     opaque(t.badWash),
		ColorNameNeutralWash: opaque(t.neutralWash),

		fynetheme.ColorNameBackground:                opaque(t.background),
		fynetheme.ColorNameButton:                    opaque(t.surface),
		fynetheme.ColorNameDisabled:                  opaque(t.muted),
		fynetheme.ColorNameDisabledButton:            opaque(t.disabledButton),
		fynetheme.ColorNameError:                     opaque(t.bad),
		fynetheme.ColorNameFocus:                     t.focus,
		fynetheme.ColorNameForeground:                opaque(t.text),
		fynetheme.ColorNameForegroundOnError:         opaque(t.onState),
		fynetheme.ColorNameForegroundOnPrimary:       opaque(t.onAccent),
		fynetheme.ColorNameForegroundOnSuccess:       opaque(t.onState),
		fynetheme.ColorNameForegroundOnWarning:       opaque(t.onState),
		fynetheme.ColorNameHeaderBackground:          opaque(t.surface),
		fynetheme.ColorNameHover:                     t.hover,
		fynetheme.ColorNameHyperlink:                 opaque(t.accent),
		fynetheme.ColorNameInnerWindowBorder:         opaque(t.line),
		fynetheme.ColorNameInnerWindowBorderInactive: opaque(t.line),
		fynetheme.ColorNameInputBackground:           opaque(t.surface),
		fynetheme.ColorNameInputBorder:               opaque(t.fieldBorder),
		fynetheme.ColorNameMenuBackground:            opaque(t.surface),
		fynetheme.ColorNameOverlayBackground:         opaque(t.surface),
		fynetheme.ColorNamePlaceHolder:               opaque(t.muted),
		fynetheme.ColorNamePressed:                   t.pressed,
		fynetheme.ColorNamePrimary:                   opaque(t.accent),
		fynetheme.ColorNameScrollBar:                 scrollBar,
		fynetheme.ColorNameScrollBarBackground:       {},
		fynetheme.ColorNameSelection:                 opaque(t.selection),
		fynetheme.ColorNameSeparator:                 opaque(t.line),
		fynetheme.ColorNameShadow:                    t.shadow,
		fynetheme.ColorNameSuccess:                   opaque(t.good),
		fynetheme.ColorNameWarning:                   opaque(t.care),
	}
}
