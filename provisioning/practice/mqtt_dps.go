package practice

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"edgewright/provisioning/practice/mqtt"
	"edgewright/provisioning/wire"
)

// Topics of DPS.
//
// https://learn.microsoft.com/azure/iot-dps/iot-dps-mqtt-support
const (
	dpsAnswers  = "$dps/registrations/res/"
	dpsRegister = "$dps/registrations/PUT/iotdps-register/"
	dpsPoll     = "$dps/registrations/GET/iotdps-get-operationstatus/"
)

// dpsPeer is a device that registers over MQTT.
type dpsPeer struct {
	s *session
	a applicant
}

// connectDPS lets a device in that an enrollment knows.
func (s *session) connectDPS(ctx context.Context, u userName, shown credential) mqtt.Code {
	leave, err := s.c.enter(ctx)
	if err != nil {
		return mqtt.Unavailable
	}
	defer leave()
	p := &dpsPeer{s: s, a: applicant{scope: u.scope, id: u.first, shown: shown}}
	code := mqtt.NotAuthorized
	t := &transaction{c: s.c, now: s.c.now(), tracking: newTrackingID()}
	err = s.c.transact(ctx, t, func() {
		if _, _, refused := t.registrant(p.a); refused == nil {
			s.peer, code = p, mqtt.Accepted
			s.c.happened(p.event(EventConnected, ""))
		}
	})
	if err != nil {
		return mqtt.Unavailable
	}
	return code
}

func (p *dpsPeer) subscribe(filter mqtt.Filter) byte {
	if filter.Topic != dpsAnswers+"#" {
		return mqtt.Failure
	}
	return min(filter.QoS, 1)
}

func (p *dpsPeer) unsubscribe(string)                   {}
func (p *dpsPeer) acknowledged(context.Context, uint16) {}
func (p *dpsPeer) joined()                              {}
func (p *dpsPeer) left(context.Context)                 { p.s.c.happened(p.event(EventDisconnected, p.s.reason())) }

// publish carries out a register or poll call as the device plane over HTTPS
// does, faults and limits included.
func (p *dpsPeer) publish(ctx context.Context, m mqtt.Packet) bool {
	route, text, found := strings.Cut(m.Topic, "?")
	query, err := url.ParseQuery(text)
	if !found || err != nil || route != dpsRegister && route != dpsPoll {
		return false
	}
	begin := time.Now()
	t := &transaction{c: p.s.c, now: p.s.c.now(), tracking: newTrackingID()}
	answered := p.answer(ctx, t, route, query, m.Payload)
	reply := dpsAnswers + strconv.Itoa(answered.status) + "/?$rid=" + query.Get("$rid")
	if wait := answered.header["Retry-After"]; wait != "" {
		reply += "&retry-after=" + wait
	}
	p.s.push(mqtt.NewPublish(reply, answered.body, 0, false, 0), nil)
	p.s.c.logged(Request{Time: t.now, Method: mqtt.Publish.String(), Host: globalName, Path: strings.TrimSuffix(route, "/") + "/" + wire.CleanID(p.a.id), Status: answered.status, Code: answered.code,
		CorrelationID: t.tracking, Duration: time.Since(begin)})
	return true
}

func (p *dpsPeer) answer(ctx context.Context, t *transaction, route string, query url.Values, payload []byte) (answered answer) {
	op, method, path := opFree, http.MethodGet, "/"+p.a.scope+"/registrations/"+p.a.id+"/operations/"+query.Get("operationId")
	if route == dpsRegister {
		op, method, path = opRegister, http.MethodPut, "/"+p.a.scope+"/registrations/"+p.a.id+"/register"
	}
	drawn := p.s.c.faults.draw(method, path)
	if drawn.delay > 0 {
		_ = sleep(ctx, drawn.delay)
	}
	if drawn.status != 0 {
		return t.dpsError(drawn.status*1000, "The service does not answer now.")
	}
	if !p.s.c.admit(ctx, "", op, 1) {
		return t.dpsError(http.StatusTooManyRequests*1000, "Throttled: wait before the next call.")
	}
	leave, err := p.s.c.enter(ctx)
	if err != nil {
		return t.dpsError(http.StatusServiceUnavailable*1000, "The service is unavailable.")
	}
	defer leave()
	err = p.s.c.transact(ctx, t, func() {
		if route == dpsRegister {
			answered = t.registerDevice(p.a, payload, false)
		} else {
			answered = t.pollOperation(p.a, query.Get("operationId"))
		}
	})
	if err != nil {
		return t.dpsError(http.StatusInternalServerError*1000, "The practice cloud cannot do this now.")
	}
	return answered
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
