package practice

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"edgewright/provisioning/practice/blob/blobtest"
	"edgewright/provisioning/wire"
)

func (b *bench) createJob(body string) job {
	b.Helper()
	return into[job](b, b.want(b.hubDo("POST", "/jobs/create", body), 200, ""))
}

// ended waits for the end of a job.
func (b *bench) ended(id string) job {
	b.Helper()
	for {
		if j := into[job](b, b.want(b.hubDo("GET", "/jobs/"+id, ""), 200, "")); j.ended() {
			return j
		}
		if b.Context().Err() != nil {
			b.Fatal("the job does not end")
		}
		time.Sleep(time.Millisecond)
	}
}

func (b *bench) runs(body, status string) job {
	b.Helper()
	j := b.ended(b.createJob(body).JobID)
	if j.Status != status || status == jobCompleted && j.Progress != 100 {
		b.Fatalf("job %+v, want %s", j, status)
	}
	return j
}

func exportTo(s *blobtest.Server, more string) string {
	return fmt.Sprintf(`{"type":"export","outputBlobContainerUri":%q%s}`, s.URI("rwd"), more)
}

func importFrom(s *blobtest.Server, more string) string {
	return fmt.Sprintf(`{"type":"import","inputBlobContainerUri":%q,"outputBlobContainerUri":%q%s}`, s.URI("r"), s.URI("rwd"), more)
}

