package provision

import (
	"slices"

	"edgewright/ui/widgets"
)

// caChoice offers CAs by their names; what a plan says by another word, such as
// a SHA-256, is offered as it stands.
type caChoice struct {
	list  *widgets.Select
	words map[string]string // the plan's words for what is offered
}

func newCAChoice(changed func()) *caChoice {
	return &caChoice{list: widgets.NewSelect(nil, func(string) { changed() })}
}

// offer lists names, "" as none, and takes the one that the plan has.
func (c *caChoice) offer(names []string, none, chosen string) {
	c.words = map[string]string{}
	var titles []string
	for _, name := range names {
		title := name
		if name == "" {
			title = none
		}
		c.words[title] = name
		titles = append(titles, title)
	}
	if chosen == "" && len(names) > 0 && !slices.Contains(names, "") {
		chosen = names[0]
	}
	if len(names) > 0 || chosen != "" {
		choose(c.list, titles, c.words, chosen)
	}
}

// name is the CA as the plan says it.
func (c *caChoice) name() string { return c.words[c.list.Selected] }
