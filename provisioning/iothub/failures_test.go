package iothub

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

func TestFailuresHaveAllTheirParts(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { fail(w, 404, "DeviceNotFound") })
	_, err := server.client(t, fast).Device(t.Context(), "d1")
	var e *wire.Error
	if !errors.As(err, &e) || !wire.IsNotFound(err) {
		t.Fatal(err)
	}
	want := wire.Error{Service: wire.ServiceHub, Operation: "read device", Subject: "d1", Status: 404, Code: 404001,
		Name: "DeviceNotFound", Message: "no", CorrelationID: "track-1"}
	if *e != want {
		t.Errorf("got  %+v\nwant %+v", *e, want)
	}
}

func TestThrottlingIsWaitedOut(t *testing.T) {
	for name, header := range map[string]string{"without Retry-After": "", "with Retry-After": "1"} {
		t.Run(name, func(t *testing.T) {
			server := record(t, func(n int, w http.ResponseWriter, _ exchange) {
				if n <= 2 {
					if header != "" && n == 1 {
						w.Header().Set("Retry-After", header)
					}
					fail(w, 429, "ThrottlingException")
					return
				}
				reply(w, 200, edgeDevice)
			})
			begin := time.Now()
			// Creation may be repeated here: a throttled call did nothing.
			created, err := server.client(t, fast).CreateDevice(t.Context(), wire.Device{DeviceID: "d1"})
			if err != nil || created.Unconfirmed || len(server.requests()) != 3 {
				t.Fatalf("%v after %d requests", err, len(server.requests()))
			}
			if header != "" && time.Since(begin) < time.Second {
				t.Error("Retry-After was not respected")
			}
		})
	}
}

func TestThrottlingBacksOffFromTenSecondsUnlessCancelled(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { fail(w, 429, "ThrottlingException") })
	c := server.client(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := c.Device(ctx, "d1")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if n := len(server.requests()); n != 1 {
		t.Errorf("%d requests within 300 ms", n)
	}
}

func TestRetriesAreBounded(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { fail(w, 429, "ThrottlingException") })
	_, err := server.client(t, fast).Device(t.Context(), "d1")
	if !wire.HasStatus(err, 429) || len(server.requests()) != 5 {
		t.Errorf("%v after %d requests", err, len(server.requests()))
	}
	long := record(t, func(_ int, w http.ResponseWriter, _ exchange) {
		w.Header().Set("Retry-After", "3600")
		fail(w, 429, "ThrottlingException")
	})
	_, err = long.client(t, fast).Device(t.Context(), "d1")
	var e *wire.Error
	if !errors.As(err, &e) || e.RetryAfter != time.Hour || len(long.requests()) != 1 {
		t.Errorf("%v after %d requests", err, len(long.requests()))
	}
}

func TestServerFailureThenAnswer(t *testing.T) {
	for _, status := range []int{500, 502, 503, 504} {
		server := record(t, func(n int, w http.ResponseWriter, _ exchange) {
			if n == 1 {
				fail(w, status, "ServerError")
				return
			}
			reply(w, 200, edgeDevice)
		})
		if _, err := server.client(t, fast).Device(t.Context(), "d1"); err != nil || len(server.requests()) != 2 {
			t.Errorf("%d: %v after %d requests", status, err, len(server.requests()))
		}
	}
}

// story answers the requests of a test one by one.
func story(t *testing.T, chapters ...func(http.ResponseWriter)) *recorder {
	return record(t, func(n int, w http.ResponseWriter, e exchange) {
		if n > len(chapters) {
			t.Errorf("request %d, %s %s, is one too many", n, e.method, e.path)
			fail(w, 400, "ArgumentInvalid")
			return
		}
		chapters[n-1](w)
	})
}

func methods(r *recorder) string {
	var all []string
	for _, e := range r.requests() {
		all = append(all, e.method)
	}
	return strings.Join(all, " ")
}

