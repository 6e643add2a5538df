package theme

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Colours of our own, beside those of the toolkit. Every colour on screen is
// asked for by one of these names or by a toolkit name.
const (
	// ColorNameSurface fills cards, the rail and fields.
	ColorNameSurface fyne.ThemeColorName = "edgewright.surface"
	// ColorNameLine draws hairlines and card edges; decoration only.
	ColorNameLine fyne.ThemeColorName = "edgewright.line"
	// ColorNameFieldBorder surrounds inputs and choices that are not taken.
	ColorNameFieldBorder fyne.ThemeColorName = "edgewright.fieldBorder"
	// ColorNameMuted is the colour of labels and secondary lines.
	ColorNameMuted fyne.ThemeColorName = "edgewright.muted"
	// ColorNameAccent marks selection, focus and the one primary button.
	ColorNameAccent = fynetheme.ColorNamePrimary
	// ColorNameOnAccent is text on the accent.
	ColorNameOnAccent = fynetheme.ColorNameForegroundOnPrimary
	// ColorNameAccentWash lies under what is selected and under advice.
	ColorNameAccentWash fyne.ThemeColorName = "edgewright.accentWash"
	// ColorNameGood says that something is well, always with tick and word.
	ColorNameGood fyne.ThemeColorName = "edgewright.good"
	// ColorNameGoodWash lies under good.
	ColorNameGoodWash fyne.ThemeColorName = "edgewright.goodWash"
	// ColorNameCare says that something wants attention, always with triangle and word.
	ColorNameCare fyne.ThemeColorName = "edgewright.care"
	// ColorNameCareWash lies under care.
	ColorNameCareWash fyne.ThemeColorName = "edgewright.careWash"
	// ColorNameBad says that something failed or ended, always with cross and word.
	ColorNameBad fyne.ThemeColorName = "edgewright.bad"
	// ColorNameBadWash lies under bad.
	ColorNameBadWash fyne.ThemeColorName = "edgewright.badWash"
	// ColorNameNeutralWash lies under a remark that is neither good nor bad.
	ColorNameNeutralWash fyne.ThemeColorName = "edgewright.neutralWash"
)

// Sizes of our own in device-independent pixels. Those of text, icons and the
// rail grow with the text scale; spacing and corners do not.
const (
	SizeNameTitle    = fynetheme.SizeNameHeadingText    // 22, bold
	SizeNameSubtitle = fynetheme.SizeNameSubHeadingText // 18, bold
	SizeNameText     = fynetheme.SizeNameText           // 14
	SizeNameSmall    = fynetheme.SizeNameCaptionText    // 12

	SizeNameSection fyne.ThemeSizeName = "edgewright.section" // 13, bold and muted
	SizeNameMono    fyne.ThemeSizeName = "edgewright.mono"    // 13, what lies on a device

	SizeNameSpace1 fyne.ThemeSizeName = "edgewright.space1" // 4, inside a pair
	SizeNameSpace2 fyne.ThemeSizeName = "edgewright.space2" // 8, between controls
	SizeNameSpace3 fyne.ThemeSizeName = "edgewright.space3" // 12, between cards
	SizeNameSpace4 fyne.ThemeSizeName = "edgewright.space4" // 16, inside cards
	SizeNameSpace5 fyne.ThemeSizeName = "edgewright.space5" // 20
	SizeNameSpace6 fyne.ThemeSizeName = "edgewright.space6" // 24, around a page
	SizeNameSpace7 fyne.ThemeSizeName = "edgewright.space7" // 28

	SizeNameCardCorner  fyne.ThemeSizeName = "edgewright.cardCorner"  // 8
	SizeNameFieldCorner fyne.ThemeSizeName = "edgewright.fieldCorner" // 6
	SizeNamePillCorner  fyne.ThemeSizeName = "edgewright.pillCorner"  // as round as the height allows

	SizeNameHairline fyne.ThemeSizeName = "edgewright.hairline" // 1
	SizeNameRing     fyne.ThemeSizeName = "edgewright.ring"     // 2, the mark of focus

	SizeNameIcon      fyne.ThemeSizeName = "edgewright.icon"      // 18
	SizeNameIconSmall fyne.ThemeSizeName = "edgewright.iconSmall" // 14
	SizeNameIconLarge fyne.ThemeSizeName = "edgewright.iconLarge" // 24
	SizeNameIconHuge  fyne.ThemeSizeName = "edgewright.iconHuge"  // 40

	SizeNameRail        fyne.ThemeSizeName = "edgewright.rail"        // 196, with names
	SizeNameRailNarrow  fyne.ThemeSizeName = "edgewright.railNarrow"  // 56, icons only
	SizeNameFactLabel   fyne.ThemeSizeName = "edgewright.factLabel"   // 124, the label column of fact rows
	SizeNameControlSide fyne.ThemeSizeName = "edgewright.controlSide" // 36, height of buttons and fields
)

// Widths at which pages change their shape, in device-independent pixels at a
// text scale of 100 %.
const (
	// NarrowWindow is the window width below which the rail shows icons only.
	NarrowWindow float32 = 900
	// ReadableWidth is the widest a page's text column gets.
	ReadableWidth float32 = 1120
	// OneColumn is the width below which two columns of cards become one.
	OneColumn float32 = 640
)