func TestExportedRegistryIsImportedAgain(t *testing.T) {
	b := open(t, Options{Hubs: []string{"line2"}})
	s := blobtest.New(t)
	for i := range exportSlice + 3 {
		id := fmt.Sprintf("d%04d", i)
		b.act(func(x *transaction) {
			if _, refused := x.writeDevice(wire.Device{DeviceID: id, Capabilities: leafOrEdge(i == 0)}, nil); refused != nil {
				t.Error(refused.text)
			}
		})
	}
	b.want(b.hubDo("PUT", "/devices/d0000/modules/temp", `{"managedBy":"me"}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/d0000", `{"tags":{"a":1},"properties":{"desired":{"b":2}}}`), 200, "")
	b.want(b.hubDo("PATCH", "/twins/d0000/modules/temp", `{"properties":{"desired":{"c":3}}}`), 200, "")
	b.putConfiguration("conf", `{"deviceContent":{"properties.desired.z":1}}`, "tags.none=1", 4)
	b.runs(exportTo(s, `,"includeConfigurations":true,"outputBlobName":"all.txt"`), jobCompleted)
	text, _ := s.Blob("all.txt")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != exportSlice+3+3 || len(s.Names()) != 2 {
		t.Fatalf("%d lines, blobs %v", len(lines), s.Names())
	}
	var device, module exportedItem
	if json.Unmarshal([]byte(lines[0]), &device) != nil || json.Unmarshal([]byte(lines[3]), &module) != nil ||
		device.ID != "d0000" || device.ModuleID != "" || module.ModuleID != "temp" || module.ManagedBy != "me" || string(device.Tags) != `{"a":1}` {
		t.Errorf("lines %s\n%s", lines[0], lines[3])
	}
	before := into[wire.Device](t, b.hubDo("GET", "/devices/d0001", ""))
	if !strings.Contains(lines[4], before.Authentication.SymmetricKey.PrimaryKey.Secret().RevealBase64()) {
		t.Error("the keys are not in the export")
	}
	// Into another hub, where it is the same.
	host := strings.Replace(b.Info().HubHost, "hub.", "line2.", 1)
	secret := b.Info().Hubs[host]
	parsed, err := wire.ParseConnectionString(secret.RevealString())
	if err != nil {
		t.Fatal(err)
	}
	on2 := func(method, path, body string) reply {
		return b.do(call{method: method, path: path, body: body, host: host, auth: b.token(host, parsed.Key, policyHubOwner)})
	}
	id := into[job](t, b.want(on2("POST", "/jobs/create", importFrom(s, `,"inputBlobName":"all.txt","includeConfigurations":true`)), 200, "")).JobID
	for !strings.Contains(on2("GET", "/jobs/"+id, "").body, jobCompleted) {
		time.Sleep(time.Millisecond)
	}
	after := into[wire.Device](t, b.want(on2("GET", "/devices/d0001", ""), 200, ""))
	if !after.Authentication.SymmetricKey.PrimaryKey.Equal(before.Authentication.SymmetricKey.PrimaryKey) {
		t.Error("the key is another")
	}
	if twin := into[wire.Twin](t, b.want(on2("GET", "/twins/d0000/modules/temp", ""), 200, "")); !strings.Contains(string(twin.Properties.Desired), `"c":3`) {
		t.Errorf("module twin %s", twin.Properties.Desired)
	}
	if conf := into[wireConfiguration](t, b.want(on2("GET", "/configurations/conf", ""), 200, "")); conf.Priority != 4 {
		t.Errorf("configuration %+v", conf)
	}
	if log, exists := s.Blob(importErrorsBlob); exists {
		t.Errorf("errors %s", log)
	}
	// Without keys they are null.
	b.runs(exportTo(s, `,"excludeKeysInExport":true`), jobCompleted)
	if text, _ := s.Blob(devicesBlob); strings.Count(text, `"symmetricKey":{"primaryKey":null,"secondaryKey":null}`) != exportSlice+3+1 || strings.Contains(text, before.Authentication.SymmetricKey.PrimaryKey.Secret().RevealBase64()) {
		t.Errorf("keys are in %.300s", text)
	}
}

func TestImportDoesWhatEachLineSays(t *testing.T) {
	b := open(t, Options{})
	s := blobtest.New(t)
	for _, id := range []string{"update", "delete", "stale", "twin"} {
		b.makeDevice(id, false)
	}
	b.putConfiguration("gone", `{"deviceContent":{"properties.desired.z":1}}`, "", 4)
	s.Set(devicesBlob, "\xef\xbb\xbf"+`{"id":"new","importMode":"create","tags":{"a":1}}
{"id":"update","importMode":"Update","statusReason":"why"}

{"id":"delete","importMode":"delete"}
{"id":"stale","importMode":"updateIfMatchETag","eTag":"AAAA"}
{"id":"twin","importMode":"updateTwin","properties":{"desired":{"x":1}}}
{"id":"either"}
{"id":"either","statusReason":"again"}
{"id":"new","importMode":"create"}
{"id":"update","importMode":"explode"}
not json
{"id":"none","moduleId":"m"}`+"\r\n")
	s.Set(configurationsBlob, `{"id":"made","content":{"deviceContent":{"properties.desired.z":1}},"targetCondition":"*"}
{"id":"gone","importMode":"delete"}
{"id":"never","importMode":"delete"}
{"id":"bad","content":{}}`)
	b.runs(importFrom(s, `,"includeConfigurations":true`), jobCompleted)
	log, _ := s.Blob(importErrorsBlob)
	var got []string
	for line := range strings.Lines(log) {
		var entry struct {
			Line                int
			DeviceID, ErrorCode string
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s %s", entry.Line, entry.DeviceID, entry.ErrorCode))
	}
	want := "5 stale PreconditionFailed|9 new DeviceAlreadyExists|10 update ArgumentInvalid|11  DeserializationError|12 none DeviceNotFound|3 never ConfigurationNotFound|4 bad InvalidConfigurationContent"
	if strings.Join(got, "|") != want {
		t.Errorf("errors %s\nwant   %s", strings.Join(got, "|"), want)
	}
	b.want(b.hubDo("GET", "/devices/delete", ""), 404, "DeviceNotFound")
	for id, reason := range map[string]string{"update": "why", "either": "again", "new": ""} {
		if d := into[wire.Device](t, b.want(b.hubDo("GET", "/devices/"+id, ""), 200, "")); d.StatusReason != reason {
			t.Errorf("%s: %q", id, d.StatusReason)
		}
	}
	b.wantDesired("twin", `{"x":1,"z":1}`)
	b.want(b.hubDo("GET", "/configurations/gone", ""), 404, "ConfigurationNotFound")
}

func TestJobsAreRefused(t *testing.T) {
	b := open(t, Options{})
	s := blobtest.New(t)
	for body, code := range map[string]string{
		`{"type":"backup"}`: "ArgumentInvalid",
		`{"type":"export"}`: "ArgumentInvalid",
		exportTo(s, `,"storageAuthenticationType":"identityBased"`):                                                                   "ArgumentInvalid",
		`{"type":"export","outputBlobContainerUri":"https://x.blob.core.windows.net/box?sig=geheim"}`:                                 "BlobContainerValidationError",
		`{"type":"export","outputBlobContainerUri":"http://127.0.0.1/box"}`:                                                           "BlobContainerValidationError",
		`{"type":"import","outputBlobContainerUri":"` + s.URI("rwd") + `"}`:                                                           "ArgumentInvalid",
		`{"type":"import","inputBlobContainerUri":"http://192.0.2.1/box?sig=geheim","outputBlobContainerUri":"` + s.URI("rwd") + `"}`: "BlobContainerValidationError",
	} {
		if r := b.want(b.hubDo("POST", "/jobs/create", body), 400, code); strings.Contains(r.body, "geheim") {
			t.Errorf("the signature is in %s", r.body)
		}
	}
	b.want(b.hubDo("GET", "/jobs/none", ""), 404, "JobNotFound")
	b.want(b.hubDo("DELETE", "/jobs/none", ""), 404, "JobNotFound")
	for permissions, blobs := range map[string]int{"rw": 1, "wd": 0, "rd": 0} {
		s := blobtest.New(t)
		j := b.runs(`{"type":"export","outputBlobContainerUri":"`+s.URI(permissions)+`"}`, jobFailed)
		if !strings.Contains(j.FailureReason, "403 AuthorizationPermissionMismatch") || len(s.Names()) != blobs {
			t.Errorf("%s: %q, %v", permissions, j.FailureReason, s.Names())
		}
	}
	if j := b.runs(importFrom(s, ""), jobFailed); !strings.Contains(j.FailureReason, "404 BlobNotFound") {
		t.Errorf("reason %q", j.FailureReason)
	}
	if j := b.runs(`{"type":"export","outputBlobContainerUri":"http://127.0.0.1:1/box?sig=geheim"}`, jobFailed); strings.Contains(j.FailureReason, "geheim") {
		t.Errorf("reason %q", j.FailureReason)
	}
	wide := open(t, Options{ListenAnywhere: true})
	wide.createJob(`{"type":"export","outputBlobContainerUri":"http://127.0.0.1:1/box?sig=geheim"}`)
	if list := into[[]job](t, b.want(b.hubDo("GET", "/jobs", ""), 200, "")); len(list) != 5 {
		t.Errorf("%d jobs", len(list))
	}
	b.clock.advance(jobHistory + time.Hour)
	b.runs(exportTo(s, ""), jobCompleted)
	if list := into[[]job](t, b.want(b.hubDo("GET", "/jobs", ""), 200, "")); len(list) != 1 {
		t.Errorf("%d jobs after a month", len(list))
	}
}

// held makes a server that answers nothing until it is told, and tells when it
// is asked.
func held(t *testing.T) (s *blobtest.Server, asked chan struct{}) {
	s = blobtest.New(t)
	asked = make(chan struct{}, 10)
	s.Hold = func(r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}
	return s, asked
}

func TestJobsEndWhenTheyAreToldTo(t *testing.T) {
	b := open(t, Options{})
	s, asked := held(t)
	first := b.createJob(exportTo(s, ""))
	if first.Status != jobEnqueued || first.JobID == "" || first.StartTimeUTC == nil {
		t.Errorf("created %+v", first)
	}
	<-asked
	b.want(b.hubDo("POST", "/jobs/create", exportTo(s, "")), 403, "JobQuotaExceeded")
	if j := into[job](t, b.hubDo("GET", "/jobs/"+first.JobID, "")); j.Status != jobRunning {
		t.Errorf("at work %+v", j)
	}
	b.want(b.hubDo("DELETE", "/jobs/"+first.JobID, ""), 204, "")
	if j := b.ended(first.JobID); j.Status != jobCancelled || j.EndTimeUTC == nil {
		t.Errorf("cancelled %+v", j)
	}
	// The end of the cloud ends the job; it has failed when the cloud is back.
	second := b.createJob(exportTo(s, ""))
	<-asked
	c := b.reopened()
	if j := c.ended(second.JobID); j.Status != jobFailed || !strings.Contains(j.FailureReason, "ended while the job ran") {
		t.Errorf("after a restart %+v", j)
	}
	if j := c.ended(first.JobID); j.Status != jobCancelled {
		t.Errorf("after a restart %+v", j)
	}
	// One that was only enqueued begins then.
	free := blobtest.New(t)
	c.act(func(x *transaction) {
		j := &job{JobID: "late", Type: jobExport, Status: jobEnqueued, StartTimeUTC: wire.At(x.now), OutputBlobContainerURI: free.URI("rwd"), OutputBlobName: devicesBlob}
		x.hub.jobs["late"] = j
		x.store(jobKey(x.hub, "late"), j)
	})
	d := c.reopened()
	if j := d.ended("late"); j.Status != jobCompleted {
		t.Errorf("enqueued job %+v", j)
	}
}
