package practice

import (
	"encoding/json"
	"maps"
	"reflect"
	"testing"
	"time"
)

// plainMerge is RFC 7396 on what encoding/json decodes.
func plainMerge(target, patch map[string]any) map[string]any {
	merged := maps.Clone(target)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range patch {
		if value == nil {
			delete(merged, name)
			continue
		}
		if inner, isObject := value.(map[string]any); isObject {
			old, _ := merged[name].(map[string]any)
			value = plainMerge(old, inner)
		}
		merged[name] = value
	}
	return merged
}

// withStamps gives the $metadata that object must have if the metadata before
// and a patch are known, by going through all of it.
func withStamps(object map[string]any, now stamp) map[string]any {
	metadata := map[string]any{"$lastUpdated": now.At.Format(time.RFC3339), "$lastUpdatedVersion": float64(now.Version)}
	for name, value := range object {
		inner, _ := value.(map[string]any)
		metadata[name] = withStamps(inner, now)
	}
	return metadata
}

func restamped(before, old, merged, patch map[string]any, now stamp) map[string]any {
	metadata := withStamps(nil, now)
	for name, value := range merged {
		inner, _ := value.(map[string]any)
		given, touched := patch[name]
		changes, merges := given.(map[string]any)
		members, wasObject := old[name].(map[string]any)
		switch {
		case !touched:
			metadata[name] = before[name]
		case merges && wasObject:
			metadata[name] = restamped(before[name].(map[string]any), members, inner, changes, now)
		default:
			metadata[name] = withStamps(inner, now)
		}
	}
	return metadata
}

// Two patches of a twin give what merging without any economy gives, in the
// properties and in their metadata, also after the twin was stored.
func FuzzTwinPatches(f *testing.F) {
	f.Add([]byte(`{"a":{"b":1,"c":{"d":[1,{"e":null}]}},"f":"g"}`), []byte(`{"a":{"b":null,"c":{"x":-0.0}},"f":{"y":{"z":null}}}`), []byte(`{"a":null,"h":{}}`))
	f.Add([]byte(`{"é\u2028<":"\ud800\n","n":1e20}`), []byte(`{"n":{"n":{"n":{}}}}`), []byte(`{"n":{"n":4503599627370495}}`))
	f.Add([]byte(`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1}`), []byte(`{"j":null,"aa":2}`), []byte(`{"i":3,"zz":[]}`))
	f.Fuzz(func(t *testing.T, first, second, third []byte) {
		made := newTwin(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
		want, metadata := map[string]any{}, withStamps(nil, stamp{made.DesiredAt, 1})
		for i, text := range [][]byte{first, second, third} {
			var patch map[string]any
			if json.Unmarshal(text, &patch) != nil || patch == nil {
				return
			}
			now := made.DesiredAt.Add(time.Minute)
			next, refused := made.changed(twinChange{desired: patch}, now)
			if refused != nil {
				return
			}
			old := want
			want = plainMerge(old, patch)
			metadata = restamped(metadata, old, want, patch, stamp{now, int64(i) + 2})
			stored, err := json.Marshal(next)
			if err != nil {
				t.Fatal(err)
			}
			made = twin{}
			if err := json.Unmarshal(stored, &made); err != nil {
				t.Fatalf("%v: %s", err, stored)
			}
		}
		var shown map[string]any
		if err := json.Unmarshal(made.desiredHalf().append(nil), &shown); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(shown["$metadata"], any(metadata)) {
			t.Errorf("$metadata\n%v, want\n%v", shown["$metadata"], metadata)
		}
		delete(shown, "$metadata")
		delete(shown, "$version")
		if !reflect.DeepEqual(shown, plainCopy(t, want)) {
			t.Errorf("desired\n%v, want\n%v", shown, want)
		}
	})
}

// plainCopy goes through JSON once, where bad surrogates become U+FFFD.
func plainCopy(t *testing.T, object map[string]any) map[string]any {
	t.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	var copied map[string]any
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	return copied
}
