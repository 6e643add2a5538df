package practice

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"edgewright/provisioning/wire"
)

const (
	maxMethodPayload  = 128 << 10 // bytes, both ways
	maxMethodName     = 100       // assumed
	usualMethodWait   = 30        // seconds
	shortestMethod    = 5
	longestMethodWait = 300
)

// methodRequest asks for a direct method. Timeouts are in whole seconds; 0 of
// the response's means 30, of the connect's that a device must be there.
type methodRequest struct {
	Name            string          `json:"methodName"`
	Payload         json.RawMessage `json:"payload,omitempty"`
	ResponseTimeout int             `json:"responseTimeoutInSeconds,omitempty"`
	ConnectTimeout  int             `json:"connectTimeoutInSeconds,omitempty"`
}

func (m *methodRequest) check() *identityError {
	if m.ResponseTimeout == 0 {
		m.ResponseTimeout = usualMethodWait
	}
	switch {
	case m.Name == "" || len(m.Name) > maxMethodName:
		return invalid("methodName has 1 to %d characters.", maxMethodName)
	case m.ResponseTimeout < shortestMethod || m.ResponseTimeout > longestMethodWait:
		return invalid("responseTimeoutInSeconds is %d to %d.", shortestMethod, longestMethodWait)
	case m.ConnectTimeout < 0 || m.ConnectTimeout > m.ResponseTimeout:
		return invalid("connectTimeoutInSeconds is at most responseTimeoutInSeconds.")
	case len(m.Payload) > maxMethodPayload:
		return &identityError{"MessageTooLarge", "The payload has more than " + strconv.Itoa(maxMethodPayload) + " bytes."}
	}
	if m.Payload == nil {
		m.Payload = json.RawMessage("null")
	}
	return nil
}

// codeNoAnswer is the error of a device that takes a method and says nothing.
const codeNoAnswer = "GatewayTimeout"

// invokeMethod calls a method of a device, or of its module unless that is
// empty, and waits for the answer; hub is a label. The caller does not hold
// Cloud.mu. Assumed: who is connected without hearing methods is not online.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-direct-methods
func (c *Cloud) invokeMethod(ctx context.Context, hub, device, module string, m methodRequest) (methodResult, *identityError) {
	if refused := m.check(); refused != nil {
		return methodResult{}, refused
	}
	connecting, stop := context.WithTimeout(ctx, time.Duration(m.ConnectTimeout)*time.Second)
	defer stop()
	for {
		connected, arrival, refused := c.reach(hub, device, module)
		if refused != nil {
			return methodResult{}, refused
		}
		if connected != nil {
			waiting, stop := context.WithTimeout(ctx, time.Duration(m.ResponseTimeout)*time.Second)
			result, err := connected.invoke(waiting, m.Name, m.Payload)
			stop()
			switch {
			case err == nil:
				return result, nil
			case errors.Is(err, errLeft): // assumed
				return methodResult{}, &identityError{"DeviceNotOnline", "The device disconnected."}
			case !errors.Is(err, errNotListening):
				return methodResult{}, &identityError{codeNoAnswer, "Timed out waiting for the response from device."}
			}
		}
		select {
		case <-arrival:
		case <-connecting.Done():
			return methodResult{}, &identityError{"DeviceNotOnline", "Timed out waiting for device to connect."}
		}
	}
}

// reach gives the connection of a device or module, nil for none, and what is
// closed when the next client begins to hear methods.
func (c *Cloud) reach(hub, device, module string) (connected connection, arrival <-chan struct{}, refused *identityError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, d, m := c.find(hub, device, module)
	if d == nil || module != "" && m == nil {
		return nil, nil, &identityError{"DeviceNotFound", "The device does not exist."}
	}
	key := deviceKey(h, device)
	if module != "" {
		key = moduleKey(h, device, module)
	}
	return c.connections[key], c.arrival, nil
}

// methodsHeard tells those who wait for it that a client hears methods now. The
// caller holds Cloud.mu.
func (c *Cloud) methodsHeard() {
	close(c.arrival)
	c.arrival = make(chan struct{})
}

// callMethod checks who asks; the rest waits, so it follows without the lock.
func (x *exchange) callMethod() answer {
	if a := x.allow(serviceConnect); a != nil {
		return *a
	}
	if _, _, missing := x.twinOwner(); missing != nil {
		return *missing
	}
	var m methodRequest
	if a := x.decode(&m); a != nil {
		return *a
	}
	x.after = func() answer {
		result, refused := x.c.invokeMethod(x.r.Context(), x.hub.label, x.vars["device"], x.vars["module"], m)
		switch {
		case refused == nil:
			return x.json(http.StatusOK, struct {
				Status  int             `json:"status"`
				Payload json.RawMessage `json:"payload"`
			}{result.status, result.payload})
		case refused.name == codeNoAnswer:
			return x.detailedError(http.StatusGatewayTimeout, 504101, refused)
		case refused.name == "DeviceNotOnline":
			return x.detailedError(http.StatusNotFound, 404103, refused)
		}
		return x.hubError(refused.name, refused.text)
	}
	return answer{}
}

// detailedError answers as the hub does for direct methods: with its other body
// as text in Message.
func (x *exchange) detailedError(status, code int, e *identityError) answer {
	detail, _ := json.Marshal(wire.HubErrorDetail{ErrorCode: code, Message: e.text, TrackingID: x.tracking,
		TimestampUTC: x.now.Format("2006-01-02T15:04:05.0000000Z")})
	body, _ := json.Marshal(wire.HubErrorBody{Message: string(detail)})
	return answer{status: status, body: body, code: e.name, header: map[string]string{wire.HeaderHubErrorCode: e.name}}
}
