package lang

import (
	"encoding/json"
	"fmt"
	"strings"

	"edgewright/resources"
)

// hostKeys begin the keys of what the detection finds in the way. Pages that look
// at a machine ask for them by their key; as findings of a run they come as
// sentences of the domain, with what they name filled in.
const hostKeys = "host.obstacle."

// hostSentences are those of a language, as useDomain has its sentences: from the
// English one to the other one, with {1}, {2} ... in both.
func hostSentences(tag string) (map[string]string, error) {
	english, err := hostTemplates("en")
	if err != nil {
		return nil, err
	}
	other, err := hostTemplates(tag)
	if err != nil {
		return nil, err
	}
	sentences := map[string]string{}
	for key, from := range english {
		to, ok := other[key]
		if !ok {
			continue
		}
		for n := 1; ; n++ {
			_, rest, open := strings.Cut(from, "{{.")
			name, _, closed := strings.Cut(rest, "}}")
			if !open || !closed {
				break
			}
			named, numbered := "{{."+name+"}}", fmt.Sprintf("{%d}", n)
			from, to = strings.ReplaceAll(from, named, numbered), strings.ReplaceAll(to, named, numbered)
		}
		sentences[from] = to
	}
	return sentences, nil
}

// hostTemplates reads the texts of the detection; none of them has plural forms.
func hostTemplates(tag string) (map[string]string, error) {
	data, err := resources.Translations.ReadFile("translations/" + tag + ".json")
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("read the texts of the detection: %w", err)
	}
	templates := map[string]string{}
	for key, raw := range all {
		var text string
		if strings.HasPrefix(key, hostKeys) && json.Unmarshal(raw, &text) == nil {
			templates[key] = text
		}
	}
	return templates, nil
}
