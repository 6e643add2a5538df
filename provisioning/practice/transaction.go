package practice

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"edgewright/provisioning/wire"
)

// transaction is one look at the state, or change of it, by a request or a
// packet. It runs under Cloud.mu.
type transaction struct {
	c        *Cloud
	now      time.Time
	tracking string // correlation ID
	hub      *hub   // hub planes only

	urgent, lazy []write
	notices      []func(written *batch)
	changed      []objectKey // devices and modules
}

// store queues an object; nil value removes it.
func (t *transaction) store(key objectKey, value any) {
	t.urgent = append(t.urgent, encodeWrite(key, value))
	if key.isChange() {
		t.changed = append(t.changed, key)
	}
}

// storeLater queues an object whose loss a crash may cause.
func (t *transaction) storeLater(key objectKey, value any) {
	t.lazy = append(t.lazy, encodeWrite(key, value))
}

// notify has f called when the writes are queued, still under Cloud.mu, so that
// the order of notices is the order of changes. f must not wait: it hands what
// it has to tell to somebody who waits for written first.
func (t *transaction) notify(f func(written *batch)) { t.notices = append(t.notices, f) }

// transact runs act on the state and returns when all that it tells of is on
// disk. The caller has entered.
func (c *Cloud) transact(ctx context.Context, t *transaction, act func()) error {
	written := func() *batch {
		c.mu.Lock()
		defer c.mu.Unlock()
		act()
		t.settle()
		written := c.store.submit(t.urgent, t.lazy)
		if len(t.urgent)+len(t.lazy) > 0 {
			c.changes.Add(1)
		}
		for _, notice := range t.notices {
			notice(written)
		}
		return written
	}()
	err := written.wait()
	if err != nil {
		// Memory is ahead of the disk. A client that leaves must not stop the
		// way back; if it fails, the next transaction tries again.
		_ = c.recoverState(context.WithoutCancel(ctx))
	}
	return err
}

func encodeWrite(key objectKey, value any) write {
	if value == nil {
		return write{key, nil}
	}
	plain, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("practice: %s does not encode: %v", key.kind, err)) // our own types
	}
	return write{key, plain}
}

// touch notes that a device, and one of its modules if given, has
// authenticated. The loss of the time in a crash is accepted.
func (t *transaction) touch(d *device, m *module) {
	d.Identity.LastActivityTime = wire.At(t.now)
	t.storeLater(deviceKey(t.hub, d.Identity.DeviceID), d)
	if m != nil {
		m.Identity.LastActivityTime = wire.At(t.now)
		t.storeLater(moduleKey(t.hub, m.Identity.DeviceID, m.Identity.ModuleID), m)
	}
}
