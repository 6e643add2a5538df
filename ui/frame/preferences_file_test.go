package frame

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2/test"

	"edgewright/ui/theme"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// A file of preferences that is cut off, or that somebody has edited badly, gives
// way to what was kept, or to nothing; a good one stays as it is.
func TestBrokenPreferencesAreMended(t *testing.T) {
	const good = `{"appearance":"dark","language":"de","text_scale":125,"window_width":1000.5,"fyne:fileDialogLastFolder":"file:///"}`
	const kept = `{"appearance":"light"}`
	for name, row := range map[string]struct{ file, kept, want string }{
		"good":                     {good, kept, good},
		"none there":               {"", kept, ""},
		"cut off":                  {good[:20], kept, kept},
		"cut off, nothing kept":    {good[:20], "", ""},
		"empty, as truncated":      {" ", kept, kept},
		"both cut off":             {good[:20], kept[:5], ""},
		"no object":                {"null", kept, kept},
		"a list":                   {`["dark"]`, kept, kept},
		"a list of two kinds":      {`{"appearance":"dark","x":["a",1]}`, kept, kept},
		"a number for a language":  {`{"language":5}`, kept, kept},
		"a word for a size":        {`{"window_width":"wide"}`, kept, kept},
		"bytes that are no text":   {"\x00\x00\x00", kept, kept},
		"kept has a wrong kind":    {good[:20], `{"text_scale":"big"}`, ""},
		"a table where a word was": {`{"appearance":{"is":"dark"}}`, kept, kept},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, preferencesName)
			for path, text := range map[string]string{file: row.file, filepath.Join(dir, keptPreferencesName): row.kept} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := MendPreferences(dir); err != nil {
				t.Fatal(err)
			}
			if got := read(t, file); got != row.want {
				t.Errorf("the toolkit reads %q, want %q", got, row.want)
			}
			if broken := read(t, filepath.Join(dir, brokenPreferencesName)); row.file != row.want && broken != row.file {
				t.Errorf("the broken file is kept as %q, was %q", broken, row.file)
			}
		})
	}
	if err := MendPreferences(filepath.Join(t.TempDir(), "missing")); err != nil {
		t.Errorf("no folder: %v", err)
	}
}

// What is set is kept beside the toolkit's file at once, and whole.
func TestPreferencesAreKept(t *testing.T) {
	face := test.NewTempApp(t)
	dir := t.TempDir()
	KeepPreferences(face.Preferences(), dir)
	kept := filepath.Join(dir, keptPreferencesName)
	if got := read(t, kept); got != "{}" {
		t.Errorf("at first %s", got)
	}
	face.Preferences().SetString(PreferenceAppearance, AppearanceDark)
	face.Preferences().SetInt(PreferenceTextScale, 150)
	if got, want := read(t, kept), `{"appearance":"dark","text_scale":150}`; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	file := filepath.Join(dir, preferencesName)
	if err := os.WriteFile(file, []byte(`{"appear`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := MendPreferences(dir); err != nil || read(t, file) != read(t, kept) {
		t.Errorf("%v, %q", err, read(t, file))
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 3 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A size or a scale that no screen has is brought into bounds.
func TestPreferencesStayInBounds(t *testing.T) {
	p := test.NewTempApp(t).Preferences()
	p.SetFloat(preferenceWidth, 1e300)
	p.SetFloat(preferenceHeight, -5)
	if size := WindowSize(p); size.Width != largestSide || size.Height != SmallestHeight {
		t.Errorf("%v", size)
	}
	p.SetString(PreferenceAppearance, "purple")
	if look := LookOf(p); look.Appearance != (theme.Options{}).Appearance {
		t.Errorf("%+v", look)
	}
}
