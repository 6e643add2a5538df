// Windows measures the program's window from outside, on the display that it
// is started on, beside an empty window of the toolkit: the time from the start
// until it is usable, memory at rest, processor time with a field in focus, and
// how soon a key shows in the list of 100,000 devices.
//
// A window is usable when its first frame is on the screen and the window
// manager has given it the keyboard. Starts of the two windows alternate, so
// that what else happens on the machine meets both.
//
// It takes figures only and judges nothing but the marks of docs/performance.md;
// .ci/bench calls it.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

func main() {
	program := flag.String("program", "", "the program under test, a release build")
	empty := flag.String("empty", "", "the empty window, with the same build tags")
	starts := flag.Int("starts", 9, "starts of each")
	devices := flag.Int("devices", 100_000, "devices of the large catalog; 0 leaves it out")
	flag.Parse()
	if err := run(*program, *empty, *starts, *devices); err != nil {
		fmt.Fprintln(os.Stderr, "windows:", err)
		os.Exit(1)
	}
}

func run(program, empty string, starts, devices int) error {
	d, err := openDisplay()
	if err != nil {
		return fmt.Errorf("display: %w", err)
	}
	defer func() { _ = d.conn.Close() }()
	home, err := os.MkdirTemp("", "windows-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(home) }()

	if err := compareStarts(d, home, program, empty, starts); err != nil || devices == 0 {
		return err
	}
	if err := caret(d, home, empty, "toolkit's own field in an empty window: idle load", "field"); err != nil {
		return err
	}
	return largeCatalog(d, home, program, devices)
}

// figures are what starts of one window gave: milliseconds and megabytes.
type figures struct{ usable, worked, idle, resident, mapped []float64 }

// compareStarts opens the windows in turn. The first start of each is apart:
// the program makes its data folder and tries the display in it.
func compareStarts(d *display, home, program, empty string, starts int) error {
	windows := []struct {
		name    string
		command []string
		figures
	}{
		{name: "empty window", command: []string{empty}},
		{name: "window with one field", command: []string{empty, "field"}},
		{name: "program", command: []string{program, "--data", filepath.Join(home, "data")}},
	}
	for i := -1; i < starts; i++ {
		for w := range windows {
			into := &windows[w]
			s, err := d.open(home, into.command[0], into.command[1:]...)
			if err != nil {
				return err
			}
			if err := s.rest(); err != nil {
				return err
			}
			idle, err := s.load(3 * time.Second)
			if err != nil {
				return err
			}
			resident, mapped, err := s.memory()
			if err != nil {
				return err
			}
			if err := s.close(d); err != nil {
				return err
			}
			if i < 0 {
				report(into.name+": very first start, usable", "%.0f ms", milliseconds(s.usable()))
				continue
			}
			into.usable, into.worked = append(into.usable, milliseconds(s.usable())), append(into.worked, milliseconds(s.worked))
			into.idle = append(into.idle, 100*idle)
			into.resident, into.mapped = append(into.resident, float64(resident)/1e6), append(into.mapped, float64(mapped)/1e6)
		}
	}
	for _, w := range windows {
		report(w.name+": usable", "%.0f ms (%.0f to %.0f), processor time %.0f ms", median(w.usable), slices.Min(w.usable), slices.Max(w.usable), median(w.worked))
		report(w.name+": memory at rest", "%.0f MB, %.0f MB of it mapped files", median(w.resident), median(w.mapped))
		report(w.name+": idle load", "%.1f %% of a core", median(w.idle))
	}
	ours := windows[2]
	for _, beside := range windows[:2] {
		judge("program to "+beside.name+": usable", median(ours.usable)/median(beside.usable), 1.2)
		report("program to "+beside.name+": processor time", "%.2f", median(ours.worked)/median(beside.worked))
		judge("program to "+beside.name+": memory", median(ours.resident)/median(beside.resident), 1.2)
	}
	return nil
}

// caret measures a window in which a field has the keyboard from the start.
func caret(d *display, home, program, what string, args ...string) error {
	s, err := d.open(home, program, args...)
	if err != nil {
		return err
	}
	if err := typeText(d, "line"); err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	load, err := s.load(10 * time.Second)
	if err != nil {
		return err
	}
	report(what, "%.1f %% of a core", 100*load)
	return s.close(d)
}

func typeText(d *display, text string) error {
	for _, r := range text {
		if err := d.press(uint32(r)); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

func report(what, format string, args ...any) {
	fmt.Printf("%-55s %s\n", what, fmt.Sprintf(format, args...))
}

// judge prints a ratio or value beside its mark.
func judge(what string, value, mark float64) {
	word := "within the mark"
	if value > mark {
		word = "ABOVE the mark"
	}
	report(what, "%.2f, %s of %g", value, word, mark)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}
