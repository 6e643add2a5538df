package certificates

import (
	"context"
	"os"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
	"edgewright/provisioning/pki"
	"edgewright/ui/frame"
	"edgewright/ui/pick"
	"edgewright/ui/theme"
	"edgewright/ui/widgets"
	"edgewright/ui/widgets/layout"
)

// The choices of a mintForm: where the devices come from, and whom their bundles
// are sealed for.
const (
	fromRange = "range"
	fromList  = "list"
	forBench  = "bench"
	forKey    = "key"
)

// mintForm asks for everything that many devices at once need, and shows beside
// the fields what will come out.
type mintForm struct {
	p       *Page
	content fyne.CanvasObject

	from      *widgets.ChoiceGroup
	pattern   *widgets.Entry
	group     *widgets.Entry
	days      *widgets.Entry
	edge      *widgets.Check
	list      *widgets.Entry
	ca        *widgets.Select
	profile   *widgets.Select
	algorithm *widgets.Select
	recipient *widgets.ChoiceGroup
	bench     *widgets.Select
	key       *widgets.Entry
	folder    *widgets.Entry
	cloud     *widgets.Select
	enroll    *widgets.Check
	patternF  *widgets.Field
	daysF     *widgets.Field
	listF     *widgets.Field
	benchF    *widgets.Field
	failure   *fyne.Container
	outcome   *fyne.Container
	begin     *widgets.Button

	profiles []app.ProfileView
	clouds   []app.CloudRow
	fits     *app.MintRequest // what is typed, if it can be made
	look     frame.Task
	load     frame.Task
	benches  frame.Task
}

// mintMany opens the form.
func (p *Page) mintMany() { p.open(newMintForm(p)) }

func newMintForm(p *Page) *mintForm {
	f := &mintForm{p: p}
	space := fynetheme.Size(theme.SizeNameSpace3)
	changed := func(string) { f.preview() }
	f.pattern, f.group, f.days, f.list, f.key, f.folder = f.entry(), f.entry(), f.entry(), f.entry(), f.entry(), f.entry()
	f.pattern.SetPlaceHolder("line-7-{0001..0500}")
	f.group.SetPlaceHolder("line-7")
	f.list.SetPlaceHolder("devices.csv")
	f.key.SetPlaceHolder("age1…")
	f.edge = widgets.NewCheck(lang.X("mint.edge", "Give each an Edge CA of its own"), func(bool) { f.preview() })
	f.ca, f.profile, f.algorithm, f.bench = widgets.NewSelect(nil, changed), widgets.NewSelect(nil, func(string) { f.followProfile() }), widgets.NewSelect(nil, changed), widgets.NewSelect(nil, changed)
	f.cloud = widgets.NewSelect(nil, func(string) { f.followCloud() })
	f.enroll = widgets.NewCheck(lang.X("mint.enroll", "Make their enrollments there now"), func(bool) { f.preview() })
	f.failure, f.outcome = layout.Column(space), layout.Column(fynetheme.Size(theme.SizeNameSpace2))
	f.failure.Hide()
	f.begin = widgets.NewButton(widgets.Primary, lang.X("mint.do", "Make the bundles"), fynetheme.ContentAddIcon(), f.submit)
	f.begin.Disable()

	fields := layout.Column(space, f.failure,
		layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle(lang.X("mint.devices", "Which devices")), f.sources()),
		widgets.NewField(lang.X("certificates.form.ca", "Signed by"), "", f.ca),
		pair(widgets.NewField(lang.X("certificates.form.profile", "Profile"), "", f.profile), widgets.NewField(lang.X("certificates.form.algorithm", "Key"), "", f.algorithm)),
		layout.Column(fynetheme.Size(theme.SizeNameSpace2), widgets.SectionTitle(lang.X("mint.recipient", "Who can open the bundles")), f.recipients()),
		widgets.NewField(lang.X("mint.folder", "Folder of the bundles"), lang.X("mint.folder.hint", "it is made if it is not there; the report goes there too"),
			besideButton(f.folder, lang.X("action.choose", "Choose ..."), f.chooseFolder)),
		widgets.NewField(lang.X("mint.cloud", "Cloud"), "", f.cloud),
		layout.Column(0, f.enroll, widgets.NewText(lang.X("mint.enroll.line", "Without it the run on the device makes its enrollment."), widgets.StyleSmall)))
	cancel := widgets.NewButton(widgets.Secondary, lang.X("action.cancel", "Cancel"), nil, p.close)
	foot := layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Spacer(), cancel, f.begin)
	view := widgets.NewTitledCard(lang.X("certificates.outcome", "What will come out"), f.outcome)
	body := layout.Grid(2, 330*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace5), fields, layout.Column(0, view))
	head := widgets.NewPageHead(lang.X("mint.title", "Many devices at once"), lang.X("mint.line", "Each gets a key, a certificate and a sealed bundle that provisions it"))
	f.content = layout.Page(head, layout.VScroll(body), foot)
	f.folder.SetText(pick.Home("bundles"))
	f.days.SetText(strconv.Itoa(365))
	f.read()
	return f
}

