package practice

import (
	"net/http"
	"strconv"

	"edgewright/provisioning/wire"
)

// appHeader begins the names of headers that carry application properties.
const appHeader = "iothub-app-"

// receiveMessage gives the next cloud-to-device message and locks it for a
// minute; 204 if there is none.
func (x *exchange) receiveMessage() answer {
	d, _, refused := x.allowClient()
	if refused != nil {
		return *refused
	}
	x.touch(d, nil)
	q := x.nextMessage(d, messageLock)
	if q == nil {
		return x.noContent()
	}
	return answer{status: http.StatusOK, header: q.header(d.Identity.DeviceID), body: append([]byte{}, q.Body...)}
}

// completeMessage takes a message off the queue; with the parameter reject the
// device says that it cannot use it.
func (x *exchange) completeMessage() answer {
	if x.r.URL.Query().Has("reject") {
		return x.settle(rejected)
	}
	return x.settle(completed)
}

// abandonMessage puts a message back into the queue.
func (x *exchange) abandonMessage() answer { return x.settle(abandoned) }

func (x *exchange) settle(how fate) answer {
	d, _, refused := x.allowClient()
	if refused != nil {
		return *refused
	}
	x.touch(d, nil)
	if !x.settleMessage(d, unquoteETag(x.vars["lock"]), how) {
		return x.hubError("DeviceMessageLockLost", "The lock token is not, or no longer, that of a message.")
	}
	return x.noContent()
}

// purgeCommands empties the queue of a device for the service.
func (x *exchange) purgeCommands() answer {
	if a := x.allow(serviceConnect); a != nil {
		return *a
	}
	d := x.hub.devices[x.vars["device"]]
	if d == nil {
		return *x.deviceNotFound(x.vars["device"])
	}
	var result struct {
		Purged int    `json:"totalMessagesPurged"`
		Device string `json:"deviceId"`
	}
	result.Purged, result.Device = x.purgeMessages(d), d.Identity.DeviceID
	return x.json(http.StatusOK, result)
}

// header is a message as HTTPS delivers it.
func (q *queued) header(device string) map[string]string {
	header := map[string]string{
		"ETag":                  `"` + q.lock + `"`,
		"IoTHub-MessageId":      q.ID,
		"IoTHub-To":             q.to(device),
		"IoTHub-Expiry":         string(wire.AppendTime(nil, q.Expires)),
		"IoTHub-EnqueuedTime":   string(wire.AppendTime(nil, q.Enqueued)),
		"IoTHub-SequenceNumber": strconv.FormatInt(q.Number, 10),
		"IoTHub-DeliveryCount":  strconv.Itoa(q.Deliveries),
		"Content-Type":          "application/octet-stream",
	}
	for name, value := range map[string]string{"IoTHub-CorrelationId": q.CorrelationID, "IoTHub-UserId": q.UserID, "IoTHub-Ack": q.Ack,
		"IoTHub-ContentType": q.ContentType, "IoTHub-ContentEncoding": q.ContentEncoding} {
		if value != "" {
			header[name] = value
		}
	}
	for name, value := range q.Properties {
		header[appHeader+name] = value
	}
	return header
}
