package provisioning

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// bareTag is a name of a tag that needs no quotes.
var bareTag = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// TagLines writes the tags of a twin as a form has them: NAME = VALUE, one a
// line and sorted, with values as TOML writes them. Other names than letters,
// digits, - and _ stand in quotes. ParseTags reads the lines back.
func TagLines(tags map[string]any) (string, error) {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		var out bytes.Buffer
		if err := toml.NewEncoder(&out).SetTablesInline(true).Encode(map[string]any{"v": tags[name]}); err != nil {
			return "", fmt.Errorf("write tag %s: %w", name, err)
		}
		if !bareTag.MatchString(name) {
			name = strconv.Quote(name)
		}
		lines = append(lines, name+" "+strings.TrimSpace(strings.TrimPrefix(out.String(), "v ")))
	}
	return strings.Join(lines, "\n"), nil
}

// ParseTags reads lines of the form NAME = VALUE. A value that is no TOML is a
// text as it stands, so that site = Ulm needs no quotes. Empty lines are passed
// over; the error is a sentence for a person and names the line. Which names a
// twin takes is for Plan.Check.
func ParseTags(text string) (map[string]any, error) {
	var tags map[string]any
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, err := tagOf(i+1, line)
		switch _, twice := tags[name]; {
		case err != nil:
			return nil, err
		case twice:
			return nil, fmt.Errorf("line %d of the tags names %s once more", i+1, name)
		}
		if tags == nil {
			tags = map[string]any{}
		}
		tags[name] = value
	}
	return tags, nil
}

// tagOf reads line n.
func tagOf(n int, line string) (name string, value any, err error) {
	name, rest, found := strings.Cut(line, "=")
	if quoted, err := strconv.QuotedPrefix(line); err == nil && quoted[0] == '"' {
		_, rest, found = strings.Cut(line[len(quoted):], "=")
		name, _ = strconv.Unquote(quoted) // what is a quoted prefix unquotes
	}
	name, text := strings.TrimSpace(name), strings.TrimSpace(rest)
	if !utf8.ValidString(line) {
		return "", nil, fmt.Errorf("line %d of the tags has a character that is no text", n)
	}
	if !found || name == "" || text == "" {
		return "", nil, fmt.Errorf("line %d of the tags is not of the form NAME = VALUE", n)
	}
	var read map[string]any
	if err := toml.Unmarshal([]byte("v = "+text), &read); err != nil || len(read) != 1 {
		return name, text, nil
	}
	return name, read["v"], nil
}