func TestLostAnswers(t *testing.T) {
	found := func(w http.ResponseWriter) { reply(w, 200, edgeDevice) }
	missing := func(w http.ResponseWriter) { fail(w, 404, "DeviceNotFound") }
	exists := func(w http.ResponseWriter) { fail(w, 409, "DeviceAlreadyExists") }
	broken := func(w http.ResponseWriter) { fail(w, 503, "ServiceUnavailable") }
	stale := func(w http.ResponseWriter) { fail(w, 412, "PreconditionFailed") }
	denied := func(w http.ResponseWriter) { fail(w, 401, "IotHubUnauthorizedAccess") }
	newer := func(w http.ResponseWriter) { reply(w, 200, strings.Replace(edgeDevice, "ODAx", "ODAy", 1)) }
	gone := func(w http.ResponseWriter) { w.WriteHeader(204) }

	create := func(c *Client) (wire.Written[wire.Device], error) {
		return c.CreateDevice(t.Context(), wire.Device{DeviceID: "d1"})
	}
	update := func(c *Client) (wire.Written[wire.Device], error) {
		var keys wire.SymmetricKey
		keys.PrimaryKey, keys.SecondaryKey = wire.NewKey(serviceKey), wire.NewKey(serviceKey)
		return c.UpdateDevice(t.Context(), wire.Device{DeviceID: "d1", DeviceScope: "s", Capabilities: &wire.Capabilities{},
			Authentication: &wire.Authentication{Type: wire.AuthSAS, SymmetricKey: &keys}}, "ODAx")
	}
	remove := func(c *Client) (wire.Written[wire.Device], error) {
		return wire.Written[wire.Device]{}, c.DeleteDevice(t.Context(), "d1", "*")
	}
	cases := []struct {
		name        string
		call        func(*Client) (wire.Written[wire.Device], error)
		story       []func(http.ResponseWriter)
		methods     string
		unconfirmed bool
		check       func(error) bool
	}{
		{"create: lost but done", create, []func(http.ResponseWriter){hangUp, found}, "PUT GET", true, nil},
		{"create: lost and not done", create, []func(http.ResponseWriter){hangUp, missing, found}, "PUT GET PUT", false, nil},
		{"create: done after the look", create, []func(http.ResponseWriter){hangUp, missing, exists, found}, "PUT GET PUT GET", true, nil},
		{"create: unclear answer", create, []func(http.ResponseWriter){broken, found}, "PUT GET", true, nil},
		{"create: another's", create, []func(http.ResponseWriter){exists}, "PUT", false, wire.IsConflict},
		{"create: look refused", create, []func(http.ResponseWriter){hangUp, denied}, "PUT GET", false, wire.IsUnconfirmed},
		{"create: gives up", create, []func(http.ResponseWriter){hangUp, missing, hangUp, missing, hangUp, missing}, "PUT GET PUT GET PUT GET", false, wire.IsUnconfirmed},
		{"update: lost but done", update, []func(http.ResponseWriter){hangUp, newer}, "PUT GET", true, nil},
		{"update: lost and not done", update, []func(http.ResponseWriter){hangUp, found, newer}, "PUT GET PUT", false, nil},
		{"update: device gone", update, []func(http.ResponseWriter){hangUp, missing}, "PUT GET", false, wire.IsUnconfirmed},
		{"update: stale", update, []func(http.ResponseWriter){stale}, "PUT", false, func(err error) bool { return wire.HasStatus(err, 412) }},
		{"delete: lost but done", remove, []func(http.ResponseWriter){broken, missing}, "DELETE DELETE", false, nil},
		{"delete: lost and not done", remove, []func(http.ResponseWriter){broken, gone}, "DELETE DELETE", false, nil},
		{"delete: missing", remove, []func(http.ResponseWriter){missing}, "DELETE", false, wire.IsNotFound},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server := story(t, c.story...)
			// One connection per request: net/http repeats some requests by
			// itself on a connection that was used before.
			server.Config.SetKeepAlivesEnabled(false)
			written, err := c.call(server.client(t, fast))
			if c.check == nil && err != nil || c.check != nil && !c.check(err) {
				t.Errorf("error %v", err)
			}
			if written.Unconfirmed != c.unconfirmed {
				t.Errorf("unconfirmed is %v", written.Unconfirmed)
			}
			if got := methods(server); got != c.methods {
				t.Errorf("requests %s, want %s", got, c.methods)
			}
		})
	}
}

func TestNothingListening(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := listener.Addr().String()
	listener.Close()
	c, err := New(wire.ConnectionString{HostName: host, PolicyName: "p", Key: serviceKey}, fast)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateDevice(t.Context(), wire.Device{DeviceID: "d1"})
	var op *net.OpError
	if !errors.As(err, &op) || wire.IsUnconfirmed(err) {
		t.Errorf("got %v", err)
	}
	var e *wire.Error
	if errors.As(err, &e); e == nil || e.CorrelationID == "" {
		t.Errorf("no correlation ID in %v", err)
	}
}

