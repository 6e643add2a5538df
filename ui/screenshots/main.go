// Command screenshots draws every page of the program into docs/screens, in
// light and dark, at 1x and 2x, in English and German, and at 150 % text. It
// needs no display: the toolkit's software renderer draws.
//
// The data in the pictures is made with the program itself, against the
// practice cloud, in a temporary folder. With -only the pages whose names begin
// so are drawn and the others are left as they are.
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/color/palette"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"edgewright/app"
	"edgewright/provisioning"
	"edgewright/ui"
	"edgewright/ui/frame"
	uilang "edgewright/ui/lang"
	"edgewright/ui/provision"
	"edgewright/ui/theme"
)

const folder = "docs/screens"

// look is one way of drawing all pages.
type look struct {
	language   string
	appearance string
	scale      int // of text, percent
	pixels     float32
}

// name tells the looks of a page apart; the plain one is light, English, 1x.
func (l look) name(page string) string {
	name := fmt.Sprintf("%s-%s-%s-%gx", page, l.language, l.appearance, l.pixels)
	if l.scale != 100 {
		name += fmt.Sprintf("-%d", l.scale)
	}
	return name + ".png"
}

func looks() []look {
	var all []look
	for _, language := range []string{"en", "de"} {
		for _, appearance := range []string{frame.AppearanceLight, frame.AppearanceDark} {
			for _, pixels := range []float32{1, 2} {
				all = append(all, look{language, appearance, 100, pixels})
			}
		}
		all = append(all, look{language, frame.AppearanceLight, 150, 1})
	}
	return all
}

// only is how the names of the pages begin that are drawn.
var only = flag.String("only", "", "draw only pages whose names begin so")

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run() error {
	old, err := filepath.Glob(filepath.Join(folder, *only+"*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "edgewright-screens-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := makeBundles(); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(bundles) }()
	// Paths that forms begin with are those of somebody.
	if err := os.Setenv("HOME", "/home/anna"); err != nil {
		return err
	}
	passphrase := filepath.Join(dir, "passphrase")
	if err := os.WriteFile(passphrase, []byte("a passphrase of the pictures"), 0o600); err != nil {
		return err
	}
	config := app.Config{DataDir: filepath.Join(dir, "data"), StateDir: filepath.Join(dir, "state"), Version: "0.1.0", PassphraseFile: passphrase}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := fill(ctx, config, dir); err != nil {
		return err
	}
	if err := fillCertificates(ctx, config); err != nil {
		return err
	}
	if err := fillStation(ctx, config, dir); err != nil {
		return err
	}
	for _, l := range looks() {
		if err := drawAll(ctx, config, l); err != nil {
			return fmt.Errorf("%s: %w", l.name("*"), err)
		}
	}
	return nil
}

// posts runs what goroutines hand over, on this one.
type posts struct {
	mu    sync.Mutex
	queue []func()
}

func (p *posts) post(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, f)
}