func (f *mintForm) entry() *widgets.Entry {
	e := widgets.NewEntry(func(string) { f.submit() })
	e.OnChanged = func(string) { f.preview() }
	return e
}

// pair puts two fields side by side where there is room.
func pair(one, two fyne.CanvasObject) fyne.CanvasObject {
	return layout.Grid(2, 150*theme.TextFactor(), fynetheme.Size(theme.SizeNameSpace3), one, two)
}

// besideButton is an entry with a button that fills it.
func besideButton(entry *widgets.Entry, text string, do func()) fyne.CanvasObject {
	return layout.Row(fynetheme.Size(theme.SizeNameSpace2), layout.Middle, layout.Grow(entry), widgets.NewButton(widgets.Secondary, text, nil, do))
}

// sources are the two ways to name many devices.
func (f *mintForm) sources() fyne.CanvasObject {
	f.patternF = widgets.NewField(lang.X("mint.pattern", "Device IDs"), lang.X("mint.pattern.hint", "two numbers in braces; the first says how wide they are written"), f.pattern)
	f.daysF = widgets.NewField(lang.X("certificates.form.days", "Days"), lang.X("certificates.form.days.hint", "it never ends after its issuer"), f.days)
	group := widgets.NewField(lang.X("cloud.group.label", "Enrollment group"), lang.X("mint.group.hint", "left empty, each device gets an individual enrollment"), f.group)
	f.listF = widgets.NewField(lang.X("mint.list", "CSV file"), lang.X("mint.list.hint", "with the columns id, hostname, group, edge_ca and days, of which id is needed; it can be dropped here"),
		besideButton(f.list, lang.X("action.choose", "Choose ..."), f.chooseList))
	space := fynetheme.Size(theme.SizeNameSpace2)
	f.from = widgets.NewChoiceGroup(func(string) { f.preview() },
		widgets.Choice{ID: fromRange, Icon: theme.IconDevice(), Title: lang.X("mint.range", "A range of names"), Line: lang.X("mint.range.line", "numbered, and alike in all else"),
			Content: layout.Column(space, f.patternF, pair(group, f.daysF), f.edge)},
		widgets.Choice{ID: fromList, Icon: theme.IconList(), Title: lang.X("mint.fromlist", "A list"), Line: lang.X("mint.fromlist.line", "a CSV file with one device a line"), Content: f.listF})
	f.from.Choose(fromRange)
	return f.from
}

// recipients are those whom bundles can be sealed for.
func (f *mintForm) recipients() fyne.CanvasObject {
	f.benchF = widgets.NewField(lang.X("mint.bench.label", "Bench identity"), "", f.bench)
	another := widgets.NewButton(widgets.Secondary, lang.X("mint.bench.new", "A new identity ..."), fynetheme.ContentAddIcon(), f.newBench)
	key := widgets.NewField(lang.X("mint.key.label", "Public key"), lang.X("mint.key.hint", "age1…, ssh-ed25519 …, ssh-rsa …, or ssh:HOST for a recorded host key; {id} and {hostname} stand for those of the device"), f.key)
	f.recipient = widgets.NewChoiceGroup(func(string) { f.preview() },
		widgets.Choice{ID: forBench, Icon: theme.IconKey(), Title: lang.X("mint.bench", "A bench identity of this vault"), Line: lang.X("mint.bench.line", "they are opened on this computer"),
			Content: layout.Column(fynetheme.Size(theme.SizeNameSpace2), f.benchF, layout.Flow(0, another))},
		widgets.Choice{ID: forKey, Icon: theme.IconSSH(), Title: lang.X("mint.key", "Somebody else"), Line: lang.X("mint.key.line", "by a public key, or each device by its own host key"), Content: key})
	f.recipient.Choose(forBench)
	return f.recipient
}

