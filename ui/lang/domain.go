package lang

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"

	"edgewright/resources"
)

// The domain speaks English: findings, errors, what a step did. Its sentences are
// translated by themselves, in translations/domain.TAG.json from the English
// sentence to the other one. {1}, {2} ... in both stand for what the domain puts
// in; what stands there is translated too, where it is a sentence of the domain.
// A sentence that the file does not have stays English. What the detection of a
// machine finds is in the language's other file already and is taken from there.

// domainWords are the sentences of one language.
type domainWords struct {
	whole    map[string]string
	patterns []domainPattern
}

type domainPattern struct {
	english *regexp.Regexp
	other   string
}

// spoken is the language of Domain, nil for English. It is read on any goroutine.
var spoken atomic.Pointer[domainWords]

var place = regexp.MustCompile(`\{[1-9]\}`)

// useDomain loads the sentences of a language.
func useDomain(tag string) error {
	data, err := resources.Translations.ReadFile("translations/domain." + tag + ".json")
	if _, missing := err.(*fs.PathError); missing {
		spoken.Store(nil) // the domain's own language
		return nil
	}
	if err != nil {
		return err
	}
	sentences := map[string]string{}
	if err := json.Unmarshal(data, &sentences); err != nil {
		return fmt.Errorf("read the sentences of the domain: %w", err)
	}
	found, err := hostSentences(tag)
	if err != nil {
		return err
	}
	maps.Copy(sentences, found)
	words := &domainWords{whole: sentences}
	var open []string
	for english := range sentences {
		if place.MatchString(english) {
			open = append(open, english)
		}
	}
	// Of two that fit, the one with more words of its own is meant.
	slices.SortFunc(open, func(a, b string) int {
		if d := len(place.ReplaceAllString(b, "")) - len(place.ReplaceAllString(a, "")); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, english := range open {
		pattern := `(?s)^` + strings.Join(mapped(place.Split(english, -1), regexp.QuoteMeta), `(.*?)`) + `$`
		compiled, err := regexp.Compile(pattern)
		if err != nil {
			return fmt.Errorf("sentence %q: %w", english, err)
		}
		words.patterns = append(words.patterns, domainPattern{compiled, sentences[english]})
	}
	spoken.Store(words)
	return nil
}

func mapped(texts []string, do func(string) string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = do(text)
	}
	return out
}

// Domain gives a sentence of the domain in the user's language. It may be called
// on any goroutine.
func Domain(text string) string {
	words := spoken.Load()
	if words == nil || text == "" {
		return text
	}
	if other, ok := words.whole[text]; ok {
		return other
	}
	for _, pattern := range words.patterns {
		if found := pattern.english.FindStringSubmatch(text); found != nil {
			return place.ReplaceAllStringFunc(pattern.other, func(at string) string { return Domain(found[at[1]-'0']) })
		}
	}
	return text
}

// DomainAll gives several sentences of the domain.
func DomainAll(texts []string) []string { return mapped(texts, Domain) }
