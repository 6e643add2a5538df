//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// desk is the program's window on a display of its own, in front of which nobody
// sits: what is pressed and typed goes to the window that has the focus.
type desk struct {
	t       *testing.T
	s       *station
	display string
	window  string // its number
	log     bytes.Buffer
}

// sitDown starts display, window manager and program, and waits for the window.
func sitDown(t *testing.T, s *station) *desk {
	t.Helper()
	k := &desk{t: t, s: s}
	number, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1600x1000x24", "-nolisten", "tcp")
	server.ExtraFiles = []*os.File{write}
	k.start(server)
	_ = write.Close()
	var display int
	if _, err := fmt.Fscan(number, &display); err != nil {
		t.Fatalf("Xvfb gives no display: %v", err)
	}
	_ = number.Close()
	k.display = fmt.Sprint(":", display)
	k.start(k.command("openbox", "--sm-disable"))
	shown := k.command(program)
	shown.Stdout, shown.Stderr = &k.log, &k.log
	k.start(shown)
	k.until("the window", func() bool {
		out, err := k.command("xdotool", "search", "--all", "--onlyvisible", "--pid", fmt.Sprint(shown.Process.Pid), "--name", "^Edgewright$").Output()
		k.window, _, _ = strings.Cut(string(out), "\n")
		return err == nil && k.window != ""
	})
	k.until("the first page", func() bool {
		before := k.steps()
		time.Sleep(300 * time.Millisecond)
		return strings.Trim(before, before[:1]) != "" && k.steps() == before
	})
	if err := k.command("xdotool", "windowactivate", "--sync", k.window).Run(); err != nil {
		t.Fatalf("the window takes no focus: %v", err)
	}
	return k
}

func (k *desk) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(k.s.environment(), "DISPLAY="+k.display, "XDG_SESSION_TYPE=x11", "LIBGL_ALWAYS_SOFTWARE=1", "XDG_RUNTIME_DIR="+k.s.home)
	return cmd
}

func (k *desk) start(cmd *exec.Cmd) {
	k.t.Helper()
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

func (k *desk) until(what string, is func() bool) {
	k.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			picture := filepath.Join(filepath.Dir(program), "window-failed.png")
			_ = k.command("import", "-window", "root", picture).Run()
			k.t.Fatalf("waited in vain for %s; the screen is in %s\n%s", what, picture, k.log.String())
		}
	}
}

func (k *desk) press(keys ...string) {
	k.t.Helper()
	if out, err := k.command("xdotool", append([]string{"key", "--clearmodifiers", "--delay", "50"}, keys...)...).CombinedOutput(); err != nil {
		k.t.Fatalf("press %v: %v %s", keys, err, out)
	}
}

func (k *desk) write(text string) {
	k.t.Helper()
	if out, err := k.command("xdotool", "type", "--delay", "20", text).CombinedOutput(); err != nil {
		k.t.Fatalf("type: %v %s", err, out)
	}
}

// steps is a picture of the wizard's list of steps, which changes when it goes from
// one to the next and at no other time.
func (k *desk) steps() string {
	k.t.Helper()
	out, err := k.command("import", "-window", k.window, "-crop", "170x360+235+110", "rgb:-").Output()
	if err != nil {
		k.t.Fatalf("look at the window: %v", err)
	}
	return string(out)
}

// onward presses keys that end in a step of the wizard, and waits for the next one.
func (k *desk) onward(keys ...string) {
	k.t.Helper()
	before := k.steps()
	k.press(keys...)
	k.until(fmt.Sprintf("the step behind %v", keys), func() bool { return k.steps() != before })
}

// TestInTheWindowOverSSH goes through the X.509 cells in the real window, over a
// real SSH connection, by the keyboard alone. The commands tell what came of it.
func TestInTheWindowOverSSH(t *testing.T) {
	for _, tool := range []string{"Xvfb", "openbox", "xdotool", "import"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	for name, cell := range map[string][]string{"by hand": {"Down"}, "through DPS": {"Down", "Down", "Down"}} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t)
			d, _ := sshDevice(t, s, "tech")
			ssh := filepath.Join(s.home, ".ssh")
			if err := os.Mkdir(ssh, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(s.home, "id"), filepath.Join(ssh, "id_ed25519")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(ssh, "known_hosts"), []byte(d.addr+" "+d.hostKey+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			before := d.picture(t)
			k := sitDown(t, s)
			k.onward("ctrl+n")
			k.press("Down", "Down", "Return") // another machine over SSH
			k.write("tech@" + d.addr)
			k.onward("Return")
			k.onward(append(cell, "Return", "Return")...) // takes the cell, and goes on with it
			k.onward("Return")
			k.write("line-7-0042")
			k.onward("Return")
			var run struct {
				Run, State, Target string
				Outcome            outcome
			}
			list := func() bool {
				var runs []json.RawMessage
				r := s.run("", "runs", "list", "--json")
				return json.Unmarshal([]byte(r.out), &runs) == nil && len(runs) == 1 && json.Unmarshal(runs[0], &run) == nil
			}
			k.until("the run", func() bool {
				k.press("Return") // Review takes it once it has looked
				time.Sleep(time.Second)
				return list()
			})
			k.until("its end", func() bool { return list() && run.State != "running" })
			if o := run.Outcome; run.State != "succeeded" || !o.Proof.Device || !o.Proof.Cloud || o.Proof.How != "runtime" {
				t.Fatalf("%+v\n%s", run, k.log.String())
			}
			config, err := os.ReadFile(filepath.Join(d.root, "etc/aziot/config.toml"))
			if err != nil || !bytes.Contains(config, []byte(`method = "x509"`)) {
				t.Errorf("the device is not configured by certificate: %v\n%s", err, config)
			}
			undone, r := s.outcome("runs", "undo", run.Run, "--yes")
			if r.code != 0 || undone.Outcome != "undone" {
				t.Errorf("undo: code %d, %+v, error %+v\n%s", r.code, undone, undone.Error, r.errOut)
			}
			if diff := differences(before, d.picture(t)); diff != "" {
				t.Errorf("undo left\n%s", diff)
			}
			for _, word := range []string{"Error in Fyne call thread", "Translation failure", "panic:"} {
				if strings.Contains(k.log.String(), word) {
					t.Errorf("the log of the window:\n%s", k.log.String())
				}
			}
		})
	}
}
