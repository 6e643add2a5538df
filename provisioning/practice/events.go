package practice

import (
	"strconv"
	"sync"
	"time"

	"edgewright/provisioning/practice/mqtt"
	"edgewright/provisioning/wire"
)

// keptEvents is how many events are remembered.
const keptEvents = 500

// What events tell.
const (
	EventConnected    = "connected"
	EventDisconnected = "disconnected"
	EventRefused      = "refused"
)

// How a connection came.
const (
	overTLS       = "mqtt"
	overWebSocket = "websocket"
)

// Why connections end.
const (
	EndByClient = "client disconnected"
	EndLost     = "connection lost"
	EndSilent   = "keep-alive elapsed"
	EndExpired  = "token expired"
	EndRefused  = "packet or topic not allowed"
	EndNewer    = "newer connection"
	EndIdentity = "identity removed, disabled or with other keys"
	EndSlow     = "client does not read"
	EndOffline  = "hub offline"
	EndStopped  = "practice cloud stopped"
)

// Event is something that happened to a connection of a device.
type Event struct {
	Time      time.Time `json:"time"` // UTC, by the cloud's clock
	Kind      string    `json:"kind"`
	Hub       string    `json:"hub"` // label; empty for DPS
	Device    string    `json:"device"`
	Module    string    `json:"module"`
	Transport string    `json:"transport"` // mqtt or websocket
	Reason    string    `json:"reason"`    // of an end or refusal
}

// eventLog is a ring of the newest events.
type eventLog struct {
	mu   sync.Mutex
	ring []Event
	at   int // where the next one goes once the ring is full
}

// happened puts an event into the log.
func (c *Cloud) happened(e Event) {
	l := &c.events
	l.mu.Lock()
	if len(l.ring) < keptEvents {
		l.ring = append(l.ring, e)
	} else {
		l.ring[l.at] = e
		l.at = (l.at + 1) % keptEvents
	}
	l.mu.Unlock()
	c.changes.Add(1)
}

// Events gives the newest events, oldest first.
func (c *Cloud) Events() []Event {
	l := &c.events
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(append([]Event{}, l.ring[l.at:]...), l.ring[:l.at]...)
}

func (p *hubPeer) event(kind, reason string) Event {
	return Event{Time: p.s.c.now(), Kind: kind, Hub: p.label, Device: p.device, Module: p.module, Transport: p.s.over, Reason: reason}
}

func (p *dpsPeer) event(kind, reason string) Event {
	return Event{Time: p.s.c.now(), Kind: kind, Device: wire.CleanID(p.a.id), Transport: p.s.over, Reason: reason}
}

// refused notes a CONNECT that was not accepted.
func (c *Cloud) refused(over, user string, code mqtt.Code) {
	e := Event{Time: c.now(), Kind: EventRefused, Transport: over, Reason: "CONNACK " + strconv.Itoa(int(code))}
	if u, ok := parseUserName(user); ok {
		e.Device, e.Module = wire.CleanID(u.first), wire.CleanID(u.second)
		if !u.dps {
			e.Hub = hubLabelOf(u.host)
		}
	}
	c.happened(e)
}
