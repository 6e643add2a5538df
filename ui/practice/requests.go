package practice

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// requests is the tab of the log, newest first.
type requests struct {
	v      *View
	failed *widgets.Button
	copier *widgets.Button
	table  *widgets.DataTable
	detail *widgets.Text
	all    fyne.CanvasObject
	load   frame.Task
	known  map[string]app.PracticeRequest // of the rows, by key
	only   bool                           // those that failed
}

func newRequests(v *View) *requests {
	t := &requests{v: v}
	t.failed = widgets.NewButton(widgets.Secondary, lang.X("practice.failedonly", "Failed only"), fynetheme.CheckButtonIcon(), t.filter)
	t.copier = widgets.NewButton(widgets.Secondary, lang.X("practice.copyrequest", "Copy the request"), fynetheme.ContentCopyIcon(), t.copy)
	t.copier.Disable()
	t.table = widgets.NewDataTable(
		widgets.NewEmptyState(fynetheme.HistoryIcon(), lang.X("practice.norequest", "No request yet"), lang.X("practice.norequest.line", "Each call of a client shows here with its correlation ID; keys and bodies do not."), nil),
		widgets.TableColumn{ID: columnTime, Title: lang.X("practice.time", "Time"), Width: 96, Fixed: true},
		widgets.TableColumn{ID: columnState, Title: lang.X("practice.answer", "Answer"), Width: 76},
		widgets.TableColumn{ID: columnMethod, Title: lang.X("practice.method", "Method"), Width: 60},
		widgets.TableColumn{ID: columnPath, Title: lang.X("practice.path", "Path"), Width: 206},
		widgets.TableColumn{ID: columnDuration, Title: lang.X("practice.duration", "Took"), Width: 68},
		widgets.TableColumn{ID: columnError, Title: lang.X("practice.error", "Error"), Width: 112},
		widgets.TableColumn{ID: columnTracking, Title: lang.X("practice.tracking", "Correlation ID"), Width: 126},
		widgets.TableColumn{ID: columnHost, Title: lang.X("practice.host", "Host"), Width: 150, Hidden: true},
		widgets.TableColumn{ID: columnAPIVersion, Title: "api-version", Width: 110, Hidden: true})
	t.table.OnSelected = t.selected
	t.table.OnOpened = func(key string) { t.selected(key); t.copy() }
	t.detail = widgets.NewText("", widgets.StyleSmall)
	space := fynetheme.Size(theme.SizeNameSpace2)
	t.all = layout.Column(fynetheme.Size(theme.SizeNameSpace3), layout.Flow(space, t.failed, t.copier), layout.Grow(t.table), t.detail)
	return t
}

func (t *requests) object() fyne.CanvasObject { return t.all }

func (t *requests) first() fyne.Focusable { return t.failed }

// filter shows those that failed only, or all again.
func (t *requests) filter() {
	t.only = !t.only
	t.failed.Icon = fynetheme.CheckButtonIcon()
	if t.only {
		t.failed.Icon = fynetheme.CheckButtonCheckedIcon()
	}
	t.failed.Refresh()
	t.read(t.v.overview)
}

func (t *requests) read(app.PracticeOverview) {
	query := app.PracticeRequestQuery{Failed: t.only}
	frame.Do(t.v.c, &t.load, func(ctx context.Context) ([]app.PracticeRequest, error) {
		return t.v.c.App.PracticeRequests(ctx, query)
	}, func(found []app.PracticeRequest, err error) {
		if err != nil {
			t.v.sayError(err)
			return
		}
		t.known = make(map[string]app.PracticeRequest, len(found))
		list := make([]row, 0, len(found))
		for _, r := range slices.Backward(found) {
			key := fmt.Sprint(r.Number)
			t.known[key] = r
			list = append(list, row{key, map[string]widgets.TableCell{columnTime: text(r.Time.Local().Format("15:04:05.000")), columnState: {Status: answered(r)},
				columnMethod: text(r.Method), columnPath: {Text: r.Path, Mono: true}, columnDuration: text(took(r.Duration)), columnError: text(r.Code),
				columnTracking: {Text: r.CorrelationID, Mono: true}, columnHost: text(r.Host), columnAPIVersion: text(r.APIVersion)}})
		}
		t.table.SetRows(newRows(list))
		t.selected(t.table.Selected())
	})
}

// selected shows the whole request below the table.
func (t *requests) selected(key string) {
	r, ok := t.known[key]
	if !ok {
		t.copier.Disable()
		t.detail.SetText(lang.X("practice.select", "Select a request to see it whole and to copy it."))
		return
	}
	t.copier.Enable()
	t.detail.SetText(whole(r))
}

// whole is a request in one line, for a person who reports it.
func whole(r app.PracticeRequest) string {
	return fmt.Sprintf("%s %s https://%s%s?api-version=%s: %d %s, %s, %s", r.Time.UTC().Format(time.RFC3339Nano), r.Method, r.Host, r.Path, r.APIVersion,
		r.Status, r.Code, took(r.Duration), r.CorrelationID)
}

func (t *requests) copy() {
	if r, ok := t.known[t.table.Selected()]; ok {
		fyne.CurrentApp().Clipboard().SetContent(whole(r))
		t.v.Say(widgets.Good, lang.X("practice.requestcopied", "The request is in the clipboard"), "")
	}
}
