package practice

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

// The environment of the child that TestKillLosesNothing kills.
const (
	killDir   = "EDGEWRIGHT_PRACTICE_KILL_DIR"
	killRound = "EDGEWRIGHT_PRACTICE_KILL_ROUND"
)

// TestServedChild is the child: it serves until it is killed.
func TestServedChild(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		return // only a child of TestKillLosesNothing
	}
	b := open(t, Options{Dir: dir, Now: time.Now})
	b.clock.now = time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-b.Ready()
		fmt.Println("serving")
		go b.sendMessages(os.Getenv(killRound))
		_, _ = io.Copy(io.Discard, os.Stdin) // an orphan ends
		cancel()
	}()
	if err := b.Serve(ctx); err != nil {
		t.Fatal(err)
	}
}

// sendMessages queues cloud-to-device messages, which have no route of their
// own, for devices that are never there, and tells each that was taken.
func (b *bench) sendMessages(round string) {
	for i := 0; ; i++ {
		id := fmt.Sprintf("box-%s-%d", round, i/40) // a queue holds 50
		if i%40 == 0 {
			b.want(b.hubDo("PUT", "/devices/"+id, "{}"), 200, "")
		}
		message, err := b.SendToDevice(b.Context(), defaultHub, id, Message{Body: []byte(id)})
		if err != nil {
			b.Error(err)
			return
		}
		fmt.Println("queued", id, message)
	}
}

// TestKillLosesNothing kills a served cloud with SIGKILL while clients write to
// it, and looks for every write that was answered.
func TestKillLosesNothing(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		load := startChild(t, dir, round)
		var wait sync.WaitGroup
		for worker := range 2 {
			for _, hammer := range []func(int) bool{load.makeDevices, load.writeTwin, load.enroll, load.register, load.removeDevices} {
				wait.Go(func() {
					for hammer(worker) {
					}
				})
			}
		}
		wait.Wait() // ends with the connections
		<-load.said
		_ = load.child.Wait()
		if served, _, err := Served(dir); served || err != nil {
			t.Errorf("the dead child still serves: %v", err)
		}
		load.look()
	}
}

// load is the clients of one child, and what was answered to them.
type load struct {
	*bench // of this process, for keys and tokens; it does not serve
	round  int
	child  *exec.Cmd
	said   chan struct{} // closed when all that the child said is in queued
	client *http.Client

	mu       sync.Mutex
	acks     int
	devices  []string
	removed  []string
	records  []string
	enrolled map[string]string // registration ID to status
	twins    map[string]int    // device to the newest number
	queued   [][2]string       // device and message; the child's own
}

// groupKey is that of the enrollment group g.
var groupKey, groupText = key(7, 32)

// enough is how many answers the child may give before it is killed.
const enough = 400

func startChild(t *testing.T, dir string, round int) *load {
	t.Helper()
	b := open(t, Options{Dir: dir, Now: time.Now})
	b.clock.now = time.Now()
	l := &load{bench: b, round: round, client: client(t, b.Cloud), said: make(chan struct{}), enrolled: map[string]string{}, twins: map[string]int{}}
	l.child = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServedChild$")
	l.child.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprint(killRound, "=", round))
	l.child.Stderr = os.Stderr
	if _, err := l.child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := l.child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "serving" {
		t.Log(lines.Text())
	}
	go func() {
		defer close(l.said)
		for lines.Scan() { // to the end, also of what is left of a dead child
			if words := strings.Fields(lines.Text()); len(words) == 3 && words[0] == "queued" {
				l.queued = append(l.queued, [2]string{words[1], words[2]})
			}
		}
	}()
	l.answered(l.hubCall("PUT", "/devices/twin-0", "{}"), func() {})
	l.answered(l.hubCall("PUT", "/devices/twin-1", "{}"), func() {})
	l.answered(l.dpsCall("PUT", "/enrollmentGroups/g", `{"enrollmentGroupId":"g","attestation":{"type":"symmetricKey","symmetricKey":{"primaryKey":"`+groupText+`","secondaryKey":"`+groupText+`"}}}`), func() {})
	return l
}

// send gives the status, or 0 when the connection ended without an answer.
func (l *load) send(method, host, path, body, token string) int {
	r, err := http.NewRequestWithContext(l.Context(), method, "https://"+host+path+"?api-version=2021-04-12", strings.NewReader(body))
	if err != nil {
		l.Error(err)
		return 0
	}
	r.Header.Set("Authorization", token)
	if method == "DELETE" {
		r.Header.Set("If-Match", "*")
	}
	resp, err := l.client.Do(r)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}

func (l *load) hubCall(method, path, body string) int {
	return l.send(method, l.Info().HubHost, path, body, l.owner())
}

func (l *load) dpsCall(method, path, body string) int {
	return l.send(method, l.Info().DPSHost, path, body, l.token(l.Info().DPSHost, l.settings().DPSKey.PrimaryKey.Secret(), policyDPSOwner))
}

// answered notes an answer and kills the child after enough of them. It gives
// false when the load is over.
func (l *load) answered(status int, note func()) bool {
	if status == 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case status < 300:
		note()
	case status != 409: // of things from a round before
		l.Errorf("an answer of %d", status)
		_ = l.child.Process.Kill()
		return false
	}
	if l.acks++; l.acks == enough+l.round*50 {
		_ = l.child.Process.Kill() // SIGKILL
	}
	return true
}

func (l *load) next(list *[]string, kind string, worker int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%s-%d-%d-%d", kind, l.round, worker, len(*list))
}

