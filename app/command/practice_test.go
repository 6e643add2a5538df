package command

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// serving is `practice serve` in a process of its own.
type serving struct {
	*exec.Cmd
	t     *testing.T
	lines chan string
}

// serve starts it and waits for its first line.
func (d *desk) serve(args ...string) *serving {
	d.t.Helper()
	s := &serving{Cmd: d.command(append([]string{"practice", "serve", "--data", d.path("data")}, args...)...), t: d.t, lines: make(chan string, 1000)}
	out, err := s.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	s.Stderr = os.Stderr
	if err := s.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = s.Process.Kill(); _ = s.Wait() })
	go s.read(out)
	return s
}

func (s *serving) read(out io.Reader) {
	defer close(s.lines)
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		s.lines <- scanner.Text()
	}
}

// until reads lines up to the one that holds a text, and gives it.
func (s *serving) until(text string) string {
	s.t.Helper()
	patience := time.After(time.Minute)
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				s.t.Fatalf("it ended without %q", text)
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-patience:
			s.t.Fatalf("it never said %q", text)
		}
	}
}

// stop interrupts it and gives its exit code.
func (s *serving) stop() int {
	s.t.Helper()
	if err := s.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	for range s.lines { // all that it still says
	}
	_ = s.Wait()
	return s.ProcessState.ExitCode()
}

func needsInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a signal that can be sent to a process")
	}
}

func TestServePointsEachClient(t *testing.T) {
	needsInterrupt(t)
	d := newDesk(t)
	s := d.serve("--names", "line2", "--sku", "s1")
	text := ""
	for !strings.Contains(text, "until it is stopped") {
		text += s.until("") + "\n"
	}
	for _, part := range []string{"hub connection string  HostName=hub.practice.test:8443;SharedAccessKeyName=iothubowner;SharedAccessKey=***", "DPS connection string", "SharedAccessKey=***",
		"NODE_EXTRA_CA_CERTS=", "SSL_CERT_FILE=", "server_verification_cert=", "REQUESTS_CA_BUNDLE=", "update-ca-certificates", "update-ca-trust", "iotedge system restart", "line2.practice.test",
		"--login 'HostName=hub.practice.test:8443", "like 1 of S1"} {
		if !strings.Contains(text, part) {
			t.Errorf("it does not say %q:\n%s", part, text)
		}
	}
	if code := s.stop(); code != ExitOK {
		t.Errorf("exit %d", code)
	}
	if s := d.serve("--show-secrets"); strings.Contains(s.until("hub connection string"), "***") {
		t.Error("--show-secrets masks")
	}
}

func TestServeTellsEventsAsJSON(t *testing.T) {
	needsInterrupt(t)
	d := newDesk(t)
	s := d.serve("--json", "--sku", "F1")
	var first map[string]any
	if err := json.Unmarshal([]byte(s.until("")), &first); err != nil {
		t.Fatal(err)
	}
	has(t, "the first event", first, "event time practice limits")
	has(t, "practice", first["practice"], "https mqtt ca_file id_scope hub_host dps_host global_host hub_connection_string dps_connection_string arm_token")
	d.run("provision", "--plan", d.write("plan.toml", manualPlan), "--target", d.folder("device"), "--yes").exits(ExitOK)
	var request map[string]any
	if err := json.Unmarshal([]byte(s.until(`"request"`)), &request); err != nil {
		t.Fatal(err)
	}
	has(t, "a request", request, "event number time method host path api_version status code correlation_id duration")
	if err := s.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var last map[string]any
	if err := json.Unmarshal([]byte(s.until(`"outcome"`)), &last); err != nil || last["outcome"] != "succeeded" || last["requests"].(float64) < 3 {
		t.Errorf("%v, %v", last, err)
	}
}

