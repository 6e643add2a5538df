package practice

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/wire"
)

func (b *bench) putSchedule(id, more string) scheduledJob {
	b.Helper()
	body := fmt.Sprintf(`{"jobId":%q,"type":"scheduleUpdateTwin","updateTwin":{"etag":"*","tags":{"by":%q},"properties":{"desired":{"x":1}}}%s}`, id, id, more)
	return into[scheduledJob](b, b.want(b.hubDo("PUT", "/jobs/v2/"+id, body), 200, ""))
}

func (b *bench) schedule(id string) scheduledJob {
	b.Helper()
	return into[scheduledJob](b, b.want(b.hubDo("GET", "/jobs/v2/"+id, ""), 200, ""))
}

// reaches waits until a scheduled job has a status.
func (b *bench) reaches(id, status string) scheduledJob {
	b.Helper()
	for {
		if j := b.schedule(id); j.Status == status {
			return j
		}
		if b.Context().Err() != nil {
			b.Fatalf("%s does not become %s", id, status)
		}
		b.background.pokeSchedules() // the test's clock may have moved
		time.Sleep(time.Millisecond)
	}
}

func TestScheduledJobUpdatesTwins(t *testing.T) {
	b := open(t, Options{})
	b.fleet(250)
	made := b.putSchedule("now", `,"queryCondition":"tags.line IN [1, 2]"`)
	if made.Status != jobQueued || made.StartTime == nil || made.CreatedTime == nil || made.MaxExecutionTimeInSeconds != 3600 {
		t.Errorf("made %+v", made)
	}
	done := b.reaches("now", jobCompleted)
	if s := done.DeviceJobStatistics; s.DeviceCount != 6 || s.SucceededCount != 6 || s.FailedCount+s.RunningCount+s.PendingCount != 0 || done.EndTime == nil {
		t.Errorf("done %+v %+v", done, s)
	}
	found := b.want(b.hubDo("POST", "/devices/query", `{"query":"SELECT deviceId FROM devices WHERE tags.by = 'now' AND properties.desired.x = 1 AND properties.desired.interval = 30"}`), 200, "")
	if rows := into[[]any](t, found); len(rows) != 6 {
		t.Errorf("%d twins changed", len(rows))
	}
	// What it did to each device can be asked for, page by page.
	type row struct{ DeviceID, JobID, JobType, Status string }
	var rows []row
	for token := ""; ; {
		page := b.want(b.hubDo("POST", "/devices/query", `{"query":"SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'now' AND devices.jobs.status = 'completed'"}`,
			wire.HeaderMaxItemCount, "4", wire.HeaderContinuation, token), 200, "")
		if page.header.Get(wire.HeaderItemType) != "DeviceJob" {
			t.Errorf("item type %q", page.header.Get(wire.HeaderItemType))
		}
		rows = append(rows, into[[]row](t, page)...)
		if token = page.header.Get(wire.HeaderContinuation); token == "" {
			break
		}
	}
	if len(rows) != 6 || rows[0].JobType != jobUpdateTwin || rows[0].JobID != "now" || rows[0].DeviceID == rows[5].DeviceID {
		t.Errorf("rows %+v", rows)
	}
	if count := b.want(b.hubDo("POST", "/devices/query", `{"query":"SELECT COUNT() AS n FROM devices.jobs GROUP BY status"}`), 200, ""); !strings.Contains(count.body, `"n":6`) {
		t.Errorf("counted %s", count.body)
	}
	c := b.reopened()
	if again := into[[]row](t, c.want(c.hubDo("POST", "/devices/query", `{"query":"SELECT * FROM devices.jobs"}`), 200, "")); len(again) != 6 {
		t.Errorf("%d rows after a restart", len(again))
	}
	// Modules are targets, too, and refusals are counted.
	c.makeDevice("gate", true)
	c.want(c.hubDo("PATCH", "/twins/gate/modules/$edgeHub", `{"tags":{"fill":"`+strings.Repeat("x", 4000)+`","more":"`+strings.Repeat("x", 4000)+`"}}`), 200, "")
	body := `{"type":"scheduleUpdateTwin","queryCondition":"FROM devices.modules WHERE deviceId = 'gate'","updateTwin":{"tags":{"by":"` + strings.Repeat("y", 300) + `"}}}`
	c.want(c.hubDo("PUT", "/jobs/v2/modules", body), 200, "")
	if s := c.reaches("modules", jobCompleted).DeviceJobStatistics; s.DeviceCount != 2 || s.FailedCount != 1 || s.SucceededCount != 1 {
		t.Errorf("modules %+v", s)
	}
	if failed := c.hubDo("POST", "/devices/query", `{"query":"SELECT deviceId, moduleId, error FROM devices.jobs WHERE status = 'failed'"}`); !strings.Contains(failed.body, `"moduleId":"$edgeHub"`) || !strings.Contains(failed.body, "ArgumentInvalid") {
		t.Errorf("failed %s", failed.body)
	}
}

