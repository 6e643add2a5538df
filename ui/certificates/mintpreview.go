package certificates

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"edgewright/app"
	"edgewright/provisioning/finding"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/widgets"
)

// previewAfter is how long the form waits for the next key before it looks: a
// list may have a hundred thousand lines.
const previewAfter = 200 * time.Millisecond

// findingsShown is how many lines that are wrong the preview names.
const findingsShown = 8

// preview shows what would be made of the fields as they are.
func (f *mintForm) preview() {
	f.fits = nil
	f.begin.Disable()
	f.daysF.SetError("")
	request := f.request()
	from, pattern, list := f.from.Chosen(), strings.TrimSpace(f.pattern.Text), pick.Whole(f.list.Text)
	like := app.MintRow{Group: strings.TrimSpace(f.group.Text), EdgeCA: f.edge.Checked}
	days, err := strconv.Atoi(strings.TrimSpace(f.days.Text))
	switch {
	case from == fromRange && pattern == "" || from == fromList && list == "":
		f.look.Stop()
		f.put(widgets.NewText(lang.X("mint.outcome.none", "Name the devices to see what will come out."), widgets.StyleMuted))
		return
	case from == fromRange && (err != nil || days < 1):
		f.look.Stop()
		f.daysF.SetError(lang.X("certificates.form.days.wrong", "The days are a number from 1 on."))
		f.content.Refresh()
		return
	}
	like.Days = days
	type seen struct {
		rows  []app.MintRow
		found finding.List
	}
	frame.Do(f.p.c, &f.look, func(ctx context.Context) (seen, error) {
		select {
		case <-ctx.Done():
			return seen{}, ctx.Err()
		case <-time.After(previewAfter):
		}
		rows, found, err := devices(from, pattern, list, like)
		if err != nil || found.Errors() {
			return seen{rows, found}, err
		}
		request.Rows = rows
		found, err = f.p.c.App.CheckMint(ctx, request)
		return seen{rows, found}, err
	}, func(s seen, err error) {
		lines := f.summary(s.rows, request)
		switch {
		case err != nil:
			view := frame.View(err)
			lines = append(lines, widgets.Remark(widgets.Bad, view.Message), widgets.NewText(view.Hint, widgets.StyleMuted))
		case s.found.Errors():
			lines = append(lines, lineRemarks(s.found)...)
		default:
			f.fits = &request
			f.begin.Enable()
		}
		f.put(lines...)
	})
}

// lineRemarks are findings that name lines; of many the first.
func lineRemarks(found finding.List) []fyne.CanvasObject {
	n := found.Count(finding.Error)
	lines := []fyne.CanvasObject{widgets.NewText(lang.XN("mint.wrong", "Nothing can be made while {{.N}} places are wrong:", n, map[string]any{"N": n}), widgets.StyleStrong)}
	for _, f := range found[:min(len(found), findingsShown)] {
		lines = append(lines, widgets.Remark(level(f.Level), f.Field+": "+frame.Finding(f)))
	}
	if more := len(found) - findingsShown; more > 0 {
		lines = append(lines, widgets.NewText(lang.XN("mint.wrong.more", "and {{.N}} more", more, map[string]any{"N": more}), widgets.StyleMuted))
	}
	return lines
}

// summary are the facts of a batch that is not made yet.
func (f *mintForm) summary(rows []app.MintRow, r app.MintRequest) []fyne.CanvasObject {
	if len(rows) == 0 {
		return nil
	}
	n, edges, alone, groups := len(rows), 0, 0, map[string]bool{}
	least, most := rows[0].Days, rows[0].Days
	for _, row := range rows {
		least, most = min(least, row.Days), max(most, row.Days)
		if row.EdgeCA {
			edges++
		}
		if row.Group == "" {
			alone++
		} else {
			groups[row.Group] = true
		}
	}
	names := rows[0].ID
	if n > 1 {
		names = lang.X("mint.names", "{{.First}} to {{.Last}}", map[string]any{"First": rows[0].ID, "Last": rows[n-1].ID})
	}
	days := strconv.Itoa(least)
	if least != most {
		days = lang.X("mint.names", "{{.First}} to {{.Last}}", map[string]any{"First": least, "Last": most})
	}
	facts := []widgets.Fact{
		{Label: lang.X("mint.devices.n", "Devices"), Value: strconv.Itoa(n)},
		{Label: lang.X("mint.device.names", "Names"), Value: names},
		{Label: lang.X("certificate.key", "Key"), Value: f.algorithm.Selected},
		{Label: lang.X("certificates.form.days", "Days"), Value: days},
		{Label: lang.X("cloud.enrollment", "Enrollment"), Value: enrollments(alone, len(groups))},
		{Label: lang.X("mint.files", "Files"), Value: filepath.Join(r.Folder, rows[0].ID+".edgewright"), Mono: true},
	}
	if edges > 0 {
		facts = append(facts, widgets.Fact{Label: lang.X("certificate.edgeca", "Edge CA"), Value: lang.XN("mint.edges", "for {{.N}} of them", edges, map[string]any{"N": edges})})
	}
	return []fyne.CanvasObject{widgets.Facts(facts...)}
}

// enrollments says how the devices are known to a DPS.
func enrollments(alone, groups int) string {
	var parts []string
	if alone > 0 {
		parts = append(parts, lang.XN("mint.individual", "{{.N}} individual", alone, map[string]any{"N": alone}))
	}
	if groups > 0 {
		parts = append(parts, lang.XN("mint.groups", "{{.N}} groups", groups, map[string]any{"N": groups}))
	}
	return strings.Join(parts, ", ")
}

func (f *mintForm) put(objects ...fyne.CanvasObject) {
	f.outcome.Objects = objects
	f.outcome.Refresh()
	f.content.Refresh()
}
