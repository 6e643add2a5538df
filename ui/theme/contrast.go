package theme

import (
	"image/color"
	"math"
)

// Marks of WCAG 2.1 level AA.
const (
	// TextContrast is the least ratio between text and what lies under it.
	TextContrast = 4.5
	// LargeTextContrast is the same for text of 24 pixels, or 18.66 bold, and above.
	LargeTextContrast = 3.0
	// EdgeContrast is the least ratio for borders of fields, marks of focus and icons.
	EdgeContrast = 3.0
)

// Contrast is the WCAG 2 ratio of two opaque colours, 1 to 21. Transparent
// colours are laid over what is under them with Over first.
func Contrast(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	if la < lb {
		la, lb = lb, la
	}
	return (la + 0.05) / (lb + 0.05)
}

// Over lays top over an opaque bottom and returns the opaque colour seen.
func Over(top, bottom color.Color) color.NRGBA {
	tr, tg, tb, ta := top.RGBA() // premultiplied, 16 bits
	br, bg, bb, _ := bottom.RGBA()
	mix := func(t, b uint32) uint8 { return uint8((t + b*(0xFFFF-ta)/0xFFFF) >> 8) }
	return color.NRGBA{R: mix(tr, br), G: mix(tg, bg), B: mix(tb, bb), A: 0xFF}
}

// luminance is the relative luminance of WCAG 2: sRGB made linear and weighted.
func luminance(c color.Color) float64 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n.R) + 0.7152*linear(n.G) + 0.0722*linear(n.B)
}
