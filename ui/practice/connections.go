package practice

import (
	"context"
	"fmt"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/ui/frame"
	"edgewright/ui/widgets"
)

// connections is the tab of what happened to the connections of devices over
// MQTT, newest first.
type connections struct {
	v     *View
	table *widgets.DataTable
	load  frame.Task
}

func newConnections(v *View) *connections {
	t := &connections{v: v}
	t.table = widgets.NewDataTable(
		widgets.NewEmptyState(fynetheme.HistoryIcon(), lang.X("practice.noevent", "No device has connected yet"), lang.X("practice.noevent.line", "A device that connects over MQTT, leaves or is refused shows here, with the reason."), nil),
		widgets.TableColumn{ID: columnTime, Title: lang.X("practice.time", "Time"), Width: 96, Fixed: true},
		widgets.TableColumn{ID: columnState, Title: lang.X("practice.event", "What"), Width: 130},
		widgets.TableColumn{ID: columnDevice, Title: lang.X("practice.column.device", "Device"), Width: 150},
		widgets.TableColumn{ID: columnModule, Title: lang.X("practice.column.module", "Module"), Width: 110},
		widgets.TableColumn{ID: columnReason, Title: lang.X("practice.why", "Why"), Width: 260},
		widgets.TableColumn{ID: columnHub, Title: lang.X("practice.column.hub", "Hub"), Width: 80},
		widgets.TableColumn{ID: columnOver, Title: lang.X("practice.over", "Over"), Width: 90})
	return t
}

func (t *connections) object() fyne.CanvasObject { return t.table }

func (t *connections) first() fyne.Focusable { return t.v.tabs }

func (t *connections) read(app.PracticeOverview) {
	frame.Do(t.v.c, &t.load, func(ctx context.Context) ([]app.PracticeEvent, error) {
		return t.v.c.App.PracticeEvents(ctx)
	}, func(found []app.PracticeEvent, err error) {
		if err != nil {
			t.v.sayError(err)
			return
		}
		list := make([]row, 0, len(found))
		for i, e := range slices.Backward(found) {
			hub := e.Hub
			if hub == "" {
				hub = "DPS"
			}
			list = append(list, row{fmt.Sprint(e.Time.UnixNano(), i), map[string]widgets.TableCell{columnTime: text(e.Time.Local().Format("15:04:05.000")), columnState: {Status: happened(e)},
				columnDevice: text(e.Device), columnModule: text(e.Module), columnReason: text(why(e.Reason)), columnHub: text(hub), columnOver: text(e.Transport)}})
		}
		t.table.SetRows(newRows(list))
	})
}

// happened is the pill of an event.
func happened(e app.PracticeEvent) widgets.Status {
	switch e.Kind {
	case app.PracticeConnected:
		return connection(true)
	case app.PracticeRefused:
		return widgets.Status{State: widgets.Bad, Word: lang.X("practice.refused", "refused")}
	}
	return connection(false)
}

// why is the reason of an end for a person; that of a refusal is the protocol's
// own code.
func why(reason string) string {
	switch reason {
	case app.PracticeEndByClient:
		return lang.X("practice.end.client", "the client said goodbye")
	case app.PracticeEndLost:
		return lang.X("practice.end.lost", "the connection broke")
	case app.PracticeEndSilent:
		return lang.X("practice.end.silent", "silent for longer than its keep-alive")
	case app.PracticeEndExpired:
		return lang.X("practice.end.expired", "its token expired")
	case app.PracticeEndRefused:
		return lang.X("practice.end.refused", "it sent what is not allowed")
	case app.PracticeEndNewer:
		return lang.X("practice.end.newer", "it connected anew")
	case app.PracticeEndIdentity:
		return lang.X("practice.end.identity", "its identity was removed, disabled or got other keys")
	case app.PracticeEndSlow:
		return lang.X("practice.end.slow", "it does not read")
	case app.PracticeEndOffline:
		return lang.X("practice.end.offline", "the hub was taken offline")
	case app.PracticeEndStopped:
		return lang.X("practice.end.stopped", "the practice cloud was switched off")
	}
	return reason
}
