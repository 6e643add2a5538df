package practice

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

// sendDir names the folder for the child that TestKillKeepsMessages kills.
const sendDir = "EDGEWRIGHT_PRACTICE_SEND_DIR"

// TestSendingChild is the child: it sends to device after device, completes
// every third message, and says what was acknowledged, until it is killed.
func TestSendingChild(t *testing.T) {
	dir := os.Getenv(sendDir)
	if dir == "" {
		return // only a child of TestKillKeepsMessages
	}
	b := open(t, Options{Dir: dir, Now: time.Now})
	b.clock.now = time.Now()
	for n := 0; t.Context().Err() == nil; n++ {
		d := b.makeDevice(fmt.Sprint("k", n), false)
		for i := range maxQueued {
			fmt.Println("sent", d.DeviceID, b.send(d.DeviceID, Message{Body: []byte(strings.Repeat("x", 100))}))
			if i%3 == 0 {
				r := b.want(b.onMessages(d, "GET", "devicebound"), 200, "")
				b.want(b.onMessages(d, "DELETE", "devicebound/"+lockOf(r)), 204, "")
				fmt.Println("completed", d.DeviceID, r.header.Get("IoTHub-MessageId"))
			}
		}
	}
}

// TestKillKeepsMessages ends a process with SIGKILL while it sends, and looks
// for every message that was acknowledged and for none that was completed.
func TestKillKeepsMessages(t *testing.T) {
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSendingChild$")
	child.Env = append(os.Environ(), sendDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	sent, done := map[string]map[string]bool{}, map[string]bool{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		var what, device, id string
		if fields, _ := fmt.Sscan(lines.Text(), &what, &device, &id); fields != 3 {
			continue // cut off by the end
		}
		switch what {
		case "sent":
			if sent[device] == nil {
				sent[device] = map[string]bool{}
			}
			sent[device][id] = true
		case "completed":
			done[id] = true
		}
		if n == 3*maxQueued {
			_ = child.Process.Kill() // SIGKILL
		}
	}
	_ = child.Wait()
	if len(sent) < 2 || len(done) < maxQueued/2 {
		t.Fatalf("only %d devices and %d completed messages before the kill", len(sent), len(done))
	}
	b = open(t, Options{Dir: dir, Now: time.Now})
	b.clock.now = time.Now()
	unacknowledged := 0 // one message may have gone in or out without an answer
	for id, messages := range sent {
		d := into[wire.Device](b, b.want(b.hubDo("GET", "/devices/"+id, ""), 200, ""))
		for {
			r := b.onMessages(d, "GET", "devicebound")
			if r.status == 204 {
				break
			}
			message := b.want(r, 200, "").header.Get("IoTHub-MessageId")
			switch {
			case done[message]:
				t.Errorf("%s: %s was completed and is there", id, message)
			case !messages[message]:
				unacknowledged++
			}
			if len(r.body) != 100 {
				t.Errorf("%s: %s has %d bytes", id, message, len(r.body))
			}
			delete(messages, message)
		}
		for message := range messages {
			if !done[message] {
				unacknowledged++ // completed without an answer, or lost
				t.Logf("%s: %s is not there", id, message)
			}
		}
	}
	if unacknowledged > 1 {
		t.Errorf("%d messages differ from what was acknowledged", unacknowledged)
	}
}
