package practice

import (
	"context"

	"edgewright/provisioning/practice/mqtt"
)

// delivery is what a connection knows of cloud-to-device messages on their way.
// hubPeer.mu guards it.
type delivery struct {
	running bool              // a goroutine hands messages on
	more    bool              // and must look once more before it ends
	left    bool              // the client has gone
	held    map[uint16]string // locks of those not acknowledged, by packet ID
	lastID  uint16
}

// messagesWaiting hands on what waits in the queue, if the client hears it.
func (p *hubPeer) messagesWaiting(*batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hears[topicMessages] == 0 || p.delivery.left {
		return
	}
	p.delivery.more = true
	if !p.delivery.running {
		p.delivery.running = true
		go p.s.c.sessions.run(p.deliver)
	}
}

// deliver hands messages on until none waits.
func (p *hubPeer) deliver(ctx context.Context) {
	for p.lookAgain() {
		for p.deliverNext(ctx) {
		}
	}
}

func (p *hubPeer) lookAgain() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delivery.running = p.delivery.more
	p.delivery.more = false
	return p.delivery.running
}

// deliverNext locks the next message and sends it once that is on disk. With
// QoS 0 it counts as delivered when it is sent (assumed); with QoS 1 it is held
// until it is acknowledged or the connection ends.
func (p *hubPeer) deliverNext(ctx context.Context) bool {
	var packet []byte
	done := p.act(ctx, func(t *transaction, d *device, _ *module) {
		p.mu.Lock()
		defer p.mu.Unlock()
		how := p.hears[topicMessages]
		if how == 0 || p.delivery.left || t.c.connections[p.key] != connection(p) {
			return
		}
		q := t.nextMessage(d, 0)
		if q == nil {
			return
		}
		id := uint16(0)
		if how > 1 {
			id = p.delivery.hold(q.lock)
		} else {
			t.settleMessage(d, q.lock, completed)
		}
		packet = mqtt.NewPublish(q.topic(p.device), q.Body, how-1, false, id)
	})
	if !done || packet == nil {
		return false
	}
	p.s.push(packet, nil)
	return true
}

// hold gives a packet ID that is free; there are far more than messages in a
// queue.
func (d *delivery) hold(lock string) uint16 {
	if d.held == nil {
		d.held = map[uint16]string{}
	}
	for {
		d.lastID++
		if _, taken := d.held[d.lastID]; d.lastID != 0 && !taken {
			d.held[d.lastID] = lock
			return d.lastID
		}
	}
}

// acknowledged takes a message off the queue.
func (p *hubPeer) acknowledged(ctx context.Context, id uint16) {
	p.mu.Lock()
	lock, known := p.delivery.held[id]
	delete(p.delivery.held, id)
	p.mu.Unlock()
	if known {
		p.act(ctx, func(t *transaction, d *device, m *module) {
			p.active(t, d, m)
			t.settleMessage(d, lock, completed)
		})
	}
}

// giveBack puts messages that were not acknowledged back into the queue.
func (p *hubPeer) giveBack(t *transaction, d *device) {
	p.mu.Lock()
	held := p.delivery.held
	p.delivery.left, p.delivery.held = true, nil
	p.mu.Unlock()
	for _, lock := range held {
		t.settleMessage(d, lock, abandoned)
	}
}
