package practice

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"
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
	// close ends the connection for a reason. It does not wait.
	close(reason string)
	// view is the connection for a person. The caller holds Cloud.mu.
	view() Connection
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

// cutOffline ends the connections to hubs that answer nobody now.
func (c *Cloud) cutOffline() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, connected := range c.connections {
		if c.faults.isOffline(connected.view().Hub) {
			connected.close(EndOffline)
		}
	}
}

// Connection is a device or module that is connected now.
type Connection struct {
	Hub        string    `json:"hub"` // label
	Device     string    `json:"device"`
	Module     string    `json:"module"`
	Transport  string    `json:"transport"` // mqtt or websocket
	Remote     string    `json:"remote"`    // address and port
	Since      time.Time `json:"since"`
	Messages   uint64    `json:"messages"`    // of telemetry since then
	Client     string    `json:"client"`      // what it calls itself
	APIVersion string    `json:"api_version"` // that it asked for
}

func (p *hubPeer) view() Connection {
	return Connection{Hub: p.label, Device: p.device, Module: p.module, Transport: p.s.over, Remote: p.s.conn.RemoteAddr().String(), Since: p.since,
		Messages: p.received.Load(), Client: p.client, APIVersion: p.version}
}

// Connections are the devices and modules that are connected now, by hub,
// device and module.
func (c *Cloud) Connections() []Connection {
	c.mu.Lock()
	all := make([]Connection, 0, len(c.connections))
	for _, connected := range c.connections {
		all = append(all, connected.view())
	}
	c.mu.Unlock()
	slices.SortFunc(all, func(a, b Connection) int {
		return cmp.Or(cmp.Compare(a.Hub, b.Hub), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Module, b.Module))
	})
	return all
}