// until runs posts until done, at most for a minute.
func (p *posts) until(done func() bool) error {
	for end := time.Now().Add(time.Minute); !done(); {
		p.mu.Lock()
		queue := p.queue
		p.queue = nil
		p.mu.Unlock()
		for _, f := range queue {
			f()
		}
		if len(queue) == 0 {
			if time.Now().After(end) {
				return fmt.Errorf("a page did not become ready")
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	return nil
}

// rest lets looks that are under way come in.
func (p *posts) rest(d time.Duration) error {
	end := time.Now().Add(d)
	return p.until(func() bool { return time.Now().After(end) })
}

func drawAll(ctx context.Context, config app.Config, l look) error {
	if err := uilang.Use(l.language); err != nil {
		return err
	}
	face := test.NewApp()
	defer face.Quit()
	face.Preferences().SetInt(frame.PreferenceTextScale, l.scale)
	face.Preferences().SetString(frame.PreferenceAppearance, l.appearance)
	look := theme.New(frame.LookOf(face.Preferences()))
	face.Settings().SetTheme(look)
	window := face.NewWindow("Edgewright")
	defer window.Close()
	q := &posts{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	studio := ui.NewStudio(ctx, face, window, config, q.post)
	defer studio.Close()
	window.Resize(fyne.NewSize(1160, 720))

	draw := func(page string) error {
		if !strings.HasPrefix(page, *only) {
			return nil
		}
		if err := q.rest(150 * time.Millisecond); err != nil {
			return err
		}
		window.Canvas().Content().Refresh()
		return save(window, l, page)
	}
	for i, id := range studio.Pages() {
		page := studio.Open(frame.Place{Page: id})
		if id == frame.Computer {
			if err := q.until(func() bool { return page.Focus() != nil }); err != nil {
				return err
			}
		}
		if err := draw(fmt.Sprintf("%d-%s", i+1, id)); err != nil {
			return err
		}
		if wizard, ok := page.(*provision.Page); ok && wanted("2-provision") {
			if err := drawWizard(q, wizard, draw); err != nil {
				return err
			}
			if err := drawX509(q, window, wizard, draw); err != nil {
				return err
			}
		}
	}
	if wanted("4-certificates") {
		if err := drawCertificates(ctx, q, window, studio, draw); err != nil {
			return err
		}
	}
	if wanted("6-clouds-practice") {
		if err := drawPractice(ctx, q, studio, draw); err != nil {
			return err
		}
	}
	if wanted("3-devices-tpm") {
		if err := drawStation(q, window, studio, draw); err != nil {
			return err
		}
	}
	devices, err := studio.App().Devices(ctx, app.DeviceQuery{})
	if err != nil {
		return err
	}
	if len(devices) > 0 {
		studio.Open(frame.Place{Page: frame.Devices, Device: devices[0].UUID})
		if err := draw("3-devices-one"); err != nil {
			return err
		}
	}
	return nil
}

// wanted tells whether pages whose names begin so are drawn.
func wanted(page string) bool {
	return strings.HasPrefix(page, *only) || strings.HasPrefix(*only, page)
}

// drawWizard goes through the steps to the review. The run itself is drawn in
// the one look in which nothing else provisions.
func drawWizard(q *posts, wizard *provision.Page, draw func(string) error) error {
	for _, name := range []string{"2-provision-way", "2-provision-cloud", "2-provision-identity", "2-provision-review"} {
		at := wizard.At()
		wizard.Primary()
		if err := q.until(func() bool { return wizard.At() != at && wizard.Ready() }); err != nil {
			return err
		}
		if err := draw(name); err != nil {
			return err
		}
	}
	wizard.Primary()
	if err := q.rest(700 * time.Millisecond); err != nil {
		return err
	}
	if err := draw("2-provision-run"); err != nil {
		return err
	}
	if err := q.until(wizard.Ended); err != nil {
		return err
	}
	if err := draw("2-provision-proof"); err != nil {
		return err
	}
	wizard.Undo()
	if err := q.until(wizard.Ended); err != nil {
		return err
	}
	return draw("2-provision-undone")
}

// save draws the window's content and writes it with a palette of the colours
// that are in it: few, in a program of flat surfaces.
func save(window fyne.Window, l look, page string) error {
	canvas := software.NewCanvas()
	canvas.SetPadded(false)
	canvas.SetScale(l.pixels)
	canvas.SetContent(window.Content())
	canvas.Resize(fyne.NewSize(1160, 720))
	overlays := window.Canvas().Overlays().List()
	for _, above := range overlays {
		canvas.Overlays().Add(above)
	}
	picture := canvas.Capture()
	window.SetContent(window.Content())
	small := image.NewPaletted(picture.Bounds(), palette.Plan9)
	small.Palette = commonest(picture)
	draw.Draw(small, small.Bounds(), picture, picture.Bounds().Min, draw.Src)
	file, err := os.Create(filepath.Join(folder, l.name(page)))
	if err != nil {
		return err
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(file, small); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// fill makes devices of several kinds: proven, undone, failed.
func fill(ctx context.Context, config app.Config, dir string) error {
	a, err := app.New(ctx, config)
	if err != nil {
		return err
	}
	for i := range 9 {
		request, err := a.PracticeRequest(fmt.Sprintf("line-7-%04d", 38+i))
		if err != nil {
			return err
		}
		request.Plan.Cell.Provisioning = provisioning.Manual // no wait imposed by DPS
		request.Plan.Cloud.Enrollment = ""
		request.Plan.Device.Tags = map[string]any{"line": 7}
		outcome := a.Provision(ctx, request, nil)
		if outcome.Outcome != provisioning.RunSucceeded {
			return fmt.Errorf("provision %s: %s", request.Plan.Device.ID, outcome.Outcome)
		}
		if i == 7 {
			if _, _, err := a.Undo(ctx, outcome.Run, app.Access{}, nil); err != nil {
				return err
			}
		}
	}
	broken := filepath.Join(dir, "card")
	if err := os.MkdirAll(filepath.Join(broken, "etc"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(broken, "etc", "aziot"), nil, 0o600); err != nil {
		return err
	}
	plan := provisioning.Plan{Device: provisioning.DevicePlan{ID: "bench-0007"}}.WithDefaults()
	a.Provision(ctx, app.Request{Plan: plan, Target: app.FolderTarget(broken)}, nil)
	return a.Close()
}
