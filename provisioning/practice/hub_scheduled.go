package practice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"edgewright/provisioning/practice/query"
	"edgewright/provisioning/wire"
)

// Types and further states of scheduled jobs.
const (
	jobUpdateTwin = "scheduleUpdateTwin"
	jobMethod     = "scheduleDeviceMethod"

	jobQueued    = "queued"
	jobScheduled = "scheduled"
)

// defaultExecutionTime is how long a scheduled job may run if the caller does
// not say (assumed).
const defaultExecutionTime = time.Hour

// scheduledJob changes the twins of many devices at a time or calls a method on
// them, as stored and as shown.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-jobs
type scheduledJob struct {
	JobID                     string          `json:"jobId"`
	Type                      string          `json:"type"`
	Status                    string          `json:"status"`
	QueryCondition            string          `json:"queryCondition,omitempty"`
	CreatedTime               *wire.Time      `json:"createdTime,omitempty"`
	StartTime                 *wire.Time      `json:"startTime,omitempty"`
	EndTime                   *wire.Time      `json:"endTime,omitempty"`
	MaxExecutionTimeInSeconds int64           `json:"maxExecutionTimeInSeconds,omitempty"`
	UpdateTwin                json.RawMessage `json:"updateTwin,omitempty"`
	Method                    json.RawMessage `json:"cloudToDeviceMethod,omitempty"`
	FailureReason             string          `json:"failureReason,omitempty"`
	StatusMessage             string          `json:"statusMessage,omitempty"`
	DeviceJobStatistics       *jobStatistics  `json:"deviceJobStatistics,omitempty"`
}

// jobStatistics count the devices, or modules, of a job.
type jobStatistics struct {
	DeviceCount    int `json:"deviceCount"`
	FailedCount    int `json:"failedCount"`
	SucceededCount int `json:"succeededCount"`
	RunningCount   int `json:"runningCount"`
	PendingCount   int `json:"pendingCount"`
}

// schedule is a scheduled job with how far it is, as stored.
type schedule struct {
	Job  scheduledJob
	Made int64  // ticks
	Next string // the device that the next step begins with
	Rows int    // slices of rows that are stored
	rows []deviceJob
}

// deviceJob is what a job did to one device or module.
type deviceJob struct {
	DeviceID string
	ModuleID string `json:",omitempty"`
	At       time.Time
	// Code and Text say why it failed; empty if it did not.
	Code string `json:",omitempty"`
	Text string `json:",omitempty"`
	// Outcome is the answer to a method, whatever its status.
	Outcome *methodOutcome `json:",omitempty"`
}

func (s *schedule) ended() bool {
	switch s.Job.Status {
	case jobScheduled, jobQueued, jobRunning:
		return false
	}
	return true
}

// IDs of scheduled jobs are HUB/JOB, those of their rows HUB/JOB/NUMBER.
func scheduleKey(h *hub, id string) objectKey { return objectKey{kindSchedule, h.label + "/" + id} }

func scheduleRowsKey(h *hub, id string, number int) objectKey {
	return objectKey{kindScheduleRows, fmt.Sprintf("%s/%s/%08d", h.label, id, number)}
}

// takeScheduleRows reads stored rows. They come in their order, after their
// jobs.
func (h *hub) takeScheduleRows(rest string, plain []byte) error {
	id, _, _ := strings.Cut(rest, "/")
	s := h.schedules[id]
	if s == nil {
		return fmt.Errorf("its job is missing")
	}
	var rows []deviceJob
	if err := json.Unmarshal(plain, &rows); err != nil {
		return err
	}
	s.rows = append(s.rows, rows...)
	return nil
}

// maxActiveJobs of a hub by its tier; without limits it is that of the largest.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-quotas-throttling
func (l Limits) maxActiveJobs() int {
	switch {
	case l.SKU == "F1" || l.SKU == "S1":
		return 1
	case l.SKU == "S2":
		return 5
	}
	return 10
}

// putSchedule makes a scheduled job; there is no changing one. It needs the
// rights of the registry.
//
// https://learn.microsoft.com/azure/iot-hub/schedule-jobs-node
func (x *exchange) putSchedule() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	id := x.vars["id"]
	var given scheduledJob
	if a := x.decode(&given); a != nil {
		return *a
	}
	given.JobID = cmp.Or(given.JobID, id)
	if refused := x.checkSchedule(given, id); refused != nil {
		return x.hubError(refused.name, refused.text)
	}
	active := 0
	for _, s := range x.hub.schedules {
		if !s.ended() {
			active++
		}
	}
	switch {
	case x.hub.schedules[id] != nil:
		return x.hubError("JobAlreadyExists", "The job "+id+" exists.")
	case active >= x.c.Limits().maxActiveJobs():
		return x.hubError("ThrottlingMaxActiveJobCountExceeded", "The hub has as many jobs under way as it may have.")
	}
	x.forgetSchedules()
	s := &schedule{Made: x.c.state.ticks(x.now), Job: scheduledJob{JobID: id, Type: given.Type, Status: jobQueued, QueryCondition: given.QueryCondition,
		CreatedTime: wire.At(x.now), StartTime: given.StartTime, UpdateTwin: given.UpdateTwin, Method: given.Method, DeviceJobStatistics: &jobStatistics{},
		MaxExecutionTimeInSeconds: cmp.Or(given.MaxExecutionTimeInSeconds, int64(defaultExecutionTime/time.Second))}}
	if given.StartTime.Moment().IsZero() {
		s.Job.StartTime = wire.At(x.now)
	}
	if s.Job.StartTime.After(x.now) {
		s.Job.Status = jobScheduled
	}
	x.hub.schedules[id] = s
	x.store(scheduleKey(x.hub, id), s)
	background := x.c.background
	x.notify(func(*batch) { background.pokeSchedules() })
	return x.json(http.StatusOK, s.Job)
}

