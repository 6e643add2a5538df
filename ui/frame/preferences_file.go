package frame

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"

	"fyne.io/fyne/v2"
)

// The toolkit writes its file of preferences in place: whoever kills the program
// in that instant leaves half of it, and a file that somebody has edited may even
// stop the toolkit. So each change is also written to a file of our own, as a
// whole or not at all, and a start looks at both before the toolkit does.

const (
	preferencesName       = "preferences.json"
	keptPreferencesName   = "preferences.kept.json"
	brokenPreferencesName = "preferences.broken.json"
)

// PreferencesDir is where the toolkit keeps the preferences of a program of that
// ID: fyne.io/fyne/v2/internal/app, rootConfigDir. It is "" for a system without
// a folder for settings.
func PreferencesDir(id string) string {
	root, err := os.UserConfigDir()
	if home, homeErr := os.UserHomeDir(); runtime.GOOS == "windows" && homeErr == nil {
		root, err = filepath.Join(home, "AppData", "Roaming"), nil
	}
	if err != nil {
		return ""
	}
	return filepath.Join(root, "fyne", id)
}

// MendPreferences gives the toolkit a file that it reads. One that is broken gives
// way to what was kept of it; where nothing was, the program starts with its
// defaults. The broken one stays beside it. Call it before the toolkit starts.
func MendPreferences(dir string) error {
	if dir == "" {
		return nil
	}
	file := filepath.Join(dir, preferencesName)
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && readable(text) {
		return nil
	}
	if err := os.Rename(file, filepath.Join(dir, brokenPreferencesName)); err != nil {
		return err
	}
	if kept, err := os.ReadFile(filepath.Join(dir, keptPreferencesName)); err == nil && readable(kept) {
		return replaceFile(file, kept)
	}
	return nil
}

// readable tells whether the toolkit can read a text as preferences, and we find in
// it what we wrote.
func readable(text []byte) bool {
	var values map[string]any
	if json.Unmarshal(text, &values) != nil || values == nil {
		return false
	}
	for name, value := range values {
		switch value.(type) {
		case string, float64, bool:
		default: // nothing is kept as a list or a table, and the toolkit ends the program on a list of two kinds
			return false
		}
		_, isText := value.(string)
		_, isNumber := value.(float64)
		switch name {
		case PreferenceAppearance, PreferenceLanguage:
			if !isText {
				return false
			}
		case PreferenceTextScale, preferenceWidth, preferenceHeight:
			if !isNumber {
				return false
			}
		}
	}
	return true
}

// KeepPreferences writes the preferences to a file of our own, now and whenever
// they change.
func KeepPreferences(p fyne.Preferences, dir string) {
	if dir == "" {
		return
	}
	last := ""
	keep := func() {
		text, err := json.Marshal(preferenceValues(p))
		if err != nil || string(text) == last {
			return
		}
		if err := replaceFile(filepath.Join(dir, keptPreferencesName), text); err != nil {
			fyne.LogError("The preferences cannot be kept", err)
			return
		}
		last = string(text)
	}
	keep()
	p.AddChangeListener(keep)
}

// preferenceValues are those that are set.
func preferenceValues(p fyne.Preferences) map[string]any {
	values := map[string]any{}
	for _, name := range []string{PreferenceAppearance, PreferenceLanguage} {
		if text := p.String(name); text != "" {
			values[name] = text
		}
	}
	for _, name := range []string{PreferenceTextScale, preferenceWidth, preferenceHeight} {
		if number := p.FloatWithFallback(name, math.NaN()); !math.IsNaN(number) {
			values[name] = number
		}
	}
	return values
}

// replaceFile writes a file whole or not at all.
func replaceFile(name string, text []byte) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	if _, err = temp.Write(text); err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), name)
}
