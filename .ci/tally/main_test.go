package main

import (
	"bytes"
	"strings"
	"testing"
)

// stream is what two packages print, one of which does not compile; a third dies without a failed test.
const stream = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"    good_test.go:2: note: 5 of 6 routes\n"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"note: printed, not logged\n"}
{"Action":"pass","Package":"p","Test":"TestGood","Elapsed":0.1}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    bad_test.go:7: wanted 1\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestLame","Output":"=== RUN   TestLame\n"}
{"Action":"output","Package":"p","Test":"TestLame","Output":"    lame_test.go:9: needs sshd\n"}
{"Action":"skip","Package":"p","Test":"TestLame"}
{"Action":"output","Package":"p","Test":"TestFar","Output":"    far_test.go:3: the specifications are absent\n"}
{"Action":"skip","Package":"p","Test":"TestFar"}
{"Action":"fail","Package":"p","Elapsed":0.2}
a word of the tool itself
{"ImportPath":"q [q.test]","Action":"build-output","Output":"q_test.go:5: undefined: x\n"}
{"Action":"fail","Package":"q","FailedBuild":"q [q.test]"}
{"Action":"skip","Package":"empty"}
`

func parse(t *testing.T, text string) *result {
	t.Helper()
	r := newResult()
	if err := read(strings.NewReader(text), new(bytes.Buffer), r.add); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTotal(t *testing.T) {
	cases := []struct {
		name, stream string
		strict, good bool
		want         []string
	}{
		{"failures of tests and of packages", stream, false, false, []string{
			"failed: p.TestBad\n", "failed: q\n", "skipped: p.TestLame: needs sshd\n",
			"skipped: p.TestFar: the specifications are absent\n", "1 passed, 2 failed, 2 skipped\n"}},
		{"a note", pick("TestGood"), true, true, []string{"5 of 6 routes\n1 passed, 0 failed, 0 skipped\n"}},
		{"a skip", pick("TestGood", "TestLame"), false, true, []string{"1 passed, 0 failed, 1 skipped\n"}},
		{"a skip of what should be there", pick("TestGood", "TestLame"), true, false, []string{"1 of the skipped tests need"}},
		{"another skip", pick("TestGood", "TestFar"), true, true, []string{"1 passed, 0 failed, 1 skipped\n"}},
		{"nothing at all", "", false, false, []string{"no test passed\n", "0 passed, 0 failed, 0 skipped\n"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if good := total(parse(t, c.stream), c.strict, &out); good != c.good {
				t.Errorf("good = %v", good)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is missing in:\n%s", want, out.String())
				}
			}
		})
	}
}

func TestWatch(t *testing.T) {
	var out bytes.Buffer
	if err := watch(strings.NewReader(stream), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"bad_test.go:7: wanted 1\n", "--- SKIP: p.TestLame: needs sshd\n", "fail p  4 tests  0.2 s\n",
		"a word of the tool itself\n", "5 of 6 routes\n", "q_test.go:5: undefined: x\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "RUN") || strings.Contains(out.String(), "printed") {
		t.Errorf("shows the output of a test that did not fail:\n%s", out.String())
	}
}

// pick keeps the lines of the stream that belong to the named tests.
func pick(tests ...string) string {
	var kept strings.Builder
	for line := range strings.Lines(stream) {
		for _, name := range tests {
			if strings.Contains(line, `"`+name+`"`) {
				kept.WriteString(line)
			}
		}
	}
	return kept.String()
}
