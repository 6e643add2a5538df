package practice

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"edgewright/provisioning/practice/query"
	"edgewright/provisioning/wire"
)

// schedulePause is how long a scheduled job may be late: the clock of the
// practice cloud may be set, so it is looked at again and again.
const schedulePause = time.Second

func (b *background) pokeSchedules() {
	select {
	case b.due <- struct{}{}:
	default:
	}
}

// scheduleOn runs the scheduled jobs of all hubs, a step of each at a time. A
// step is a transaction that changes twins and notes what it did, so a job goes
// on after a restart where it was.
func (c *Cloud) scheduleOn(b *background) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-b.due:
		case <-timer.C:
		case <-b.ctx.Done():
			return
		}
		busy, waiting := true, false
		for busy {
			if b.transact(c, func(t *transaction) { busy, waiting = c.schedules(t) }) != nil {
				busy, waiting = false, true // what failed is tried again
			}
		}
		if waiting {
			timer.Reset(schedulePause)
		}
	}
}

// schedules makes a step of every job that is due. busy tells that one has more
// to do, waiting that one begins later.
func (c *Cloud) schedules(t *transaction) (busy, waiting bool) {
	for _, h := range c.state.hubs {
		t.hub = h
		for _, s := range h.schedules {
			if s.ended() {
				continue
			}
			if s.Job.Status != jobRunning && s.Job.StartTime.After(t.now) {
				waiting = true
				continue
			}
			if s.Job.Type == jobMethod {
				t.callSchedule(s)
				waiting = true
				continue
			}
			t.runSchedule(s)
			busy = busy || !s.ended()
		}
	}
	return busy, waiting
}

// runSchedule makes the next step of a job.
func (t *transaction) runSchedule(s *schedule) {
	s.Job.Status = jobRunning
	if t.now.Sub(s.Job.StartTime.Moment()) > time.Duration(s.Job.MaxExecutionTimeInSeconds)*time.Second {
		t.endSchedule(s, jobFailed, "The job ran longer than maxExecutionTimeInSeconds.")
		return
	}
	condition, err := parseCondition(s.Job.QueryCondition) // was checked
	change, refused := readTwinChange(s.Job.UpdateTwin)
	if err != nil || refused != nil {
		t.endSchedule(s, jobFailed, "The job does not read.")
		return
	}
	var rows []deviceJob
	steps := walk{under: true, next: s.Next}
	steps.step(t, func(d *device) {
		for _, m := range matching(condition, d) {
			row := deviceJob{DeviceID: d.Identity.DeviceID, At: t.now}
			if refused := t.changeTwin(d, m, change); refused != nil {
				row.Code, row.Text = refused.name, refused.text
			}
			if m != nil {
				row.ModuleID = m.Identity.ModuleID
			}
			rows = append(rows, row)
		}
	})
	t.addRows(s, rows)
	s.Next = steps.next
	if !steps.under {
		t.endSchedule(s, jobCompleted, "")
		return
	}
	t.store(scheduleKey(t.hub, s.Job.JobID), s)
}

// matching gives the targets of a condition on a device: nil for the device
// itself, or modules.
func matching(condition *query.Query, d *device) (found []*module) {
	if condition.Source == query.Devices {
		if condition.Matches(&twinDocument{d: d}) {
			found = append(found, nil)
		}
		return found
	}
	for _, id := range sortedIDs(d.modules) {
		if m := d.modules[id]; condition.Matches(&twinDocument{d: d, m: m}) {
			found = append(found, m)
		}
	}
	return found
}

// addRows stores what a step did.
func (t *transaction) addRows(s *schedule, rows []deviceJob) {
	if len(rows) == 0 {
		return
	}
	statistics := *s.Job.DeviceJobStatistics
	for _, row := range rows {
		statistics.DeviceCount++
		if row.Code != "" {
			statistics.FailedCount++
		} else {
			statistics.SucceededCount++
		}
	}
	s.Job.DeviceJobStatistics = &statistics
	t.store(scheduleRowsKey(t.hub, s.Job.JobID, s.Rows), rows)
	s.Rows++
	s.rows = append(s.rows, rows...)
}

// newestSchedules are the jobs of a hub, the newest first.
func (h *hub) newestSchedules() []*schedule {
	all := make([]*schedule, 0, len(h.schedules))
	for _, s := range h.schedules {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *schedule) int { return cmp.Compare(b.Made, a.Made) })
	return all
}

// jobDocument is a row of devices.jobs.
type jobDocument map[string]any

// Member implements query.Object.
func (j jobDocument) Member(name string) (value any, exists bool) {
	value, exists = j[name]
	return value, exists
}

func (j jobDocument) place() place {
	module, _ := j["moduleId"].(string)
	return place{j["jobId"].(string), j["deviceId"].(string), module}
}

func (j jobDocument) whole() any { return map[string]any(j) }

// deviceJobs gives the rows of devices.jobs in order, from a place on.
func (h *hub) deviceJobs(from place) iter.Seq[document] {
	return func(yield func(document) bool) {
		for _, id := range sortedIDs(h.schedules) {
			s := h.schedules[id]
			for _, row := range s.rows {
				made := s.row(row)
				if slices.Compare(made.place(), from) < 0 {
					continue
				}
				if !yield(made) {
					return
				}
			}
		}
	}
}

func (s *schedule) row(row deviceJob) jobDocument {
	at := string(wire.AppendTime(nil, row.At))
	made := jobDocument{"jobId": s.Job.JobID, "jobType": s.Job.Type, "deviceId": row.DeviceID, "status": jobCompleted,
		"createdDateTimeUtc": string(wire.AppendTime(nil, s.Job.CreatedTime.Time)), "startTimeUtc": at, "endTimeUtc": at, "lastUpdatedDateTimeUtc": at}
	if row.ModuleID != "" {
		made["moduleId"] = row.ModuleID
	}
	if row.Code != "" {
		made["status"] = jobFailed
		made["error"] = map[string]any{"code": row.Code, "description": row.Text}
	}
	if row.Outcome != nil {
		var payload any
		_ = json.Unmarshal(row.Outcome.Payload, &payload) // was valid
		made["outcome"] = map[string]any{"deviceMethodResponse": map[string]any{"status": row.Outcome.Status, "payload": payload}}
	}
	return made
}
