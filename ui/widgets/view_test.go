package widgets

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

func sampleDiff() Diff {
	text := `  hostname = "line-7-0042.plant.example"
  
- [provisioning]
- source = "manual"
- connection_string = "HostName=hub.practice.test;DeviceId=line-7-0042;SharedAccessKey=***"
+ [provisioning]
+ source = "dps"
+ global_endpoint = "https://global.practice.test:8443"
+ id_scope = "0ne00PRACTICE"
+ 
+ [provisioning.attestation]
+ method = "symmetric_key"
+ registration_id = "line-7-0042"
+ symmetric_key = { value = "***" }
  
  [agent]
  name = "edgeAgent"
- type = "old"
+ type = "docker"`
	d := Diff{Path: "/etc/aziot/config.toml", Owner: "root:root", Mode: "0600"}
	for _, l := range strings.Split(text, "\n") {
		d.Lines = append(d.Lines, DiffLine{Op: DiffOp(l[0]), Text: l[2:]})
	}
	return d
}

func TestDiffPicture(t *testing.T) {
	pictures(t, "diff", fyne.NewSize(480, 420), func() fyne.CanvasObject { return NewDiffView(sampleDiff()) })
}

func TestDiffJumpsAndCopies(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(480, 180), func() fyne.CanvasObject { return NewDiffView(sampleDiff()) })
	d := w.Content().(*DiffView)
	w.Canvas().Focus(d.view)
	d.view.TypedRune('n')
	if d.view.anchor != 2 {
		t.Errorf("first change at line %d", d.view.anchor)
	}
	d.view.TypedRune('n')
	if d.view.anchor != 17 || d.view.scroll.Offset.Y == 0 {
		t.Errorf("second change at line %d, scrolled by %v", d.view.anchor, d.view.scroll.Offset.Y)
	}
	d.view.TypedShortcut(&fyne.ShortcutCopy{})
	if got, want := fyne.CurrentApp().Clipboard().Content(), "- type = \"old\"\n+ type = \"docker\"\n"; got != want {
		t.Errorf("copied %q, want %q", got, want)
	}
	d.view.TypedRune('n')
	if d.view.anchor != 2 {
		t.Errorf("after the last change comes line %d, want the first again", d.view.anchor)
	}
	d.view.TypedShortcut(&fyne.ShortcutSelectAll{})
	if got := strings.Count(d.view.selected(), "\n"); got != 19 {
		t.Errorf("all of it is %d lines", got)
	}
}

func TestLinesAreSelectedWithPointerAndShift(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(480, 300), func() fyne.CanvasObject { return sampleLog() })
	v := w.Content().(*LogView).view
	height := lineHeight()
	v.body.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(5, height*1.5)}})
	v.body.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(5, height*3.5)}})
	if from, to, _ := v.selection(); from != 1 || to != 3 {
		t.Errorf("dragged over %d to %d", from, to)
	}
	if w.Canvas().Focused() != v {
		t.Errorf("focus is at %T", w.Canvas().Focused())
	}
	v.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	press(v, fyne.KeyDown)
	if from, to, _ := v.selection(); from != 1 || to != 4 {
		t.Errorf("with Shift %d to %d", from, to)
	}
}

func sampleLog() *LogView {
	l := NewLogView("Log")
	l.Set([]string{
		"14:03:04.112  apply   iotedge config apply -c /etc/aziot/config.toml",
		"14:03:04.630  apply   Note: Symmetric keys are not used, skipping",
		"14:03:05.201  apply   aziot-keyd      restarting",
		"14:03:05.877  apply   aziot-certd     active",
		"14:03:06.540  apply   aziot-identityd active",
		"14:03:07.902  apply   aziot-edged     starting",
	})
	return l
}

func TestLogPicture(t *testing.T) {
	pictures(t, "log", fyne.NewSize(480, 190), func() fyne.CanvasObject { return sampleLog() })
}

