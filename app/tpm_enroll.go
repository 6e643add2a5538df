package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/finding"
)

// EnrollOutcome is what came of a bulk enrollment, all calls for it together.
type EnrollOutcome struct {
	Outcome provisioning.RunState `json:"outcome"` // succeeded | failed | cancelled
	Run     string                `json:"run"`
	// Enrolled counts those that the run enrolled, Skipped those that were enrolled
	// with the same key before.
	Enrolled int                     `json:"enrolled"`
	Skipped  int                     `json:"skipped"`
	Failed   []FailedKey             `json:"failed"`
	Error    *provisioning.ErrorView `json:"error,omitempty"`
}

// FailedKey is a key that could not be enrolled, and why.
type FailedKey struct {
	ID      string `json:"id"`   // the registration ID
	Code    int    `json:"code"` // of the service, 0 for none
	Problem string `json:"problem"`
}

// EnrollEvent says that a row has come to its end.
type EnrollEvent struct {
	Run     string
	Row     int // from 1
	Of      int
	ID      string // the registration ID
	State   string // enrolled | skipped | failed | undone
	Problem string
	Time    time.Time
}

// KeyRun is a bulk enrollment as lists show it.
type KeyRun struct {
	ID       string     `json:"run"`
	State    string     `json:"state"` // running | succeeded | failed | cancelled | undone | partly-undone
	Cloud    string     `json:"cloud"`
	Started  time.Time  `json:"started"`
	Ended    *time.Time `json:"ended"`
	Keys     int        `json:"keys"`
	Enrolled int        `json:"enrolled"`
	Skipped  int        `json:"skipped"`
	Failed   int        `json:"failed"`
}

// keyRunPrefix begins the ID of each bulk enrollment.
const keyRunPrefix = "e-"

// EnrollKeys makes a DPS know endorsement keys and waits for the end. emit may be
// nil and is called on one goroutine at a time.
func (a *App) EnrollKeys(ctx context.Context, cloud string, keys []KeyEnrollment, emit func(EnrollEvent)) (EnrollOutcome, error) {
	if err := checkKeys(keys); err != nil {
		return EnrollOutcome{}, err
	}
	// The cloud is looked at first: nothing is to be resumed where it has no DPS.
	if _, release, err := a.keyService(ctx, cloud); err != nil {
		return EnrollOutcome{}, err
	} else {
		release()
	}
	run := catalog.TPMRun{ID: keyRunPrefix + fmt.Sprintf("%x", randomBytes(6)), State: string(provisioning.RunRunning), Cloud: cloud, Started: a.now()}
	rows := make([]catalog.TPMRunRow, len(keys))
	for i, key := range keys {
		rows[i] = catalog.TPMRunRow{Seq: i + 1, RegistrationID: key.RegistrationID, DeviceID: key.DeviceID, Public: key.Public, State: catalog.KeyWaiting}
	}
	if err := a.catalog.NewTPMRun(ctx, run, rows); err != nil {
		return EnrollOutcome{}, translate(err)
	}
	return a.carryOutEnroll(ctx, run, emit)
}

func checkKeys(keys []KeyEnrollment) error {
	if len(keys) == 0 || len(keys) > maxListedKeys {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: fmt.Sprintf("%d endorsement keys are not 1 to %d.", len(keys), maxListedKeys), Hint: "Choose keys to enrol."}
	}
	return nil
}

// ReadKeyEnrollments reads a list that is to be enrolled, and takes its keys into
// the catalog. With findings nothing may be enrolled, and nothing was taken.
func (a *App) ReadKeyEnrollments(ctx context.Context, file string, trust KeyTrust) ([]KeyEnrollment, finding.List, error) {
	list, _, err := a.openKeyList(ctx, file, trust)
	if err != nil || len(list.findings) > 0 {
		if list != nil {
			return nil, list.findings, err
		}
		return nil, nil, err
	}
	enrollments := make([]KeyEnrollment, len(list.rows))
	keys := make([]catalog.TPMKey, len(list.rows))
	for i, row := range list.rows {
		enrollments[i] = KeyEnrollment{RegistrationID: row.registrationID, DeviceID: row.key.DeviceID, Public: row.key.Public}
		keys[i] = row.key
	}
	_, err = a.catalog.ImportTPMKeys(ctx, keys)
	return enrollments, nil, translate(err)
}

// CollectedEnrollments are the keys of the catalog that a text finds, as they are to
// be enrolled: by their device ID, else by base32.
func (a *App) CollectedEnrollments(ctx context.Context, text string) ([]KeyEnrollment, error) {
	var keys []KeyEnrollment
	err := a.eachCollected(ctx, text, func(k catalog.TPMKey) {
		keys = append(keys, KeyEnrollment{RegistrationID: keyCells(k)[0], DeviceID: k.DeviceID, Public: k.Public})
	})
	return keys, err
}

