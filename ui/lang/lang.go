// Package lang loads the program's translations into the toolkit's layer and
// writes times and durations in the user's language.
//
// Screens take their texts from the toolkit's lang.X with a stable key and an
// English fallback; this package only decides which language those calls give.
// It stands beside ui/theme and not in it, because a language is chosen before
// the first widget is built and has nothing to do with looks.
//
// It is not for text that machines read: logs and files stay English.
package lang

import (
	"fmt"
	"strings"

	"edgewright/resources"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
)

// Language is one that the program is translated into.
type Language struct {
	Tag  string // BCP 47, the name of the file
	Name string // in the language itself
}

// Languages lists what can be chosen, English first.
func Languages() []Language {
	return []Language{{Tag: "en", Name: "English"}, {Tag: "de", Name: "Deutsch"}}
}

// Use loads all translations and makes tag the language of every text that is
// looked up afterwards; call it before the first widget. An empty tag means the
// system's language, English where there is no translation for it.
//
// The toolkit has no switch for a language: it takes the one nearest to the
// system's locale. A chosen language is therefore laid over the system's: its
// texts are registered once more under the system's own locale, and so win
// there. The toolkit's own words (Copy, Cancel, the file dialog) come along.
func Use(tag string) error {
	if tag == "" {
		tag = closest(lang.SystemLocale())
	}
	if !known(tag) {
		return fmt.Errorf("use language %q: not translated", tag)
	}
	if err := useDomain(tag); err != nil {
		return fmt.Errorf("use language %q: %w", tag, err)
	}
	for _, name := range []string{tag, "toolkit." + tag} {
		data, err := resources.Translations.ReadFile("translations/" + name + ".json")
		if err != nil {
			return fmt.Errorf("use language %q: %w", tag, err)
		}
		if err := lang.AddTranslationsForLocale(data, lang.SystemLocale()); err != nil {
			return fmt.Errorf("use language %q: %w", tag, err)
		}
	}
	return nil
}

func known(tag string) bool {
	for _, language := range Languages() {
		if language.Tag == tag {
			return true
		}
	}
	return false
}

func closest(system fyne.Locale) string {
	tag, _, _ := strings.Cut(system.LanguageString(), "-")
	if known(tag) {
		return tag
	}
	return "en"
}
