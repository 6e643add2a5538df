package runs

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/provisioning"
	uilang "edgewright/ui/lang"
	"edgewright/ui/widgets"
)

// The columns of the table.
const (
	columnRun     = "run"
	columnDevice  = "device"
	columnTarget  = "target"
	columnState   = "state"
	columnStarted = "started"
	columnTook    = "took"
	columnCloud   = "cloud"
	columnBatch   = "batch"
)

func columns() []widgets.TableColumn {
	return []widgets.TableColumn{
		{ID: columnRun, Title: lang.X("runs.run", "Run"), Width: 100, Sortable: true, Fixed: true},
		{ID: columnDevice, Title: lang.X("devices.device", "Device"), Width: 130, Sortable: true},
		{ID: columnTarget, Title: lang.X("devices.where", "Where"), Width: 130, Sortable: true},
		{ID: columnState, Title: lang.X("devices.state", "State"), Width: 182, Sortable: true},
		{ID: columnStarted, Title: lang.X("runs.started", "Started"), Width: 120, Sortable: true},
		{ID: columnTook, Title: lang.X("runs.took", "Took"), Width: 80, Sortable: true},
		{ID: columnCloud, Title: lang.X("devices.cloud", "Cloud"), Width: 90, Sortable: true, Hidden: true},
		{ID: columnBatch, Title: lang.X("runs.batch", "Batch"), Width: 120, Hidden: true},
	}
}

// row is a run, or the head of a batch above its runs, with its texts.
type row struct {
	id    string // of the run, or of the batch
	cells map[string]widgets.TableCell
}

// rows are what the table shows.
type rows struct {
	list []row
	at   map[string]int
}

// newRows arranges runs. Newest first, the runs of a batch stand under a head
// of their own; in any other order they stand where they belong.
func newRows(list []app.RunRow, sortBy string, descending bool, now time.Time) rows {
	list = slices.Clone(list)
	grouped := sortBy == columnRun && descending
	if !grouped {
		sortRuns(list, sortBy, descending, now)
	}
	r := rows{at: map[string]int{}}
	add := func(one row) {
		r.at[one.id] = len(r.list)
		r.list = append(r.list, one)
	}
	byBatch := batches(list)
	for _, run := range list {
		if !grouped || run.Batch == "" {
			add(runRow(run, "", now))
			continue
		}
		if _, shown := r.at[run.Batch]; shown {
			continue
		}
		add(batchRow(run.Batch, byBatch[run.Batch], now))
		for _, one := range byBatch[run.Batch] {
			add(runRow(one, "    ", now))
		}
	}
	return r
}

// batches gives the runs of each batch in the order of list.
func batches(list []app.RunRow) map[string][]app.RunRow {
	all := map[string][]app.RunRow{}
	for _, run := range list {
		if run.Batch != "" {
			all[run.Batch] = append(all[run.Batch], run)
		}
	}
	return all
}

func runRow(run app.RunRow, indent string, now time.Time) row {
	text := func(s string) widgets.TableCell { return widgets.TableCell{Text: s} }
	return row{id: run.ID, cells: map[string]widgets.TableCell{
		columnRun:     {Text: indent + run.ID, Bold: indent == ""},
		columnDevice:  text(run.Device),
		columnTarget:  text(Where(run.Target)),
		columnState:   {Status: Status(run)},
		columnStarted: text(uilang.Moment(run.Started, now)),
		columnTook:    text(Took(run, now)),
		columnCloud:   text(run.Cloud),
		columnBatch:   text(run.Batch),
	}}
}

// batchRow sums a batch up.
func batchRow(batch string, list []app.RunRow, now time.Time) row {
	first := list[len(list)-1]
	return row{id: batch, cells: map[string]widgets.TableCell{
		columnRun:     {Text: lang.XN("runs.batch.head", "{{.N}} devices", len(list), map[string]any{"N": len(list)}), Bold: true},
		columnDevice:  {Text: lang.X("runs.batch.name", "batch {{.Batch}}", map[string]any{"Batch": batch})},
		columnState:   {Status: batchStatus(list)},
		columnStarted: {Text: uilang.Moment(first.Started, now)},
		columnCloud:   {Text: first.Cloud},
		columnBatch:   {Text: batch},
	}}
}

// done tells whether a run has reached what it was for.
func done(run app.RunRow) bool {
	return run.State == string(provisioning.RunSucceeded) || run.State == string(provisioning.RunConfigured)
}

// batchStatus says how many of a batch are done, and how bad the rest is.
func batchStatus(list []app.RunRow) widgets.Status {
	n, state := 0, widgets.Good
	for _, run := range list {
		if done(run) {
			n++
			continue
		}
		if worse := Status(run).State; state == widgets.Good || worse > state {
			state = worse
		}
	}
	return widgets.Status{State: state, Word: lang.X("runs.batch.done", "{{.Done}} of {{.All}}", map[string]any{"Done": n, "All": len(list)})}
}

func sortRuns(list []app.RunRow, by string, descending bool, now time.Time) {
	took := func(run app.RunRow) time.Duration {
		switch {
		case run.Ended != nil:
			return run.Ended.Sub(run.Started)
		case run.Live:
			return now.Sub(run.Started)
		}
		return 0
	}
	compare := map[string]func(a, b app.RunRow) int{
		columnRun: func(a, b app.RunRow) int { return strings.Compare(a.ID, b.ID) },
		columnDevice: func(a, b app.RunRow) int {
			return strings.Compare(strings.ToLower(a.Device), strings.ToLower(b.Device))
		},
		columnTarget:  func(a, b app.RunRow) int { return strings.Compare(a.Target, b.Target) },
		columnState:   func(a, b app.RunRow) int { return strings.Compare(Status(a).Word, Status(b).Word) },
		columnStarted: func(a, b app.RunRow) int { return a.Started.Compare(b.Started) },
		columnTook:    func(a, b app.RunRow) int { return int(took(a)/time.Millisecond) - int(took(b)/time.Millisecond) },
		columnCloud:   func(a, b app.RunRow) int { return strings.Compare(a.Cloud, b.Cloud) },
	}[by]
	if compare == nil {
		return
	}
	slices.SortStableFunc(list, func(a, b app.RunRow) int {
		if descending {
			return compare(b, a)
		}
		return compare(a, b)
	})
}

// Len implements widgets.TableRows.
func (r rows) Len() int { return len(r.list) }

// Identity implements widgets.TableRows.
func (r rows) Identity(i int) string { return r.list[i].id }

// Find implements widgets.TableRows.
func (r rows) Find(id string) int {
	if i, ok := r.at[id]; ok {
		return i
	}
	return -1
}

// Cell implements widgets.TableRows.
func (r rows) Cell(i int, column string) widgets.TableCell { return r.list[i].cells[column] }
