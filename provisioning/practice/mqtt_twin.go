package practice

import (
	"context"
	"encoding/json"
	"net/http"

	"edgewright/provisioning/practice/mqtt"
	"edgewright/provisioning/wire"
)

func (p *hubPeer) getTwin(ctx context.Context, request string) bool {
	const topic = "$iothub/twin/GET"
	if refused := p.hold(ctx, topic, opTwinRead); refused != nil {
		p.refuse(topic, request, *refused)
		return true
	}
	p.log(mqtt.Publish, topic, true)
	var twin json.RawMessage
	if !p.act(ctx, func(t *transaction, d *device, m *module) { p.active(t, d, m); twin = t.deviceTwin(d, m) }) {
		return false
	}
	p.s.push(mqtt.NewPublish("$iothub/twin/res/200/?$rid="+request, twin, 0, false, 0), nil)
	return true
}

// hold applies faults and limits to a request about the twin; what it gives
// stands in the place of the answer.
func (p *hubPeer) hold(ctx context.Context, topic string, op operation) *identityError {
	switch drawn := p.misbehave(ctx, topic); {
	case drawn.status == http.StatusTooManyRequests || !p.s.c.admit(ctx, p.label, op, 1):
		return &identityError{"ThrottlingException", "The hub is busy."}
	case drawn.status == http.StatusServiceUnavailable:
		return &identityError{"ServiceUnavailable", "The service is unavailable."}
	case drawn.status != 0:
		return &identityError{"ServerError", "The service failed."}
	}
	return nil
}

// refuse answers a request about the twin with a failure. azure-iot-device knows
// it by the number in the body, whatever the topic's status.
func (p *hubPeer) refuse(topic, request string, why identityError) {
	p.log(mqtt.Publish, topic, false)
	row, ok := wire.HubErrorByName(why.name)
	if !ok || row.Code == 0 {
		row, _ = wire.HubErrorByName("ArgumentInvalid")
	}
	body, _ := json.Marshal(wire.HubErrorDetail{ErrorCode: row.Code, Message: why.text, TrackingID: newTrackingID(), TimestampUTC: p.s.c.now().UTC().Format("01/02/2006 15:04:05")})
	p.s.push(mqtt.NewPublish("$iothub/twin/res/"+formatInt(int64(row.Status))+"/?$rid="+request, body, 0, false, 0), nil)
}

// report merges reported properties.
func (p *hubPeer) report(ctx context.Context, request string, payload []byte) bool {
	const topic = "$iothub/twin/PATCH/properties/reported"
	if refused := p.hold(ctx, topic, opTwinUpdate); refused != nil {
		p.refuse(topic, request, *refused)
		return true
	}
	var patch map[string]any
	var version int64
	refused := &identityError{"DeserializationError", "The reported properties are no JSON object."}
	if json.Unmarshal(payload, &patch) == nil && patch != nil {
		if !p.act(ctx, func(t *transaction, d *device, m *module) {
			p.active(t, d, m)
			version, refused = t.reportProperties(d, m, patch)
		}) {
			return false
		}
	}
	if refused != nil {
		p.refuse(topic, request, *refused)
		return true
	}
	p.log(mqtt.Publish, topic, true)
	p.s.push(mqtt.NewPublish("$iothub/twin/res/204/?$rid="+request+"&$version="+formatInt(version), nil, 0, false, 0), nil)
	return true
}
