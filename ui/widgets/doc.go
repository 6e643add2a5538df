// Package widgets is the visual hand of the program: the parts that screens are
// put together from, each in the look of ui/theme and each usable from the
// keyboard alone.
//
// The small parts are Text, Icon, Box, Pill and Button; Card, FactRow, PageHead,
// EmptyState and FailurePage arrange them; ChoiceGroup, Board, StepList,
// DataTable, DiffView, LogView, TwoEnds, ProgressPanel and Rail are the large
// ones. Each large part shows a plain struct of data (a model) that it is given
// with its Set method, and tells through callbacks what the user did. It asks
// nothing of the rest of the program.
//
// Meaning is always an icon, a word and a colour. Every colour is a name of the
// theme. A part that takes keys shows the focus with a ring and passes keys that
// it has no use for on to the window (see Forward).
//
// As in the toolkit, everything here is called on the main goroutine only.
package widgets
