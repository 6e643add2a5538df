package practice

import (
	"strings"
	"testing"
)

func TestScheduledJobCallsMethods(t *testing.T) {
	b := onStage(t)
	on := b.makeDevice("on", false)
	b.makeDevice("off", false)
	b.answersMethods(b.upstream(on))
	b.want(b.hubDo("PUT", "/jobs/v2/call", `{"type":"scheduleDeviceMethod","queryCondition":"deviceId IN ['on', 'off']","cloudToDeviceMethod":{"methodName":"flash","payload":{"n":2},"responseTimeoutInSeconds":5}}`), 200, "")
	done := b.reaches("call", jobCompleted)
	if s := done.DeviceJobStatistics; s.DeviceCount != 2 || s.SucceededCount != 1 || s.FailedCount != 1 || !strings.Contains(string(done.Method), `"flash"`) {
		t.Errorf("done %+v %+v", done, s)
	}
	rows := b.want(b.hubDo("POST", "/devices/query", `{"query":"SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'call'"}`), 200, "").body
	for _, part := range []string{`"outcome":{"deviceMethodResponse":{"payload":{"got":{"n":2},"name":"flash"},"status":207}}`, `"code":"DeviceNotOnline"`} {
		if !strings.Contains(rows, part) {
			t.Errorf("no %s in %s", part, rows)
		}
	}
	for name, body := range map[string]string{
		"no method":  `{"type":"scheduleDeviceMethod","queryCondition":"*"}`,
		"no name":    `{"type":"scheduleDeviceMethod","queryCondition":"*","cloudToDeviceMethod":{"payload":1}}`,
		"short wait": `{"type":"scheduleDeviceMethod","queryCondition":"*","cloudToDeviceMethod":{"methodName":"x","responseTimeoutInSeconds":1}}`,
	} {
		if got := b.hubDo("PUT", "/jobs/v2/bad", body); got.status != 400 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
}

// A job that is cancelled while a device keeps it waiting stays cancelled, and
// the cloud ends without waiting for the device.
func TestScheduledMethodsAreCancelled(t *testing.T) {
	b := onStage(t)
	b.hears(b.upstream(b.makeDevice("silent", false)))
	b.want(b.hubDo("PUT", "/jobs/v2/call", `{"type":"scheduleDeviceMethod","queryCondition":"*","cloudToDeviceMethod":{"methodName":"x","responseTimeoutInSeconds":300}}`), 200, "")
	b.reaches("call", jobRunning)
	b.want(b.hubDo("POST", "/jobs/v2/call/cancel", ""), 200, "")
	if done := b.schedule("call"); done.Status != jobCancelled || done.DeviceJobStatistics.DeviceCount != 0 {
		t.Errorf("%+v", done)
	}
}