// Enrollment is a collected key as it is to be enrolled.
func (k CollectedKey) Enrollment() KeyEnrollment {
	id := k.Device
	if id == "" {
		id = k.RegistrationIDs.Base32
	}
	return KeyEnrollment{RegistrationID: id, DeviceID: k.Device, Public: k.Public}
}

// ResumeEnroll goes on with a bulk enrollment that was killed, cancelled or had
// problems. What is finished stays as it is; what failed is tried again.
func (a *App) ResumeEnroll(ctx context.Context, id string, emit func(EnrollEvent)) (EnrollOutcome, error) {
	run, err := a.keyRun(ctx, id)
	if err != nil {
		return EnrollOutcome{}, err
	}
	if state := provisioning.RunState(run.State); state == provisioning.RunUndone || state == provisioning.RunPartlyUndone {
		return EnrollOutcome{}, &provisioning.Error{Kind: provisioning.ErrRefused, Message: "Run " + id + " is put back (" + run.State + ").", Hint: "Enrol the list anew."}
	}
	return a.carryOutEnroll(ctx, run, emit)
}

// SameEnroll refuses keys and a cloud that are not those of a run, so that a script
// may resume with the command that it began with.
func (a *App) SameEnroll(ctx context.Context, id, cloud string, keys []KeyEnrollment) error {
	run, err := a.keyRun(ctx, id)
	if err != nil {
		return err
	}
	rows, err := a.catalog.TPMRunRows(ctx, id, "", 0, maxListedKeys)
	if err != nil {
		return translate(err)
	}
	same := slices.EqualFunc(rows, keys, func(row catalog.TPMRunRow, key KeyEnrollment) bool {
		return row.RegistrationID == key.RegistrationID && row.DeviceID == key.DeviceID && string(row.Public) == string(key.Public)
	})
	if !same || cloud != run.Cloud {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The list or the cloud is not that of the run " + id + ".", Hint: "Resume with --resume alone, or begin a new run."}
	}
	return nil
}

func (a *App) keyRun(ctx context.Context, id string) (catalog.TPMRun, error) {
	run, err := a.catalog.TPMRun(ctx, id)
	if errors.Is(err, catalog.ErrNotFound) {
		return run, &provisioning.Error{Kind: provisioning.ErrNotFound, Message: "The catalog has no bulk enrollment " + id + ".", Hint: "`edgewright tpm runs` names them."}
	}
	return run, translate(err)
}

// maxKeyRuns is how many bulk enrollments a list shows.
const maxKeyRuns = 50

// KeyRuns lists the newest bulk enrollments first.
func (a *App) KeyRuns(ctx context.Context) ([]KeyRun, error) {
	runs, err := a.catalog.TPMRuns(ctx, maxKeyRuns)
	if err != nil {
		return nil, translate(err)
	}
	list := []KeyRun{}
	for _, run := range runs {
		count, err := a.catalog.CountTPMRun(ctx, run.ID)
		if err != nil {
			return nil, translate(err)
		}
		all := 0
		for _, n := range count {
			all += n
		}
		list = append(list, KeyRun{ID: run.ID, State: run.State, Cloud: run.Cloud, Started: run.Started, Ended: run.Ended, Keys: all,
			Enrolled: count[catalog.KeyEnrolled], Skipped: count[catalog.KeySkipped], Failed: count[catalog.KeyFailed]})
	}
	return list, nil
}

// KeyRunOutcome is what came of a bulk enrollment until now.
func (a *App) KeyRunOutcome(ctx context.Context, id string) (EnrollOutcome, error) {
	run, err := a.keyRun(ctx, id)
	if err != nil {
		return EnrollOutcome{}, err
	}
	out, err := (&keyEnrolling{app: a, run: run}).outcome(ctx)
	out.Outcome = provisioning.RunState(run.State)
	return out, err
}

// keyService opens the DPS of a cloud.
func (a *App) keyService(ctx context.Context, name string) (keyEnroller, func(), error) {
	if name == "" {
		return nil, nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "No cloud is named.", Hint: "Name one of `edgewright clouds list`, or practice."}
	}
	cloud, release, err := a.cloudOf(ctx, provisioning.Plan{Cloud: provisioning.CloudPlan{Name: name}}, nil)
	if err != nil {
		return nil, nil, err
	}
	service, ok := cloud.DPS.(keyEnroller)
	if !ok {
		release()
		return nil, nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The cloud " + name + " has no Device Provisioning Service connection.",
			Hint: "Add one with `edgewright clouds add NAME --dps`."}
	}
	return service, release, nil
}
