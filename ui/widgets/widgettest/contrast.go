package widgettest

import (
	"fmt"
	"image/color"
	"strings"

	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
)

// layer is a rectangle that was painted.
type layer struct {
	area  area
	color color.Color
}

// LowContrast reports every text and every one-coloured icon in sight that does
// not stand out from what was painted under its middle: 4.5 for text, 3 for
// large text and icons (theme.TextContrast and so on). Pictures and gradients
// under a text are not looked at.
func LowContrast(c fyne.Canvas) []Finding {
	var findings []Finding
	layers := []layer{{at(fyne.Position{}, c.Size()), fynetheme.Color(fynetheme.ColorNameBackground)}}
	under := func(x, y float32) color.Color {
		seen := color.Color(color.White)
		for _, l := range layers {
			if l.area.contains(x, y) {
				seen = theme.Over(l.color, seen)
			}
		}
		return seen
	}
	judge := func(v visit, what string, area area, paint color.Color, least float64) {
		area = area.meet(v.seen)
		if area.empty() {
			return
		}
		ground := under((area.left+area.right)/2, (area.top+area.bottom)/2)
		if ratio := theme.Contrast(theme.Over(paint, ground), ground); ratio < least {
			findings = append(findings, Finding{what, fmt.Sprintf("has a contrast of %.2f, not %.1f", ratio, least), v.path})
		}
	}
	walk(c, func(v visit) {
		switch o := v.object.(type) {
		case *canvas.Rectangle:
			if seen := v.place.meet(v.seen); o.FillColor != nil && !seen.empty() {
				layers = append(layers, layer{seen, o.FillColor})
			}
		case *canvas.Text:
			least := theme.TextContrast
			if o.TextSize >= 24 || (o.TextStyle.Bold && o.TextSize >= 18.66) {
				least = theme.LargeTextContrast
			}
			if o.Text != "" && o.Color != nil {
				judge(v, o.Text, needed(o, v.place), o.Color, least)
			}
		case *canvas.Image:
			// The fill of a check box lies under its border, in the field's own colour.
			if themed, ok := o.Resource.(fyne.ThemedResource); ok && !strings.Contains(themed.Name(), "check-box-fill") {
				judge(v, "icon "+themed.Name(), v.place, fynetheme.Color(themed.ThemeColorName()), theme.EdgeContrast)
			}
		}
	})
	return findings
}
