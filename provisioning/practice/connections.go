package practice

// connection is a device or module that is connected now.
type connection interface {
	// desired hands on desired properties that have changed: what changed, or
	// all of them after a replacement, with the version that they have now. It
	// does not wait; the client hears of it once written is done.
	desired(version int64, changed map[string]any, written *batch)
}

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
