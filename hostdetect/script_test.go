//go:build !windows

package hostdetect

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shellHost runs the scripts under a given shell.
type shellHost struct {
	thisComputer
	shell []string
	env   []string
}

func (h shellHost) Output(ctx context.Context, name string, args ...string) ([]byte, int, error) {
	if name != "sh" {
		return nil, 127, nil
	}
	c := exec.CommandContext(ctx, h.shell[0], append(h.shell[1:], args...)...)
	c.Env = h.env
	out, err := c.Output()
	if c.ProcessState == nil {
		return nil, 0, err
	}
	return out, c.ProcessState.ExitCode(), nil
}

func shells(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for name, command := range map[string][]string{"dash": {"dash"}, "busybox": {"busybox", "sh"}, "bash": {"bash"}} {
		path, err := exec.LookPath(command[0])
		if err != nil {
			t.Skipf("needs %s", command[0])
		}
		found[name] = append([]string{path}, command[1:]...)
	}
	return found
}

// The script tells the same under every shell, without a word on standard
// error and in time for fifty hosts at once.
func TestGatherScriptUnderShells(t *testing.T) {
	for name, shell := range shells(t) {
		t.Run(name, func(t *testing.T) {
			r, err := Detect(t.Context(), shellHost{shell: shell}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			checkThisMachine(t, r)
			if !r.Clock.Known || r.Clock.Offset.Abs() > 5*time.Second {
				t.Errorf("clock %+v", r.Clock)
			}
			c := exec.Command(shell[0], append(shell[1:], "-c", gatherScript, "edgewright", "M")...)
			var noise strings.Builder
			c.Stderr = &noise
			out, err := c.Output()
			if err != nil || noise.Len() > 0 || !strings.HasSuffix(strings.TrimSpace(string(out)), "M end") {
				t.Errorf("%v, on standard error: %q, ends %q", err, noise.String(), out[max(0, len(out)-40):])
			}
		})
	}
}

// With busybox applets only, as on a small device: no coreutils, no ip of
// iproute2, no dpkg.
func TestGatherScriptBusyboxOnly(t *testing.T) {
	busybox := shells(t)["busybox"][0]
	bin := t.TempDir()
	list, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, applet := range strings.Fields(string(list)) {
		if err := os.Symlink(busybox, filepath.Join(bin, applet)); err != nil {
			t.Fatal(err)
		}
	}
	// The script adds the usual folders behind PATH; applets come first.
	r, err := Detect(t.Context(), shellHost{shell: []string{filepath.Join(bin, "sh")}, env: []string{"PATH=" + bin}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.OS.ID == "" || r.Memory.Total == 0 || r.CPU.Count == 0 || len(r.Disks) == 0 || len(r.Interfaces) == 0 || !r.Clock.Known {
		t.Errorf("%+v", r)
	}
}

func checkThisMachine(t *testing.T, r Report) {
	t.Helper()
	if r.OS.Family == "" || r.OS.Pretty == "" || r.Arch.Userland == "" || r.Kernel == "" || r.CPU.Count == 0 || r.Memory.Total == 0 || len(r.Disks) == 0 || r.Hostname == "" {
		t.Errorf("%+v", r)
	}
	for _, f := range r.Facts {
		if f.How == "" || f.Found == Unknown && f.Why == "" {
			t.Errorf("%+v", f)
		}
	}
}

func TestDetectLocal(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	r, err := DetectLocal(t.Context(), Options{Reach: []Endpoint{{Host: "127.0.0.1", Port: port}, {Host: "-bad", Port: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	checkThisMachine(t, r)
	if !r.Local || r.Clock.Known || r.Store.State == "" {
		t.Errorf("%+v", r)
	}
	if r.Reach[0].Open != Found || r.Reach[1].Open != Unknown || r.Reach[1].Why == "" {
		t.Errorf("%+v", r.Reach)
	}
	a := Advise(r, Question{Support: table(t), Available: keysOnly})
	if len(a.Ways) != 15 || a.Title.English == "" || a.Reason.English == "" {
		t.Errorf("%+v", a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := DetectLocal(ctx, Options{}); err == nil {
		t.Error("a cancelled look gives a report")
	}
}

// The configuration's outline as the script reads it, secrets left behind.
func TestGatherScriptLeavesSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.toml")
	body := "# source = \"manual\"\n[provisioning]\nsource = \"dps\"\nid_scope = \"0neGEHEIM\"\n[provisioning.attestation]\nmethod = \"symmetric_key\"\nsymmetric_key = { value = \"R0VIRUlN\" }\n[agent.env]\nTOKEN = \"GEHEIM\"\n"
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(gatherScript, configTOML, file)
	for name, shell := range shells(t) {
		out, err := exec.Command(shell[0], append(shell[1:], "-c", script, "edgewright", "M")...).Output()
		if err != nil {
			t.Fatal(err)
		}
		g := parseSections(out, "M")
		if got, want := g.sections["outline "+file], outlineTOML(body); strings.TrimSpace(got) != want {
			t.Errorf("%s: outline %q, want %q", name, got, want)
		}
		if s := string(out); strings.Contains(s, "GEHEIM") || strings.Contains(s, "R0VIRUlN") {
			t.Errorf("%s: the script prints a secret", name)
		}
	}
}

// reach.sh with each of its tools, chosen by a PATH that has no other.
func TestReachScript(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	open := listener.Addr().(*net.TCPAddr).Port
	closedListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := closedListener.Addr().(*net.TCPAddr).Port
	closedListener.Close()
	endpoints := []Endpoint{{Host: "localhost", Port: open}, {Host: "127.0.0.1", Port: closed}, {Host: "a b", Port: 1}}

	busybox, dash := shells(t)["busybox"][0], shells(t)["dash"][0]
	for _, tool := range []string{"bash", "python3", "nc", "curl", "openssl", ""} {
		t.Run(fmt.Sprintf("tool %q", tool), func(t *testing.T) {
			bin := t.TempDir()
			// Not busybox's shell: that one finds its applets without PATH.
			for _, applet := range []string{"sed", "head", "grep", "timeout", "true"} {
				if err := os.Symlink(busybox, filepath.Join(bin, applet)); err != nil {
					t.Fatal(err)
				}
			}
			if tool != "" {
				path, err := exec.LookPath(tool)
				if tool == "nc" {
					path, err = busybox, nil
				}
				if err != nil {
					t.Skipf("needs %s", tool)
				}
				if tool == "python3" {
					// A launcher would look for its own shell in PATH.
					real, err := exec.Command(path, "-c", "import sys; print(sys.executable)").Output()
					if err != nil {
						t.Skipf("needs %s", tool)
					}
					path = strings.TrimSpace(string(real))
				}
				if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
					t.Fatal(err)
				}
			}
			// The usual folders, which the script adds, would bring every tool.
			script := strings.Replace(reachScript, "PATH=$PATH:", "PATH=$PATH; unused=", 1)
			args := []string{"-c", script, "edgewright", "M", "localhost", fmt.Sprint(open), "127.0.0.1", fmt.Sprint(closed)}
			c := exec.CommandContext(t.Context(), dash, args...)
			c.Env = []string{"PATH=" + bin}
			out, err := c.Output()
			if err != nil {
				t.Fatal(err)
			}
			answers := make([]Reachability, len(endpoints))
			for i, e := range endpoints {
				answers[i] = Reachability{Endpoint: e, Resolved: Unknown, Open: Unknown}
			}
			parseReach(out, "M", answers)
			if tool == "" {
				if answers[0].Open != Unknown || answers[0].Why == "" {
					t.Errorf("%+v", answers)
				}
				return
			}
			// An openssl handshake with a listener that hangs up still counts.
			if answers[0].Open != Found || answers[1].Open != Absent || answers[2].Open != Unknown {
				t.Errorf("%s\n%+v", out, answers)
			}
		})
	}
	for name, shell := range shells(t) {
		got := reachFrom(t.Context(), shellHost{shell: shell}, false, endpoints)
		if got[0].Open != Found || got[0].Resolved != Found || got[1].Open != Absent || got[2].Open != Unknown {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