func TestScheduledJobsWaitEndAndAreListed(t *testing.T) {
	b := open(t, Options{})
	b.makeDevice("d", false)
	later := b.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if j := b.putSchedule("later", `,"queryCondition":"*","startTime":"`+later+`"`); j.Status != jobScheduled {
		t.Errorf("later %+v", j)
	}
	b.putSchedule("cancelled", `,"queryCondition":"*","startTime":"`+later+`"`)
	if j := into[scheduledJob](t, b.want(b.hubDo("POST", "/jobs/v2/cancelled/cancel", ""), 200, "")); j.Status != jobCancelled || j.EndTime == nil {
		t.Errorf("cancelled %+v", j)
	}
	b.want(b.hubDo("POST", "/jobs/v2/cancelled/cancel", ""), 400, "InvalidOperation")
	b.want(b.hubDo("POST", "/jobs/v2/none/cancel", ""), 404, "JobNotFound")
	if j := b.schedule("none"); j.Type != jobUnknown || j.Status != jobUnknown || j.JobID != "none" {
		t.Errorf("unknown %+v", j)
	}
	b.wantDesired("d", `{}`)
	c := b.reopened()
	c.clock = b.clock // which the cloud still has
	if j := c.schedule("later"); j.Status != jobScheduled {
		t.Errorf("after a restart %+v", j)
	}
	b.clock.advance(time.Hour + time.Second)
	c.reaches("later", jobCompleted)
	c.wantDesired("d", `{"x":1}`)
	// One that begins too late has failed.
	soon := b.clock.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	c.putSchedule("late", `,"queryCondition":"*","startTime":"`+soon+`","maxExecutionTimeInSeconds":5`)
	b.clock.advance(2 * time.Minute)
	if j := c.reaches("late", jobFailed); j.FailureReason == "" {
		t.Errorf("late %+v", j)
	}
	list := func(query string, header ...string) []scheduledJob {
		return into[[]scheduledJob](t, c.want(c.hubDo("GET", "/jobs/v2/query"+query, "", header...), 200, ""))
	}
	if all := list(""); len(all) != 3 || all[0].JobID != "late" || all[2].JobID != "later" {
		t.Errorf("list %+v", all)
	}
	if done := list("?jobType=scheduleUpdateTwin&jobStatus=Completed"); len(done) != 1 || done[0].JobID != "later" {
		t.Errorf("completed %+v", done)
	}
	if other := list("?jobType=scheduleDeviceMethod"); len(other) != 0 {
		t.Errorf("methods %+v", other)
	}
	first := c.want(c.hubDo("GET", "/jobs/v2/query", "", wire.HeaderMaxItemCount, "2"), 200, "")
	rest := list("", wire.HeaderMaxItemCount, "2", wire.HeaderContinuation, first.header.Get(wire.HeaderContinuation))
	if len(rest) != 1 || rest[0].JobID != "later" || first.header.Get(wire.HeaderItemType) != "JobResponse" {
		t.Errorf("second page %+v", rest)
	}
	c.want(c.hubDo("GET", "/jobs/v2/query", "", wire.HeaderContinuation, "x"), 400, "ArgumentInvalid")
	c.want(c.hubDo("GET", "/jobs/v2/query", "", wire.HeaderMaxItemCount, "x"), 400, "ArgumentInvalid")
	b.clock.advance(jobHistory + time.Hour)
	c.putSchedule("new", `,"queryCondition":"*"`)
	if all := list(""); len(all) != 1 {
		t.Errorf("after a month %+v", all)
	}
}

