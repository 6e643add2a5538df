package practice

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// inbox is the queue of cloud-to-device messages of a device, oldest first.
//
// A message that is delivered is locked, so that nobody gets it a second time,
// until it is settled, the lock ends or its connection does. One that was
// delivered ten times, or whose time is over, is dropped when the queue is next
// looked at; until then it counts (assumed).
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-messages-c2d
type inbox struct{ messages []*queued }

// queued is a message in an inbox, as stored. Locks do not survive a restart.
type queued struct {
	Message
	Number     int64 // sequence number, greater than those of before
	Enqueued   time.Time
	Deliveries int `json:",omitempty"`

	lock  string    // token, empty where nobody holds the message
	until time.Time // when the lock ends by itself; zero is never
}

const (
	maxQueued     = 50
	maxDeliveries = 10
	messageLock   = time.Minute // of one that was fetched over HTTPS
)

// fate is what became of a message.
type fate string

const (
	completed fate = "completed"
	rejected  fate = "rejected"
	abandoned fate = "abandoned" // back into the queue
	expired   fate = "expired"
	exhausted fate = "undeliverable" // delivered too often
	purged    fate = "purged"
)

func (q *queued) locked(now time.Time) bool {
	return q.lock != "" && (q.until.IsZero() || now.Before(q.until))
}

func messageKey(h *hub, deviceID string, number int64) objectKey {
	return objectKey{kindMessage, h.label + "/" + deviceID + "/" + strconv.FormatInt(number, 10)}
}

// takeMessage adds a stored message to the inbox of its device. Numbers have as
// many digits all the time, so they come in order.
func (s *state) takeMessage(key objectKey, q *queued) error {
	h, ids, err := s.hubOfKey(key)
	if err != nil {
		return err
	}
	deviceID, _, _ := strings.Cut(ids, "/")
	d := h.devices[deviceID]
	if d == nil {
		return errors.New("its device is missing")
	}
	d.setInbox(append(d.queue(), q))
	return nil
}

func (d *device) queue() []*queued {
	if d.inbox == nil {
		return nil
	}
	return d.inbox.messages
}

func (d *device) setInbox(messages []*queued) {
	d.Identity.CloudToDeviceMessageCount = len(messages)
	switch {
	case len(messages) == 0:
		d.inbox = nil
	case d.inbox == nil:
		d.inbox = &inbox{messages}
	default:
		d.inbox.messages = messages
	}
}

// SendToDevice puts a message into the queue of a device of a hub, given by its
// label, and returns its ID when it is on disk. It gives ErrNoSuch for a device
// that is not there and an *OptionError for a message that the hub refuses.
func (c *Cloud) SendToDevice(ctx context.Context, hub, device string, m Message) (id string, err error) {
	leave, err := c.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	var refused *identityError
	found := false
	t := &transaction{c: c, now: c.now()}
	err = c.transact(ctx, t, func() {
		h, d, _ := c.find(hub, device, "")
		if t.hub, found = h, d != nil; found {
			id, refused = t.enqueue(d, m)
		}
	})
	switch {
	case err != nil:
		return "", err
	case !found:
		return "", ErrNoSuch
	case refused != nil:
		return "", wrongOption("message to %s: %s: %s", device, refused.name, refused.text)
	}
	return id, nil
}

// enqueue puts a message at the end of the queue. A disabled device keeps its
// queue (assumed).
func (t *transaction) enqueue(d *device, m Message) (id string, refused *identityError) {
	if refused := m.check(d.Identity.DeviceID, t.now); refused != nil {
		return "", refused
	}
	t.tidy(d)
	if len(d.queue()) >= maxQueued {
		return "", &identityError{"DeviceMaximumQueueDepthExceeded", "The queue of the device has " + strconv.Itoa(maxQueued) + " messages."}
	}
	if m.ID == "" {
		m.ID = hex.EncodeToString(t.c.random(16))
	}
	if m.Expires.IsZero() {
		m.Expires = t.now.Add(usualLife)
	}
	q := &queued{Message: m, Number: t.c.state.ticks(t.now), Enqueued: t.now}
	d.setInbox(append(d.queue(), q))
	t.store(messageKey(t.hub, d.Identity.DeviceID, q.Number), q)
	t.messagesWaiting(d)
	return m.ID, nil
}

// nextMessage locks the oldest message that nobody holds, for a time or, if
// that is 0, until it is settled; nil if there is none.
func (t *transaction) nextMessage(d *device, hold time.Duration) *queued {
	t.tidy(d)
	for _, q := range d.queue() {
		if q.lock != "" {
			continue
		}
		q.lock, q.until = hex.EncodeToString(t.c.random(16)), time.Time{}
		if hold > 0 {
			q.until = t.now.Add(hold)
		}
		q.Deliveries++
		t.store(messageKey(t.hub, d.Identity.DeviceID, q.Number), q)
		return q
	}
	return nil
}

// settleMessage ends the lock of a message: it is gone or, abandoned, back in
// its place. false means that the lock was lost.
func (t *transaction) settleMessage(d *device, lock string, how fate) bool {
	t.tidy(d)
	at := slices.IndexFunc(d.queue(), func(q *queued) bool { return lock != "" && q.lock == lock })
	if at < 0 {
		return false
	}
	if how != abandoned {
		t.drop(d, d.inbox.messages[at], how)
		return true
	}
	d.inbox.messages[at].lock = ""
	t.tidy(d)
	t.messagesWaiting(d)
	return true
}

// purgeMessages empties the queue, and takes what is locked with it (assumed).
func (t *transaction) purgeMessages(d *device) (n int) {
	all := slices.Clone(d.queue())
	for _, q := range all {
		t.drop(d, q, purged)
	}
	return len(all)
}

// tidy ends locks that are over and drops what may not be delivered any more.
func (t *transaction) tidy(d *device) {
	for _, q := range slices.Clone(d.queue()) {
		if q.locked(t.now) {
			continue
		}
		q.lock = ""
		switch {
		case !t.now.Before(q.Expires):
			t.drop(d, q, expired)
		case q.Deliveries >= maxDeliveries:
			t.drop(d, q, exhausted)
		}
	}
}

func (t *transaction) drop(d *device, q *queued, how fate) {
	d.setInbox(slices.DeleteFunc(d.queue(), func(other *queued) bool { return other == q }))
	t.store(messageKey(t.hub, d.Identity.DeviceID, q.Number), nil)
}

// messagesWaiting tells the device, if it is connected, that its queue has
// something for it.
func (t *transaction) messagesWaiting(d *device) {
	key := deviceKey(t.hub, d.Identity.DeviceID)
	t.notify(func(written *batch) {
		if connected := t.c.connections[key]; connected != nil {
			connected.messagesWaiting(written)
		}
	})
}
