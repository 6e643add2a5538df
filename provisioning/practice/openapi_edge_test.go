package practice

import (
	"time"

	"edgewright/provisioning/practice/blob/blobtest"
	"edgewright/provisioning/wire"
)

// configurations drives those on configurations and on the modules of gate.
func (a *audit) configurations() {
	a.Helper()
	modules := `{"modulesContent":{"$edgeAgent":{"properties.desired":{"schemaVersion":"1.1","modules":{}}},"m":{"properties.desired":{"rate":5}}}}`
	base := `{"id":"base","schemaVersion":"1.0","labels":{"by":"audit"},"content":` + modules + `,"targetCondition":"tags.line = 8","priority":3,
		"metrics":{"queries":{"all":"SELECT deviceId FROM devices"}}}`
	made := into[wireConfiguration](a, a.onHub("PUT", "/configurations/base", base, 200, ""))
	a.onHub("PUT", "/configurations/base", base, 409, "ConfigurationAlreadyExists")
	a.onHub("PUT", "/configurations/base", base, 412, "PreconditionFailed", "If-Match", `"AAAA"`)
	a.onHub("PUT", "/configurations/base", base, 200, "", "If-Match", `"`+made.ETag+`"`)
	a.onHub("PUT", "/configurations/leaves", `{"id":"leaves","content":{"deviceContent":{"properties.desired.a":{"b":1}}},"targetCondition":"*"}`, 200, "")
	a.onHub("PUT", "/configurations/bad", `{"id":"bad","content":{"deviceContent":{"properties.desired.a":{"b":1}}},"targetCondition":"tags."}`, 400, "InvalidConfigurationTargetCondition")
	if shown := into[wireConfiguration](a, a.onHub("GET", "/configurations/base", "", 200, "")); shown.SystemMetrics.Results["appliedCount"] != 1 || shown.Metrics.Results["all"] == 0 {
		a.Errorf("metrics %+v %+v", shown.SystemMetrics, shown.Metrics)
	}
	a.onHub("GET", "/configurations/none", "", 404, "ConfigurationNotFound")
	a.onHub("GET", "/configurations?top=1", "", 200, "")
	a.onHub("POST", "/configurations/testQueries", `{"targetCondition":"*","customMetricQueries":{"m":"DELETE"}}`, 200, "")
	a.onHub("POST", "/configurations/testQueries", `{"targetCondition":"tags.a = 1"}`, 200, "")
	twin := into[wire.Twin](a, a.onHub("GET", "/twins/gate/modules/$edgeAgent", "", 200, ""))
	if string(twin.Configurations) != `{"base":{"status":"Applied"}}` {
		a.Errorf("configurations %s", twin.Configurations)
	}
	a.onHub("POST", "/devices/gate/applyConfigurationContent", modules, 204, "")
	a.onHub("POST", "/devices/leaf/applyConfigurationContent", modules, 400, "")
	a.onHub("POST", "/devices/none/applyConfigurationContent", modules, 404, "DeviceNotFound")
	a.onHub("DELETE", "/configurations/leaves", "", 412, "PreconditionFailed", "If-Match", `"AAAA"`)
	a.onHub("DELETE", "/configurations/leaves", "", 204, "", "If-Match", `"*"`)
	a.onHub("DELETE", "/configurations/leaves", "", 404, "ConfigurationNotFound")
}

// schedules drives those on scheduled jobs.
func (a *audit) schedules() {
	a.Helper()
	update := `{"jobId":"now","type":"scheduleUpdateTwin","queryCondition":"tags.line = 8","updateTwin":{"etag":"*","tags":{"by":"job"}},"maxExecutionTimeInSeconds":60}`
	a.onHub("PUT", "/jobs/v2/now", update, 200, "")
	for into[scheduledJob](a, a.onHub("GET", "/jobs/v2/now", "", 200, "")).Status != jobCompleted {
		time.Sleep(time.Millisecond)
	}
	a.onHub("PUT", "/jobs/v2/now", update, 409, "JobAlreadyExists")
	a.onHub("PUT", "/jobs/v2/bad", `{"jobId":"bad","type":"scheduleUpdateTwin","queryCondition":"tags."}`, 400, "ArgumentInvalid")
	a.onHub("GET", "/jobs/v2/none", "", 200, "")
	a.onHub("PUT", "/jobs/v2/later", `{"jobId":"later","type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"etag":"*","tags":{"by":"job"}},"startTime":"2126-01-01T00:00:00Z"}`, 200, "")
	a.onHub("POST", "/jobs/v2/later/cancel", "", 200, "")
	a.onHub("POST", "/jobs/v2/later/cancel", "", 400, "InvalidOperation")
	a.onHub("POST", "/jobs/v2/none/cancel", "", 404, "JobNotFound")
	a.onHub("GET", "/jobs/v2/query?jobType=scheduleUpdateTwin&jobStatus=completed", "", 200, "")
	a.onHub("GET", "/jobs/v2/query", "", 400, "ArgumentInvalid", wire.HeaderMaxItemCount, "0")
}

// jobs drives those that import and export the registry.
func (a *audit) jobs() {
	a.Helper()
	box := blobtest.New(a)
	export := `{"type":"export","outputBlobContainerUri":"` + box.URI("rwd") + `","outputBlobName":"all.txt","excludeKeysInExport":true,"storageAuthenticationType":"keyBased","includeConfigurations":true}`
	for _, body := range []string{export, `{"type":"import","inputBlobContainerUri":"` + box.URI("r") + `","inputBlobName":"all.txt","outputBlobContainerUri":"` + box.URI("rwd") + `"}`} {
		made := into[job](a, a.onHub("POST", "/jobs/create", body, 200, ""))
		for into[job](a, a.onHub("GET", "/jobs/"+made.JobID, "", 200, "")).Status != jobCompleted {
			time.Sleep(time.Millisecond)
		}
		a.onHub("DELETE", "/jobs/"+made.JobID, "", 204, "")
	}
	a.onHub("POST", "/jobs/create", `{"type":"export"}`, 400, "ArgumentInvalid")
	a.onHub("GET", "/jobs", "", 200, "")
	a.onHub("GET", "/jobs/none", "", 404, "JobNotFound")
	a.onHub("DELETE", "/jobs/none", "", 404, "JobNotFound")
}
