package practice

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/practice/daemontest"
)

func TestFaultsReachPackets(t *testing.T) {
	s := onStage(t)
	m := s.dial(s.makeDevice("d", false))
	s.subscribed(m, "$iothub/twin/res/#")
	for _, one := range []struct {
		topic, want string
		fault       func(*Faults)
	}{
		{"$iothub/twin/GET/?$rid=1", `429/?$rid=1 "errorCode":429001,`, func(f *Faults) { f.ThrottleNext(1, 0) }},
		{"$iothub/twin/PATCH/properties/reported/?$rid=2", `503/?$rid=2 "errorCode":503001,`, func(f *Faults) { f.FailNext(1, http.StatusServiceUnavailable) }},
		{"$iothub/twin/GET/?$rid=3", `500/?$rid=3 "errorCode":500001,`, func(f *Faults) { f.FailNext(1, http.StatusBadGateway) }},
	} {
		one.fault(s.Faults())
		if err := m.Publish(t.Context(), one.topic, []byte(`{}`), 0); err != nil {
			t.Fatal(err)
		}
		got := s.next(m)
		topic, body, _ := strings.Cut(one.want, " ")
		if got.Topic != "$iothub/twin/res/"+topic || !strings.Contains(string(got.Payload), body) {
			t.Errorf("%s: %s %s", one.topic, got.Topic, got.Payload)
		}
	}
	s.Faults().FailNext(1, 500)
	_ = m.Publish(t.Context(), "devices/d/messages/events/", []byte("x"), 0)
	s.ended("telemetry", m)
}

func TestTelemetryIsLoggedOnceAConnection(t *testing.T) {
	s := onStage(t)
	m := s.dial(s.makeDevice("d", false))
	for range 3 {
		if err := m.Publish(t.Context(), "devices/d/messages/events/serial=A1", []byte("x"), 1); err != nil {
			t.Fatal(err)
		}
	}
	var logged []string
	for _, r := range s.Requests() {
		if r.Method == "PUBLISH" {
			logged = append(logged, r.Path)
		}
	}
	if len(logged) != 1 || logged[0] != "devices/d/messages/events" {
		t.Errorf("logged %q", logged)
	}
}

func TestTheBasicTierHearsNoTwinsOverMQTT(t *testing.T) {
	s := onStage(t)
	m := s.dial(s.makeDevice("d", false))
	if err := s.SetLimits(Limits{SKU: "B1", Units: 1}); err != nil {
		t.Fatal(err)
	}
	for _, filter := range []string{"$iothub/twin/res/#", "$iothub/methods/POST/#", "devices/d/messages/devicebound/#"} {
		if granted, err := m.Subscribe(t.Context(), filter, 0); err != nil || granted != 0x80 {
			t.Errorf("%s: granted %d, %v", filter, granted, err)
		}
	}
	if err := m.Publish(t.Context(), "devices/d/messages/events/", []byte("x"), 1); err != nil {
		t.Error("telemetry:", err)
	}
	_ = m.Publish(t.Context(), "$iothub/twin/GET/?$rid=1", nil, 0)
	s.ended("the twin", m)
}

func TestConnectionsEndOfThemselves(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", false)
	reason := func() string {
		var why string
		s.until("the end is told", func() bool {
			events := s.Events()
			last := events[len(events)-1]
			why = last.Reason
			return last.Kind == EventDisconnected
		})
		return why
	}

	old := s.upstream(d)
	old.Now = func() time.Time { return time.Now().Add(-daemontest.ModuleTokenLife + 2*time.Second) }
	m, err := old.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.ended("token", m)
	if got := reason(); got != EndExpired {
		t.Errorf("the token's end is told as %q", got)
	}

	silent := s.upstream(d)
	silent.KeepAlive = time.Second
	m, err = silent.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.ended("silence", m)
	if got := reason(); got != EndSilent {
		t.Errorf("silence is told as %q", got)
	}
}
