package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"edgewright/app"
)

// commandVariable makes the test program the program itself.
const commandVariable = "EDGEWRIGHT_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(commandVariable) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	if len(os.Args) == 3 && os.Args[1] == "helper" && os.Args[2] == "token" { // as main does
		if err := app.ServeTokenHelper(ctx, os.Stdin, os.Stdout); err != nil {
			os.Exit(ExitFailed)
		}
		os.Exit(ExitOK)
	}
	code := Run(ctx, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, "test")
	stop()
	os.Exit(code)
}

// desk is a user without a terminal and without a credential store, with a
// data folder whose practice cloud has an address of its own.
type desk struct {
	t   *testing.T
	dir string
	// address is where the practice cloud listens.
	address string
}

var addresses atomic.Uint32

func newDesk(t *testing.T) *desk {
	t.Helper()
	n := uint32(os.Getpid())<<12 | addresses.Add(1)&0xfff
	d := &desk{t: t, dir: t.TempDir(), address: fmt.Sprintf("127.%d.%d.%d:8443", 1+n>>16%254, n>>8&0xff, n&0xff)}
	a, err := app.New(t.Context(), app.Config{DataDir: d.path("data"), StateDir: d.path("state/edgewright-state"), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = a.ServePractice(ctx, app.PracticeOptions{HTTPS: d.address, MQTT: strings.Replace(d.address, ":8443", ":8883", 1)}, func(app.PracticeInfo) { cancel() })
	cancel()
	if err := errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, filepath.FromSlash(name)) }

// write makes a file and gives its path.
func (d *desk) write(name, text string) string {
	d.t.Helper()
	if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return d.path(name)
}

// folder makes an empty folder and gives it as a target.
func (d *desk) folder(name string) string {
	d.t.Helper()
	if err := os.MkdirAll(d.path(name), 0o755); err != nil {
		d.t.Fatal(err)
	}
	return app.FolderTarget(d.path(name))
}

// result is what a command left behind.
type result struct {
	t        *testing.T
	line     string
	code     int
	out, err string
}

func (d *desk) command(args ...string) *exec.Cmd {
	d.t.Helper()
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.CommandContext(d.t.Context(), self, args...)
	cmd.Dir = d.dir
	cmd.Env = []string{commandVariable + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + d.dir, "TMPDIR=" + d.dir, "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"),
		"XDG_STATE_HOME=" + d.path("state"), "XDG_DATA_HOME=" + d.path("share"), "APPDATA=" + d.path("state"), "LOCALAPPDATA=" + d.path("share"), "TEMP=" + d.dir}
	return cmd
}

// run runs a command on the desk's data folder.
func (d *desk) run(args ...string) result { return d.runWith("", args...) }

func (d *desk) runWith(stdin string, args ...string) result {
	d.t.Helper()
	return d.runBare(stdin, append(args, "--data", d.path("data"))...)
}

func (d *desk) runBare(stdin string, args ...string) result {
	d.t.Helper()
	cmd := d.command(args...)
	var out, errText bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errText
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	r := result{t: d.t, line: strings.Join(args, " "), code: cmd.ProcessState.ExitCode(), out: out.String(), err: errText.String()}
	for _, trace := range []string{"goroutine ", "panic:", "DATA RACE"} {
		if strings.Contains(r.out+r.err, trace) {
			d.t.Errorf("%s: a stack trace:\n%s%s", r.line, r.out, r.err)
		}
	}
	return r
}

// exits checks the exit code.
func (r result) exits(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("%s: exit %d, want %d\n%s%s", r.line, r.code, code, r.out, r.err)
	}
	return r
}

// says checks that each part is printed, on whichever stream.
func (r result) says(parts ...string) result {
	r.t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.out+r.err, part) {
			r.t.Errorf("%s: does not say %q:\n%s%s", r.line, part, r.out, r.err)
		}
	}
	return r
}

// decode reads the last line of standard output, which is the result.
func (r result) decode(into any) {
	r.t.Helper()
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), into); err != nil {
		r.t.Fatalf("%s: %v in %q", r.line, err, lines[len(lines)-1])
	}
}

func (r result) object() map[string]any {
	r.t.Helper()
	var v map[string]any
	r.decode(&v)
	return v
}

// has checks that an object has exactly these keys; one with a question mark
// may be missing.
func has(t *testing.T, what string, object any, keys string) {
	t.Helper()
	found, ok := object.(map[string]any)
	if !ok {
		t.Errorf("%s is %v, no object", what, object)
		return
	}
	known := map[string]bool{}
	for key := range strings.FieldsSeq(keys) {
		name, optional := strings.CutSuffix(key, "?")
		known[name] = true
		if _, ok := found[name]; !ok && !optional {
			t.Errorf("%s has no %q: %v", what, name, found)
		}
	}
	for key := range found {
		if !known[key] {
			t.Errorf("%s has %q, which is not promised: %v", what, key, found[key])
		}
	}
}

// content describes every file below the folders: name, mode, bytes.
func content(t *testing.T, roots ...string) string {
	t.Helper()
	var text strings.Builder
	for _, root := range roots {
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, "%s %s", name, info.Mode())
			if info.Mode().IsRegular() {
				raw, err := os.ReadFile(name)
				if err != nil {
					return err
				}
				fmt.Fprintf(&text, " %x", raw)
			}
			text.WriteString("\n")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

const manualPlan = `version = 1
[device]
id = "line-7-0042"
[device.tags]
line = 7
[cell]
platform = "linux"
provisioning = "manual"
authentication = "symmetric-key"
`

const groupPlan = `version = 1
[device]
id = "line-7-0042"
[cell]
platform = "linux"
provisioning = "dps"
authentication = "symmetric-key"
[cloud]
enrollment = "group"
group = "line-7"
`
