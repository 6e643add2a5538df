package practice

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"edgewright/provisioning/practice/mqtt"
	"edgewright/provisioning/wire"
)

// topicKind is a family of topics that a device may subscribe to.
type topicKind int

const (
	topicTwin topicKind = iota
	topicDesired
	topicMethods
	topicMessages
	topicInputs
	topicKinds // how many there are
)

// subscriptions are the families that a client hears, with the QoS and one.
type subscriptions [topicKinds]byte

// activityDelay is how old the stored time of a last activity may get: each
// message moves it, and most need no write.
const activityDelay = time.Minute

// hubPeer is a device or module that is connected to a hub.
type hubPeer struct {
	s     *session
	label string // of the hub
	key   objectKey
	shown credential

	device, module  string
	since           time.Time
	client, version string        // as CONNECT tells of itself
	received        atomic.Uint64 // telemetry messages
	own             string        // the prefix of its own topics

	mu       sync.Mutex
	hears    subscriptions
	pending  map[string]chan methodResult // methods called, by request ID
	lastID   uint64
	delivery delivery
	stored   atomic.Int64 // Unix time of the last activity that was written
}

// connectHub lets a device or module in. A connection that it has already is
// closed.
func (s *session) connectHub(ctx context.Context, u userName, shown credential, clean bool, present *bool, tracking string) mqtt.Code {
	label := hubLabelOf(u.host)
	if s.c.faults.isOffline(label) || !s.c.admit(ctx, label, opConnect, 1) {
		return mqtt.Unavailable
	}
	leave, err := s.c.enter(ctx)
	if err != nil {
		return mqtt.Unavailable
	}
	defer leave()
	code := mqtt.NotAuthorized
	t := &transaction{c: s.c, now: s.c.now(), tracking: tracking}
	err = s.c.transact(ctx, t, func() {
		if t.hub = s.c.state.hubOf(u.host); t.hub == nil {
			return
		}
		d, m, ok := t.client(shown, u.first, u.second)
		if !ok {
			return
		}
		p := &hubPeer{s: s, label: t.hub.label, key: deviceKey(t.hub, u.first), shown: shown, device: u.first, module: u.second, own: "devices/" + u.first + "/",
			pending: map[string]chan methodResult{}}
		if m != nil {
			p.key, p.own = moduleKey(t.hub, u.first, u.second), p.own+"modules/"+u.second+"/"
		}
		if model := u.query["model-id"]; model != twinOf(d, m).ModelID && model != "" {
			twinOf(d, m).ModelID = model
			t.storeTwin(d, m)
		}
		if before := s.c.connections[p.key]; before != nil {
			before.close(EndNewer)
		}
		if clean {
			delete(s.c.remembered, p.key)
		} else {
			p.hears, *present = s.c.remembered[p.key]
			s.c.remembered[p.key] = p.hears
		}
		s.c.connections[p.key] = p
		if p.hears[topicMethods] > 0 {
			s.c.methodsHeard()
		}
		t.connected(d, m, wire.Connected)
		p.since, p.client, p.version = t.now, wire.CleanMessage(u.query["DeviceClientType"]), wire.CleanID(u.query["api-version"])
		s.c.happened(p.event(EventConnected, ""))
		p.stored.Store(t.now.Unix())
		s.peer, code = p, mqtt.Accepted
	})
	if err != nil {
		return mqtt.Unavailable
	}
	return code
}

// connected notes the connection state of the device, or of the module if it is
// given.
func (t *transaction) connected(d *device, m *module, state string) {
	t.touch(d, m)
	if m != nil {
		m.Identity.ConnectionState, m.Identity.ConnectionStateUpdatedTime = state, wire.At(t.now)
		return
	}
	d.Identity.ConnectionState, d.Identity.ConnectionStateUpdatedTime = state, wire.At(t.now)
}

// act runs f on the state for this peer, unless its device or module is gone,
// and waits until all that it tells of is on disk.
func (p *hubPeer) act(ctx context.Context, f func(t *transaction, d *device, m *module)) bool {
	leave, err := p.s.c.enter(ctx)
	if err != nil {
		return false
	}
	defer leave()
	found := false
	t := &transaction{c: p.s.c, now: p.s.c.now(), tracking: newTrackingID()}
	err = p.s.c.transact(ctx, t, func() {
		if t.hub = p.s.c.state.hubs[p.label]; t.hub == nil {
			return
		}
		d := t.hub.devices[p.device]
		if d == nil || p.module != "" && d.modules[p.module] == nil {
			return
		}
		found = true
		f(t, d, d.modules[p.module])
	})
	return err == nil && found
}

// joined has messages delivered that waited for a client whose subscriptions
// were kept.
func (p *hubPeer) joined() { p.messagesWaiting(nil) }

