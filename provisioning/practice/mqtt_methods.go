package practice

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"edgewright/provisioning/practice/mqtt"
)

// methodResult is what a device answers to a direct method.
type methodResult struct {
	status  int
	payload json.RawMessage
}

// errNotListening is a client that is connected and hears no methods; errLeft
// is one that got the method and left before it answered.
var (
	errNotListening = errors.New("the device does not listen to methods")
	errLeft         = errors.New("the device has left")
)

// invoke calls a direct method on the client and waits for its answer.
func (p *hubPeer) invoke(ctx context.Context, method string, payload json.RawMessage) (methodResult, error) {
	p.mu.Lock()
	if p.hears[topicMethods] == 0 || p.pending == nil {
		p.mu.Unlock()
		return methodResult{}, errNotListening
	}
	p.lastID++
	id := strconv.FormatUint(p.lastID, 16)
	answer := make(chan methodResult, 1)
	p.pending[id] = answer
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.pending, id)
		p.mu.Unlock()
	}()
	if len(payload) == 0 {
		payload = json.RawMessage("null")
	}
	p.s.push(mqtt.NewPublish("$iothub/methods/POST/"+url.PathEscape(method)+"/?$rid="+id, payload, 0, false, 0), nil)
	select {
	case result, ok := <-answer:
		if !ok {
			return methodResult{}, errLeft
		}
		return result, nil
	case <-ctx.Done():
		return methodResult{}, ctx.Err()
	}
}

// methodAnswered hands an answer to who waits for it, if anybody still does. A
// payload that is no JSON counts as a string.
func (p *hubPeer) methodAnswered(topic string, payload []byte) {
	text, _, _ := strings.Cut(strings.TrimPrefix(topic, "$iothub/methods/res/"), "/")
	status, err := strconv.Atoi(text)
	if err != nil {
		return
	}
	switch {
	case len(payload) == 0:
		payload = []byte("null")
	case !json.Valid(payload):
		payload, _ = json.Marshal(string(payload))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if waiting := p.pending[requestID(topic)]; waiting != nil {
		waiting <- methodResult{status, payload}
		delete(p.pending, requestID(topic))
	}
}
