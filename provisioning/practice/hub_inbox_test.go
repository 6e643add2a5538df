package practice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

func (b *bench) send(device string, m Message) string {
	b.Helper()
	id, err := b.SendToDevice(b.Context(), defaultHub, device, m)
	if err != nil {
		b.Fatal(err)
	}
	return id
}

// onMessages calls the device plane below /devices/ID/messages.
func (b *bench) onMessages(d wire.Device, method, path string) reply {
	b.Helper()
	return b.do(call{method: method, path: "/devices/" + d.DeviceID + "/messages/" + path, auth: b.deviceToken(d)})
}

func (b *bench) waiting(id string) int {
	b.Helper()
	return into[wire.Device](b, b.hubDo("GET", "/devices/"+id, "")).CloudToDeviceMessageCount
}

func lockOf(r reply) string { return strings.Trim(r.header.Get("ETag"), `"`) }

func TestMessagesToADeviceOverHTTPS(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("d", false)
	b.want(b.onMessages(d, "GET", "devicebound"), 204, "")
	b.send("d", Message{ID: "one", CorrelationID: "c", UserID: "u", Ack: "full", ContentType: "text/plain", ContentEncoding: "utf-8",
		Properties: map[string]string{"colour": "grün & blau"}, Body: []byte("\x00 not JSON")})
	b.send("d", Message{Body: []byte("two")})
	if n := b.waiting("d"); n != 2 {
		t.Errorf("%d wait", n)
	}
	first := b.want(b.onMessages(d, "GET", "devicebound"), 200, "")
	if first.body != "\x00 not JSON" {
		t.Errorf("body %q", first.body)
	}
	for name, want := range map[string]string{"IoTHub-MessageId": "one", "IoTHub-CorrelationId": "c", "IoTHub-UserId": "u", "IoTHub-Ack": "full",
		"IoTHub-ContentType": "text/plain", "IoTHub-ContentEncoding": "utf-8", "IoTHub-To": "/devices/d/messages/deviceBound", "IoTHub-DeliveryCount": "1",
		"iothub-app-colour": "grün & blau", "Content-Type": "application/octet-stream"} {
		if got := first.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	second := b.want(b.onMessages(d, "GET", "deviceBound/"), 200, "")
	if second.body != "two" || second.header.Get("IoTHub-MessageId") == "" || lockOf(second) == lockOf(first) {
		t.Errorf("second: %v %q", second.header, second.body)
	}
	b.want(b.onMessages(d, "GET", "devicebound"), 204, "") // both are locked
	b.want(b.onMessages(d, "POST", "devicebound/"+lockOf(first)+"/abandon"), 204, "")
	again := b.want(b.onMessages(d, "GET", "devicebound"), 200, "")
	if again.header.Get("IoTHub-MessageId") != "one" || again.header.Get("IoTHub-DeliveryCount") != "2" {
		t.Errorf("after abandoning: %v", again.header)
	}
	b.want(b.onMessages(d, "DELETE", "devicebound/"+lockOf(first)), 412, "DeviceMessageLockLost")
	b.want(b.onMessages(d, "DELETE", "devicebound/"+lockOf(again)), 204, "")
	b.want(b.onMessages(d, "DELETE", "devicebound/"+lockOf(second)+"?reject"), 204, "")
	b.want(b.onMessages(d, "DELETE", "devicebound/"+lockOf(second)), 412, "DeviceMessageLockLost")
	if n := b.waiting("d"); n != 0 {
		t.Errorf("%d wait at the end", n)
	}
}

func TestOnlyTheDeviceGetsItsMessages(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", true)
	other := b.makeDevice("e", false)
	b.send("d", Message{Body: []byte("x")})
	for _, path := range []string{"devicebound", "devicebound/lock/abandon"} {
		method := map[bool]string{true: "POST", false: "GET"}[strings.HasSuffix(path, "abandon")]
		b.want(b.do(call{method: method, path: "/devices/d/messages/" + path, auth: b.deviceToken(other)}), 401, "IotHubUnauthorizedAccess")
		b.want(b.do(call{method: method, path: "/devices/d/messages/" + path}), 401, "IotHubUnauthorizedAccess")
	}
	b.want(b.do(call{method: "DELETE", path: "/devices/d/commands", auth: b.policyToken("device")}), 401, "IotHubUnauthorizedAccess")
	b.want(b.hubDo("DELETE", "/devices/none/commands", ""), 404, "DeviceNotFound")
	if r := b.want(b.hubDo("DELETE", "/devices/d/commands", ""), 200, ""); r.body != `{"totalMessagesPurged":1,"deviceId":"d"}` {
		t.Error(r.body)
	}
	if n := b.waiting("d"); n != 0 {
		t.Errorf("%d wait", n)
	}
}

func TestLocksAndMessagesEnd(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("d", false)
	b.send("d", Message{ID: "short", Expires: b.clock.Now().Add(30 * time.Second)})
	b.send("d", Message{ID: "long"})
	first := b.want(b.onMessages(d, "GET", "devicebound"), 200, "")
	if first.header.Get("IoTHub-MessageId") != "short" {
		t.Fatalf("first: %v", first.header)
	}
	b.clock.advance(messageLock) // its lock ends, and so does its time
	b.want(b.onMessages(d, "DELETE", "devicebound/"+lockOf(first)), 412, "DeviceMessageLockLost")
	if n := b.waiting("d"); n != 1 {
		t.Errorf("%d wait after one expired", n)
	}
	for delivery := range maxDeliveries {
		r := b.want(b.onMessages(d, "GET", "devicebound"), 200, "")
		if r.header.Get("IoTHub-MessageId") != "long" || r.header.Get("IoTHub-DeliveryCount") != fmt.Sprint(delivery+1) {
			t.Fatalf("delivery %d: %v", delivery+1, r.header)
		}
		b.want(b.onMessages(d, "POST", "devicebound/"+lockOf(r)+"/abandon"), 204, "")
	}
	b.want(b.onMessages(d, "GET", "devicebound"), 204, "")
	if n := b.waiting("d"); n != 0 {
		t.Errorf("%d wait after too many deliveries", n)
	}
}

func TestQueuesAreKept(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("d", false)
	for i := range maxQueued {
		b.send("d", Message{ID: fmt.Sprint("m", i), Properties: map[string]string{"n": fmt.Sprint(i)}})
	}
	if _, err := b.SendToDevice(t.Context(), defaultHub, "d", Message{}); !strings.Contains(fmt.Sprint(err), "DeviceMaximumQueueDepthExceeded") {
		t.Errorf("one too many: %v", err)
	}
	held := b.want(b.onMessages(d, "GET", "devicebound"), 200, "")
	b = b.reopened()
	if n := b.waiting("d"); n != maxQueued {
		t.Errorf("%d wait", n)
	}
	b.want(b.onMessages(d, "DELETE", "devicebound/"+lockOf(held)), 412, "DeviceMessageLockLost") // locks end with the process
	for i := range maxQueued {
		r := b.want(b.onMessages(d, "GET", "devicebound"), 200, "")
		if id := r.header.Get("IoTHub-MessageId"); id != fmt.Sprint("m", i) || r.header.Get("iothub-app-n") != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, id)
		}
		if i == 0 && r.header.Get("IoTHub-DeliveryCount") != "2" {
			t.Errorf("the delivery before the restart is forgotten: %v", r.header)
		}
		b.want(b.onMessages(d, "DELETE", "devicebound/"+lockOf(r)), 204, "")
	}
	// An update of the identity leaves the queue alone; a new device has none.
	b.send("d", Message{ID: "last"})
	b.want(b.hubDo("PUT", "/devices/d", `{"deviceId":"d","authentication":{"type":"sas","symmetricKey":`+keysJSON(d)+`}}`, "If-Match", "*"), 200, "")
	if n := b.waiting("d"); n != 1 {
		t.Errorf("%d wait after an update", n)
	}
	b.want(b.hubDo("DELETE", "/devices/d", "", "If-Match", "*"), 204, "")
	d = b.makeDevice("d", false)
	b.want(b.onMessages(d, "GET", "devicebound"), 204, "")
	b = b.reopened()
	b.want(b.onMessages(d, "GET", "devicebound"), 204, "")
}

