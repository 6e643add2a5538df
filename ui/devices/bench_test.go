package devices

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/frame/frametest"
	"edgewright/ui/pagetest"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
)

// large is the catalog that the page must stay quick with.
const large = 100_000

// BenchmarkDevices100k opens the page on a catalog with a hundred thousand
// devices, types into its search and scrolls. Each figure is from the key or the
// call to the laid out window.
func BenchmarkDevices100k(b *testing.B) {
	test.NewTempApp(b).Settings().SetTheme(theme.New(theme.Options{Appearance: theme.Light}))
	c, q := frametest.Context(b, nil, nil)
	c = pagetest.Window(b, c, fyne.NewSize(964, 720))
	fillLarge(b, c)
	var p *Page
	open := func() {
		p = New(c)
		pagetest.Open(c, q, p, frame.Place{})
		q.Until(b, "the list", func() bool { return p.known && len(p.current.list) == most })
		q.Settle()
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			open()
			c.Window.Canvas().Capture()
		}
	})
	open()
	texts := []string{"l", "li", "lin", "line-7", "line-70", "dev-0777", "0042", "plant-09", "10.20.4.31", "nowhere"}
	b.Run("keystroke", func(b *testing.B) {
		n := 0
		for b.Loop() {
			p.search.SetText(texts[n%len(texts)])
			n++
			q.Until(b, "the answer", func() bool { return p.answered == p.query })
		}
	})
	p.search.SetText("")
	q.Until(b, "all again", func() bool { return p.answered == p.query })
	b.Run("scroll", func(b *testing.B) {
		focused := widgets.FirstFocus(p.table)
		c.Window.Canvas().Focus(focused)
		keys := []fyne.KeyName{fyne.KeyPageDown, fyne.KeyPageDown, fyne.KeyPageDown, fyne.KeyEnd, fyne.KeyHome}
		n := 0
		for b.Loop() {
			focused.TypedKey(&fyne.KeyEvent{Name: keys[n%len(keys)]})
			n++
		}
	})
}

// fillLarge imports the devices as CSV.
func fillLarge(b *testing.B, c *frame.Context) {
	b.Helper()
	states := []string{app.StateProven, app.StateProven, app.StateProven, app.StateRehearsed, app.StateFailed, app.StateRenewSoon, app.StateConfigured}
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	_ = w.Write([]string{"device_id", "hub_host", "state", "platform", "provisioning", "authentication", "cloud", "group", "target", "host_name", "runtime", "last_proof", "tags"})
	now := time.Now()
	for i := range large {
		prefix := []string{"line", "dev", "press"}[i%3]
		_ = w.Write([]string{fmt.Sprintf("%s-%06d", prefix, i), fmt.Sprintf("hub-%d.azure-devices.net", i%4), states[i%len(states)], "linux", "dps", "symmetric-key",
			fmt.Sprintf("cloud-%d", i%4), fmt.Sprintf("group-%d", i%100), fmt.Sprintf("ssh://pi@10.%d.%d.%d", i>>16&0xff, i>>8&0xff, i&0xff), fmt.Sprintf("plant-%06d", i), "1.6.0",
			now.Add(-time.Duration(i) * time.Minute).UTC().Format(time.RFC3339), fmt.Sprintf(`{"line":%d}`, i%50)})
	}
	w.Flush()
	result, err := c.App.ImportDevices(b.Context(), &text)
	if err != nil || result.Added != large {
		b.Fatalf("import: %+v, %v", result, err)
	}
}
