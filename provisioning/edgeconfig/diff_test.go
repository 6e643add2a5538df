package edgeconfig

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func render(lines []Line) string {
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "%c%d,%d %s\n", line.Op, line.OldNo, line.NewNo, line.Text)
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, old, new, want string }{
		{"nothing", "", "", ""},
		{"equal", "a\nb", "a\nb", " 1,1 a\n 2,2 b\n"},
		{"new file", "", "a\nb\n", "+0,1 a\n+0,2 b\n"},
		{"gone", "a\nb\n", "", "-1,0 a\n-2,0 b\n"},
		{"middle", "a\nb\nc\nd\n", "a\nx\nc\ny\nd\n", " 1,1 a\n-2,0 b\n+0,2 x\n 3,3 c\n+0,4 y\n 4,5 d\n"},
		{"moved", "a\nb\nc\n", "b\nc\na\n", "-1,0 a\n 2,1 b\n 3,2 c\n+0,3 a\n"},
		{"only the end", "a", "a\n", "-1,0 a\n+0,1 a\n"},
		{"only the secret", "[x]\npassword = \"a\"\ny = 1\n", "[x]\npassword = \"b\"\ny = 1\n", " 1,1 [x]\n-2,0 password = \"***\"\n+0,2 password = \"***\"\n 3,3 y = 1\n"},
		{"secret of several lines", "password = '''a\nb'''\nx = 1\n", "password = '''a\nc'''\nx = 1\n", " 1,1 password = '''***\n-2,0 ***'''\n+0,2 ***'''\n 3,3 x = 1\n"},
	} {
		if got := render(Diff([]byte(test.old), []byte(test.new))); got != test.want {
			t.Errorf("%s:\n%s\nwanted\n%s", test.name, got, test.want)
		}
	}
	text, err := json.Marshal(Line{OpAdd, "a", 0, 1})
	if err != nil || string(text) != `{"op":"+","text":"a","old":0,"new":1}` {
		t.Errorf("JSON: %s, %v", text, err)
	}
}

// FuzzDiff rebuilds both files from the difference.
func FuzzDiff(f *testing.F) {
	f.Add("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n")
	f.Add("x\n", "y\n")
	f.Add("a\nb\n", "b\na")
	f.Fuzz(func(t *testing.T, old, new string) {
		before, after := splitLines([]byte(old)), splitLines([]byte(new))
		i, j := 0, 0
		for _, line := range Diff([]byte(old), []byte(new)) {
			if line.Op != OpAdd {
				if i++; line.OldNo != i {
					t.Fatalf("old line %d is given as %d", i, line.OldNo)
				}
			}
			if line.Op != OpRemove {
				if j++; line.NewNo != j {
					t.Fatalf("new line %d is given as %d", j, line.NewNo)
				}
			}
			if line.Op == OpKeep && before[i-1] != after[j-1] {
				t.Fatalf("lines %d and %d are not equal", i, j)
			}
		}
		if i != len(before) || j != len(after) {
			t.Fatalf("%d of %d and %d of %d lines", i, len(before), j, len(after))
		}
	})
}

func TestDiffOfLongFiles(t *testing.T) {
	t.Parallel()
	var old, new strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&old, "old %d\n", i)
		fmt.Fprintf(&new, "new %d\n", i)
	}
	if n := len(Diff([]byte(old.String()), []byte(new.String()))); n != 8000 {
		t.Errorf("%d lines", n)
	}
}
