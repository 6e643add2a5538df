// Package resources carries the files that are compiled into the program:
// icons, translations and the support table. It holds data and hands it out as
// bytes; what an icon's colour is, which language applies and what a support
// date means is decided by those who ask. It imports nothing of the program.
package resources

import "embed"

// Icons holds every drawing under icons/: one 24 by 24 SVG per name with one
// stroke weight (1.8) and #000 as its only colour, so that a theme can repaint
// it by replacing that text, and the program's own icon edgewright.svg with its
// 256 by 256 rendering edgewright.png, which keep their colours.
//
//go:embed icons/*.svg icons/edgewright.png
var Icons embed.FS
