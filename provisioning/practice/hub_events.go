package practice

import (
	"mime"
	"strconv"

	"edgewright/provisioning/wire"
)

// sendEvent takes a telemetry message, or a batch of them, and forgets it, from a
// device or module itself or by a policy with DeviceConnect. The limit holds for
// all that one request brings.
func (x *exchange) sendEvent() answer {
	d, m, refused := x.allowClient()
	if refused != nil {
		return *refused
	}
	x.touch(d, m)
	kind, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type")) // another kind is anything
	var size int
	var wrong *identityError
	if kind == batchType {
		size, wrong = batchSize(x.body)
	} else {
		size, wrong = eventSize(x.r.Header, x.body)
	}
	if wrong == nil && size > maxMessage {
		wrong = &identityError{"MessageTooLarge", "The message has more than " + strconv.Itoa(maxMessage) + " bytes."}
	}
	if wrong != nil {
		return x.hubError(wrong.name, wrong.text)
	}
	return x.noContent()
}

// allowClient guards the device plane: it finds the device, and the module if
// the path names one, and lets it pass itself or a policy with DeviceConnect.
func (x *exchange) allowClient() (*device, *module, *answer) {
	id, wanted := x.vars["module"]
	d, m, ok := x.client(x.shown, x.vars["device"], id)
	switch {
	case ok && (m != nil || !wanted):
		return d, m, nil
	case m != nil:
		return nil, nil, x.stranger(m.Identity.Authentication)
	case d != nil && !wanted:
		return nil, nil, x.stranger(d.Identity.Authentication)
	}
	return nil, nil, x.unauthorized()
}

// client finds an enabled device, and its module unless that ID is empty, and
// tells whether the caller may speak for it. Whatever it finds comes back also
// if not.
func (t *transaction) client(shown credential, deviceID, moduleID string) (d *device, m *module, ok bool) {
	if d = t.hub.devices[deviceID]; d == nil || d.Identity.Status != wire.StatusEnabled {
		return nil, nil, false
	}
	path := []string{"devices", deviceID}
	if moduleID != "" {
		if m = d.modules[moduleID]; m == nil {
			return nil, nil, false
		}
		path = append(path, "modules", moduleID)
	}
	if m == nil && t.asDevice(shown, d) || m != nil && t.asModule(shown, d, m) {
		return d, m, true
	}
	return d, m, t.policyAllows(shown, deviceConnect, path...)
}
