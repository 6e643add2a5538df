package practice

import (
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
)

// happens waits for an event of a device.
func (s *stage) happens(kind, device, reason string) {
	s.Helper()
	is := func(e Event) bool {
		return e.Kind == kind && e.Device == device && e.Reason == reason && !e.Time.IsZero()
	}
	for end := time.Now().Add(10 * time.Second); !slices.ContainsFunc(s.Events(), is); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("no event %s of %s: %s in %+v", kind, device, reason, s.Events())
		}
	}
}

func TestConnectionsAndEvents(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", true)
	m := s.dial(d)
	for range 3 {
		if err := m.Publish(t.Context(), "devices/d/messages/events/", []byte("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Connections()
	if len(got) != 1 || got[0].Hub != "hub" || got[0].Device != "d" || got[0].Transport != "mqtt" || got[0].Messages != 3 ||
		got[0].Remote != m.LocalAddr().String() || got[0].APIVersion != "2021-04-12" || got[0].Client == "" || got[0].Since.IsZero() {
		t.Errorf("%+v", got)
	}
	s.happens(EventConnected, "d", "")
	for _, c := range []struct {
		reason string
		do     func(m *daemontest.MQTT)
	}{
		{EndByClient, func(m *daemontest.MQTT) { _ = m.Close() }},
		{EndLost, func(m *daemontest.MQTT) { _ = m.Conn.Close() }},
		{EndRefused, func(m *daemontest.MQTT) { _ = m.Publish(t.Context(), "devices/e/messages/events/", nil, 0) }},
		{EndNewer, func(*daemontest.MQTT) { s.dial(d) }},
		{EndOffline, func(*daemontest.MQTT) {
			s.faults.set(func() { s.faults.offline = []string{"hub"} })
			s.faults.Clear()
		}},
		{EndIdentity, func(*daemontest.MQTT) {
			s.want(s.hubDo(http.MethodDelete, "/devices/d", "", "If-Match", "*"), 204, "")
		}},
	} {
		m := s.dial(d)
		c.do(m)
		s.ended(c.reason, m)
		s.happens(EventDisconnected, "d", c.reason)
	}
	if _, err := s.upstream(d).Dial(t.Context()); !refusedWith(err, 5) {
		t.Errorf("a device that is gone: %v", err)
	}
	s.happens(EventRefused, "d", "CONNACK 5")
	if left := s.Connections(); len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

func TestEventsAreBounded(t *testing.T) {
	b := open(t, Options{})
	for i := range keptEvents + 7 {
		b.happened(Event{Device: strconv.Itoa(i)})
	}
	if got := b.Events(); len(got) != keptEvents || got[0].Device != "7" || got[keptEvents-1].Device != strconv.Itoa(keptEvents+6) {
		t.Errorf("%d events from %+v", len(got), got[0])
	}
}
