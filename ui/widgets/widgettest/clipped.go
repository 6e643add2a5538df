package widgettest

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// slack is how far a text may reach out of its room, in pixels: rounding of
// glyph widths, and the line height of a face that is higher than its letters.
const slack = 1.5

// needed is where a text draws: its own size at its alignment.
func needed(t *canvas.Text, place area) area {
	least := t.MinSize()
	left := place.left
	switch t.Alignment {
	case fyne.TextAlignCenter:
		left += (place.width() - least.Width) / 2
	case fyne.TextAlignTrailing:
		left += place.width() - least.Width
	}
	top := place.top + max(0, (place.height()-least.Height)/2)
	return area{left, top, left + least.Width, top + least.Height}
}

// texts calls do for every text that is drawn.
func texts(c fyne.Canvas, do func(v visit, t *canvas.Text, draws area)) {
	walk(c, func(v visit) {
		if t, ok := v.object.(*canvas.Text); ok && t.Text != "" {
			do(v, t, needed(t, v.place))
		}
	})
}

// ClippedText reports every text that needs more room than the objects around it
// and the window leave it. What lies outside a scroll's view but can be scrolled
// to is not cut; neither is the text of an entry, which scrolls by itself, nor a
// text that was shortened with an ellipsis on purpose.
func ClippedText(c fyne.Canvas) []Finding {
	var findings []Finding
	texts(c, func(v visit, t *canvas.Text, draws area) {
		if v.entry {
			return
		}
		over := max(v.room.left-draws.left, draws.right-v.room.right)
		if over > slack {
			findings = append(findings, Finding{t.Text, fmt.Sprintf("is %.0f px too wide for its room of %.0f", over, v.room.width()), v.path})
		}
		over = max(v.room.top-draws.top, draws.bottom-v.room.bottom)
		if over > slack {
			findings = append(findings, Finding{t.Text, fmt.Sprintf("is %.0f px too high for its room of %.0f", over, v.room.height()), v.path})
		}
	})
	return findings
}

// OverlappingText reports texts that are drawn over each other. Texts of
// different layers, such as a dialog above the page, are not compared.
func OverlappingText(c fyne.Canvas) []Finding {
	if len(c.Overlays().List()) > 0 {
		return nil
	}
	type drawn struct {
		text string
		area area
		path string
	}
	var all []drawn
	texts(c, func(v visit, t *canvas.Text, draws area) {
		if seen := draws.meet(v.seen); !seen.empty() && !v.entry {
			// Line heights contain room above and below the letters.
			seen.top += seen.height() * 0.2
			seen.bottom -= seen.height() * 0.2
			all = append(all, drawn{t.Text, seen, v.path})
		}
	})
	var findings []Finding
	for i, a := range all {
		for _, b := range all[:i] {
			if both := a.area.meet(b.area); both.width() > slack && both.height() > slack {
				findings = append(findings, Finding{a.text, fmt.Sprintf("lies on %q", b.text), a.path})
			}
		}
	}
	return findings
}
