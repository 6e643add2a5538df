package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// started is a program whose window is up.
type started struct {
	cmd *exec.Cmd
	// drawn and focused are the times from the start to the first pixels and
	// to the keyboard's focus; worked is the processor time until both.
	drawn, focused, worked time.Duration
}

// startPatience bounds a start, restPatience the wait for quiet after it.
const (
	startPatience = 30 * time.Second
	restPatience  = 10 * time.Second
)

// open starts a program and waits for its window.
func (d *display) open(home, program string, args ...string) (*started, error) {
	before, err := d.focus()
	if err != nil {
		return nil, err
	}
	if up, err := d.drawn(); err != nil || up {
		return nil, errors.Join(err, errors.New("there is a window on the display already"))
	}
	s := &started{cmd: exec.Command(program, args...)}
	s.cmd.Env = append(os.Environ(), "HOME="+home, "LANG=en_US.UTF-8")
	// The toolkit makes only the last part of its cache folder.
	if err := os.MkdirAll(filepath.Join(home, ".cache"), 0o700); err != nil {
		return nil, err
	}
	var log bytes.Buffer
	s.cmd.Stdout, s.cmd.Stderr = &log, &log
	begun := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for s.drawn == 0 || s.focused == 0 {
		if time.Since(begun) > startPatience {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
			return nil, fmt.Errorf("%s shows no window within %s: drawn after %v, focused after %v\n%s", program, startPatience, s.drawn, s.focused, log.Bytes())
		}
		up, err := d.drawn()
		if err != nil {
			return nil, err
		}
		if up && s.drawn == 0 {
			s.drawn = time.Since(begun)
		}
		now, err := d.focus()
		if err != nil {
			return nil, err
		}
		if now != before && now > 1 && s.focused == 0 {
			s.focused = time.Since(begun)
		}
		time.Sleep(time.Millisecond)
	}
	s.worked, err = s.processorTime()
	return s, err
}

// usable is the time from the start until there is something to see and the
// keyboard goes there.
func (s *started) usable() time.Duration { return max(s.drawn, s.focused) }

// close ends the program as the session's end would, and waits until its
// window is gone.
func (s *started) close(d *display) error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	killer := time.AfterFunc(startPatience, func() { _ = s.cmd.Process.Kill() })
	err := s.cmd.Wait()
	if !killer.Stop() {
		return errors.Join(err, fmt.Errorf("the program did not end within %s of SIGTERM", startPatience))
	}
	for range 200 {
		up, err := d.drawn()
		if err != nil {
			return err
		}
		if !up {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("the window stays although its program has ended")
}

// processorTime is what the process has used, its threads included.
func (s *started) processorTime() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name in parentheses may hold blanks. Source: proc(5); ticks are 10 ms.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat does not read")
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err
}

// load is the share of one core that the process uses over a while.
func (s *started) load(over time.Duration) (float64, error) {
	before, err := s.processorTime()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	time.Sleep(over)
	after, err := s.processorTime()
	return float64(after-before) / float64(time.Since(begun)), err
}

// rest waits until the program has been quiet for a second, and at least for
// some seconds: what the start took is given back a little after it. On a busy
// machine nothing is ever that quiet; then it gives up waiting.
func (s *started) rest() error {
	time.Sleep(5 * time.Second)
	for begun := time.Now(); time.Since(begun) < restPatience; {
		load, err := s.load(time.Second)
		if err != nil || load < 0.05 {
			return err
		}
	}
	return nil
}

// memory is the resident set in bytes, and the part of it that is mapped from
// files: libraries and the program itself.
func (s *started) memory() (resident, mapped int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		switch n, _ := strconv.Atoi(fields[1]); fields[0] {
		case "VmRSS:":
			resident = n * 1024
		case "RssFile:":
			mapped = n * 1024
		}
	}
	return resident, mapped, nil
}