// left gives the place up, unless a newer connection has it.
func (p *hubPeer) left(ctx context.Context) {
	p.s.c.happened(p.event(EventDisconnected, p.s.reason()))
	p.mu.Lock()
	for _, waiting := range p.pending {
		close(waiting)
	}
	p.pending = nil
	p.mu.Unlock()
	_ = p.act(ctx, func(t *transaction, d *device, m *module) {
		p.giveBack(t, d)
		if t.c.connections[p.key] != connection(p) {
			return
		}
		t.connected(d, m, wire.Disconnected)
	})
	p.s.c.mu.Lock()
	defer p.s.c.mu.Unlock()
	if p.s.c.connections[p.key] == connection(p) {
		delete(p.s.c.connections, p.key)
	}
}

// active moves the time of the last activity, which is written now and then.
func (p *hubPeer) active(t *transaction, d *device, m *module) {
	if seen := t.now.Unix(); seen-p.stored.Load() >= int64(activityDelay/time.Second) {
		p.stored.Store(seen)
		t.touch(d, m)
		return
	}
	d.Identity.LastActivityTime = wire.At(t.now)
	if m != nil {
		m.Identity.LastActivityTime = wire.At(t.now)
	}
}

func (p *hubPeer) kindOf(topic string) (topicKind, bool) {
	switch {
	case topic == "$iothub/twin/res/#":
		return topicTwin, true
	case topic == "$iothub/twin/PATCH/properties/desired/#":
		return topicDesired, true
	case topic == "$iothub/methods/POST/#":
		return topicMethods, true
	case topic == p.own+"messages/devicebound/#" && p.module == "":
		return topicMessages, true
	case p.module != "" && (topic == p.own+"#" || topic == p.own+"inputs/#"):
		return topicInputs, true
	}
	return 0, false
}

func (p *hubPeer) subscribe(filter mqtt.Filter) byte {
	kind, known := p.kindOf(filter.Topic)
	// Assumed: that basic hubs lack them is documented, the answer is not.
	known = known && (kind == topicInputs || !p.s.c.Limits().Basic())
	p.log(mqtt.Subscribe, filter.Topic, known)
	if !known {
		return mqtt.Failure
	}
	qos := min(filter.QoS, 1)
	p.hear(kind, qos+1)
	if kind == topicMessages {
		p.messagesWaiting(nil)
	}
	return qos
}

// hear changes what the client hears, also for its next connections if it asked
// for no clean session.
func (p *hubPeer) hear(kind topicKind, how byte) {
	p.mu.Lock()
	p.hears[kind] = how
	hears := p.hears
	p.mu.Unlock()
	p.s.c.mu.Lock()
	defer p.s.c.mu.Unlock()
	if kind == topicMethods {
		p.s.c.methodsHeard()
	}
	if _, kept := p.s.c.remembered[p.key]; kept {
		p.s.c.remembered[p.key] = hears
	}
}

func (p *hubPeer) unsubscribe(topic string) {
	if kind, known := p.kindOf(topic); known {
		p.hear(kind, 0)
	}
}

// hearing tells whether the client hears a family of topics.
func (p *hubPeer) hearing(kind topicKind) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hears[kind] > 0
}

func (p *hubPeer) publish(ctx context.Context, m mqtt.Packet) bool {
	events := p.own + "messages/events"
	switch topic := m.Topic; {
	case topic == events || strings.HasPrefix(topic, events+"/"):
		return p.telemetry(ctx, m)
	case p.s.c.Limits().Basic(): // the rest needs the standard tier
	case strings.HasPrefix(topic, "$iothub/twin/GET/?"):
		return p.getTwin(ctx, requestID(topic))
	case strings.HasPrefix(topic, "$iothub/twin/PATCH/properties/reported/?"):
		return p.report(ctx, requestID(topic), m.Payload)
	case strings.HasPrefix(topic, "$iothub/methods/res/") && len(m.Payload) <= maxMethodPayload:
		p.methodAnswered(topic, m.Payload)
		return true
	}
	p.log(mqtt.Publish, m.Topic, false)
	return false
}

// requestID is $rid of a topic's query.
func requestID(topic string) string {
	_, query, _ := strings.Cut(topic, "?")
	for pair := range strings.SplitSeq(query, "&") {
		if id, ok := strings.CutPrefix(pair, "$rid="); ok {
			return id
		}
	}
	return ""
}

// log puts what the client asked for into the request log. Of accepted telemetry
// only the first message of a connection is in it: there would be nothing else.
func (p *hubPeer) log(kind mqtt.Type, topic string, ok bool) {
	status, code := 200, ""
	if !ok {
		status, code = 400, "InvalidOperation"
	}
	if len(topic) > 200 {
		topic = topic[:200]
	}
	p.s.c.logged(Request{Time: p.s.c.now(), Method: kind.String(), Host: p.label + "." + domain, Path: wire.CleanMessage(topic), Status: status, Code: code, CorrelationID: newTrackingID()})
}
