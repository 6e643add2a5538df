//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// station is the computer that the program runs on: a home and a data folder.
type station struct {
	t    testing.TB
	home string
	// inside is the root that the program runs in, "" for this machine's.
	inside string
}

func newStation(t testing.TB) *station {
	t.Helper()
	return &station{t: t, home: t.TempDir()}
}

// result is what a command gave.
type result struct {
	code        int
	out, errOut string
}

// run calls the program with a clean environment.
func (s *station) run(stdin string, args ...string) result {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	if s.inside != "" {
		cmd = exec.Command("chroot", append([]string{s.inside, "/opt/edgewright/edgewright"}, args...)...)
	}
	cmd.Env = s.environment()
	cmd.Stdin = strings.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// environment is a clean one, as the program sees it.
func (s *station) environment() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
	if s.inside != "" {
		return append(env, "HOME=/home/operator", "LD_LIBRARY_PATH=/opt/edgewright/lib")
	}
	return append(env, "HOME="+s.home)
}

// outcome is the last JSON object of a command.
type outcome struct {
	Outcome string
	Changed bool
	Proof   struct {
		Device, Cloud, Rehearsal bool
		How                      string
	}
	Run   string
	Left  []string
	Error *struct{ Kind, Message, Hint, Detail string }
}

// outcome calls the program and reads its result.
func (s *station) outcome(args ...string) (outcome, result) {
	s.t.Helper()
	r := s.run("", append(args, "--json")...)
	var o outcome
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &o); err != nil {
		s.t.Fatalf("%v: no result in\n%s%s", args, r.out, r.errOut)
	}
	return o, r
}

// plan writes a plan into the home and returns its name as the program sees it.
func (s *station) plan(name, text string) string {
	s.t.Helper()
	dir, seen := s.home, s.home
	if s.inside != "" {
		dir, seen = filepath.Join(s.inside, "home/operator"), "/home/operator"
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return filepath.Join(seen, name)
}

// plans are the ways that can be run, for a device.
func plans(id string) map[string]string {
	head := "version = 1\n[device]\nid = \"" + id + "\"\n[device.tags]\nline = 7\n"
	return map[string]string{
		"manual":     head + "[cell]\nplatform = \"linux\"\nprovisioning = \"manual\"\nauthentication = \"symmetric-key\"\n",
		"individual": head + "[cell]\nplatform = \"linux\"\nprovisioning = \"dps\"\nauthentication = \"symmetric-key\"\n",
		"group":      head + "[cell]\nplatform = \"linux\"\nprovisioning = \"dps\"\nauthentication = \"symmetric-key\"\n[cloud]\nenrollment = \"group\"\ngroup = \"line-7\"\n",
	}
}
