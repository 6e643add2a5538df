package practice

import (
	"context"
	"encoding/json"
	"strconv"
)

// connection is a device or module that is connected now.
type connection interface {
	// desired hands on desired properties that have changed: what changed, or
	// all of them after a replacement, with the version that they have now. It
	// does not wait; the client hears of it once written is done.
	desired(version int64, changed map[string]any, written *batch)
	// invoke calls a direct method and waits for the answer. The caller holds no
	// lock.
	invoke(ctx context.Context, method string, payload json.RawMessage) (methodResult, error)
	// recheck ends the connection if its credential opens nothing any more.
	recheck(t *transaction)
	close()
	// messagesWaiting says that the queue of the device has messages that nobody
	// holds. It does not wait.
	messagesWaiting(written *batch)
}

// identityChanged has the connections of a device and its modules looked at
// anew: whoever lost the right to be there is cut off.
func (t *transaction) identityChanged(deviceID string, modules ...string) {
	hub := t.hub
	t.notify(func(*batch) {
		keys := []objectKey{deviceKey(hub, deviceID)}
		for _, module := range modules {
			keys = append(keys, moduleKey(hub, deviceID, module))
		}
		for _, key := range keys {
			if connected := t.c.connections[key]; connected != nil {
				now := &transaction{c: t.c, now: t.now, hub: hub}
				connected.recheck(now)
			}
		}
	})
}

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// desiredChanged tells the device, or the module if it is given, of desired
// properties that this transaction has changed in its twin.
func (t *transaction) desiredChanged(d *device, m *module, changed map[string]any) {
	key, twin := deviceKey(t.hub, d.Identity.DeviceID), &d.Twin
	if m != nil {
		key, twin = moduleKey(t.hub, d.Identity.DeviceID, m.Identity.ModuleID), &m.Twin
	}
	version := twin.DesiredVersion
	t.notify(func(written *batch) {
		if connected := t.c.connections[key]; connected != nil {
			connected.desired(version, changed, written)
		}
	})
}