func (f *mintForm) object() fyne.CanvasObject { return f.content }
func (f *mintForm) first() fyne.Focusable     { return f.pattern }

// drop takes a list that was dropped on the window.
func (f *mintForm) drop(file string) bool {
	f.from.Choose(fromList)
	f.list.SetText(file)
	f.preview()
	return true
}

func (f *mintForm) chooseList() {
	dialog.ShowFileOpen(func(file fyne.URIReadCloser, err error) {
		if err == nil && file != nil {
			f.list.SetText(file.URI().Path())
			_ = file.Close()
		}
	}, f.p.c.Window)
}

func (f *mintForm) chooseFolder() {
	dialog.ShowFolderOpen(func(folder fyne.ListableURI, err error) {
		if err == nil && folder != nil {
			f.folder.SetText(folder.Path())
		}
	}, f.p.c.Window)
}

// read gets what the lists of the form offer.
func (f *mintForm) read() {
	type choices struct {
		cas      []string
		profiles []app.ProfileView
		clouds   []app.CloudRow
	}
	frame.Do(f.p.c, &f.load, func(ctx context.Context) (c choices, err error) {
		if c.cas, err = f.p.c.App.IssuingCAs(ctx, ""); err != nil {
			return c, err
		}
		if c.profiles, err = f.p.c.App.MintProfiles(ctx); err != nil {
			return c, err
		}
		c.clouds, err = f.p.c.App.Clouds(ctx)
		return c, err
	}, func(c choices, err error) {
		if err != nil {
			f.say(err)
			return
		}
		f.ca.Options, f.profiles = c.cas, c.profiles
		f.ca.PlaceHolder = lang.X("certificates.form.noca", "(make a root CA first)")
		if len(c.cas) > 0 {
			f.ca.PlaceHolder = lang.X("certificates.form.chooseca", "(choose a CA)")
		}
		if len(c.cas) == 1 {
			f.ca.SetSelected(c.cas[0])
		}
		for _, profile := range c.profiles {
			f.profile.Options = append(f.profile.Options, profile.Name)
		}
		f.profile.SetSelectedIndex(0)
		for _, cloud := range c.clouds {
			f.clouds = append(f.clouds, cloud)
			f.cloud.Options = append(f.cloud.Options, cloudName(cloud))
		}
		f.cloud.SetSelectedIndex(0)
		f.readBenches("")
	})
}

// cloudName is a cloud as lists show it.
func cloudName(c app.CloudRow) string {
	if c.Practice {
		return lang.X("cloud.practice", "Practice cloud")
	}
	return c.Name
}

// readBenches lists the identities of the vault and takes one.
func (f *mintForm) readBenches(take string) {
	frame.Do(f.p.c, &f.benches, f.p.c.App.BenchIdentities, func(list []app.BenchIdentity, err error) {
		f.benchF.SetError("")
		if err != nil {
			f.benchF.SetError(errorLine(err))
		}
		f.bench.Options = nil
		for _, identity := range list {
			f.bench.Options = append(f.bench.Options, identity.Name)
		}
		f.bench.PlaceHolder = lang.X("mint.bench.none", "(make one first)")
		if len(list) > 0 {
			f.bench.PlaceHolder = lang.X("mint.bench.choose", "(choose one)")
		}
		switch {
		case take != "":
			f.bench.SetSelected(take)
		case len(list) == 1:
			f.bench.SetSelectedIndex(0)
		}
		f.bench.Refresh()
		f.content.Refresh()
		f.preview()
	})
}

