package practice

import (
	"context"

	"edgewright/provisioning/practice/mqtt"
)

// telemetry takes a message and forgets it. One that a fault falls on is not
// acknowledged: the connection ends, and the client sends it again (assumed).
func (p *hubPeer) telemetry(ctx context.Context, m mqtt.Packet) bool {
	if len(m.Payload) > maxMessage {
		return false
	}
	topic := p.own + "messages/events" // without the properties, which are the user's
	if p.misbehave(ctx, topic).status != 0 {
		p.log(mqtt.Publish, topic, false)
		return false
	}
	if p.received.Add(1) == 1 {
		p.log(mqtt.Publish, topic, true)
	}
	return p.quickly(ctx, func(t *transaction, d *device, mod *module) { p.active(t, d, mod) })
}

// misbehave draws the fault of a packet to a topic and waits for its delay.
func (p *hubPeer) misbehave(ctx context.Context, topic string) fault {
	drawn := p.s.c.faults.draw(mqtt.Publish.String(), "/"+topic)
	if drawn.delay > 0 {
		_ = sleep(ctx, drawn.delay)
	}
	return drawn
}

// quickly is act for what waits for no write of others.
func (p *hubPeer) quickly(ctx context.Context, f func(t *transaction, d *device, m *module)) bool {
	leave, err := p.s.c.enter(ctx)
	if err != nil {
		return false
	}
	defer leave()
	c := p.s.c
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &transaction{c: c, now: c.now(), hub: c.state.hubs[p.label]}
	if t.hub == nil || t.hub.devices[p.device] == nil {
		return false
	}
	d := t.hub.devices[p.device]
	if p.module != "" && d.modules[p.module] == nil {
		return false
	}
	f(t, d, d.modules[p.module])
	if len(t.lazy) > 0 {
		c.store.submit(nil, t.lazy)
	}
	return true
}
