package provision

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"golang.org/x/sync/errgroup"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// atOnce is how many devices of a list are looked at, or provisioned, at the
// same time.
const atOnce = 8

// batchReview is what was seen of each row of a list.
type batchReview struct {
	rows  []app.Row
	looks []rowLook
}

type rowLook struct {
	preview *provisioning.Preview
	err     error
}

// stops says why a row cannot be provisioned, "" if it can.
func (l rowLook) stops() string {
	if l.err != nil {
		return frame.View(l.err).Message
	}
	for _, f := range l.preview.Findings {
		if f.Level == finding.Error {
			return uilang.Domain(f.Problem)
		}
	}
	return ""
}

// fit are the rows that can be provisioned.
func (b *batchReview) fit() []app.Row {
	var rows []app.Row
	for i, row := range b.rows {
		if b.looks[i].stops() == "" {
			rows = append(rows, row)
		}
	}
	return rows
}

// lookAtAll looks at every row before anything is written.
func (s *reviewStep) lookAtAll() fyne.CanvasObject {
	rows, access := s.p.list.rows, s.p.draft.Access
	frame.Do(s.p.c, &s.look, func(ctx context.Context) ([]rowLook, error) {
		if s.p.draft.Plan.Cloud.Name == app.Practice {
			if _, release, err := s.p.c.App.KeepPractice(ctx); err == nil {
				defer release() // one cloud for all looks
			}
		}
		looks := make([]rowLook, len(rows))
		var group errgroup.Group
		group.SetLimit(atOnce)
		for i, row := range rows {
			group.Go(func() error {
				preview, err := s.p.c.App.Preview(ctx, app.Request{Plan: row.Plan, Target: row.Target, Access: access})
				looks[i] = rowLook{preview, err}
				return nil
			})
		}
		return looks, group.Wait()
	}, func(looks []rowLook, err error) {
		if s.p.at != stepReview {
			return
		}
		s.batch = &batchReview{rows: rows, looks: looks}
		if len(s.batch.fit()) > 0 {
			s.p.onward.Enable()
		}
		s.p.shown(s.manyPage())
		s.p.focusSoon()
	})
	return s.waiting(lang.XN("review.lookingmany", "Looking at {{.N}} devices and the cloud ...", len(rows), map[string]any{"N": len(rows)}))
}

// manyPage lists the devices; the one that is selected is shown whole.
func (s *reviewStep) manyPage() fyne.CanvasObject {
	b := s.batch
	fit := len(b.fit())
	head := widgets.NewBanner(widgets.Advice, lang.XN("review.fit", "{{.N}} devices can be provisioned", fit, map[string]any{"N": fit}),
		lang.X("review.fit.line", "Select one to see what will be written for it."))
	if out := len(b.rows) - fit; out > 0 {
		head = widgets.NewBanner(widgets.Care, lang.XN("review.fit", "{{.N}} devices can be provisioned", fit, map[string]any{"N": fit}),
			lang.XN("review.unfit", "{{.N}} are left out; the list says why.", out, map[string]any{"N": out}))
	}
	table := widgets.NewDataTable(nil,
		widgets.TableColumn{ID: "id", Title: lang.X("list.id", "Device ID"), Width: 130, Fixed: true},
		widgets.TableColumn{ID: "state", Title: lang.X("list.look", "Look"), Width: 150, Fixed: true})
	table.SetRows(reviewRows{listRows{b.rows}, b.looks})
	detail := layout.Column(0)
	table.OnSelected = func(id string) {
		if i := (listRows{b.rows}).Find(id); i >= 0 {
			detail.Objects = []fyne.CanvasObject{layout.Grow(s.rowPage(b.looks[i]))}
			s.p.arrange()
		}
	}
	if len(b.rows) > 0 {
		table.Select(b.rows[0].Plan.Device.ID)
		detail.Objects = []fyne.CanvasObject{layout.Grow(s.rowPage(b.looks[0]))}
	}
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.head(), head,
		layout.Grow(layout.Sidebar(310*theme.TextFactor(), 340, fynetheme.Size(theme.SizeNameSpace4), table, detail)))
}

func (s *reviewStep) rowPage(look rowLook) fyne.CanvasObject {
	if look.err != nil {
		return frame.Failure(look.err, "", nil)
	}
	return layout.Column(fynetheme.Size(theme.SizeNameSpace3), s.writes(look.preview, look.preview.Target), layout.Grow(filesOf(look.preview)))
}

type reviewRows struct {
	listRows
	looks []rowLook
}

func (r reviewRows) Cell(row int, column string) widgets.TableCell {
	if column != "state" {
		return r.listRows.Cell(row, column)
	}
	if why := r.looks[row].stops(); why != "" {
		return widgets.TableCell{Status: widgets.Status{State: widgets.Bad, Word: why}}
	}
	if !r.looks[row].preview.Changed() {
		return widgets.TableCell{Status: widgets.Status{State: widgets.Neutral, Word: lang.X("review.same", "as wanted already")}}
	}
	return widgets.TableCell{Status: widgets.Status{State: widgets.Good, Word: lang.X("review.ready", "ready")}}
}
