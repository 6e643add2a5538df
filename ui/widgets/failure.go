package widgets

import (
	"edgewright/ui/theme"
	"edgewright/ui/widgets/layout"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Action is something that a page offers to do.
type Action struct {
	Text string
	Icon fyne.Resource
	Kind ButtonKind
	Do   func()
}

func (a Action) button() *Button { return NewButton(a.Kind, a.Text, a.Icon, a.Do) }

// Failure is what a failure page says.
type Failure struct {
	What    string   // what failed, in the user's words
	Why     string   // the cause
	Todo    []string // what can be done, one sentence each
	Actions []Action // the same as buttons, where the program can do it
	Now     string   // the state that everything is in
	Summary string   // code and tracking ID
	Details string   // the whole chain, to copy; nothing folds out when empty
}

// NewFailurePage shows a Failure. The first button that can be pressed should
// get the focus; FirstFocus finds it.
func NewFailurePage(failure Failure) *fyne.Container {
	space := fynetheme.Size(theme.SizeNameSpace3)
	page := layout.Column(space, NewWash(Bad,
		layout.Row(fynetheme.Size(theme.SizeNameSpace4), layout.Top,
			NewIcon(fynetheme.ErrorIcon(), theme.ColorNameBad, theme.SizeNameIconLarge),
			layout.Grow(layout.Column(4, NewText(failure.What, StyleSubtitle), NewText(failure.Why, StyleBody))))))
	if len(failure.Todo)+len(failure.Actions) > 0 {
		card := NewTitledCard(lang.X("failure.todo", "What you can do"))
		for _, todo := range failure.Todo {
			card.content.Add(layout.Row(8, layout.Top,
				NewIcon(fynetheme.NavigateNextIcon(), theme.ColorNameAccent, theme.SizeNameIcon), layout.Grow(NewText(todo, StyleBody))))
		}
		buttons := layout.Flow(fynetheme.Size(theme.SizeNameSpace2))
		for _, action := range failure.Actions {
			buttons.Add(action.button())
		}
		if len(failure.Actions) > 0 {
			card.content.Add(buttons)
		}
		page.Add(card)
	}
	if failure.Now != "" {
		page.Add(NewTitledCard(lang.X("failure.now", "How things stand"), NewText(failure.Now, StyleBody)))
	}
	if failure.Details != "" {
		page.Add(NewCard(NewFoldOut(lang.X("failure.details", "Details"), failure.Summary, failure.Details)))
	}
	return page
}
