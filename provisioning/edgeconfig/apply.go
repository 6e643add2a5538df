package edgeconfig

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Apply carries changes out on a config.toml and gives the new file. existing
// may be nil or empty; then a minimal file is made. All bytes outside the keys
// that change stay: order, comments, blank lines, line ends and a byte order
// mark. A file that says the same already comes back as it is.
//
// Comments in a section that is replaced stay too; only a comment on the line
// of a key that goes, goes with it.
//
// A file that is not TOML is refused with a *SyntaxError. Errors never hold a
// value of the file or of changes.
func Apply(existing []byte, changes Changes) ([]byte, error) {
	data := existing
	if changes.Provisioning != nil {
		next, err := applyProvisioning(data, changes.Provisioning)
		if err != nil {
			return nil, err
		}
		data = next
	}
	for _, change := range changes.keys {
		next, err := applyKey(data, change)
		if err != nil {
			return nil, err
		}
		data = next
	}
	if len(changes.keys) == 0 && changes.Provisioning == nil {
		if _, err := parse(existing); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func applyProvisioning(data []byte, p *Provisioning) ([]byte, error) {
	d, err := parse(data)
	if err != nil {
		return nil, err
	}
	sections, err := p.sections()
	if err != nil {
		return nil, fmt.Errorf("write config.toml: %w", err)
	}
	want := map[string]any{}
	for _, s := range sections {
		for _, key := range s.keys {
			put(want, s.leaf(key), key.value)
		}
	}
	if equal(d.decoded["provisioning"], want["provisioning"]) || d.connectsAs(p) {
		return data, nil
	}
	expected := prune(d.decoded)
	expected["provisioning"] = want["provisioning"]
	if merged, ok := d.mergeSections(sections); ok {
		if next, err := d.with(merged, expected); err == nil {
			return next, nil
		}
	}
	return d.with(d.replaceSections(sections), expected)
}

// connectsAs tells whether the file holds a connection string, and nothing
// else, that means the same as p.
func (d *document) connectsAs(p *Provisioning) bool {
	e := d.root.kid("provisioning")
	text := e.text("connection_string")
	if text == "" || len(e.kids) != 2 || p.Authentication.Method != MethodSAS {
		return false
	}
	problem, _ := parseConnectionString(text).problem()
	has, err := readProvisioning(e)
	return err == nil && problem == "" && p.Source == SourceManual &&
		has.HubHostname == p.HubHostname && has.DeviceID == p.DeviceID && has.DeviceKey.Equal(p.DeviceKey)
}

func applyKey(data []byte, change keyChange) ([]byte, error) {
	path, err := splitPath(change.path)
	if err != nil {
		return nil, fmt.Errorf("change config.toml: %w", err)
	}
	d, err := parse(data)
	if err != nil {
		return nil, err
	}
	found, exists := lookUp(d.decoded, path)
	if change.removed {
		if !exists {
			return data, nil
		}
		expected := prune(d.decoded)
		drop(expected, path)
		return d.with(d.unset(path), prune(expected))
	}
	text, err := literal(change.value)
	if err != nil {
		return nil, fmt.Errorf("change config.toml: set %s: %w", change.path, err)
	}
	var wanted map[string]any
	if err := toml.Unmarshal([]byte("v = "+text), &wanted); err != nil {
		return nil, fmt.Errorf("change config.toml: set %s: the value cannot be written", change.path)
	}
	if exists && equal(found, wanted["v"]) {
		return data, nil
	}
	if _, isTable := found.(map[string]any); isTable {
		return nil, fmt.Errorf("change config.toml: set %s: it is a table in the file", change.path)
	}
	expected := prune(d.decoded)
	if !put(expected, path, wanted["v"]) {
		return nil, fmt.Errorf("change config.toml: set %s: a part of it is not a table in the file", change.path)
	}
	changed, err := d.set(path, text)
	if err != nil {
		return nil, fmt.Errorf("change config.toml: set %s: %w", change.path, err)
	}
	return d.with(changed, expected)
}

// with carries edits out and makes sure that the result means what it should.
// Empty tables are not compared: their headers may stay or go.
func (d *document) with(changed edits, expected map[string]any) ([]byte, error) {
	text := changed.on(d.text, d.lineBreak())
	var decoded map[string]any
	if err := toml.Unmarshal(text, &decoded); err != nil || !equal(prune(decoded), prune(expected)) {
		return nil, errors.New("change config.toml: the file is written in a way that cannot be changed safely; write the section that changes as a [table] of its own")
	}
	return append(slices.Clone(d.mark), text...), nil
}

// prune copies a tree without its empty tables.
func prune(tree map[string]any) map[string]any {
	out := make(map[string]any, len(tree))
	for name, v := range tree {
		if table, ok := v.(map[string]any); ok {
			if table = prune(table); len(table) == 0 {
				continue
			}
			v = table
		}
		out[name] = v
	}
	return out
}

func lookUp(tree map[string]any, path []string) (any, bool) {
	for _, name := range path[:len(path)-1] {
		table, ok := tree[name].(map[string]any)
		if !ok {
			return nil, false
		}
		tree = table
	}
	v, ok := tree[path[len(path)-1]]
	return v, ok
}

// put sets a leaf and makes tables on the way; it is false where something
// else stands there.
func put(tree map[string]any, path []string, v any) bool {
	for _, name := range path[:len(path)-1] {
		if _, taken := tree[name]; !taken {
			tree[name] = map[string]any{}
		}
		table, ok := tree[name].(map[string]any)
		if !ok {
			return false
		}
		tree = table
	}
	tree[path[len(path)-1]] = v
	return true
}

func drop(tree map[string]any, path []string) {
	for _, name := range path[:len(path)-1] {
		table, ok := tree[name].(map[string]any)
		if !ok {
			return
		}
		tree = table
	}
	delete(tree, path[len(path)-1])
}

// equal compares decoded values; NaN equals itself, and instants compare with
// their offset.
func equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for name, v := range x {
			w, there := y[name]
			if !there || !equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case float64:
		y, ok := b.(float64)
		return ok && (x == y || x != x && y != y)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Format(time.RFC3339Nano) == y.Format(time.RFC3339Nano)
	}
	return a == b
}
