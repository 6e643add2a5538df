package theme

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// scaledSizes grow with the text scale.
var scaledSizes = map[fyne.ThemeSizeName]float32{
	SizeNameTitle:       22,
	SizeNameSubtitle:    18,
	SizeNameText:        14,
	SizeNameSmall:       12,
	SizeNameSection:     13,
	SizeNameMono:        13,
	SizeNameIcon:        18,
	SizeNameIconSmall:   14,
	SizeNameIconLarge:   24,
	SizeNameIconHuge:    40,
	SizeNameRail:        196,
	SizeNameRailNarrow:  56,
	SizeNameFactLabel:   124,
	SizeNameControlSide: 36,

	fynetheme.SizeNameInlineIcon: 18,
}

// fixedSizes stay the same at every text scale.
var fixedSizes = map[fyne.ThemeSizeName]float32{
	SizeNameSpace1:      4,
	SizeNameSpace2:      8,
	SizeNameSpace3:      12,
	SizeNameSpace4:      16,
	SizeNameSpace5:      20,
	SizeNameSpace6:      24,
	SizeNameSpace7:      28,
	SizeNameCardCorner:  8,
	SizeNameFieldCorner: 6,
	SizeNamePillCorner:  100,
	SizeNameHairline:    1,
	SizeNameRing:        2,

	fynetheme.SizeNamePadding:            4,
	fynetheme.SizeNameInnerPadding:       8,
	fynetheme.SizeNameLineSpacing:        4,
	fynetheme.SizeNameScrollBar:          12,
	fynetheme.SizeNameScrollBarSmall:     4,
	fynetheme.SizeNameSeparatorThickness: 1,
	fynetheme.SizeNameInputBorder:        1,
	fynetheme.SizeNameInputRadius:        6,
	fynetheme.SizeNameButtonRadius:       6,
	fynetheme.SizeNameCardRadius:         8,
	fynetheme.SizeNameDialogRadius:       8,
	fynetheme.SizeNamePopupRadius:        6,
	fynetheme.SizeNameMenuRadius:         6,
	fynetheme.SizeNameSelectionRadius:    4,
}
