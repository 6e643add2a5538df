package practice

import (
	"fmt"
	"time"

	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/widgets"
)

// row is a line of a table with its texts, made once.
type row struct {
	key   string
	cells map[string]widgets.TableCell
}

// rows are what a table shows, in their order.
type rows struct {
	list []row
	at   map[string]int
}

func newRows(list []row) rows {
	r := rows{list: list, at: make(map[string]int, len(list))}
	for i, row := range list {
		r.at[row.key] = i
	}
	return r
}

// Len implements widgets.TableRows.
func (r rows) Len() int { return len(r.list) }

// Identity implements widgets.TableRows.
func (r rows) Identity(i int) string { return r.list[i].key }

// Find implements widgets.TableRows.
func (r rows) Find(key string) int {
	if i, ok := r.at[key]; ok {
		return i
	}
	return -1
}

// Cell implements widgets.TableRows.
func (r rows) Cell(i int, column string) widgets.TableCell { return r.list[i].cells[column] }

func text(s string) widgets.TableCell { return widgets.TableCell{Text: s} }

// connection is the lamp of a device or module.
func connection(connected bool) widgets.Status {
	if connected {
		return widgets.Status{State: widgets.Good, Word: lang.X("practice.connected", "connected")}
	}
	return widgets.Status{State: widgets.Neutral, Word: lang.X("practice.disconnected", "not connected")}
}

// lamp is connection unless the device is disabled.
func lamp(d app.PracticeDeviceRow) widgets.Status {
	if !d.Enabled {
		return widgets.Status{State: widgets.Bad, Word: lang.X("practice.disabled", "disabled")}
	}
	return connection(d.Connected)
}

// kind is edge or leaf.
func kind(edge bool) string {
	if edge {
		return lang.X("practice.edge", "edge")
	}
	return lang.X("practice.leaf", "leaf")
}

// ago is when something was, or that it never was. now is the cloud's clock.
func ago(at, now time.Time) string {
	if at.IsZero() {
		return lang.X("devices.never", "never")
	}
	return uilang.Moment(at.Local(), now.Local())
}

// answered is the pill of a request.
func answered(r app.PracticeRequest) widgets.Status {
	switch {
	case r.Status == 0:
		return widgets.Status{State: widgets.Bad, Word: lang.X("practice.noanswer", "none")}
	case r.Status >= 500:
		return widgets.Status{State: widgets.Bad, Word: fmt.Sprint(r.Status)}
	case r.Status >= 400:
		return widgets.Status{State: widgets.Care, Word: fmt.Sprint(r.Status)}
	}
	return widgets.Status{State: widgets.Good, Word: fmt.Sprint(r.Status)}
}

// took is a duration in milliseconds.
func took(d app.PracticeSpan) string {
	return fmt.Sprintf("%.1f ms", float64(time.Duration(d).Microseconds())/1000)
}

func orNone(value string) string {
	if value == "" {
		return lang.X("fact.none", "none")
	}
	return value
}

func (v *View) sayError(err error) {
	view := frame.View(err)
	v.Say(widgets.Bad, view.Message, view.Hint)
}
