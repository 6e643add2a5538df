package practice

import (
	"cmp"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"edgewright/provisioning/practice/blob"
	"edgewright/provisioning/wire"
)

// Types and states of jobs.
const (
	jobExport = "export"
	jobImport = "import"

	jobUnknown   = "unknown"
	jobEnqueued  = "enqueued"
	jobRunning   = "running"
	jobCompleted = "completed"
	jobFailed    = "failed"
	jobCancelled = "cancelled"
)

// jobHistory is how long a job that has ended is remembered.
//
// https://learn.microsoft.com/azure/iot-hub/iot-hub-bulk-identity-mgmt
const jobHistory = 30 * 24 * time.Hour

// Blobs of jobs whose names are not given, and the one with what an import
// refused.
const (
	devicesBlob        = "devices.txt"
	configurationsBlob = "configurations.txt"
	importErrorsBlob   = "importErrors.log"
)

// job exports or imports a registry, as stored and as shown. The container URIs
// hold signatures: whoever may read jobs sees them, as in IoT Hub.
type job struct {
	JobID                     string     `json:"jobId"`
	Type                      string     `json:"type"`
	Status                    string     `json:"status"`
	Progress                  int        `json:"progress"` // percent
	StartTimeUTC              *wire.Time `json:"startTimeUtc,omitempty"`
	EndTimeUTC                *wire.Time `json:"endTimeUtc,omitempty"`
	InputBlobContainerURI     string     `json:"inputBlobContainerUri,omitempty"`
	InputBlobName             string     `json:"inputBlobName,omitempty"`
	OutputBlobContainerURI    string     `json:"outputBlobContainerUri,omitempty"`
	OutputBlobName            string     `json:"outputBlobName,omitempty"`
	ExcludeKeysInExport       bool       `json:"excludeKeysInExport"`
	IncludeConfigurations     bool       `json:"includeConfigurations"`
	ConfigurationsBlobName    string     `json:"configurationsBlobName,omitempty"`
	StorageAuthenticationType string     `json:"storageAuthenticationType,omitempty"`
	FailureReason             string     `json:"failureReason,omitempty"`
}

func (j *job) ended() bool { return j.Status != jobEnqueued && j.Status != jobRunning }

func jobKey(h *hub, id string) objectKey { return objectKey{kindJob, h.label + "/" + id} }

func (x *exchange) jobNotFound() answer {
	return x.hubError("JobNotFound", "The job "+wire.CleanMessage(x.vars["id"])+" does not exist.")
}

// createJob enqueues an import or export. One job of a hub is under way at a
// time.
//
// https://learn.microsoft.com/rest/api/iothub/service/jobs/create-import-export-job
func (x *exchange) createJob() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	var given job
	if a := x.decode(&given); a != nil {
		return *a
	}
	if refused := x.checkJob(&given); refused != nil {
		return x.hubError(refused.name, refused.text)
	}
	for id, other := range x.hub.jobs {
		if !other.ended() {
			return x.hubError("JobQuotaExceeded", "A job of the hub is under way; there is one at a time.")
		}
		if x.now.Sub(other.EndTimeUTC.Moment()) > jobHistory {
			delete(x.hub.jobs, id)
			x.store(jobKey(x.hub, id), nil)
		}
	}
	given.JobID = hex.EncodeToString(x.c.random(16))
	given.Status, given.Progress, given.FailureReason = jobEnqueued, 0, ""
	given.StartTimeUTC, given.EndTimeUTC = wire.At(x.now), nil
	x.hub.jobs[given.JobID] = &given
	x.store(jobKey(x.hub, given.JobID), &given)
	label, background := x.hub.label, x.c.background
	x.notify(func(written *batch) {
		background.group.Go(func() {
			if written.wait() == nil {
				x.c.runJob(background, label, given.JobID)
			}
		})
	})
	return x.json(http.StatusOK, given)
}

// checkJob completes what a caller gave and refuses what cannot be. That a
// container can be used shows when the job runs.
func (x *exchange) checkJob(given *job) *identityError {
	container := func(name, uri string) *identityError {
		if uri == "" {
			return invalid("%s is missing", name)
		}
		if _, err := blob.Open(uri, nil); err != nil {
			return &identityError{"BlobContainerValidationError", name + ": " + err.Error()}
		}
		if !x.c.mayCall(uri) {
			return &identityError{"BlobContainerValidationError", name + " is not on this computer. Unless it listens on all addresses, the practice cloud " +
				"calls no other: use a stand-in such as Azurite, http://127.0.0.1:10000/devstoreaccount1/CONTAINER?SIGNATURE."}
		}
		return nil
	}
	switch {
	case given.Type != jobExport && given.Type != jobImport:
		return invalid("type is export or import")
	case given.StorageAuthenticationType == "identityBased":
		return invalid("storageAuthenticationType identityBased needs Azure's identities; the practice cloud takes container URIs with a signature")
	}
	if refused := container("outputBlobContainerUri", given.OutputBlobContainerURI); refused != nil {
		return refused
	}
	if given.Type == jobImport {
		if refused := container("inputBlobContainerUri", given.InputBlobContainerURI); refused != nil {
			return refused
		}
		given.InputBlobName = cmp.Or(given.InputBlobName, devicesBlob)
	} else {
		given.OutputBlobName = cmp.Or(given.OutputBlobName, devicesBlob)
	}
	if given.IncludeConfigurations {
		given.ConfigurationsBlobName = cmp.Or(given.ConfigurationsBlobName, configurationsBlob)
	}
	return nil
}

// listJobs gives the newest first (assumed).
func (x *exchange) listJobs() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	list := make([]*job, 0, len(x.hub.jobs))
	for _, j := range x.hub.jobs {
		list = append(list, j)
	}
	slices.SortFunc(list, func(a, b *job) int {
		return cmp.Or(b.StartTimeUTC.Moment().Compare(a.StartTimeUTC.Moment()), cmp.Compare(a.JobID, b.JobID))
	})
	return x.json(http.StatusOK, list)
}

func (x *exchange) getJob() answer {
	if a := x.allow(registryRead); a != nil {
		return *a
	}
	j := x.hub.jobs[x.vars["id"]]
	if j == nil {
		return x.jobNotFound()
	}
	return x.json(http.StatusOK, j)
}

// cancelJob ends a job that is under way; of one that has ended nothing changes
// (assumed).
func (x *exchange) cancelJob() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	j := x.hub.jobs[x.vars["id"]]
	if j == nil {
		return x.jobNotFound()
	}
	if !j.ended() {
		x.endJob(j, jobCancelled, "")
	}
	return x.noContent()
}

// endJob notes the end of a job and stops it if it runs.
func (t *transaction) endJob(j *job, status, reason string) {
	j.Status, j.FailureReason, j.EndTimeUTC = status, reason, wire.At(t.now)
	t.store(jobKey(t.hub, j.JobID), j)
	if stop := t.c.background.stops[jobKey(t.hub, j.JobID)]; stop != nil {
		stop()
	}
}