// newBench asks for the name of a new identity and makes it.
func (f *mintForm) newBench() {
	var box *frame.Dialog
	var field *widgets.Field
	var entry *widgets.Entry
	make := func() {
		name := strings.TrimSpace(entry.Text)
		frame.Do(f.p.c, &f.benches, func(ctx context.Context) (app.BenchIdentity, error) {
			return f.p.c.App.MakeBenchIdentity(ctx, name)
		}, func(made app.BenchIdentity, err error) {
			if err != nil {
				field.SetError(errorLine(err))
				box.Fit()
				return
			}
			box.End(func() { f.readBenches(made.Name) })
		})
	}
	entry = widgets.NewEntry(func(string) { make() })
	entry.SetText("bench-1")
	entry.OnChanged = func(string) { field.SetError("") }
	field = widgets.NewField(lang.X("mint.bench.name", "Name"), lang.X("mint.bench.name.hint", "of the place where bundles are opened"), entry)
	box = frame.NewDialog(f.p.c, lang.X("mint.bench.title", "A new bench identity"), layout.Column(fynetheme.Size(theme.SizeNameSpace3),
		widgets.NewText(lang.X("mint.bench.what", "A key of the vault that opens bundles on this computer; it never leaves the vault."), widgets.StyleBody), field), nil,
		frame.Answer{Text: lang.X("action.cancel", "Cancel")},
		frame.Answer{Text: lang.X("certificates.new.do", "Make"), Icon: fynetheme.ContentAddIcon(), Kind: widgets.Primary, Do: make, Stay: true})
	box.Show(entry)
}

// followProfile shows the kinds of key that a profile allows, its own chosen.
func (f *mintForm) followProfile() {
	var words []string
	for _, a := range pki.Algorithms {
		if a.OnDevice() {
			words = append(words, a.String())
		}
	}
	f.algorithm.Options = words
	if at := f.profile.SelectedIndex(); at >= 0 {
		f.algorithm.SetSelected(f.profiles[at].Algorithm.String())
		f.days.SetText(strconv.Itoa(f.profiles[at].Days))
	}
}

// followCloud takes the box away where the cloud has no DPS.
func (f *mintForm) followCloud() {
	f.enroll.Enable()
	if f.itsCloud().DPSHost == "" {
		f.enroll.SetChecked(false)
		f.enroll.Disable()
	}
	f.preview()
}

func (f *mintForm) itsCloud() app.CloudRow {
	if at := f.cloud.SelectedIndex(); at >= 0 {
		return f.clouds[at]
	}
	return app.CloudRow{}
}

// request is what the fields ask for, without the devices.
func (f *mintForm) request() app.MintRequest {
	r := app.MintRequest{CA: f.ca.Selected, Profile: f.profile.Selected, Folder: pick.Whole(f.folder.Text), Cloud: f.itsCloud().Name, Enroll: f.enroll.Checked}
	for _, a := range pki.Algorithms {
		if a.String() == f.algorithm.Selected {
			r.Algorithm = a
		}
	}
	r.Recipient = f.bench.Selected
	if f.recipient.Chosen() == forKey {
		r.Recipient = strings.TrimSpace(f.key.Text)
	}
	return r
}

// devices reads the range or the list, off the main goroutine.
func devices(from, pattern, list string, like app.MintRow) ([]app.MintRow, finding.List, error) {
	if from == fromRange {
		rows, err := app.ReadMintRange(pattern, like)
		return rows, nil, err
	}
	file, err := os.Open(list)
	if err != nil {
		return nil, nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: lang.X("pick.nofile", "There is no such file."), Hint: list, Err: err}
	}
	defer func() { _ = file.Close() }()
	return app.ReadMintList(file)
}

// submit begins the batch.
func (f *mintForm) submit() {
	if f.fits == nil {
		return
	}
	r := *f.fits
	f.p.beginMint(len(r.Rows), func(ctx context.Context, emit func(app.MintEvent)) (app.MintOutcome, error) {
		return f.p.c.App.Mint(ctx, r, emit)
	})
}

// say puts a failure above the fields; what was typed stays.
func (f *mintForm) say(err error) {
	view := frame.View(err)
	f.failure.Objects = []fyne.CanvasObject{widgets.NewBanner(widgets.Bad, view.Message, view.Hint)}
	f.failure.Show()
	f.content.Refresh()
}
