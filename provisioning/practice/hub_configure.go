package practice

import (
	"maps"
	"slices"
	"strings"

	"edgewright/provisioning/wire"
)

// Configurations reach the twins when one comes, changes or goes, and when
// something of a device changes. A twin is written only when other
// configurations apply to it than before, so what a person writes stays until
// then, and what no configuration covers any more stays as it is.
//
// IoT Hub does the same within minutes; here a change of a device is followed
// in its own transaction, and a configuration is rolled out in slices.

// configure puts a device and its modules under the configurations that now
// target them.
func (t *transaction) configure(d *device) {
	t.configureTwin(d, nil, configureDevices)
	if agent := d.modules["$edgeAgent"]; agent != nil {
		t.deploy(d, agent)
	}
	for _, id := range sortedIDs(d.modules) {
		if !isSystemModule(id) {
			t.configureTwin(d, d.modules[id], configureModules)
		}
	}
}

// targeting gives the configurations of a kind that target a twin, from the
// lowest priority to the highest.
func (t *transaction) targeting(d *device, m *module, kind configurationKind) (found []*configuration) {
	document := &twinDocument{d: d, m: m}
	for _, c := range t.hub.ranked {
		if c.parsed.kind == kind && c.targets(document) {
			found = append(found, c)
		}
	}
	return found
}

// isUnder tells whether a twin is under these configurations already.
func (t *twin) isUnder(all []*configuration) bool {
	if t.Configurations == nil {
		return len(all) == 0
	}
	return slices.EqualFunc(t.Configurations.Placed, all, func(p placed, c *configuration) bool { return p.ID == c.ID && p.Made == c.Made })
}

// configureTwin puts a twin of a device or module under the configurations that
// target it. All of them write; where two write the same, the higher wins.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-automatic-device-management
func (t *transaction) configureTwin(d *device, m *module, kind configurationKind) {
	all := t.targeting(d, m, kind)
	if twinOf(d, m).isUnder(all) {
		return
	}
	var writes, higher []assignment
	places := make([]placed, len(all))
	for _, c := range all {
		writes = append(writes, c.parsed.own...)
	}
	for i := len(all) - 1; i >= 0; i-- {
		places[i] = placed{all[i].ID, all[i].Made, !isCovered(all[i].parsed.own, higher)}
		higher = append(higher, all[i].parsed.own...)
	}
	t.place(d, m, places, t.write(d, m, writes))
}

// deploy puts an edge device under the deployments that target it: the full one
// with the highest priority, and on top of it the layers whose priority is
// higher. Layers without a full one below wait for it.
//
// https://learn.microsoft.com/azure/iot-edge/module-deployment-monitoring
func (t *transaction) deploy(d *device, agent *module) {
	all := t.targeting(d, nil, configureEdge)
	if agent.Twin.isUnder(all) {
		return
	}
	base := -1
	for i, c := range all {
		if c.parsed.isFull() {
			base = i
		}
	}
	writes := map[string][]assignment{}
	places := make([]placed, len(all))
	for i, c := range all {
		applies := base >= 0 && i >= base
		places[i] = placed{c.ID, c.Made, applies}
		if applies {
			for id, own := range c.parsed.modules {
				writes[id] = append(writes[id], own...)
			}
		}
	}
	t.place(d, agent, places, t.deployModules(d, writes))
}

// place puts a twin under its stack. Where the content could not be written,
// nothing is applied.
func (t *transaction) place(d *device, m *module, places []placed, refused *identityError) {
	for i := range places {
		places[i].Applied = places[i].Applied && refused == nil
	}
	twinOf(d, m).join(t.hub.sharedStack(places))
	t.storeTwin(d, m)
}

// deployModules writes the desired properties of the modules of an edge device
// and makes the identities of those that it is to run.
func (t *transaction) deployModules(d *device, writes map[string][]assignment) *identityError {
	for _, id := range slices.Sorted(maps.Keys(writes)) {
		m := d.modules[id]
		if m == nil {
			if m = t.deployedModule(d, id); m == nil {
				continue
			}
		}
		if refused := t.write(d, m, writes[id]); refused != nil {
			return refused
		}
	}
	for _, m := range d.modules["$edgeAgent"].Twin.Desired.inside("modules") {
		if d.modules[m.name] == nil && wire.ValidateModuleID(m.name) == nil {
			t.deployedModule(d, m.name)
		}
	}
	return nil
}

// deployedModule makes the identity of a module that a deployment names; nil if
// the device has as many as it may have. Its keys come from the device's
// identity service.
func (t *transaction) deployedModule(d *device, id string) *module {
	if isSystemModule(id) || d.ownModules() >= maxModules {
		return nil
	}
	return t.addModule(d, wire.Module{ModuleID: id, ManagedBy: "iotEdge", Authentication: &wire.Authentication{Type: wire.AuthNone}})
}

// write makes assignments to the desired properties of a twin, in their order.
// What does not change is not written, nor told.
func (t *transaction) write(d *device, m *module, all []assignment) *identityError {
	before := twinOf(d, m).Desired
	next := before.decoded()
	for _, a := range all {
		next = assign(next, a)
	}
	patch := before.patchTo(next)
	if len(patch) == 0 {
		return nil
	}
	return t.changeTwin(d, m, twinChange{desired: patch})
}

// decoded is the object as encoding/json decodes it.
func (o object) decoded() map[string]any {
	decoded := make(map[string]any, len(o))
	for _, m := range o {
		decoded[m.name] = decodedValue(m.value)
	}
	return decoded
}

func decodedValue(value any) any {
	switch value := value.(type) {
	case object:
		return value.decoded()
	case []any:
		made := make([]any, len(value))
		for i, element := range value {
			made[i] = decodedValue(element)
		}
		return made
	}
	return value
}

// patchTo gives the merge patch (RFC 7396) that makes the object what is
// wanted; empty if it is so already.
func (o object) patchTo(wanted map[string]any) map[string]any {
	patch := map[string]any{}
	for _, m := range o {
		if _, stays := wanted[m.name]; !stays {
			patch[m.name] = nil
		}
	}
	for name, value := range wanted {
		have, exists := o.Member(name)
		inner, wasObject := have.(object)
		members, isObject := value.(map[string]any)
		switch {
		case wasObject && isObject:
			if changes := inner.patchTo(members); len(changes) > 0 {
				patch[name] = changes
			}
		case !exists || string(appendValue(nil, have)) != string(appendValue(nil, newValue(value))):
			patch[name] = value
		}
	}
	return patch
}

// settle follows the changes of this transaction with the configurations that
// now target what has changed.
func (t *transaction) settle() {
	changed := t.changed
	before, last := t.hub, objectKey{}
	for _, key := range changed {
		parts := strings.SplitN(key.id, "/", 3)
		if key = (objectKey{kindDevice, parts[0] + "/" + parts[1]}); key == last {
			continue
		}
		last = key
		h := t.c.state.hubs[parts[0]]
		h.version++
		if d := h.devices[parts[1]]; d != nil && h.configures() {
			t.hub = h
			t.configure(d)
			h.recount(d)
		}
	}
	t.hub = before
}

// configures tells a hub that has or had configurations.
func (h *hub) configures() bool { return len(h.configurations) > 0 || len(h.stacks) > 0 }

// recount follows what a device has reported.
func (h *hub) recount(d *device) {
	d.Twin.recount()
	for _, m := range d.modules {
		m.Twin.recount()
	}
}
