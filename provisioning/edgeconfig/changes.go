package edgeconfig

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Changes are what [Apply] makes of a file. The zero Changes change nothing.
type Changes struct {
	// Provisioning takes the place of the whole [provisioning] section with
	// its sub-tables; nil leaves that as it is.
	Provisioning *Provisioning

	keys []keyChange
}

// keyChange sets one key, or removes it.
type keyChange struct {
	path    string
	value   any
	removed bool
}

// Set gives a value to one key. path is written as in TOML, dotted from the
// root ("agent.env.UpstreamProtocol", `agent.env."my key"`). value is a string,
// a bool, an int or a []string. A later Set or Unset of the same key wins.
func (c *Changes) Set(path string, value any) {
	c.keys = append(c.keys, keyChange{path: path, value: value})
}

// Unset removes a key, or a table with all that is in it.
func (c *Changes) Unset(path string) {
	c.keys = append(c.keys, keyChange{path: path, removed: true})
}

// splitPath reads a dotted TOML key.
func splitPath(path string) ([]string, error) {
	var parser unstable.Parser
	parser.Reset([]byte(path + " = 0"))
	var parts []string
	if parser.NextExpression() && parser.Expression().Kind == unstable.KeyValue {
		keys := parser.Expression().Key()
		for keys.Next() {
			parts = append(parts, string(keys.Node().Data))
		}
	}
	if len(parts) == 0 || strings.ContainsAny(path, "\n#=") {
		return nil, fmt.Errorf("%q is not a dotted TOML key", path)
	}
	return parts, nil
}

// literal writes a value as TOML.
func literal(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return quote(v), nil
	case bool:
		return fmt.Sprint(v), nil
	case int:
		return fmt.Sprint(v), nil
	case []string:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = quote(item)
		}
		return "[" + strings.Join(items, ", ") + "]", nil
	}
	return "", errors.New("a value is a string, a bool, an int or a []string")
}

// quote writes a basic string of TOML 1.0.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(text, "\ufffd") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// keyText writes the parts of a dotted key, quoted where they must be.
func keyText(parts ...string) string {
	written := make([]string, len(parts))
	for i, part := range parts {
		written[i] = part
		bare := part != ""
		for _, r := range part {
			bare = bare && (r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
		}
		if !bare {
			written[i] = quote(part)
		}
	}
	return strings.Join(written, ".")
}
