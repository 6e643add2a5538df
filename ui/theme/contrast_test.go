package theme

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

var variants = map[string]Appearance{"light": Light, "dark": Dark}

func TestContrastOfKnownPairs(t *testing.T) {
	black, white := color.Black, color.White
	if got := Contrast(black, white); got < 20.99 || got > 21.01 {
		t.Errorf("black on white is %.2f, want 21", got)
	}
	if got := Contrast(white, white); got != 1 {
		t.Errorf("white on white is %.2f, want 1", got)
	}
	// #767676 is the lightest grey that passes on white.
	if got := Contrast(color.NRGBA{0x76, 0x76, 0x76, 0xFF}, white); got < 4.5 || got > 4.6 {
		t.Errorf("#767676 on white is %.2f, want 4.54", got)
	}
	if got := Over(color.NRGBA{A: 0x80}, white); got.R < 0x7E || got.R > 0x80 {
		t.Errorf("half black over white is %v", got)
	}
}

// TestContrastTable keeps every pair of colours that can meet on screen above
// its mark.
func TestContrastTable(t *testing.T) {
	const (
		text        = fynetheme.ColorNameForeground
		background  = fynetheme.ColorNameBackground
		surface     = ColorNameSurface
		placeholder = fynetheme.ColorNamePlaceHolder
		input       = fynetheme.ColorNameInputBackground
	)
	grounds := []fyne.ThemeColorName{background, surface, input, ColorNameAccentWash, ColorNameGoodWash, ColorNameCareWash, ColorNameBadWash,
		ColorNameNeutralWash, fynetheme.ColorNameMenuBackground, fynetheme.ColorNameOverlayBackground, fynetheme.ColorNameHeaderBackground,
		fynetheme.ColorNameDisabledButton}
	type pair struct {
		over, under fyne.ThemeColorName
		least       float64
	}
	var pairs []pair
	for _, ground := range grounds {
		pairs = append(pairs, pair{text, ground, TextContrast}, pair{ColorNameMuted, ground, TextContrast})
	}
	for _, ground := range []fyne.ThemeColorName{background, surface} {
		for _, name := range []fyne.ThemeColorName{ColorNameAccent, fynetheme.ColorNameHyperlink, ColorNameGood, ColorNameCare, ColorNameBad,
			fynetheme.ColorNameError, fynetheme.ColorNameWarning, fynetheme.ColorNameSuccess, placeholder, fynetheme.ColorNameDisabled} {
			pairs = append(pairs, pair{name, ground, TextContrast})
		}
		pairs = append(pairs, pair{ColorNameFieldBorder, ground, EdgeContrast}, pair{fynetheme.ColorNameInputBorder, ground, EdgeContrast},
			pair{ColorNameAccent, ground, EdgeContrast})
	}
	pairs = append(pairs,
		pair{ColorNameOnAccent, ColorNameAccent, TextContrast},
		pair{fynetheme.ColorNameForegroundOnError, fynetheme.ColorNameError, TextContrast},
		pair{fynetheme.ColorNameForegroundOnWarning, fynetheme.ColorNameWarning, TextContrast},
		pair{fynetheme.ColorNameForegroundOnSuccess, fynetheme.ColorNameSuccess, TextContrast},
		pair{ColorNameAccent, ColorNameAccentWash, TextContrast},
		pair{ColorNameGood, ColorNameGoodWash, TextContrast},
		pair{ColorNameCare, ColorNameCareWash, TextContrast},
		pair{ColorNameBad, ColorNameBadWash, TextContrast},
		pair{ColorNameAccent, ColorNameNeutralWash, EdgeContrast},
		pair{text, fynetheme.ColorNameSelection, TextContrast},
		pair{placeholder, input, TextContrast},
		// The toolkit's own marks of focus on its buttons and boxes.
		pair{fynetheme.ColorNameFocus, background, EdgeContrast},
	)
	for variant, appearance := range variants {
		th := New(Options{Appearance: appearance})
		at := func(name fyne.ThemeColorName) color.Color { return th.Color(name, 0) }
		for _, p := range pairs {
			ground := Over(at(p.under), at(background))
			if ratio := Contrast(Over(at(p.over), ground), ground); ratio < p.least {
				t.Errorf("%s: %s on %s is %.2f, want %.1f", variant, p.over, p.under, ratio, p.least)
			}
		}
	}
}

// TestTextOnFocusedToolkitButtons covers the colours that the toolkit mixes by
// itself: focus or hover over the fill of a button, in its dialogs.
func TestTextOnFocusedToolkitButtons(t *testing.T) {
	for variant, appearance := range variants {
		th := New(Options{Appearance: appearance})
		for _, veil := range []fyne.ThemeColorName{fynetheme.ColorNameFocus, fynetheme.ColorNameHover} {
			for text, fill := range map[fyne.ThemeColorName]fyne.ThemeColorName{
				fynetheme.ColorNameForeground:          fynetheme.ColorNameButton,
				fynetheme.ColorNameForegroundOnPrimary: fynetheme.ColorNamePrimary,
				fynetheme.ColorNameForegroundOnError:   fynetheme.ColorNameError,
			} {
				ground := Over(th.Color(veil, 0), th.Color(fill, 0))
				if ratio := Contrast(th.Color(text, 0), ground); ratio < TextContrast {
					t.Errorf("%s: %s on %s under %s is %.2f", variant, text, fill, veil, ratio)
				}
			}
		}
	}
}
