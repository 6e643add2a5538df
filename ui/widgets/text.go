package widgets

import (
	"strings"
	"unicode/utf8"

	"edgewright/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Fit says what a Text does where it does not fit into its width.
type Fit int

const (
	// Wrap breaks at spaces; a word that is too long for a line, after a hyphen
	// or at a soft hyphen in it, else anywhere.
	Wrap Fit = iota
	// Single never breaks: the text asks for the width that it needs.
	Single
	// Truncate ends the line with an ellipsis; the whole text is shown elsewhere.
	Truncate
)

// Style is how a Text is set.
type Style struct {
	Color fyne.ThemeColorName
	Size  fyne.ThemeSizeName
	Bold  bool
	Mono  bool
	Fit   Fit
	Align fyne.TextAlign
}

// Styles of the program. Change a copy for a different colour or fit.
var (
	StyleBody     = Style{Color: fynetheme.ColorNameForeground, Size: theme.SizeNameText}
	StyleStrong   = Style{Color: fynetheme.ColorNameForeground, Size: theme.SizeNameText, Bold: true}
	StyleMuted    = Style{Color: theme.ColorNameMuted, Size: theme.SizeNameText}
	StyleSmall    = Style{Color: theme.ColorNameMuted, Size: theme.SizeNameSmall}
	StyleTitle    = Style{Color: fynetheme.ColorNameForeground, Size: theme.SizeNameTitle, Bold: true}
	StyleSubtitle = Style{Color: fynetheme.ColorNameForeground, Size: theme.SizeNameSubtitle, Bold: true}
	StyleSection  = Style{Color: theme.ColorNameMuted, Size: theme.SizeNameSection, Bold: true}
	StyleMono     = Style{Color: fynetheme.ColorNameForeground, Size: theme.SizeNameMono, Mono: true}
)

// In returns the style in another colour.
func (s Style) In(name fyne.ThemeColorName) Style { s.Color = name; return s }

// As returns the style with another fit.
func (s Style) As(fit Fit) Style { s.Fit = fit; return s }

// Aligned returns the style with another alignment.
func (s Style) Aligned(align fyne.TextAlign) Style { s.Align = align; return s }

func (s Style) textStyle() fyne.TextStyle {
	return fyne.TextStyle{Bold: s.Bold, Monospace: s.Mono}
}

// font is the theme's font of a style, to be named to the toolkit. Without a
// name it loads, for each style, the system's font for the user's language
// besides, and the list of all fonts of the system before that, at the start of
// the program; with one it does so for the first rune that the font does not
// have.
func font(style fyne.TextStyle) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Font(style)
}

func (s Style) measure(text string) fyne.Size {
	style := s.textStyle()
	size, _ := fyne.CurrentApp().Driver().RenderedTextSize(text, fynetheme.Size(s.Size), style, font(style))
	return size
}

// Text shows text in a Style. Its height follows from its width, which the
// containers of ui/widgets/layout know.
type Text struct {
	widget.BaseWidget
	text  string
	style Style
}

var _ fyne.Accessible = (*Text)(nil)

// NewText makes a Text.
func NewText(text string, style Style) *Text {
	t := &Text{text: text, style: style}
	t.ExtendBaseWidget(t)
	return t
}

// SectionTitle is the bold muted line above a group.
func SectionTitle(text string) *Text { return NewText(text, StyleSection) }

// Text returns what is shown.
func (t *Text) Text() string { return plain(t.text) }

// SetText changes what is shown.
func (t *Text) SetText(text string) {
	if t.text != text {
		t.text = text
		t.Refresh()
	}
}

// SetStyle changes how it is shown.
func (t *Text) SetStyle(style Style) {
	if t.style != style {
		t.style = style
		t.Refresh()
	}
}

// Set changes both with one refresh.
func (t *Text) Set(text string, style Style) {
	if t.text != text || t.style != style {
		t.text, t.style = text, style
		t.Refresh()
	}
}

// AccessibilityLabel implements fyne.Accessible.
func (t *Text) AccessibilityLabel() string { return plain(t.text) }

// AccessibilityRole implements fyne.Accessible.
func (t *Text) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer implements fyne.Widget.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	r := &textRenderer{t: t}
	r.arrange(t.Size().Width)
	return r
}

// longestWordCap bounds the width that a wrapped text insists on, in
// characters: longer words are broken.
const longestWordCap = 14

type textRenderer struct {
	t     *Text
	lines []*canvas.Text
	width float32 // that lines were broken for
	least fyne.Size
}

func (r *textRenderer) Destroy() {}

