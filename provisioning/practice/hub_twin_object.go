package practice

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// object is a JSON object in little memory: its members in the order of their
// names. Values are nil, bool, float64, string, []any or another object. An
// empty object is nil at the top of a twin. It is replaced, never changed in
// place.
type object []member

type member struct {
	name  string
	value any
}

// newObject makes an object of what encoding/json decodes.
func newObject(decoded map[string]any) object {
	if len(decoded) == 0 {
		return nil
	}
	made := make(object, 0, len(decoded))
	for name, value := range decoded {
		made = append(made, member{sharedName(name), newValue(value)})
	}
	slices.SortFunc(made, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return made
}

func newValue(decoded any) any {
	switch value := decoded.(type) {
	case map[string]any:
		return newObject(value)
	case []any:
		made := make([]any, len(value))
		for i, element := range value {
			made[i] = newValue(element)
		}
		return made
	case string:
		return sharedText(value)
	}
	return decoded
}

// fewMembers are found faster one by one.
const fewMembers = 8

func (o object) find(name string) (at int, exists bool) {
	if len(o) <= fewMembers {
		for at := range o {
			if o[at].name >= name {
				return at, o[at].name == name
			}
		}
		return len(o), false
	}
	return slices.BinarySearchFunc(o, name, func(m member, name string) int { return strings.Compare(m.name, name) })
}

// Member implements query.Object.
func (o object) Member(name string) (value any, exists bool) {
	at, exists := o.find(name)
	if !exists {
		return nil, false
	}
	return o[at].value, true
}

// inside gives the object that a member is; nil if it is none.
func (o object) inside(name string) object {
	value, _ := o.Member(name)
	inner, _ := value.(object)
	return inner
}

// merged gives the object changed by a patch (RFC 7396): null removes, objects
// merge, everything else replaces.
func (o object) merged(patch map[string]any) object {
	if len(patch) == 0 {
		return o
	}
	next := slices.Clone(o)
	for name, value := range patch {
		at, exists := next.find(name)
		if value == nil {
			if exists {
				next = slices.Delete(next, at, at+1)
			}
			continue
		}
		made := newValue(value)
		if changes, merges := value.(map[string]any); merges {
			made = o.inside(name).merged(changes)
		}
		if exists {
			next[at].value = made
		} else {
			next = slices.Insert(next, at, member{sharedName(name), made})
		}
	}
	if len(next) == 0 {
		return nil
	}
	return slices.Clip(next)
}

// MarshalJSON writes the members in the order of their names.
func (o object) MarshalJSON() ([]byte, error) { return appendObject(nil, o), nil }

// UnmarshalJSON reads an object.
func (o *object) UnmarshalJSON(data []byte) error {
	var decoded map[string]any
	if err := json.Unmarshal(data, &decoded); err != nil {
		return err
	}
	*o = newObject(decoded)
	return nil
}

func appendObject(b []byte, o object) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, m.name), ':')
		b = appendValue(b, m.value)
	}
	return append(b, '}')
}

func appendValue(b []byte, value any) []byte {
	switch value := value.(type) {
	case object:
		return appendObject(b, value)
	case []any:
		b = append(b, '[')
		for i, element := range value {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, element)
		}
		return append(b, ']')
	case string:
		return appendText(b, value)
	case float64:
		if value == math.Trunc(value) && math.Abs(value) <= maxTwinInteger && (value != 0 || !math.Signbit(value)) {
			return strconv.AppendInt(b, int64(value), 10)
		}
	}
	encoded, _ := json.Marshal(value) // was JSON before
	return append(b, encoded...)
}

func appendText(b []byte, text string) []byte {
	plain := func(c rune) bool { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' }
	if !strings.ContainsFunc(text, func(c rune) bool { return !plain(c) }) {
		return append(append(append(b, '"'), text...), '"')
	}
	quoted, _ := json.Marshal(text) // never fails
	return append(b, quoted...)
}

// Twins of a fleet have the same names and often the same values. The first
// that come are kept once; the value is the text as an any.
var (
	sharedMu    sync.RWMutex
	sharedTexts = map[string]any{}
)

const (
	maxShared       = 10_000
	maxSharedLength = 64 // bytes
)

func sharedText(text string) any {
	if len(text) > maxSharedLength {
		return text
	}
	sharedMu.RLock()
	known, ok := sharedTexts[text]
	full := len(sharedTexts) >= maxShared
	sharedMu.RUnlock()
	if ok {
		return known
	}
	text = strings.Clone(text)
	var boxed any = text
	if !full {
		sharedMu.Lock()
		sharedTexts[text] = boxed
		sharedMu.Unlock()
	}
	return boxed
}

func sharedName(text string) string { return sharedText(text).(string) }
