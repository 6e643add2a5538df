package hostdetect

import (
	"maps"
	"strings"
)

// Text is a sentence for a person. ID is stable and finds the translation;
// Args fill the {names} in it; English is complete, with the arguments filled
// in, for commands and where there is no translation.
type Text struct {
	ID      string            `json:"id"`
	Args    map[string]string `json:"args,omitempty"`
	English string            `json:"english"`
}

// String gives the English sentence.
func (t Text) String() string { return t.English }

// IsZero says whether there is no text.
func (t Text) IsZero() bool { return t.ID == "" }

// Texts gives the English template of every ID that a [Text] may carry, and
// the labels of facts behind "fact.". Translations have the same keys.
func Texts() map[string]string { return maps.Clone(english) }

// say makes the Text of an ID; args are pairs of name and value. An ID that is
// not in the table, or an argument without a place, is a programmer's error
// that the tests catch; the text then shows the ID.
func say(id string, args ...string) Text {
	t := Text{ID: id, English: english[id]}
	if t.English == "" {
		t.English = id
	}
	if len(args) > 0 {
		t.Args = make(map[string]string, len(args)/2)
	}
	for i := 0; i+1 < len(args); i += 2 {
		t.Args[args[i]] = args[i+1]
	}
	t.English = fill(t.English, t.Args)
	return t
}

// fill puts arguments into a template. One pass, so that an argument which
// looks like a place is not filled again.
func fill(template string, args map[string]string) string {
	pairs := make([]string, 0, 2*len(args))
	for name, value := range args {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}