func (r *textRenderer) Objects() []fyne.CanvasObject {
	objects := make([]fyne.CanvasObject, len(r.lines))
	for i, line := range r.lines {
		objects[i] = line
	}
	return objects
}

func (r *textRenderer) MinSize() fyne.Size { return r.least }

func (r *textRenderer) Layout(size fyne.Size) {
	if size.Width != r.width {
		r.arrange(size.Width)
	}
	height := r.t.style.measure("M").Height
	for i, line := range r.lines {
		line.Move(fyne.NewPos(0, float32(i)*height))
		line.Resize(fyne.NewSize(size.Width, height))
	}
}

func (r *textRenderer) Refresh() {
	r.arrange(r.t.Size().Width)
	r.Layout(r.t.Size())
	canvas.Refresh(r.t)
}

// arrange breaks the text for a width; 0 stands for a width not known yet.
func (r *textRenderer) arrange(width float32) {
	r.width = width
	s := r.t.style
	var texts []string
	r.least = fyne.NewSize(0, 0)
	switch s.Fit {
	case Single:
		texts = []string{plain(r.t.text)}
		r.least.Width = s.measure(texts[0]).Width
	case Truncate:
		texts = []string{truncated(s, plain(r.t.text), width)}
		r.least.Width = min(s.measure(plain(r.t.text)).Width, s.measure("MM…").Width)
	default:
		texts = wrapped(s, r.t.text, width)
		for _, word := range strings.Fields(plain(r.t.text)) {
			if runes := []rune(word); len(runes) > longestWordCap {
				word = string(runes[:longestWordCap])
			}
			r.least.Width = max(r.least.Width, s.measure(word).Width)
		}
	}
	for len(r.lines) < len(texts) {
		r.lines = append(r.lines, canvas.NewText("", nil))
	}
	r.lines = r.lines[:len(texts)]
	for i, line := range r.lines {
		line.Text = texts[i]
		line.TextSize = fynetheme.Size(s.Size)
		line.TextStyle = s.textStyle()
		line.FontSource = font(line.TextStyle)
		line.Alignment = s.Align
		line.Color = fynetheme.Color(s.Color)
		line.Refresh()
	}
	r.least.Height = s.measure("M").Height * float32(len(texts))
}

func truncated(s Style, text string, width float32) string {
	if width == 0 || s.measure(text).Width <= width {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes) // longest prefix that fits with the ellipsis
	for low < high {
		mid := (low + high + 1) / 2
		if s.measure(string(runes[:mid])+"…").Width <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return strings.TrimRight(string(runes[:low]), " ") + "…"
}

// wrapped breaks text into lines of at most width. Line feeds in it are kept.
func wrapped(s Style, text string, width float32) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		if width == 0 || s.measure(plain(paragraph)).Width <= width {
			lines = append(lines, plain(paragraph))
			continue
		}
		line := ""
		for _, word := range strings.Fields(paragraph) {
			candidate := plain(word)
			if line != "" {
				candidate = line + " " + candidate
			}
			if s.measure(candidate).Width <= width {
				line = candidate
				continue
			}
			if line != "" {
				lines = append(lines, line)
			}
			pieces := broken(s, word, width)
			lines = append(lines, pieces[:len(pieces)-1]...)
			line = pieces[len(pieces)-1]
		}
		lines = append(lines, line)
	}
	return lines
}

// softHyphen is where a word may be broken (U+00AD); it is shown nowhere else.
const softHyphen = '\u00ad'

// plain is a text without its soft hyphens.
func plain(text string) string { return strings.ReplaceAll(text, string(softHyphen), "") }

// broken cuts a word into pieces that fit; each has at least one character.
func broken(s Style, word string, width float32) []string {
	var pieces []string
	for s.measure(plain(word)).Width > width {
		piece, rest := cut(s, word, width)
		if rest == "" {
			break
		}
		pieces, word = append(pieces, piece), rest
	}
	return append(pieces, plain(word))
}

// cut takes the longest piece that fits from the beginning of a word.
func cut(s Style, word string, width float32) (piece, rest string) {
	for i, r := range word {
		end := i + utf8.RuneLen(r)
		if end == len(word) || r != softHyphen && r != '-' {
			continue
		}
		candidate := plain(word[:end])
		if r == softHyphen {
			candidate += "-"
		}
		if s.measure(candidate).Width > width {
			break
		}
		piece, rest = candidate, word[end:]
	}
	if rest != "" {
		return piece, rest
	}
	runes := []rune(plain(word))
	n := len(runes)
	for n > 1 && s.measure(string(runes[:n])).Width > width {
		n--
	}
	return string(runes[:n]), string(runes[n:])
}
