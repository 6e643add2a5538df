// Package widgettest looks at a canvas as a reader would: is a text cut, do two
// texts lie on each other, can each be told from what is under it. Tests of
// widgets and of whole pages call it in both variants, with each language and at
// 150 % text; it belongs in no program.
//
// It works on the tree of drawn objects, not on pixels, and so names the text
// that is at fault.
package widgettest

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
)

// Finding is one fault.
type Finding struct {
	Text string // what is drawn
	What string // the fault, with figures
	Path string // types from the root to the object
}

func (f Finding) String() string { return fmt.Sprintf("%q %s (%s)", f.Text, f.What, f.Path) }

// Report joins findings line by line; empty when there are none.
func Report(findings []Finding) string {
	lines := make([]string, len(findings))
	for i, f := range findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// All runs every check of this package.
func All(c fyne.Canvas) []Finding {
	findings := ClippedText(c)
	findings = append(findings, OverlappingText(c)...)
	return append(findings, LowContrast(c)...)
}
