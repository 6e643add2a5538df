// Package theme is the look of the program: its named colours in light and
// dark, its sizes, its icons, and the sums that keep text readable.
//
// A screen asks for colours and sizes by name, through the toolkit's
// theme.Color and theme.Size or through the widgets of ui/widgets, and never
// holds a literal. New makes the theme for the toolkit; Tint and the Icon
// functions give drawings that follow the theme's colours; Contrast is the
// WCAG 2 ratio that the tests of this package and of the pages use.
//
// It is not for layout and knows no widget.
package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Appearance says which variant is shown.
type Appearance int

const (
	// FollowSystem shows what the desktop asks for, light where it says nothing.
	FollowSystem Appearance = iota
	// Light shows the light variant whatever the desktop asks for.
	Light
	// Dark shows the dark variant whatever the desktop asks for.
	Dark
)

// Bounds of the text scale, in percent.
const (
	SmallestTextScale = 100
	LargestTextScale  = 150
)

// Options are what a user may choose about the look.
type Options struct {
	Appearance Appearance
	TextScale  int // percent; brought into 100 to 150, 0 means 100
}

// Theme implements fyne.Theme. It is immutable; a changed option makes a new one.
type Theme struct {
	appearance Appearance
	factor     float32
	base       fyne.Theme
}

var _ fyne.Theme = (*Theme)(nil)

// New makes a theme of the given options. Hand it to fyne.Settings.SetTheme.
func New(options Options) *Theme {
	percent := min(max(options.TextScale, SmallestTextScale), LargestTextScale)
	return &Theme{appearance: options.Appearance, factor: float32(percent) / 100, base: fynetheme.DefaultTheme()}
}

// Color implements fyne.Theme. Names that are not of this program and not of
// the toolkit fall through to the toolkit's default theme.
func (t *Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	switch t.appearance {
	case Light:
		variant = fynetheme.VariantLight
	case Dark:
		variant = fynetheme.VariantDark
	}
	chosen := lightPalette
	if variant == fynetheme.VariantDark {
		chosen = darkPalette
	}
	if found, ok := chosen[name]; ok {
		return found
	}
	return t.base.Color(name, variant)
}

// Font implements fyne.Theme with the toolkit's bundled fonts.
func (t *Theme) Font(style fyne.TextStyle) fyne.Resource { return t.base.Font(style) }

// Icon implements fyne.Theme with the toolkit's icons.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return t.base.Icon(name) }

// TextFactor is the text scale as a factor, 1 to 1.5.
func (t *Theme) TextFactor() float32 { return t.factor }

// Size implements fyne.Theme.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	if size, ok := scaledSizes[name]; ok {
		return size * t.factor
	}
	if size, ok := fixedSizes[name]; ok {
		return size
	}
	return t.base.Size(name)
}

// TextFactor is the text scale of the theme in use; 1 under a foreign theme.
func TextFactor() float32 {
	if own, ok := fynetheme.Current().(*Theme); ok {
		return own.factor
	}
	return 1
}
