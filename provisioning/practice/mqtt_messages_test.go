package practice

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/wire"
)

// until waits for a condition that the cloud fulfils a little later.
func (s *stage) until(what string, holds func() bool) {
	s.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("%s: not in time", what)
		}
	}
}

const toDevice = "devices/d/messages/devicebound/#"

func TestMessagesToADeviceOverMQTT(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", false)
	s.send("d", Message{ID: "early", Properties: map[string]string{"a": "1 2"}, Body: []byte("while nobody was there")})
	m := s.dial(d)
	s.subscribed(m, toDevice)
	got := s.next(m)
	if !strings.HasPrefix(got.Topic, "devices/d/messages/devicebound/%24.mid=early&%24.to=%2Fdevices%2Fd%2Fmessages%2FdeviceBound&%24.exp=") ||
		!strings.HasSuffix(got.Topic, "&a=1%202") || string(got.Payload) != "while nobody was there" || got.QoS != 1 {
		t.Errorf("%+v", got)
	}
	for i := range 20 {
		s.send("d", Message{ID: fmt.Sprint("m", i)})
	}
	for i := range 20 {
		if got := s.next(m); !strings.Contains(got.Topic, fmt.Sprintf("mid=m%d&", i)) {
			t.Fatalf("message %d is %s", i, got.Topic)
		}
	}
	s.until("all are acknowledged", func() bool { return s.waiting("d") == 0 })
	_ = m.Close()
	s.until("disconnected", func() bool { return s.state("d") == wire.Disconnected })
	s.send("d", Message{ID: "kept"})
	if got := s.next(s.dial(d)); !strings.Contains(got.Topic, "mid=kept&") { // its subscription was kept
		t.Errorf("%s", got.Topic)
	}
	s.until("the last is acknowledged", func() bool { return s.waiting("d") == 0 })
}

func TestMessagesOfQoSZeroAreSettledWhenTheyAreSent(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", false)
	m := s.dial(d)
	if granted, err := m.Subscribe(t.Context(), toDevice, 0); err != nil || granted != 0 {
		t.Fatal(granted, err)
	}
	s.send("d", Message{ID: "x"})
	if got := s.next(m); got.QoS != 0 || s.waiting("d") != 0 {
		t.Errorf("%+v, %d wait", got, s.waiting("d"))
	}
}

// mute is a connection that sends no PUBACK.
type mute struct{ net.Conn }

func (c mute) Write(packet []byte) (int, error) {
	if len(packet) > 0 && packet[0]>>4 == 4 {
		return len(packet), nil
	}
	return c.Conn.Write(packet)
}

func (s *stage) dialMute(d wire.Device) *daemontest.MQTT {
	s.Helper()
	conn, err := (&tls.Dialer{Config: &tls.Config{RootCAs: s.network.Roots, ServerName: hubHost}}).DialContext(s.Context(), "tcp", s.Info().MQTT)
	if err != nil {
		s.Fatal(err)
	}
	m, err := daemontest.Handshake(mute{conn}, daemontest.ConnectOptions{ClientID: "d", User: hubHost + "/d/?api-version=2021-04-12", Clean: true, Password: s.deviceToken(d)})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = m.Close() })
	return m
}

func TestMessagesNotAcknowledgedComeAgain(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", false)
	s.send("d", Message{ID: "x"})
	silent := s.dialMute(d)
	s.subscribed(silent, toDevice)
	s.next(silent)
	s.want(s.onMessages(d, "GET", "devicebound"), 204, "") // held for the connection
	if n := s.waiting("d"); n != 1 {
		t.Errorf("%d wait", n)
	}
	newer := s.dialMute(d) // closes the first
	s.subscribed(newer, toDevice)
	s.next(newer)
	_ = newer.Close()
	var r reply
	s.until("it is back in the queue", func() bool { r = s.onMessages(d, "GET", "devicebound"); return r.status == 200 })
	if r.header.Get("IoTHub-DeliveryCount") != "3" {
		t.Errorf("%v", r.header)
	}
	s.want(s.onMessages(d, "DELETE", "devicebound/"+lockOf(r)), 204, "")
	// One that was delivered too often is given up.
	s.send("d", Message{ID: "y"})
	for range maxDeliveries {
		m := s.dialMute(d)
		s.subscribed(m, toDevice)
		if got := s.next(m); !strings.Contains(got.Topic, "mid=y&") {
			t.Fatal(got.Topic)
		}
	}
	last := s.dialMute(d)
	s.subscribed(last, toDevice)
	s.until("it is given up", func() bool { return s.waiting("d") == 0 })
}