func TestScheduledJobsAreRefused(t *testing.T) {
	b := open(t, Options{})
	for body, code := range map[string]string{
		`{"jobId":"other","type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a":1}}}`:                "ArgumentInvalid",
		`{"type":"rebootDevice","queryCondition":"*"}`:                                                                    "ArgumentInvalid",
		`{"type":"scheduleUpdateTwin","updateTwin":{"tags":{"a":1}}}`:                                                     "ArgumentInvalid",
		`{"type":"scheduleUpdateTwin","queryCondition":"deviceId ==","updateTwin":{"tags":{"a":1}}}`:                      "ArgumentInvalid",
		`{"type":"scheduleUpdateTwin","queryCondition":"*"}`:                                                              "ArgumentInvalid",
		`{"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a.b":1}}}`:                              "ArgumentInvalid",
		`{"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a":1}},"startTime":"tomorrow"}`:         "DeserializationError",
		`{"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a":1}},"maxExecutionTimeInSeconds":-1}`: "ArgumentInvalid",
	} {
		b.want(b.hubDo("PUT", "/jobs/v2/j", body), 400, code)
	}
	later := b.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for i := range 10 {
		b.putSchedule(fmt.Sprintf("j%d", i), `,"queryCondition":"*","startTime":"`+later+`"`)
	}
	b.want(b.hubDo("PUT", "/jobs/v2/j1", `{"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a":1}}}`), 409, "JobAlreadyExists")
	b.want(b.hubDo("PUT", "/jobs/v2/more", `{"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a":1}}}`), 429, "ThrottlingMaxActiveJobCountExceeded")
	b.want(b.do(call{method: "PUT", path: "/jobs/v2/j", body: `{}`, auth: b.policyToken("registryRead")}), 401, "IotHubUnauthorizedAccess")
	b.want(b.do(call{method: "GET", path: "/jobs/v2/query", auth: b.policyToken("service")}), 401, "IotHubUnauthorizedAccess")
}

// A job is done in steps, each on disk with what it changed, and goes on after a
// restart where it was: no device is changed twice.
func TestScheduledJobGoesOnAfterARestart(t *testing.T) {
	const devices = 2*stepWrites + 100
	b := open(t, Options{})
	b.fleet(devices)
	b.act(func(x *transaction) {
		s := &schedule{Made: 1, Job: scheduledJob{JobID: "half", Type: jobUpdateTwin, Status: jobQueued, QueryCondition: "*", CreatedTime: wire.At(x.now),
			StartTime: wire.At(x.now), MaxExecutionTimeInSeconds: 3600, UpdateTwin: []byte(`{"tags":{"by":"half"}}`), DeviceJobStatistics: &jobStatistics{}}}
		x.hub.schedules["half"] = s
		x.runSchedule(s)
		if s.ended() || len(s.rows) == 0 {
			t.Errorf("one step did %d rows, status %s", len(s.rows), s.Job.Status)
		}
		x.store(scheduleKey(x.hub, "half"), s)
	})
	c := b.reopened()
	if s := c.reaches("half", jobCompleted).DeviceJobStatistics; s.DeviceCount != devices || s.SucceededCount != devices {
		t.Errorf("statistics %+v", s)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.state.hubs[defaultHub].ordered {
		if d.Twin.Version != 4 {
			t.Fatalf("%s has version %d", d.Identity.DeviceID, d.Twin.Version)
		}
	}
}
