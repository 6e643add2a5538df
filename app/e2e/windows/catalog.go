package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// largeCatalog fills a catalog and looks at its page.
func largeCatalog(d *display, home, program string, devices int) error {
	data := filepath.Join(home, "large")
	begun := time.Now()
	if err := fill(home, program, data, devices); err != nil {
		return err
	}
	report(fmt.Sprintf("import of %d devices from CSV", devices), "%.1f s", time.Since(begun).Seconds())

	s, err := d.open(home, program, "--data", data)
	if err != nil {
		return err
	}
	report("large catalog: usable", "%.0f ms", milliseconds(s.usable()))
	if err := s.rest(); err != nil {
		return err
	}
	opened, err := d.untilChanged(func() error { return d.press(keyControl, '3') })
	if err != nil {
		return fmt.Errorf("the devices page: %w", err)
	}
	report("large catalog: page opened", "%.0f ms", milliseconds(opened))
	time.Sleep(2 * time.Second)

	var typed []float64
	for _, r := range "line-42-0711" {
		took, err := d.untilChanged(func() error { return d.press(uint32(r)) })
		if err != nil {
			return fmt.Errorf("typing %q: %w", r, err)
		}
		typed = append(typed, milliseconds(took))
		time.Sleep(300 * time.Millisecond)
	}
	report("large catalog: key to changed screen", "%.0f ms (%.0f to %.0f)", median(typed), slices.Min(typed), slices.Max(typed))

	time.Sleep(2 * time.Second)
	load, err := s.load(10 * time.Second)
	if err != nil {
		return err
	}
	judge("large catalog, search in focus: idle load, % of a core", 100*load, 2)
	resident, _, err := s.memory()
	if err != nil {
		return err
	}
	report("large catalog, page open: memory", "%.0f MB", float64(resident)/1e6)
	for range len("line-42-0711") - 4 {
		if err := d.press(keyBackspace); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(time.Second)
	var scrolled []float64
	for range 20 {
		took, err := d.untilChanged(d.wheel)
		if err != nil {
			return fmt.Errorf("scroll: %w", err)
		}
		scrolled = append(scrolled, milliseconds(took))
		time.Sleep(100 * time.Millisecond)
	}
	report("large catalog: wheel to changed screen", "%.0f ms (%.0f to %.0f)", median(scrolled), slices.Min(scrolled), slices.Max(scrolled))
	return s.close(d)
}

const keyBackspace = 0xff08 // XK_BackSpace

// untilChanged does something and waits until the screen differs; two frames of
// the display's 60 Hz are within what it can tell.
func (d *display) untilChanged(do func() error) (time.Duration, error) {
	// A strip at the page's left edge, where the search's text and the first
	// column are; looking at all of it would slow down what is looked at.
	look := func() ([]byte, error) { return d.pixels(d.width*28/100, 0, 150, d.height) }
	before, err := look()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	for time.Since(begun) < 5*time.Second {
		now, err := look()
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(before, now) {
			return time.Since(begun), nil
		}
	}
	return 0, errors.New("nothing changes on the screen within 5 s")
}

// fill imports a list of believable devices.
func fill(home, program, data string, devices int) error {
	name := filepath.Join(home, "devices.csv")
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(file)
	fmt.Fprintln(w, "device_id,hub_host,target,cloud,state")
	for i := range devices {
		fmt.Fprintf(w, "line-%d-%04d,hub.example.net,ssh://tech@10.%d.%d.%d,plant,configured\n", i/1000, i%1000, i>>16&255, i>>8&255, i&255)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	cmd := exec.Command(program, "devices", "import", name, "--data", data)
	cmd.Env = append(os.Environ(), "HOME="+home)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("import: %w\n%s", err, out)
	}
	return nil
}
