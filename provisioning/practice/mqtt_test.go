package practice

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"edgewright/provisioning/practice/daemontest"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// stage is a bench whose cloud is served.
type stage struct {
	*bench
	network daemontest.Network
}

func onStage(t *testing.T) *stage {
	t.Helper()
	b := open(t, Options{Now: time.Now})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Serve(ctx) }()
	select {
	case <-b.Ready():
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	b.clock.advance(time.Since(b.clock.Now())) // for tokens
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.Info().CAPEM)
	return &stage{bench: b, network: daemontest.Network{Roots: roots}}
}

// hubHost is the default hub's name without port.
const hubHost = defaultHub + "." + domain

func (s *stage) upstream(d wire.Device) daemontest.Upstream {
	return daemontest.Upstream{Network: s.network, Address: s.Info().MQTT, Hub: s.Info().HubHost, Device: d.DeviceID, Sign: daemontest.WithKey(d.Authentication.SymmetricKey.PrimaryKey.Secret().Reveal())}
}

// dial connects a device.
func (s *stage) dial(d wire.Device) *daemontest.MQTT {
	s.Helper()
	m, err := s.upstream(d).Dial(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = m.Close() })
	return m
}

// ended waits for the end of a connection.
func (s *stage) ended(what string, m *daemontest.MQTT) {
	s.Helper()
	for {
		select {
		case _, open := <-m.Messages:
			if !open {
				return
			}
		case <-time.After(10 * time.Second):
			s.Fatalf("%s: still connected", what)
		}
	}
}

func (s *stage) next(m *daemontest.MQTT) daemontest.Message {
	s.Helper()
	select {
	case message, open := <-m.Messages:
		if !open {
			s.Fatal("the connection has ended")
		}
		return message
	case <-time.After(10 * time.Second):
		s.Fatal("nothing came")
	}
	return daemontest.Message{}
}

func (s *stage) subscribed(m *daemontest.MQTT, filters ...string) {
	s.Helper()
	for _, filter := range filters {
		if granted, err := m.Subscribe(s.Context(), filter, 1); err != nil || granted > 1 {
			s.Fatalf("%s: granted %d, %v", filter, granted, err)
		}
	}
}

func (s *stage) state(id string) string {
	s.Helper()
	return into[wire.Device](s, s.hubDo("GET", "/devices/"+id, "")).ConnectionState
}

