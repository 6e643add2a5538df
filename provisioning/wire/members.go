package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Members are the JSON members of an object that this package has no field
// for. A PUT replaces a device, module, enrollment or group as a whole, so
// whoever reads one, changes it and writes it back must also send what a newer
// service added; the models keep such members here and marshal them again at
// the end of their object. Printing shows the names only.
type Members map[string]json.RawMessage

// String lists the names.
func (m Members) String() string {
	return "[" + strings.Join(slices.Sorted(maps.Keys(m)), " ") + "]"
}

// Format implements fmt.Formatter: every verb lists the names.
func (m Members) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue implements slog.LogValuer with the names.
func (m Members) LogValue() slog.Value { return slog.StringValue(m.String()) }

// decodeKeeping reads data into plain, a pointer to a struct without JSON
// methods, and gives the members that no field took.
func decodeKeeping(data []byte, plain any) (Members, error) {
	// Nearly always there is nothing to keep, and one pass is enough.
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if strict.Decode(plain) == nil {
		return nil, nil
	}
	if err := json.Unmarshal(data, plain); err != nil {
		return nil, err
	}
	var all Members
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	known := fieldNames(reflect.TypeOf(plain).Elem())
	// Fields match without regard to letter case, as encoding/json does.
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool {
		return slices.ContainsFunc(known, func(field string) bool { return strings.EqualFold(field, name) })
	})
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

// encodeKeeping marshals plain, a struct without JSON methods, and appends
// rest in the order of names.
func encodeKeeping(plain any, rest Members) ([]byte, error) {
	data, err := json.Marshal(plain)
	if err != nil || len(rest) == 0 {
		return data, err
	}
	known := fieldNames(reflect.TypeOf(plain))
	var b bytes.Buffer
	b.Write(data[:len(data)-1])
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		if slices.ContainsFunc(known, func(field string) bool { return strings.EqualFold(field, name) }) {
			continue // a field of the same name wins
		}
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b.Write(quoted)
		b.WriteByte(':')
		if len(rest[name]) == 0 {
			b.WriteString("null")
			continue
		}
		b.Write(rest[name])
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

var fieldNameCache sync.Map // reflect.Type to []string

func fieldNames(t reflect.Type) []string {
	if names, ok := fieldNameCache.Load(t); ok {
		return names.([]string)
	}
	var names []string
	for field := range t.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" && name != "" {
			names = append(names, name)
		}
	}
	fieldNameCache.Store(t, names)
	return names
}