// checkSchedule refuses what cannot be done.
func (x *exchange) checkSchedule(given scheduledJob, id string) *identityError {
	// Assumed: a job has an ID as a device has.
	if err := wire.ValidateDeviceID(id); err != nil {
		return invalid("jobId: %s", err)
	}
	if given.JobID != id {
		return invalid("jobId of the body is not that of the path")
	}
	if given.Type != jobUpdateTwin && given.Type != jobMethod {
		return invalid("type is %s or %s", jobUpdateTwin, jobMethod)
	}
	if given.MaxExecutionTimeInSeconds < 0 {
		return invalid("maxExecutionTimeInSeconds is negative")
	}
	condition, err := parseCondition(given.QueryCondition)
	if err != nil || condition == nil {
		return invalid("queryCondition is missing or not a condition: %v", err)
	}
	if given.Type == jobMethod {
		_, refused := readMethod(given.Method)
		return refused
	}
	change, refused := readTwinChange(given.UpdateTwin)
	if refused != nil {
		return refused
	}
	_, refused = (&twin{}).changed(change, x.now)
	return refused
}

// readTwinChange reads the member updateTwin of a job.
func readTwinChange(raw json.RawMessage) (twinChange, *identityError) {
	var given *writtenTwin
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return twinChange{}, invalid("updateTwin is missing or not a twin")
	}
	change := given.change(false)
	change.desired = withoutReadOnly(change.desired)
	if change.tags == nil && change.desired == nil {
		return change, invalid("updateTwin has neither tags nor properties.desired")
	}
	return change, nil
}

// forgetSchedules removes jobs that ended long ago.
func (t *transaction) forgetSchedules() {
	for id, s := range t.hub.schedules {
		if s.ended() && t.now.Sub(s.Job.EndTime.Moment()) > jobHistory {
			delete(t.hub.schedules, id)
			t.store(scheduleKey(t.hub, id), nil)
			for number := range s.Rows {
				t.store(scheduleRowsKey(t.hub, id, number), nil)
			}
		}
	}
}

// getSchedule answers 200 for a job that does not exist, too.
func (x *exchange) getSchedule() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	s := x.hub.schedules[x.vars["id"]]
	if s == nil {
		return x.json(http.StatusOK, scheduledJob{JobID: x.vars["id"], Type: jobUnknown, Status: jobUnknown})
	}
	return x.json(http.StatusOK, s.Job)
}

// cancelSchedule ends a job; what it has done stays. That one that has ended
// cannot be cancelled, and the words of the refusals, are assumed.
func (x *exchange) cancelSchedule() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	s := x.hub.schedules[x.vars["id"]]
	switch {
	case s == nil:
		return x.jobNotFound()
	case s.ended():
		return x.hubError("InvalidOperation", "The job has ended.")
	}
	x.endSchedule(s, jobCancelled, "")
	return x.json(http.StatusOK, s.Job)
}

// endSchedule notes the end of a job.
func (t *transaction) endSchedule(s *schedule, status, reason string) {
	statistics := *s.Job.DeviceJobStatistics
	statistics.RunningCount, statistics.PendingCount = 0, 0
	s.Job.DeviceJobStatistics = &statistics
	s.Job.Status, s.Job.FailureReason, s.Job.EndTime = status, reason, wire.At(t.now)
	t.store(scheduleKey(t.hub, s.Job.JobID), s)
}

// querySchedules answers a page of jobs by type and status, the newest first
// (assumed).
func (x *exchange) querySchedules() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	values := x.r.URL.Query()
	list := page{query: &query.Query{Source: query.Jobs}, text: "jobs " + values.Get("jobType") + " " + values.Get("jobStatus")}
	var ok bool
	if list.size, ok = x.pageSize(); !ok {
		return x.hubError("ArgumentInvalid", "x-ms-max-item-count is not a positive number.")
	}
	if !list.resume(x.r.Header.Get(wire.HeaderContinuation)) {
		return x.hubError("ArgumentInvalid", "x-ms-continuation is not a token of this query.")
	}
	for _, s := range x.hub.newestSchedules() {
		at := place{fmt.Sprintf("%020d", s.Made)}
		if len(list.from) > 0 && at[0] > list.from[0] || !is(values.Get("jobType"), s.Job.Type) || !is(values.Get("jobStatus"), s.Job.Status) {
			continue
		}
		if list.full(func() place { return at }) {
			break
		}
		list.add(s.Job)
	}
	a := answer{status: http.StatusOK, body: list.rows(), header: map[string]string{wire.HeaderItemType: itemJobResponse}}
	if list.next != nil {
		a.header[wire.HeaderContinuation] = list.token()
	}
	return a
}

// is tells whether a filter, empty for none, lets a value pass.
func is(filter, value string) bool { return filter == "" || strings.EqualFold(filter, value) }