func TestMQTTDeviceLives(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", false)
	m := s.dial(d)
	if s.state("d") != wire.Connected {
		t.Error("not connected")
	}
	s.subscribed(m, "$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/methods/POST/#", "devices/d/messages/devicebound/#")
	for _, filter := range []string{"#", "devices/e/messages/devicebound/#", "$iothub/#", "devices/d/messages/events/#"} {
		if granted, err := m.Subscribe(t.Context(), filter, 0); err != nil || granted != 0x80 {
			t.Errorf("%s: granted %d, %v", filter, granted, err)
		}
	}
	for _, topic := range []string{"devices/d/messages/events/", "devices/d/messages/events/a=b&%24.ct=x"} {
		if err := m.Publish(t.Context(), topic, []byte("hello"), 1); err != nil {
			t.Errorf("%s: %v", topic, err)
		}
	}
	if err := m.Publish(t.Context(), "$iothub/twin/PATCH/properties/reported/?$rid=7", []byte(`{"a":{"b":1}}`), 0); err != nil {
		t.Fatal(err)
	}
	if got := s.next(m); got.Topic != "$iothub/twin/res/204/?$rid=7&$version=2" {
		t.Errorf("reported: %s %s", got.Topic, got.Payload)
	}
	_ = m.Publish(t.Context(), "$iothub/twin/PATCH/properties/reported/?$rid=8", []byte(`[1]`), 0)
	if got := s.next(m); got.Topic != "$iothub/twin/res/400/?$rid=8" || !strings.Contains(string(got.Payload), `"errorCode":400012,`) {
		t.Errorf("refused: %s %s", got.Topic, got.Payload)
	}
	s.want(s.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"x":1,"y":{"z":true}}}}`), 200, "")
	if got := s.next(m); got.Topic != "$iothub/twin/PATCH/properties/desired/?$version=2" || string(got.Payload) != `{"$version":2,"x":1,"y":{"z":true}}` {
		t.Errorf("desired: %s %s", got.Topic, got.Payload)
	}
	_ = m.Publish(t.Context(), "$iothub/twin/GET/?$rid=9", []byte(" "), 0)
	if got := s.next(m); got.Topic != "$iothub/twin/res/200/?$rid=9" || !strings.Contains(string(got.Payload), `"desired":{"x":1,"y":{"z":true},"$version":2}`) {
		t.Errorf("twin: %s %s", got.Topic, got.Payload)
	}
	if err := m.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	_ = m.Close()
	for end := time.Now().Add(10 * time.Second); s.state("d") != wire.Disconnected; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("still connected")
		}
	}
}

func TestMQTTEndsWhatMayNotBe(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", true)
	for what, act := range map[string]func(m *daemontest.MQTT){
		"QoS 2": func(m *daemontest.MQTT) {
			_, _ = m.Write([]byte("\x34\x20\x00\x19devices/d/messages/events/\x00\x01xx"))
		},
		"foreign topic": func(m *daemontest.MQTT) { _ = m.Publish(t.Context(), "devices/e/messages/events/", nil, 0) },
		"nonsense":      func(m *daemontest.MQTT) { _, _ = m.Write([]byte("\xf0\x00")) },
		"newer":         func(*daemontest.MQTT) { s.dial(d) },
	} {
		m := s.dial(d)
		act(m)
		s.ended(what, m)
	}
	m := s.dial(d)
	put := func(body string) {
		s.want(s.hubDo("PUT", "/devices/d", body, "If-Match", "*"), 200, "")
	}
	scope := `"capabilities":{"iotEdge":true},"deviceScope":"` + d.DeviceScope + `"`
	put(`{"deviceId":"d",` + scope + `,"status":"disabled","authentication":{"type":"sas","symmetricKey":` + keysJSON(d) + `}}`)
	s.ended("disabled", m)
	if _, err := s.upstream(d).Dial(t.Context()); !refusedWith(err, 5) {
		t.Errorf("disabled: %v", err)
	}
	put(`{"deviceId":"d",` + scope + `,"status":"enabled","authentication":{"type":"sas","symmetricKey":` + keysJSON(d) + `}}`)
	m = s.dial(d)
	s.want(s.hubDo("PATCH", "/twins/d", `{"tags":{"a":1}}`), 200, "")
	put(`{"deviceId":"d",` + scope + `}`) // new keys
	s.ended("re-keyed", m)
}

func keysJSON(d wire.Device) string {
	keys := d.Authentication.SymmetricKey
	return `{"primaryKey":"` + keys.PrimaryKey.Secret().RevealBase64() + `","secondaryKey":"` + keys.SecondaryKey.Secret().RevealBase64() + `"}`
}

func refusedWith(err error, code byte) bool {
	var refused *daemontest.RefusedError
	return errors.As(err, &refused) && refused.Code == code
}

func TestMQTTRefusesAtTheDoor(t *testing.T) {
	s := onStage(t)
	d, other := s.makeDevice("d", true), s.makeDevice("e", false)
	user := hubHost + "/d/?api-version=2021-04-12"
	good := s.token(hubHost+"/devices/d", d.Authentication.SymmetricKey.PrimaryKey.Secret(), "")
	late, err := wire.SignSAS(hubHost+"/devices/d", d.Authentication.SymmetricKey.PrimaryKey.Secret(), "", time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id, user, password string
		code               byte
	}{
		"good":            {"d", user, good, 0},
		"port":            {"d", hubHost + ":8443/d/?api-version=2021-04-12&DeviceClientType=x%20y", good, 0},
		"model":           {"d", user + "&model-id=dtmi:com:example:Thermostat;1&DeviceClientType=a%2F1+b%3B", good, 0},
		"bad escape":      {"d", user + "&DeviceClientType=%zz", good, 5},
		"policy":          {"d", user, s.token(hubHost, s.policyKey("device"), "device"), 0},
		"service policy":  {"d", user, s.token(hubHost, s.policyKey("service"), "service"), 5},
		"no password":     {"d", user, "", 5},
		"wrong key":       {"d", user, s.token(hubHost+"/devices/d", other.Authentication.SymmetricKey.PrimaryKey.Secret(), ""), 5},
		"other device":    {"d", user, s.token(hubHost+"/devices/e", other.Authentication.SymmetricKey.PrimaryKey.Secret(), ""), 5},
		"expired":         {"d", user, late.RevealString(), 5},
		"no api-version":  {"d", hubHost + "/d/?x=1", good, 5},
		"no such hub":     {"d", "none." + domain + "/d/?api-version=1", good, 5},
		"client ID":       {"x", user, good, 2},
		"module unkeyed":  {"d/$edgeAgent", hubHost + "/d/$edgeAgent/?api-version=1", good, 5},
		"no such device":  {"f", hubHost + "/f/?api-version=1", good, 5},
		"nonsense as SAS": {"d", user, "nonsense", 5},
	} {
		m, err := s.network.Connect(t.Context(), s.Info().MQTT, hubHost, daemontest.ConnectOptions{ClientID: c.id, User: c.user, Password: c.password})
		if c.code == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			_ = m.Close()
		} else if !refusedWith(err, c.code) {
			t.Errorf("%s: %v, want code %d", name, err, c.code)
		}
	}
}

func (s *stage) policyKey(name string) secret.Value {
	return s.settings().HubKeys[defaultHub][name].PrimaryKey.Secret()
}

func TestSubscriptionsSurviveWithoutACleanSession(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", false)
	m := s.dial(d)
	s.subscribed(m, "$iothub/twin/PATCH/properties/desired/#")
	m = s.dial(d)
	s.want(s.hubDo("PATCH", "/twins/d", `{"properties":{"desired":{"x":1}}}`), 200, "")
	if got := s.next(m); !strings.HasSuffix(got.Topic, "$version=2") {
		t.Errorf("%s", got.Topic)
	}
}

func TestRegistersOverMQTT(t *testing.T) {
	s := onStage(t)
	s.Faults().Polling(time.Second, 1)
	s.want(s.dpsDo("PUT", "/enrollments/reg-1", `{"registrationId":"reg-1","deviceId":"dev-1","attestation":{"type":"symmetricKey"},"capabilities":{"iotEdge":true}}`), 200, "")
	keys := s.keysOf("/enrollments/reg-1")
	connect := func(key secret.Value) (*daemontest.MQTT, error) {
		return s.network.Connect(t.Context(), s.Info().MQTT, globalName, daemontest.ConnectOptions{ClientID: "reg-1", Clean: true,
			User: idScope + "/registrations/reg-1/api-version=2019-03-31&ClientVersion=x%2F1", Password: s.token(idScope+"/registrations/reg-1", key, "registration")})
	}
	if _, err := connect(secret.New(make([]byte, 32))); !refusedWith(err, 5) {
		t.Errorf("a wrong key: %v", err)
	}
	m, err := connect(keys.PrimaryKey.Secret())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	s.subscribed(m, "$dps/registrations/res/#")
	_ = m.Publish(t.Context(), "$dps/registrations/PUT/iotdps-register/?$rid=ab-1", []byte(`{"registrationId":"reg-1"}`), 1)
	got := s.next(m)
	if got.Topic != "$dps/registrations/res/202/?$rid=ab-1&retry-after=1" {
		t.Fatalf("%s %s", got.Topic, got.Payload)
	}
	var status wire.RegistrationOperationStatus
	for _, want := range []string{"202/?$rid=ab-1&retry-after=1", "200/?$rid=ab-1"} {
		if err := json.Unmarshal(got.Payload, &status); err != nil {
			t.Fatal(err)
		}
		_ = m.Publish(t.Context(), "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=ab-1&operationId="+url.QueryEscape(status.OperationID), []byte(" "), 0)
		if got = s.next(m); got.Topic != "$dps/registrations/res/"+want {
			t.Fatalf("%s %s, want %s", got.Topic, got.Payload, want)
		}
	}
	if err := json.Unmarshal(got.Payload, &status); err != nil || status.RegistrationState.DeviceID != "dev-1" || status.RegistrationState.AssignedHub != s.Info().HubHost {
		t.Errorf("%s, %v", got.Payload, err)
	}
}

// TestMQTTOverWebSocket speaks through a pipe to the client of the tests, as
// the bytes are the same on both transports.
func TestMQTTOverWebSocket(t *testing.T) {
	s := onStage(t)
	d := s.makeDevice("d", false)
	client := s.network.Client()
	_, port, _ := net.SplitHostPort(s.Info().HTTPS)
	socket, response, err := websocket.Dial(t.Context(), "wss://"+hubHost+":"+port+"/$iothub/websocket?iothub-no-client-cert=true", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"mqtt"}})
	if err != nil || socket.Subprotocol() != "mqtt" || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(err)
	}
	conn := websocket.NetConn(t.Context(), socket, websocket.MessageBinary)
	m, err := daemontest.Handshake(conn, daemontest.ConnectOptions{ClientID: "d", User: hubHost + "/d/?api-version=2021-04-12",
		Password: s.token(hubHost+"/devices/d", d.Authentication.SymmetricKey.PrimaryKey.Secret(), "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Publish(t.Context(), "devices/d/messages/events/", []byte("over WebSocket"), 1); err != nil {
		t.Error(err)
	}
	_ = m.Close()
}
