package daemontest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// EdgeAgent is the module $edgeAgent of a device, connected over MQTT. The
// module edgeHub connects in the same way.
type EdgeAgent struct {
	*MQTT
	// Methods answers direct methods; nil answers 501.
	Methods func(name string, payload []byte) (status int, answer any)
	// Desired gets each change of desired properties.
	Desired chan json.RawMessage

	answers  chan Message
	requests int
}

// Upstream is where and as whom a module connects.
type Upstream struct {
	Network
	Address string // of the MQTT listener
	Hub     string // host name, with or without port
	Device  string
	Module  string // empty for the device itself
	Sign    Sign
	// KeepAlive is ConnectOptions.KeepAlive.
	KeepAlive time.Duration
}

// clientType is what the runtime's device client tells of itself.
const clientType = "Microsoft.Azure.Devices.Client/1.43.2 (.NET)"

// Dial opens the MQTT connection of a module, or of the device. One without
// Sign shows its certificate.
func (u Upstream) Dial(ctx context.Context) (*MQTT, error) {
	host, _, _ := strings.Cut(u.Hub, ":")
	id, audience := u.Device, host+"/devices/"+u.Device
	if u.Module != "" {
		id, audience = id+"/"+u.Module, audience+"/modules/"+u.Module
	}
	o := ConnectOptions{ClientID: id, User: host + "/" + id + "/?api-version=2021-04-12&DeviceClientType=" + url.QueryEscape(clientType), KeepAlive: u.KeepAlive}
	if u.Sign != nil {
		o.Password = moduleToken(audience, u.Sign, u.now())
	}
	return u.Connect(ctx, u.Address, host, o)
}

// Start connects edgeAgent: methods first, then desired properties, as its
// module client does.
func (u Upstream) Start(ctx context.Context, methods func(string, []byte) (int, any)) (*EdgeAgent, error) {
	connection, err := u.Dial(ctx)
	if err != nil {
		return nil, err
	}
	a := &EdgeAgent{MQTT: connection, Methods: methods, Desired: make(chan json.RawMessage, 16), answers: make(chan Message, 16)}
	go a.dispatch()
	for _, filter := range []string{"$iothub/methods/POST/#", "$iothub/twin/PATCH/properties/desired/#", "$iothub/twin/res/#"} {
		granted, err := connection.Subscribe(ctx, filter, 0)
		if err != nil || granted > 1 {
			return nil, errors.Join(fmt.Errorf("subscription %s: granted %d: %w", filter, granted, err), connection.Close())
		}
	}
	return a, nil
}

// dispatch sorts what comes in.
func (a *EdgeAgent) dispatch() {
	for m := range a.Messages {
		switch {
		case strings.HasPrefix(m.Topic, "$iothub/twin/res/"):
			a.answers <- m
		case strings.HasPrefix(m.Topic, "$iothub/twin/PATCH/properties/desired/?$version="):
			a.Desired <- m.Payload
		case strings.HasPrefix(m.Topic, "$iothub/methods/POST/"):
			a.method(m)
		}
	}
	close(a.answers)
	close(a.Desired)
}

// method answers one direct method.
func (a *EdgeAgent) method(m Message) {
	rest := strings.TrimPrefix(m.Topic, "$iothub/methods/POST/")
	name, request, found := strings.Cut(rest, "/?$rid=")
	if !found {
		return
	}
	status, answer := 501, any(nil)
	if a.Methods != nil {
		status, answer = a.Methods(name, m.Payload)
	}
	payload, err := json.Marshal(answer)
	if err != nil {
		return
	}
	// The next packet tells of a connection that is gone.
	_ = a.Publish(context.Background(), "$iothub/methods/res/"+strconv.Itoa(status)+"/?$rid="+request, payload, 0)
}

// ask sends a twin request and waits for the answer with its number.
func (a *EdgeAgent) ask(ctx context.Context, topic string, payload []byte) (status int, rest string, body []byte, err error) {
	a.requests++
	request := fmt.Sprintf("%x-%d", time.Now().UnixNano(), a.requests)
	if err := a.Publish(ctx, topic+"?$rid="+request, payload, 0); err != nil {
		return 0, "", nil, err
	}
	for {
		select {
		case m, open := <-a.answers:
			if !open {
				return 0, "", nil, errors.New("the connection ended")
			}
			code, query, found := strings.Cut(strings.TrimPrefix(m.Topic, "$iothub/twin/res/"), "/?$rid=")
			answered, rest, _ := strings.Cut(query, "&")
			if !found || answered != request {
				return 0, "", nil, fmt.Errorf("answer on topic %s to request %s", m.Topic, request)
			}
			status, err := strconv.Atoi(code)
			return status, rest, m.Payload, err
		case <-ctx.Done():
			return 0, "", nil, ctx.Err()
		}
	}
}

// Twin is what a module sees of its twin.
type Twin struct {
	Desired, Reported map[string]any
}

// Twin asks for the twin.
func (a *EdgeAgent) Twin(ctx context.Context) (Twin, error) {
	var twin Twin
	status, _, body, err := a.ask(ctx, "$iothub/twin/GET/", nil)
	if err != nil {
		return twin, err
	}
	if status != 200 {
		return twin, fmt.Errorf("twin: %d %s", status, body)
	}
	if err := json.Unmarshal(body, &twin); err != nil {
		return twin, err
	}
	for half, properties := range map[string]map[string]any{"desired": twin.Desired, "reported": twin.Reported} {
		if _, found := properties["$version"].(float64); !found {
			return twin, fmt.Errorf("%s properties without $version: %s", half, body)
		}
	}
	return twin, nil
}

// Report changes reported properties and gives their new version.
func (a *EdgeAgent) Report(ctx context.Context, properties any) (version int, err error) {
	payload, err := json.Marshal(properties)
	if err != nil {
		return 0, err
	}
	status, rest, body, err := a.ask(ctx, "$iothub/twin/PATCH/properties/reported/", payload)
	if err != nil {
		return 0, err
	}
	text, found := strings.CutPrefix(rest, "$version=")
	if status != 204 || !found || len(body) > 0 {
		return 0, fmt.Errorf("report: %d %s %s", status, rest, body)
	}
	return strconv.Atoi(text)
}

// Status is what edgeAgent reports after it has looked at a deployment; code
// is 200 for one that it has applied.
func Status(desiredVersion, code int, description string) map[string]any {
	return map[string]any{
		"schemaVersion":      "1.1",
		"version":            map[string]any{"version": "1.5.0", "build": "0", "commit": "0"},
		"lastDesiredVersion": desiredVersion,
		"lastDesiredStatus":  map[string]any{"code": code, "description": description},
		"runtime":            map[string]any{"platform": map[string]any{"os": "linux", "architecture": "x86_64", "version": "1.5.0"}, "type": "docker"},
		"systemModules":      map[string]any{"edgeAgent": map[string]any{"type": "docker", "runtimeStatus": "running"}},
		"modules":            map[string]any{},
	}
}
