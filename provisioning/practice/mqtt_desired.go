package practice

import (
	"encoding/json"
	"maps"

	"edgewright/provisioning/practice/mqtt"
)

// desired sends changed desired properties, if the client hears them.
func (p *hubPeer) desired(version int64, changed map[string]any, written *batch) {
	if !p.hearing(topicDesired) {
		return
	}
	body := maps.Clone(changed)
	if body == nil {
		body = map[string]any{}
	}
	body["$version"] = version
	payload, err := json.Marshal(body)
	if err != nil {
		return // it was JSON before
	}
	p.s.push(mqtt.NewPublish("$iothub/twin/PATCH/properties/desired/?$version="+formatInt(version), payload, 0, false, 0), written)
}

// recheck ends the connection if its credential opens nothing any more, because
// the identity is gone, disabled or has other keys.
func (p *hubPeer) recheck(t *transaction) {
	if _, _, ok := t.client(p.shown, p.device, p.module); !ok {
		p.s.closeFor(EndIdentity)
	}
}

func (p *hubPeer) close(reason string) { p.s.closeFor(reason) }