func TestMessagesThatCannotBe(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	for name, m := range map[string]Message{
		"ack":         {Ack: "perhaps"},
		"past":        {Expires: b.clock.Now()},
		"far future":  {Expires: b.clock.Now().Add(longestLife + time.Second)},
		"large":       {Body: make([]byte, maxToDevice+1)},
		"with names":  {Body: make([]byte, maxToDevice), Properties: map[string]string{"a": ""}},
		"long topic":  {Properties: map[string]string{"a": strings.Repeat("&", maxTopic/3)}},
		"name":        {Properties: map[string]string{"a b": "c"}},
		"no name":     {Properties: map[string]string{"": "c"}},
		"injection":   {Properties: map[string]string{"a": "b\r\nX: y"}},
		"not text":    {Properties: map[string]string{"a": "\xff"}},
		"long ID":     {ID: strings.Repeat("x", maxSystemProperty+1)},
		"ID of lines": {ID: "a\nb"},
	} {
		var wrong *OptionError
		if _, err := b.SendToDevice(t.Context(), defaultHub, "d", m); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, at := range [][2]string{{defaultHub, "none"}, {"none", "d"}} {
		if _, err := b.SendToDevice(t.Context(), at[0], at[1], Message{}); !errors.Is(err, ErrNoSuch) {
			t.Errorf("%v: %v", at, err)
		}
	}
	if n := b.waiting("d"); n != 0 {
		t.Errorf("%d wait", n)
	}
}

// listening is a connection that counts the notices of messages.
type listening struct {
	connection
	waiting []*batch
}

func (l *listening) messagesWaiting(written *batch) { l.waiting = append(l.waiting, written) }

func TestAConnectedDeviceHearsOfMessages(t *testing.T) {
	b := open(t, Options{})
	d := b.makeDevice("d", false)
	l := &listening{}
	b.connections[objectKey{kindDevice, defaultHub + "/d"}] = l
	id := b.send("d", Message{})
	if len(l.waiting) != 1 || l.waiting[0].wait() != nil {
		t.Fatalf("notices: %d", len(l.waiting))
	}
	// Over MQTT a message is held until it is acknowledged, however long.
	var held *queued
	b.onState(func(t *transaction, d *device) { held = t.nextMessage(d, 0) })
	b.clock.advance(longestLife)
	if held == nil || held.ID != id {
		t.Fatalf("held %+v", held)
	}
	b.want(b.onMessages(d, "GET", "devicebound"), 204, "")
	b.onState(func(tx *transaction, d *device) {
		if tx.settleMessage(d, "", completed) || !tx.settleMessage(d, held.lock, completed) || tx.settleMessage(d, held.lock, completed) {
			t.Error("it is not settled exactly once")
		}
	})
	// One that comes back is told of again.
	b.send("d", Message{})
	r := b.want(b.onMessages(d, "GET", "devicebound"), 200, "")
	before := len(l.waiting)
	b.want(b.onMessages(d, "POST", "devicebound/"+lockOf(r)+"/abandon"), 204, "")
	if len(l.waiting) != before+1 {
		t.Error("an abandoned message is not told of")
	}
}

// onState runs f on the device d of the default hub.
func (b *bench) onState(f func(*transaction, *device)) {
	b.Helper()
	t := &transaction{c: b.Cloud, now: b.now(), hub: b.state.hubs[defaultHub]}
	if err := b.transact(context.Background(), t, func() { f(t, t.hub.devices["d"]) }); err != nil {
		b.Fatal(err)
	}
}

func TestTopicsOfMessages(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		m    Message
		want string
	}{
		{Message{ID: "a/b", Expires: at, Ack: "none"}, "%24.mid=a%2Fb&%24.to=%2Fdevices%2Fd%2Fmessages%2FdeviceBound&%24.exp=2026-11-24T12%3A00%3A00Z"},
		{Message{Ack: "full", ContentType: "text/plain; x", ContentEncoding: "utf-8", CorrelationID: "c", UserID: "u", Properties: map[string]string{"b": "", "a": "1&2"}},
			"%24.to=%2Fdevices%2Fd%2Fmessages%2FdeviceBound&%24.cid=c&%24.uid=u&%24.ct=text%2Fplain%3B%20x&%24.ce=utf-8&iothub-ack=full&a=1%262&b="},
	} {
		if got := c.m.topic("d"); got != "devices/d/messages/devicebound/"+c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}