func (l *load) makeDevices(worker int) bool {
	id := l.next(&l.devices, "d", worker)
	return l.answered(l.hubCall("PUT", "/devices/"+id, `{"capabilities":{"iotEdge":true}}`), func() { l.devices = append(l.devices, id) })
}

func (l *load) removeDevices(worker int) bool {
	id := l.next(&l.removed, "gone", worker)
	if !l.answered(l.hubCall("PUT", "/devices/"+id, "{}"), func() {}) {
		return false
	}
	return l.answered(l.hubCall("DELETE", "/devices/"+id, ""), func() { l.removed = append(l.removed, id) })
}

func (l *load) writeTwin(worker int) bool {
	id := fmt.Sprintf("twin-%d", worker)
	l.mu.Lock()
	n := l.twins[id] + 1
	l.mu.Unlock()
	body := fmt.Sprintf(`{"tags":{"round":%d,"n":%d},"properties":{"desired":{"n":%d}}}`, l.round, n, n)
	return l.answered(l.hubCall("PATCH", "/twins/"+id, body), func() { l.twins[id] = n })
}

func (l *load) enroll(worker int) bool {
	l.mu.Lock()
	id := fmt.Sprintf("r-%d-%d-%d", l.round, worker, len(l.enrolled))
	l.mu.Unlock()
	made := fmt.Sprintf(`{"registrationId":%q,%s,"provisioningStatus":"disabled"}`, id, symmetric)
	return l.answered(l.dpsCall("PUT", "/enrollments/"+id, made), func() { l.enrolled[id] = "disabled" })
}

func (l *load) register(worker int) bool {
	id := l.next(&l.records, "m", worker)
	key := wire.DeriveDeviceKey(groupKey, id)
	token := l.token(idScope+"/registrations/"+id, key, "registration")
	status := l.send("PUT", l.Info().GlobalHost, "/"+idScope+"/registrations/"+id+"/register", `{"registrationId":"`+id+`"}`, token)
	return l.answered(status, func() { l.records = append(l.records, id) })
}

// look opens the folder and looks for everything that was answered.
func (l *load) look() {
	l.Helper()
	for _, id := range l.devices {
		l.want(l.hubDo("GET", "/devices/"+id, ""), 200, "")
		if list := into[[]wire.Module](l, l.hubDo("GET", "/devices/"+id+"/modules", "")); len(list) != 2 {
			l.Errorf("%s has %d modules: a request was stored in part", id, len(list))
		}
	}
	for _, id := range l.removed {
		l.want(l.hubDo("GET", "/devices/"+id, ""), 404, "DeviceNotFound")
	}
	for _, id := range l.records {
		record := into[wire.DeviceRegistrationState](l, l.want(l.dpsDo("GET", "/registrations/"+id, ""), 200, ""))
		d := into[wire.Device](l, l.want(l.hubDo("GET", "/devices/"+id, ""), 200, ""))
		if record.DeviceID != id || !d.Authentication.SymmetricKey.PrimaryKey.Secret().Equal(wire.DeriveDeviceKey(groupKey, id)) {
			l.Errorf("%s: record %+v does not go with its identity", id, record)
		}
	}
	for id, status := range l.enrolled {
		if e := into[wire.IndividualEnrollment](l, l.want(l.dpsDo("GET", "/enrollments/"+id, ""), 200, "")); e.ProvisioningStatus != status {
			l.Errorf("%s is %s, was %s", id, e.ProvisioningStatus, status)
		}
	}
	for id, n := range l.twins {
		twin := into[wire.Twin](l, l.want(l.hubDo("GET", "/twins/"+id, ""), 200, ""))
		var tags struct{ Round, N int }
		var desired struct{ N int }
		if err := errors.Join(json.Unmarshal(twin.Tags, &tags), json.Unmarshal(twin.Properties.Desired, &desired)); err != nil {
			l.Fatal(err)
		}
		// One more may have been written and not answered.
		if tags.Round != l.round || tags.N < n || tags.N > n+1 || desired.N != tags.N {
			l.Errorf("%s: tags %+v, desired %+v, last answered %d", id, tags, desired, n)
		}
	}
	l.lookForMessages()
	for what, n := range map[string]int{"messages": len(l.queued), "devices": len(l.devices), "removals": len(l.removed), "registrations": len(l.records),
		"enrollments": len(l.enrolled), "twins": len(l.twins)} {
		if n < 2 {
			l.Errorf("only %d %s were answered before the kill", n, what)
		}
	}
	if err := l.Close(); err != nil {
		l.Error(err)
	}
}

// lookForMessages receives what is queued, as the devices.
func (l *load) lookForMessages() {
	l.Helper()
	there := map[[2]string]bool{}
	seen := map[string]bool{}
	for _, told := range l.queued {
		id := told[0]
		if seen[id] {
			continue
		}
		seen[id] = true
		d := into[wire.Device](l, l.want(l.hubDo("GET", "/devices/"+id, ""), 200, ""))
		for {
			r := l.do(call{method: "GET", path: "/devices/" + id + "/messages/devicebound", auth: l.deviceToken(d)})
			if r.status != http.StatusOK {
				break
			}
			if r.body != id {
				l.Errorf("%s got %q", id, r.body)
			}
			there[[2]string{id, r.header.Get("IoTHub-MessageId")}] = true
		}
	}
	for _, told := range l.queued {
		if !there[told] {
			l.Errorf("message %s of %s is lost", told[1], told[0])
		}
	}
}
