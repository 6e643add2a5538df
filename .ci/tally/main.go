// Command tally reads what `go test -json` prints. `tally watch FILE` passes a running test's stream on to FILE and
// shows of it what a person wants to see: one line a package, skips by name, and everything a failed test said.
// `tally total FILE...` adds such files up, names what failed and what was skipped, and closes with one line
// "N passed, N failed, N skipped". With -strict a skip whose message begins "needs " counts as a failure: the test
// lacked a tool or a right that a machine set up by .ci/setup has.
//
// A test that logs a line beginning "note: " has it shown there and before the sum: a count that is worth a look even
// though all is well.
//
// Steps that are not Go tests take part by writing the same events; see .ci/step.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"sort"
	"strings"
)

// event is one line of the stream; `go doc test2json` describes it.
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output and build-fail, in place of Package
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string // on the fail of a package that did not compile
}

// test names one test, or a package as a whole where name is empty.
type test struct{ pkg, name string }

func (t test) String() string {
	if t.name == "" {
		return t.pkg
	}
	return t.pkg + "." + t.name
}

// result is what is known of a set of tests after their streams have ended.
type result struct {
	ends   map[test]string // pass, fail or skip
	output map[test]string // what a test printed; a package's own is that of its build, too
}

func newResult() *result {
	return &result{ends: map[test]string{}, output: map[test]string{}}
}

func (r *result) add(e event) {
	switch e.Action {
	case "build-output":
		r.output[build(e.ImportPath)] += e.Output
	case "output":
		r.output[test{e.Package, e.Test}] += e.Output
	case "pass", "fail", "skip":
		r.ends[test{e.Package, e.Test}] = e.Action
	}
}

// build is the key for what a compiler said of a package. A test binary's import path has its variant behind it:
// "pkg [pkg.test]".
func build(importPath string) test {
	pkg, _, _ := strings.Cut(importPath, " ")
	return test{pkg: pkg}
}

// failures lists failed tests, and packages that failed without any failed test in them: they did not compile, ran
// into their time limit or died.
func (r *result) failures() []test {
	blamed := map[string]bool{}
	for t, end := range r.ends {
		if t.name != "" && end == "fail" {
			blamed[t.pkg] = true
		}
	}
	return r.list(func(t test, end string) bool {
		return end == "fail" && (t.name != "" || !blamed[t.pkg])
	})
}

func (r *result) passed() int {
	return len(r.list(func(t test, end string) bool { return t.name != "" && end == "pass" }))
}

// skipped lists skipped tests; a package that is skipped has none.
func (r *result) skipped() []test {
	return r.list(func(t test, end string) bool { return t.name != "" && end == "skip" })
}

func (r *result) list(want func(test, string) bool) []test {
	var found []test
	for t, end := range r.ends {
		if want(t, end) {
			found = append(found, t)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].String() < found[j].String() })
	return found
}

var position = regexp.MustCompile(`^\s+\S+\.go:\d+: `)

// notes are what tests logged to be shown.
func (r *result) notes() []string {
	var found []string
	for _, output := range r.output {
		for line := range strings.Lines(output) {
			if text, ok := note(line); ok {
				found = append(found, text)
			}
		}
	}
	sort.Strings(found)
	return found
}

// note tells a logged line that begins "note: ".
func note(line string) (string, bool) {
	at := position.FindString(line)
	text, ok := strings.CutPrefix(line[len(at):], "note: ")
	return strings.TrimSpace(text), ok && at != ""
}

// reason is the message that a skipped test gave to Skip.
func (r *result) reason(t test) string {
	for line := range strings.Lines(r.output[t]) {
		if at := position.FindString(line); at != "" {
			return strings.TrimSpace(line[len(at):])
		}
	}
	return "no reason given"
}

// read decodes a stream, calling each with every event. Lines that are no events go to stray: a tool's own words.
func read(in io.Reader, stray io.Writer, each func(event)) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		if len(line) > 0 {
			if json.Unmarshal(line, &e) == nil {
				each(e)
			} else {
				stray.Write(line)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// watch shows a running stream.
func watch(in io.Reader, out io.Writer) error {
	r := newResult()
	count := map[string]int{}
	return read(in, out, func(e event) {
		r.add(e)
		t := test{e.Package, e.Test}
		ended := e.Action == "pass" || e.Action == "fail" || e.Action == "skip"
		if text, ok := note(e.Output); ok && e.Action == "output" {
			fmt.Fprintln(out, text)
		}
		switch {
		case !ended:
		case e.Test == "":
			if e.Action == "fail" {
				fmt.Fprint(out, r.output[build(e.FailedBuild)], r.output[t])
			}
			if e.Action != "skip" {
				fmt.Fprintf(out, "%-4s %s  %d tests  %.1f s\n", e.Action, e.Package, count[e.Package], e.Elapsed)
			}
		default:
			count[e.Package]++
			if e.Action == "fail" {
				fmt.Fprint(out, r.output[t])
			}
			if e.Action == "skip" {
				fmt.Fprintf(out, "--- SKIP: %s: %s\n", t, r.reason(t))
			}
			delete(r.output, t)
		}
	})
}

// total prints the sum of r and says whether it is good.
func total(r *result, strict bool, out io.Writer) bool {
	for _, text := range r.notes() {
		fmt.Fprintln(out, text)
	}
	failures := r.failures()
	for _, t := range failures {
		fmt.Fprintf(out, "failed: %s\n", t)
	}
	lacking := 0
	skipped := r.skipped()
	for _, t := range skipped {
		reason := r.reason(t)
		fmt.Fprintf(out, "skipped: %s: %s\n", t, reason)
		if strings.HasPrefix(reason, "needs ") {
			lacking++
		}
	}
	passed := r.passed()
	if strict && lacking > 0 {
		fmt.Fprintf(out, "%d of the skipped tests need what this machine should have\n", lacking)
	}
	if passed == 0 {
		fmt.Fprintln(out, "no test passed")
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", passed, len(failures), len(skipped))
	return len(failures) == 0 && passed > 0 && (!strict || lacking == 0)
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "watch":
		file, err := os.Create(args[1])
		if err != nil {
			return err
		}
		if err := watch(io.TeeReader(os.Stdin, file), os.Stdout); err != nil {
			return err
		}
		return file.Close()
	case len(args) >= 2 && args[0] == "total":
		files := args[1:]
		strict := files[0] == "-strict"
		if strict {
			files = files[1:]
		}
		r := newResult()
		for _, name := range files {
			if err := addFile(r, name); err != nil {
				return err
			}
		}
		if !total(r, strict, os.Stdout) {
			os.Exit(1)
		}
		return nil
	}
	return fmt.Errorf("use: tally watch FILE | tally total [-strict] FILE [FILE]")
}

func addFile(r *result, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return read(file, io.Discard, r.add)
}