func TestUntrustedServerIsNotTriedAgain(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { reply(w, 200, edgeDevice) })
	var dials atomic.Int32
	c, err := New(wire.ConnectionString{HostName: server.host(), PolicyName: "p", Key: serviceKey}, Options{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Device(t.Context(), "d1"); err == nil || len(server.requests()) != 0 {
		t.Errorf("%v after %d requests", err, len(server.requests()))
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("it was dialled %d times", n)
	}
}

func TestNamesWithoutDNS(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { reply(w, 200, edgeDevice) })
	// The test server's certificate is for example.com.
	c, err := New(wire.ConnectionString{HostName: "example.com:8443", PolicyName: "p", Key: serviceKey}, Options{
		RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != "example.com:8443" {
				return nil, fmt.Errorf("dialled %s", address)
			}
			var d net.Dialer
			return d.DialContext(ctx, network, server.host())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Device(t.Context(), "d1"); err != nil {
		t.Fatal(err)
	}
	token, err := wire.ParseToken(server.requests()[0].authorization)
	if err != nil || token.Resource != "example.com%3A8443" {
		t.Errorf("token for %s, %v", token.Resource, err)
	}
}

func TestClock(t *testing.T) {
	ahead := time.Now().Add(20 * time.Minute).Truncate(time.Second)
	server := record(t, func(_ int, w http.ResponseWriter, e exchange) {
		w.Header().Set("Date", ahead.UTC().Format(http.TimeFormat))
		fail(w, 401, "IotHubUnauthorizedAccess")
	})
	c := server.client(t, fast)
	if at, err := c.ServerTime(t.Context()); err != nil || !at.Equal(ahead) || !c.LastServerTime().Equal(ahead) {
		t.Errorf("server time %v, %v", at, err)
	}
	_, err := c.Device(t.Context(), "d1")
	var e *wire.Error
	if !errors.As(err, &e) || e.ClockOffset < 19*time.Minute || e.ClockOffset > 21*time.Minute {
		t.Errorf("clock offset in %v", err)
	}
}

func TestTokensAreSignedAnewNearTheirEnd(t *testing.T) {
	now := time.Unix(1800000000, 0)
	server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { reply(w, 200, edgeDevice) })
	options := fast
	options.Now = func() time.Time { return now }
	c := server.client(t, options)
	var expiries []int64
	for _, step := range []time.Duration{0, 49 * time.Minute, 2 * time.Minute, -48 * time.Hour} {
		now = now.Add(step)
		if _, err := c.Device(t.Context(), "d1"); err != nil {
			t.Fatal(err)
		}
		seen := server.requests()
		token, err := wire.ParseToken(seen[len(seen)-1].authorization)
		if err != nil {
			t.Fatal(err)
		}
		expiries = append(expiries, token.Expiry.Unix()-1800000000)
	}
	if fmt.Sprint(expiries) != fmt.Sprint([]int64{3600, 3600, 51*60 + 3600, 51*60 - 48*3600 + 3600}) {
		t.Errorf("expiries %v", expiries)
	}
}

func TestPaging(t *testing.T) {
	server := record(t, func(n int, w http.ResponseWriter, e exchange) {
		switch e.continuation {
		case "":
			w.Header().Set(wire.HeaderContinuation, "page2")
			reply(w, 200, `[{"deviceId":"a"},{"deviceId":"b"}]`)
		case "page2":
			w.Header().Set(wire.HeaderContinuation, "page3")
			reply(w, 200, `[]`)
		default:
			reply(w, 200, `[{"deviceId":"c"}]`)
		}
	})
	var ids string
	for twin, err := range server.client(t, fast).Query(t.Context(), "SELECT * FROM devices") {
		if err != nil {
			t.Fatal(err)
		}
		ids += twin.DeviceID
	}
	if ids != "abc" || len(server.requests()) != 3 {
		t.Errorf("devices %s in %d requests", ids, len(server.requests()))
	}
	for range server.client(t, fast).Query(t.Context(), "SELECT * FROM devices") {
		break
	}
	if len(server.requests()) != 4 {
		t.Error("pages are read that nobody asked for")
	}
	stuck := record(t, func(_ int, w http.ResponseWriter, _ exchange) {
		w.Header().Set(wire.HeaderContinuation, "same")
		reply(w, 200, `[]`)
	})
	var last error
	for _, err := range stuck.client(t, fast).Query(t.Context(), "SELECT * FROM devices") {
		last = err
	}
	if last == nil || len(stuck.requests()) != 2 {
		t.Errorf("%v after %d requests", last, len(stuck.requests()))
	}
}

func TestStrangeAnswers(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"a portal's page": func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/html"); fmt.Fprint(w, "<html>") },
		"half of JSON":    func(w http.ResponseWriter) { reply(w, 200, `{"deviceId":`) },
		"a redirect":      func(w http.ResponseWriter) { w.Header().Set("Location", "https://127.0.0.1:1/"); w.WriteHeader(302) },
	} {
		server := record(t, func(_ int, w http.ResponseWriter, _ exchange) { answer(w) })
		transport := server.Client()
		transport.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		_, err := server.client(t, Options{Transport: transport, Retry: rest.Retry{Max: -1}}).Device(t.Context(), "d1")
		var e *wire.Error
		if !errors.As(err, &e) || e.CorrelationID == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsNeverShowTheKey(t *testing.T) {
	server := record(t, func(_ int, w http.ResponseWriter, e exchange) {
		reply(w, 401, `{"Message":"ErrorCode:IotHubUnauthorizedAccess;got `+e.authorization+`"}`)
	})
	_, err := server.client(t, fast).Device(t.Context(), "d1")
	token, parseErr := wire.ParseToken(server.requests()[0].authorization)
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	shown := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, leak := range []string{base64.StdEncoding.EncodeToString(token.Signature)[:12], serviceKey.RevealString(), serviceKey.RevealBase64()} {
		if strings.Contains(shown, leak) {
			t.Errorf("shows %s: %s", leak, shown)
		}
	}
	if !strings.Contains(shown, "***") {
		t.Errorf("the token was not there to begin with: %s", shown)
	}
}