// The other commands find the process that serves, or the folder.
func TestPracticeIsLookedAt(t *testing.T) {
	needsInterrupt(t)
	d := newDesk(t)
	d.run("provision", "--plan", d.write("plan.toml", groupPlan), "--target", d.folder("device"), "--yes").exits(ExitOK)
	look := func() {
		t.Helper()
		list := d.run("practice", "devices", "--json").exits(ExitOK).object()
		has(t, "devices", list, "devices total")
		has(t, "a device", list["devices"].([]any)[0], "hub device edge enabled connected last_activity authentication modules")
		d.run("practice", "devices", "--search", "LINE-7").exits(ExitOK).says("line-7-0042", "edge", "sas")
		if none := d.run("practice", "devices", "--search", "nothing", "--json").exits(ExitOK).object(); none["total"] != 0.0 {
			t.Errorf("%v", none)
		}
		d.run("practice", "device", "line-7-0042").exits(ExitOK).says("group line-7", "module $edgeAgent", `"$edgeHub"`[1:9], "twin of the device")
		shown := d.run("practice", "device", "line-7-0042", "--json").exits(ExitOK)
		has(t, "device", shown.object(), "hub device edge enabled connected last_activity authentication modules status_reason since parent generation_id came_by module_list of twin")
		if strings.Contains(shown.out, "SharedAccessKey") {
			t.Error("a key is shown")
		}
		d.run("practice", "device", "line-7-0042", "--show-secrets").exits(ExitOK).says("HostName=hub.practice.test:8443;DeviceId=line-7-0042;SharedAccessKey=")
		d.run("practice", "device", "line-7-0042", "--module", "$edgeHub").exits(ExitOK).says("twin of the $edgeHub")
		queued := d.runWith("from standard input", "practice", "send", "line-7-0042", "--property", "colour=red", "--json").exits(ExitOK)
		has(t, "a message", queued.object(), "device hub message")
		d.run("practice", "send", "line-7-0042", "--text", "hello").exits(ExitOK).says("waits for line-7-0042")
		d.run("practice", "send", "none", "--text", "hello").exits(ExitUsage)
		d.run("practice", "send", "line-7-0042", "--property", "red", "--text", "hello").exits(ExitUsage).says("NAME=VALUE")
		d.run("practice", "device", "none").exits(ExitUsage).says("practice devices")
		d.run("practice", "device", "line-7-0042", "--hub", "none").exits(ExitUsage)
	}
	look()
	for _, args := range [][]string{{"log"}, {"faults", "clear"}, {"limits", "S1"}} {
		d.run(append([]string{"practice"}, args...)...).exits(ExitUsage).says("Nobody serves", "practice serve")
	}
	s := d.serve()
	s.until("until it is stopped")
	look()
	if code := s.stop(); code != ExitOK {
		t.Errorf("exit %d", code)
	}
}

func TestFaultsFromTheCommandLine(t *testing.T) {
	needsInterrupt(t)
	d := newDesk(t)
	d.serve("--names", "line2").until("until it is stopped")
	d.run("practice", "faults").exits(ExitOK).says("no faults")
	d.run("practice", "faults", "throttle", "1/4", "--retry-after", "2s").exits(ExitOK).says("1 of 4", "429", "Retry-After 2s")
	d.run("practice", "faults", "fail", "1/9", "--status", "502").exits(ExitOK).says("1 of 4", "1 of 9", "502")
	d.run("practice", "faults", "offline", "line2").exits(ExitOK).says("line2")
	d.run("practice", "faults", "skew", "-1h", "--json").exits(ExitOK).says(`"skew":"-1h0m0s"`)
	all := d.run("practice", "faults", "--json", "skew", "1h").exits(ExitOK).object()
	has(t, "faults", all, "throttle fail delay skew offline")
	if all["skew"] != "1h0m0s" || fmt.Sprint(all["offline"]) != "[line2]" {
		t.Errorf("%v", all)
	}
	d.run("practice", "faults", "offline", "line3").exits(ExitUsage).says("line3")
	d.run("practice", "faults", "fail", "1/2", "--status", "404").exits(ExitUsage).says("500 to 599")
	d.run("practice", "faults", "throttle", "0").exits(ExitOK)
	d.run("practice", "faults", "clear").exits(ExitOK).says("no faults")
	d.run("practice", "limits").exits(ExitOK).says("throttles nothing")
	if limits := d.run("practice", "limits", "S2", "--units", "3", "--json").exits(ExitOK).object(); limits["sku"] != "S2" || limits["units"] != 3.0 {
		t.Errorf("%v", limits)
	}
	d.run("practice", "limits").exits(ExitOK).says("3 of S2")
	d.run("practice", "limits", "F1", "--units", "2").exits(ExitUsage).says("1 for F1")
	d.run("practice", "limits", "none").exits(ExitOK).says("throttles nothing")
}

func TestLogOfTheServingProcess(t *testing.T) {
	needsInterrupt(t)
	d := newDesk(t)
	d.serve().until("until it is stopped")
	d.run("provision", "--plan", d.write("plan.toml", manualPlan), "--target", d.folder("device"), "--yes").exits(ExitOK)
	rows := d.run("practice", "log", "--json").exits(ExitOK).object()["requests"].([]any)
	failed := d.run("practice", "log", "--failed", "--json").exits(ExitOK).object()["requests"].([]any)
	if len(rows) < 3 || len(failed) == 0 || len(failed) >= len(rows) {
		t.Errorf("%d requests, %d failed", len(rows), len(failed))
	}
	id := failed[0].(map[string]any)["correlation_id"].(string)
	d.run("practice", "log").exits(ExitOK).says("/devices/line-7-0042", id, "DeviceNotFound")
	follow := &serving{Cmd: d.command("practice", "log", "--follow", "--limit", "1", "--data", d.path("data")), t: t, lines: make(chan string, 1000)}
	out, err := follow.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = follow.Process.Kill(); _ = follow.Wait() })
	go follow.read(out)
	follow.until("/") // the newest so far
	d.run("runs", "undo", "1", "--yes")
	follow.until("DELETE")
	if code := follow.stop(); code != ExitOK {
		t.Errorf("exit %d", code)
	}
}
