package provisioning

import (
	"reflect"
	"strings"
	"testing"
)

func TestTagsReadAsPeopleWriteThem(t *testing.T) {
	tags, err := ParseTags(" line = 7\n\nsite = Ulm\nhall=\"2 b\"\ntested = true\n\"a=b\" = 1.5\nplace = {row = 3}\nnote = a = b\n")
	want := map[string]any{"line": int64(7), "site": "Ulm", "hall": "2 b", "tested": true, "a=b": 1.5, "place": map[string]any{"row": int64(3)}, "note": "a = b"}
	if err != nil || !reflect.DeepEqual(tags, want) {
		t.Errorf("%#v %v", tags, err)
	}
	text, err := TagLines(tags)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ParseTags(text); err != nil || !reflect.DeepEqual(again, tags) {
		t.Errorf("%q becomes %#v %v", text, again, err)
	}
	if none, err := ParseTags(" \n"); err != nil || none != nil {
		t.Errorf("%#v %v", none, err)
	}
}

func TestTagsThatDoNotRead(t *testing.T) {
	for text, part := range map[string]string{
		"line":             "line 1 of the tags is not of the form",
		"line = 7\n= 8":    "line 2 of the tags is not of the form",
		"line =":           "line 1 of the tags is not of the form",
		"line = 7\nline=8": "line 2 of the tags names line once more",
	} {
		if _, err := ParseTags(text); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever reads is written so that it reads the same again.
func FuzzParseTags(f *testing.F) {
	for _, seed := range []string{"line = 7", "site = Ulm\nhall = \"2 b\"", "\"a=b\" = [1, {c = 1979-05-27}]", "x = '''", "a = \"\"\"\nb\"\"\"", "k = nan", "k = 0x1f", "k = 1\r", "\u00fc = \"\\u0000\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tags, err := ParseTags(text)
		if err != nil {
			return
		}
		lines, err := TagLines(tags)
		if err != nil {
			return // a value that TOML reads and cannot write
		}
		again, err := ParseTags(lines)
		if err != nil {
			t.Fatalf("%q is written as %q, which does not read: %v", text, lines, err)
		}
		if twice, err := TagLines(again); err != nil || twice != lines {
			t.Fatalf("%q is written as %q and then as %q (%v)", text, lines, twice, err)
		}
	})
}
