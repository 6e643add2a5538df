package provision

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning/finding"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// bundleRow is one of several bundles that were opened, and where it goes.
type bundleRow struct {
	app.BundleRow
	target *widgets.Entry // nil for one that is left out
	field  *widgets.Field
}

// set names the bundles in the field for one: paths, as the system lists them.
func (f *bundleFields) set(files []string) {
	f.file.SetText(strings.Join(files, string(os.PathListSeparator)))
}

// files are the bundles that the field names: one, several, or those of a folder.
func (f *bundleFields) files() ([]string, error) {
	whole := pick.Whole(f.file.Text)
	if info, err := os.Stat(whole); err == nil {
		if info.IsDir() {
			return app.BundlesIn(whole)
		}
		return []string{whole}, nil
	}
	return filepath.SplitList(whole), nil
}

// openMany opens several bundles and asks where each of them goes.
func (f *bundleFields) openMany(files []string) {
	key := f.withKey()
	f.inside.Objects = []fyne.CanvasObject{widgets.NewText(lang.XN("bundle.openingmany", "Opening {{.N}} bundles ...", len(files), map[string]any{"N": len(files)}), widgets.StyleMuted)}
	f.p.arrange()
	frame.Do(f.p.c, &f.look, func(ctx context.Context) ([]app.BundleRow, error) {
		return f.p.c.App.OpenBundles(ctx, files, key)
	}, func(rows []app.BundleRow, err error) {
		if err == nil {
			f.ask(rows)
		}
		f.looked(err)
	})
}

// ask shows the bundles, each with the field for its target.
func (f *bundleFields) ask(rows []app.BundleRow) {
	f.many, f.askedFor = nil, f.chosenTarget()
	for _, row := range rows {
		asked := &bundleRow{BundleRow: row}
		if row.Err == nil {
			asked.target = widgets.NewEntry(func(string) { f.p.Primary() })
			asked.target.SetText(f.suggest(row.View, len(f.many) == 0))
			asked.target.SetPlaceHolder("pi@10.20.4.31")
			asked.target.OnChanged = func(string) { asked.field.SetError("") }
			asked.field = widgets.NewField(row.View.Device, lang.X("bundle.target.hint", "user@host, a folder or practice:NAME; left empty, it is left out"), asked.target)
		}
		f.many = append(f.many, asked)
	}
	f.inside.Objects = f.manyContents()
	f.p.nameSteps()
	f.p.onward.SetText(lang.X("identity.next", "Review"))
	f.p.focusOn(f.p.onward)
}

// chosenTarget tells one choice of the first step from another.
func (f *bundleFields) chosenTarget() string {
	if list := f.p.list; list != nil {
		return list.path
	}
	return f.p.draft.Target
}

// suggest is where a bundle goes: where the list says, to a practice device of
// its name, or to the machine of its host name. The target that was chosen is for
// the first.
func (f *bundleFields) suggest(view app.BundleView, first bool) string {
	chosen := f.p.draft.Target
	switch list, user, ssh := f.p.list, "", strings.HasPrefix(chosen, "ssh://"); {
	case list != nil:
		if i := (listRows{list.rows}).Find(view.Device); i >= 0 {
			return list.rows[i].Target
		}
	case f.p.practiceDevice():
		return app.PracticeTarget(view.Device)
	case first:
		return strings.TrimPrefix(strings.TrimPrefix(chosen, "ssh://"), "rootfs://")
	case ssh && view.Plan.Device.Hostname != "":
		if name, _, ok := strings.Cut(strings.TrimPrefix(chosen, "ssh://"), "@"); ok {
			user = name + "@"
		}
		return user + view.Plan.Device.Hostname
	}
	return ""
}

// manyContents shows what the bundles are for, and what is wrong with others.
func (f *bundleFields) manyContents() []fyne.CanvasObject {
	space := fynetheme.Size(theme.SizeNameSpace2)
	fields := layout.Grid(2, 240*theme.TextFactor(), space)
	remarks := layout.Column(space)
	said := map[string]bool{}
	for _, row := range f.many {
		if row.Err != nil {
			remarks.Add(widgets.Remark(widgets.Bad, filepath.Base(row.File)+": "+failure(row.Err)))
			continue
		}
		fields.Add(row.field)
		for _, found := range row.View.Findings {
			if found.Level != finding.Note && !said[found.Problem] {
				said[found.Problem] = true
				remarks.Add(findingLine(found))
			}
		}
	}
	if list := f.p.list; list != nil {
		without := 0
		for _, line := range list.rows {
			if !slices.ContainsFunc(f.many, func(r *bundleRow) bool { return r.Err == nil && r.View.Device == line.Plan.Device.ID }) {
				without++
			}
		}
		if without > 0 {
			remarks.Add(widgets.Remark(widgets.Care, lang.XN("bundle.without", "{{.N}} lines of the list have no bundle; they are left out.", without, map[string]any{"N": without})))
		}
	}
	n := len(fields.Objects)
	return []fyne.CanvasObject{widgets.NewTitledCard(lang.XN("bundle.where", "Where {{.N}} bundles go", n, map[string]any{"N": n}), remarks, fields)}
}

// failure is an error as one line.
func failure(err error) string {
	view := frame.View(err)
	return strings.TrimSpace(view.Message + " " + view.Hint)
}

// leaveMany makes a list of the bundles that have a target, and goes on to Review
// with it.
func (f *bundleFields) leaveMany(on func()) {
	made := &list{bundles: true, targets: f.p.list}
	seen := map[string]bool{}
	var first *app.BundleView
	for i, row := range f.many {
		if row.Err != nil || strings.TrimSpace(row.target.Text) == "" {
			continue
		}
		target, err := bundleTarget(row.target.Text)
		wrong := ""
		if err != nil {
			wrong = failure(err)
		} else if seen[target] {
			wrong = uilang.Domain("Give each device its own target.")
		}
		if wrong != "" {
			f.wrong(row.field, row.target, wrong)
			return
		}
		seen[target] = true
		if first == nil {
			first = &row.View
		}
		made.rows = append(made.rows, app.Row{Line: i + 1, Target: target, Plan: row.View.Plan})
	}
	if first == nil {
		for _, row := range f.many {
			if row.field != nil {
				f.wrong(row.field, row.target, lang.X("bundle.target.none", "None of them has a target. Name one."))
				return
			}
		}
		return
	}
	draft := f.p.draft
	f.p.list = made
	draft.Bundle, draft.Plan, draft.Access.BundleKey = first, first.Plan, f.withKey()
	on()
}

// bundleTarget reads what is typed for the target of a bundle.
func bundleTarget(text string) (string, error) {
	if path := pick.Whole(text); filepath.IsAbs(path) {
		return app.FolderTarget(path), nil
	}
	return app.MachineTarget(text)
}
