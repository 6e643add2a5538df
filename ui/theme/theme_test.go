package theme

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edgewright/resources"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
)

func TestAppearance(t *testing.T) {
	light, dark := lightPalette[fynetheme.ColorNameBackground], darkPalette[fynetheme.ColorNameBackground]
	for name, c := range map[string]struct {
		appearance Appearance
		system     fyne.ThemeVariant
		dark       bool
	}{
		"follows dark":       {FollowSystem, fynetheme.VariantDark, true},
		"follows light":      {FollowSystem, fynetheme.VariantLight, false},
		"no preference":      {FollowSystem, 2, false},
		"fixed light wins":   {Light, fynetheme.VariantDark, false},
		"fixed dark wins":    {Dark, fynetheme.VariantLight, true},
		"fixed without wish": {Dark, 2, true},
	} {
		want := light
		if c.dark {
			want = dark
		}
		if got := New(Options{Appearance: c.appearance}).Color(fynetheme.ColorNameBackground, c.system); got != want {
			t.Errorf("%s: background %v, want %v", name, got, want)
		}
	}
}

func TestTextScaleStaysInItsBounds(t *testing.T) {
	for percent, want := range map[int]float32{0: 14, 50: 14, 100: 14, 125: 17.5, 150: 21, 400: 21} {
		th := New(Options{TextScale: percent})
		if got := th.Size(SizeNameText); got != want {
			t.Errorf("%d %%: text %v, want %v", percent, got, want)
		}
		if got := th.Size(SizeNameSpace4); got != 16 {
			t.Errorf("%d %%: spacing %v grows", percent, got)
		}
	}
}

func TestEverySizeIsDefined(t *testing.T) {
	th := New(Options{})
	for _, name := range []fyne.ThemeSizeName{SizeNameTitle, SizeNameSubtitle, SizeNameText, SizeNameSmall, SizeNameSection, SizeNameMono,
		SizeNameSpace1, SizeNameSpace2, SizeNameSpace3, SizeNameSpace4, SizeNameSpace5, SizeNameSpace6, SizeNameSpace7, SizeNameCardCorner,
		SizeNameFieldCorner, SizeNamePillCorner, SizeNameHairline, SizeNameRing, SizeNameIcon, SizeNameIconSmall, SizeNameIconLarge,
		SizeNameIconHuge, SizeNameRail, SizeNameRailNarrow, SizeNameFactLabel, SizeNameControlSide} {
		if th.Size(name) == 0 {
			t.Errorf("size %s is 0", name)
		}
	}
	for name := range lightPalette {
		if _, ok := darkPalette[name]; !ok {
			t.Errorf("colour %s has no dark value", name)
		}
	}
}

func TestIconsTakeTheColourOfTheTheme(t *testing.T) {
	test.NewTempApp(t)
	for variant, c := range map[Appearance][2]string{Light: {"#2f54c8", "#b3261e"}, Dark: {"#8fa9ff", "#ff9a92"}} {
		test.ApplyTheme(t, New(Options{Appearance: variant}))
		for _, source := range []fyne.Resource{IconCloud(), fynetheme.ConfirmIcon()} {
			for i, name := range []fyne.ThemeColorName{ColorNameAccent, ColorNameBad} {
				tinted := Tint(source, name)
				if !bytes.Contains(bytes.ToLower(tinted.Content()), []byte(c[i])) {
					t.Errorf("%s is not drawn in %s", tinted.Name(), c[i])
				}
				if !strings.Contains(tinted.Name(), c[i]) {
					t.Errorf("name %s does not tell the colour", tinted.Name())
				}
			}
		}
	}
	if again := Tint(Tint(IconCloud(), ColorNameBad), ColorNameAccent); bytes.Contains(again.Content(), []byte("#000")) {
		t.Error("black is left after tinting twice")
	}
}

// TestIconsShareOneStroke keeps the drawings in one hand.
func TestIconsShareOneStroke(t *testing.T) {
	files, err := resources.Icons.ReadDir("icons")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := file.Name()
		if strings.HasPrefix(name, "edgewright.") || name == "mark.svg" {
			continue
		}
		content, err := resources.Icons.ReadFile("icons/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(content), "stroke-width=") != strings.Count(string(content), `stroke-width="1.8"`) {
			t.Errorf("%s has another stroke weight", name)
		}
		if ownIcons[strings.TrimSuffix(name, ".svg")] == nil {
			t.Errorf("%s has no name in this package", name)
		}
	}
}

func TestIconPicture(t *testing.T) {
	for variant, appearance := range variants {
		t.Run(variant, func(t *testing.T) {
			test.NewTempApp(t)
			test.ApplyTheme(t, New(Options{Appearance: appearance}))
			all := []*Icon{IconMark(), IconProvision(), IconBoard(), IconDevice(), IconCloud(), IconPractice(), IconLinux(), IconEFLOW(),
				IconWindows(), IconChip(), IconKey(), IconCertificate(), IconSSH(), IconPlug(), IconCard(), IconDisk(), IconList(),
				IconLabel(), IconLock(), IconLink(), IconDiffer(), IconWait(), IconDrop(), IconColumns(), IconToCome(), IconNow()}
			sheet := &fyne.Container{}
			for i, icon := range all {
				picture := canvas.NewImageFromResource(icon)
				picture.Resize(fyne.NewSquareSize(48))
				picture.Move(fyne.NewPos(float32(i%9)*60+6, float32(i/9)*60+6))
				sheet.Add(picture)
			}
			w := test.NewTempWindow(t, sheet)
			w.SetPadded(false)
			w.Resize(fyne.NewSize(546, 186))
			test.AssertImageMatches(t, "icons-"+variant+".png", w.Canvas().Capture())
		})
	}
}

// TestAppIconIsTheDrawing keeps the PNG that packagers take in step with its
// SVG. A differing picture is written to testdata/failed, from where it can be
// taken over.
func TestAppIconIsTheDrawing(t *testing.T) {
	test.NewTempApp(t)
	drawing, err := resources.Icons.ReadFile("icons/edgewright.svg")
	if err != nil {
		t.Fatal(err)
	}
	c := software.NewTransparentCanvas()
	c.SetPadded(false)
	c.SetContent(canvas.NewImageFromResource(fyne.NewStaticResource("edgewright.svg", drawing)))
	c.Resize(fyne.NewSquareSize(256))
	want := c.Capture()
	got, err := png.Decode(bytes.NewReader(AppIcon().Content()))
	if err == nil && got.Bounds().Size() == (image.Point{X: 256, Y: 256}) && same(got, want) {
		return
	}
	var content bytes.Buffer
	if err := png.Encode(&content, want); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "failed", "edgewright.png")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Errorf("edgewright.png is not the drawing (%v); a new one is in %s", err, path)
}

func same(a, b image.Image) bool {
	for y := range 256 {
		for x := range 256 {
			ar, ag, ab, aa := a.At(x, y).RGBA()
			br, bg, bb, ba := b.At(x, y).RGBA()
			if ar != br || ag != bg || ab != bb || aa != ba {
				return false
			}
		}
	}
	return true
}