func TestLogFollowsUntilScrolledUp(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(480, 200), func() fyne.CanvasObject { return sampleLog() })
	l := w.Content().(*LogView)
	grow := func() {
		for i := range 200 {
			l.Append(fmt.Sprintf("line %d", i))
		}
	}
	atEnd := func() bool {
		return l.view.scroll.Offset.Y >= l.view.body.MinSize().Height-l.view.scroll.Size().Height-1
	}
	grow()
	if !atEnd() {
		t.Errorf("does not follow: offset %v", l.view.scroll.Offset.Y)
	}
	l.view.scroll.ScrollToOffset(fyne.NewPos(0, 20))
	l.view.onScrolled()
	grow()
	if atEnd() {
		t.Error("jumps to the end although the user scrolled up")
	}
	if got := len(test.WidgetRenderer(l.view.body).Objects()); got > 40 {
		t.Errorf("%d line objects for %d lines", got, len(l.view.lines))
	}
}

type sampleRows struct {
	ids    []string
	states map[string]Status
}

func (s *sampleRows) Len() int              { return len(s.ids) }
func (s *sampleRows) Identity(i int) string { return s.ids[i] }
func (s *sampleRows) Find(id string) int    { return slices.Index(s.ids, id) }

func (s *sampleRows) Cell(i int, column string) TableCell {
	switch column {
	case "id":
		return TableCell{Text: s.ids[i], Bold: true}
	case "state":
		return TableCell{Status: s.states[s.ids[i]]}
	case "way":
		return TableCell{Text: "Linux DPS symmetric key"}
	case "where":
		return TableCell{Text: "pi@10.20.4." + fmt.Sprint(30+i), Mono: true}
	default:
		return TableCell{Text: "today 14:03"}
	}
}

func newSampleRows() *sampleRows {
	return &sampleRows{
		ids: []string{"line-7-0042", "line-7-0041", "line-7-0040", "press-02", "hall-3-gw", "bench-07"},
		states: map[string]Status{"line-7-0042": {Good, "proven"}, "line-7-0041": {Good, "rehearsed"}, "line-7-0040": {Care, "renew soon"},
			"press-02": {Bad, "failed"}, "hall-3-gw": {Care, "unsupported"}, "bench-07": {Neutral, "never"}},
	}
}

func sampleTable() *DataTable {
	t := NewDataTable(NewEmptyState(theme.IconDevice(), "No devices yet", "", nil),
		TableColumn{ID: "id", Title: "Device", Width: 110, Sortable: true, Fixed: true},
		TableColumn{ID: "state", Title: "State", Width: 120, Sortable: true},
		TableColumn{ID: "way", Title: "Way", Width: 120},
		TableColumn{ID: "where", Title: "Where", Width: 120, Sortable: true},
		TableColumn{ID: "proof", Title: "Last proof", Width: 100, Sortable: true},
		TableColumn{ID: "tags", Title: "Tags", Width: 100, Hidden: true})
	t.SetSort("id", true)
	t.SetRows(newSampleRows())
	t.Select("line-7-0040")
	return t
}

func TestTablePicture(t *testing.T) {
	pictures(t, "table", fyne.NewSize(760, 320), func() fyne.CanvasObject { return sampleTable() },
		func(w fyne.Window) {
			table, ok := w.Content().(*DataTable)
			if ok {
				w.Canvas().Focus(table.list)
			}
		})
}

func TestEmptyTablePicture(t *testing.T) {
	pictures(t, "table-empty", fyne.NewSize(560, 260), func() fyne.CanvasObject {
		table := sampleTable()
		table.SetRows(noRows{})
		return table
	})
}

