package frame

import (
	"fyne.io/fyne/v2"

	"edgewright/ui/theme"
)

// The names of the preferences. They hold small facts about the window and
// never a secret.
const (
	PreferenceAppearance = "appearance" // system | light | dark
	PreferenceLanguage   = "language"   // a tag of lang.Languages, empty for the system's
	PreferenceTextScale  = "text_scale" // percent, 100 to 150
	preferenceWidth      = "window_width"
	preferenceHeight     = "window_height"
)

// The values of PreferenceAppearance.
const (
	AppearanceSystem = "system"
	AppearanceLight  = "light"
	AppearanceDark   = "dark"
)

// The window's sizes in device-independent pixels.
const (
	firstWidth, firstHeight       = 1160, 720
	SmallestWidth, SmallestHeight = 800, 560
	largestSide                   = 8192 // of any screen; what a file says beyond it is no size
)

// LookOf reads the look that the user chose.
func LookOf(p fyne.Preferences) theme.Options {
	options := theme.Options{TextScale: p.IntWithFallback(PreferenceTextScale, theme.SmallestTextScale)}
	switch p.StringWithFallback(PreferenceAppearance, AppearanceSystem) {
	case AppearanceLight:
		options.Appearance = theme.Light
	case AppearanceDark:
		options.Appearance = theme.Dark
	}
	return options
}

// WindowSize reads the size that the window had last.
func WindowSize(p fyne.Preferences) fyne.Size {
	return fyne.NewSize(
		float32(min(max(SmallestWidth, p.FloatWithFallback(preferenceWidth, firstWidth)), largestSide)),
		float32(min(max(SmallestHeight, p.FloatWithFallback(preferenceHeight, firstHeight)), largestSide)))
}

// KeepWindowSize remembers a size for the next start.
func KeepWindowSize(p fyne.Preferences, size fyne.Size) {
	if size.Width < SmallestWidth || size.Height < SmallestHeight {
		return
	}
	p.SetFloat(preferenceWidth, float64(size.Width))
	p.SetFloat(preferenceHeight, float64(size.Height))
}