func TestTableSelectsByIdentity(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(760, 320), func() fyne.CanvasObject { return sampleTable() })
	table := w.Content().(*DataTable)
	var selected []string
	opened := ""
	table.OnSelected = func(id string) { selected = append(selected, id) }
	table.OnOpened = func(id string) { opened = id }
	w.Canvas().Focus(table.list)
	press(table.list, fyne.KeyDown, fyne.KeyHome, fyne.KeyUp, fyne.KeyEnd, fyne.KeyReturn)
	if want := []string{"press-02", "line-7-0042", "bench-07"}; !slices.Equal(selected, want) {
		t.Errorf("selected %v, want %v", selected, want)
	}
	if opened != "bench-07" {
		t.Errorf("opened %q", opened)
	}
	turned := newSampleRows()
	slices.Reverse(turned.ids)
	table.SetRows(turned)
	if table.Selected() != "bench-07" {
		t.Errorf("selected is %q after the rows moved", table.Selected())
	}
	press(table.list, fyne.KeyDown)
	if table.Selected() != "hall-3-gw" {
		t.Errorf("the row below is %q", table.Selected())
	}
	turned.ids = turned.ids[3:]
	table.SetRows(turned)
	if table.Selected() != "" {
		t.Errorf("%q is selected but gone", table.Selected())
	}
}

func TestTableSortsAndChoosesColumns(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(760, 320), func() fyne.CanvasObject { return sampleTable() })
	table := w.Content().(*DataTable)
	table.OnSort = func(column string, descending bool) {
		rows := newSampleRows()
		sort.Slice(rows.ids, func(i, j int) bool { return (rows.ids[i] < rows.ids[j]) != descending })
		table.SetRows(rows)
	}
	var columns []string
	table.OnColumns = func(ids []string) { columns = ids }
	w.Canvas().FocusNext()
	head, ok := w.Canvas().Focused().(*tableHead)
	if !ok {
		t.Fatalf("first focus is %T", w.Canvas().Focused())
	}
	press(head, fyne.KeyReturn)
	if table.rows.Identity(0) != "bench-07" || table.descending {
		t.Errorf("first is %s, descending %v", table.rows.Identity(0), table.descending)
	}
	press(w.Canvas().Focused(), fyne.KeyReturn)
	if table.rows.Identity(0) != "press-02" || !table.descending {
		t.Errorf("first is %s, descending %v; the head must keep the focus", table.rows.Identity(0), table.descending)
	}
	table.columnItems()[2].Action()
	if want := []string{"id", "state", "where", "proof"}; !slices.Equal(columns, want) {
		t.Errorf("columns %v, want %v", columns, want)
	}
	if !table.columnItems()[0].Disabled {
		t.Error("a fixed column can be hidden")
	}
}

func TestTableMakesOnlyVisibleRows(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(760, 320), func() fyne.CanvasObject { return sampleTable() })
	table := w.Content().(*DataTable)
	counted := &countingRows{n: 100_000}
	table.SetRows(counted)
	table.Select("row-99999")
	if counted.cells > 2000 {
		t.Errorf("%d cells were asked for", counted.cells)
	}
	if table.Selected() != "row-99999" {
		t.Errorf("selected %q", table.Selected())
	}
}

type countingRows struct{ n, cells int }

func (c *countingRows) Len() int              { return c.n }
func (c *countingRows) Identity(i int) string { return fmt.Sprintf("row-%d", i) }
func (c *countingRows) Find(id string) int {
	row := -1
	if _, err := fmt.Sscanf(id, "row-%d", &row); err != nil || row >= c.n {
		return -1
	}
	return row
}
func (c *countingRows) Cell(i int, column string) TableCell {
	c.cells++
	return TableCell{Text: column}
}

func TestTableRowsShrinkWithTheWindow(t *testing.T) {
	w := window(t, theme.Options{}, fyne.NewSize(900, 320), func() fyne.CanvasObject { return sampleTable() })
	w.Resize(fyne.NewSize(700, 320))
	table := w.Content().(*DataTable)
	rows := 0
	var visit func(fyne.CanvasObject)
	visit = func(o fyne.CanvasObject) {
		if row, ok := o.(*tableRow); ok {
			rows++
			if row.Size().Width != table.list.Size().Width {
				t.Errorf("row is %v wide in a list of %v", row.Size().Width, table.list.Size().Width)
			}
			return
		}
		switch o := o.(type) {
		case *fyne.Container:
			for _, child := range o.Objects {
				visit(child)
			}
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(o).Objects() {
				visit(child)
			}
		}
	}
	visit(table.list)
	if rows < 6 {
		t.Errorf("%d rows seen", rows)
	}
}
