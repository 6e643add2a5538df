package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/tpm"
)

// CollectTarget is a device whose endorsement key is to be read.
type CollectTarget struct {
	Target string `json:"target"`
	// TPM is the address of a software TPM, or "" (see TPMRequest.Address).
	TPM string `json:"tpm"`
	// Device is the device ID that it shall be, "" for not said.
	Device string `json:"device"`
}

// CollectRequest asks for the endorsement keys of many devices at once.
type CollectRequest struct {
	Targets                    []CollectTarget
	Access                     Access
	EndorsementAuth, OwnerAuth string // as in TPMRequest
	Roots                      []byte // as in TPMRequest
	// Parallel is how many are read at once; 0 means 8.
	Parallel int
}

// The values of CollectResult.State.
const (
	CollectWaiting   = "waiting"
	CollectReading   = "reading"
	CollectCollected = "collected"
	CollectFailed    = "failed"
)

// CollectResult is what came of one device.
type CollectResult struct {
	CollectTarget
	State string `json:"state"`
	// Key is what was read, nil where it failed.
	Key *CollectedKey `json:"key,omitempty"`
	// Change says that something is not as it was read before.
	Change *KeyChange `json:"change,omitempty"`
	// Error says why it failed.
	Error *provisioning.ErrorView `json:"error,omitempty"`

	err error // of which Error is the view
}

// CollectEvent says that a device has come a step further.
type CollectEvent struct {
	Index int // in the request, from 0
	Of    int
	CollectResult
	Time time.Time
}

// CollectOutcome is what came of all.
type CollectOutcome struct {
	Outcome   provisioning.RunState `json:"outcome"` // succeeded | failed | cancelled
	Collected int                   `json:"collected"`
	Failed    int                   `json:"failed"`
	Keys      []CollectResult       `json:"keys"`
}

// collectParallel is how many devices are read at once where nothing is said;
// handshakes with one host are limited below.
const collectParallel = 8

// collectTime bounds the reading of one device: a TPM behind a shell takes a few
// seconds.
const collectTime = 3 * time.Minute

// Collect reads the TPMs of many devices and keeps their endorsement keys in the
// catalog. It changes nothing on a device. Each that fails does so by itself. emit
// may be nil and is called on one goroutine at a time.
func (a *App) Collect(ctx context.Context, r CollectRequest, emit func(CollectEvent)) (CollectOutcome, error) {
	if err := checkCollect(r); err != nil {
		return CollectOutcome{}, err
	}
	station, err := a.station(ctx)
	if err != nil {
		return CollectOutcome{}, err
	}
	r.Access = oneQuestion(r.Access)
	if r.Parallel < 1 {
		r.Parallel = collectParallel
	}
	out := CollectOutcome{Outcome: provisioning.RunSucceeded, Keys: make([]CollectResult, len(r.Targets))}
	var mu sync.Mutex
	tell := func(i int, result CollectResult) {
		if emit == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		emit(CollectEvent{Index: i, Of: len(r.Targets), CollectResult: result, Time: a.now()})
	}
	ctx, leave := a.live.enter(ctx, a.ctx, fmt.Sprintf("collect-%x", randomBytes(4)))
	defer leave()
	var group errgroup.Group
	group.SetLimit(r.Parallel)
	for i, at := range r.Targets {
		out.Keys[i] = CollectResult{CollectTarget: at, State: CollectWaiting}
		group.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			tell(i, CollectResult{CollectTarget: at, State: CollectReading})
			out.Keys[i] = a.collectOne(ctx, r, at, station)
			tell(i, out.Keys[i])
			return nil
		})
	}
	_ = group.Wait()
	for _, result := range out.Keys {
		switch result.State {
		case CollectCollected:
			out.Collected++
		case CollectFailed:
			out.Failed++
		}
	}
	switch {
	case ctx.Err() != nil && out.Collected < len(out.Keys):
		out.Outcome = provisioning.RunCancelled
	case out.Failed > 0:
		out.Outcome = provisioning.RunFailed
	}
	return out, nil
}

// checkCollect refuses a request that could not be told apart in its result.
func checkCollect(r CollectRequest) error {
	if len(r.Targets) == 0 {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "No device is named.", Hint: "Name targets; this computer is local:."}
	}
	places, devices := map[[2]string]bool{}, map[string]bool{}
	for _, at := range r.Targets {
		place := [2]string{at.Target, at.TPM}
		if places[place] {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The target " + at.Target + " is named twice.", Hint: "Name each device once."}
		}
		places[place] = true
		if at.Device == "" {
			continue
		}
		if err := provisioning.CheckDeviceID(at.Device, tpmCell); err != nil {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(err), Hint: "Change the device ID of " + at.Target + "."}
		}
		if devices[at.Device] {
			return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The device ID " + at.Device + " is given to two targets.", Hint: "Give each device its own."}
		}
		devices[at.Device] = true
	}
	return nil
}

// oneQuestion lets a person answer one question after the other.
func oneQuestion(access Access) Access {
	var mu sync.Mutex
	if ask := access.Ask; ask != nil {
		access.Ask = func(ctx context.Context, q Question) (secret.Value, error) {
			mu.Lock()
			defer mu.Unlock()
			return ask(ctx, q)
		}
	}
	if trust := access.TrustHostKey; trust != nil {
		access.TrustHostKey = func(key HostKey) bool {
			mu.Lock()
			defer mu.Unlock()
			return trust(key)
		}
	}
	return access
}

func (a *App) collectOne(ctx context.Context, r CollectRequest, at CollectTarget, station string) CollectResult {
	result := CollectResult{CollectTarget: at, State: CollectFailed}
	ctx, cancel := context.WithTimeoutCause(ctx, collectTime, &provisioning.Error{Kind: provisioning.ErrUnreachable,
		Message: "The device did not answer in time.", Hint: "Look at its connection, and at who else uses its TPM."})
	defer cancel()
	read, err := a.readTPM(ctx, TPMRequest{Target: at.Target, Address: at.TPM, Access: r.Access, EndorsementAuth: r.EndorsementAuth, OwnerAuth: r.OwnerAuth, Roots: r.Roots})
	if err == nil {
		result.Key, result.Change, err = a.keepKey(ctx, a.rowOf(read, at, station))
	}
	if err == nil {
		result.State = CollectCollected
		return result
	}
	if cause := context.Cause(ctx); errors.Is(err, context.DeadlineExceeded) && cause != nil {
		err = cause
	}
	result.Error, result.err = provisioning.View(err), err
	return result
}

// rowOf is a reading as the catalog keeps it.
func (a *App) rowOf(read tpmReading, at CollectTarget, station string) catalog.TPMKey {
	ek := read.keys.EK
	row := catalog.TPMKey{SHA256: ek.Sum(), Base32: ek.Base32(), DeviceID: at.Device, Target: at.Target, Address: at.TPM, Template: string(ek.Template),
		Manufacturer: read.properties.Manufacturer, Firmware: read.properties.Firmware, CertificateState: string(read.cert.State), CertificateProblem: read.cert.Problem,
		Station: station, Taken: a.now(), Origin: catalog.OriginRead, Public: ek.Public, SRK: read.keys.SRK.Public}
	if ek.Handle != 0 {
		row.Handle = fmt.Sprintf("0x%08x", ek.Handle)
	}
	if standard, ok := ek.Variants[tpm.TemplateStandard]; ok {
		sum := sha256.Sum256(standard)
		row.Standard = hex.EncodeToString(sum[:])
	}
	if read.cert.Certificate != nil {
		row.Certificate = read.cert.Certificate.Raw
	}
	return row
}

// keepKey writes a reading and says what is not as it was.
func (a *App) keepKey(ctx context.Context, row catalog.TPMKey) (*CollectedKey, *KeyChange, error) {
	before, err := a.catalog.TPMKey(ctx, row.SHA256)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return nil, nil, translate(err)
	}
	var change *KeyChange
	if err == nil && before.Origin == catalog.OriginRead && string(before.SRK) != string(row.SRK) {
		change = &KeyChange{Before: row.SHA256, Why: ChangeStorage}
	}
	old, err := a.catalog.PutTPMKey(ctx, row, func(old catalog.TPMKey) string { return whyChanged(old, row) })
	if err != nil {
		return nil, nil, translate(err)
	}
	if old != nil {
		change = &KeyChange{Before: old.SHA256, Why: old.ReplacedWhy}
	}
	kept, err := a.catalog.TPMKey(ctx, row.SHA256)
	if err != nil {
		return nil, nil, translate(err)
	}
	key := collectedKey(kept)
	return &key, change, nil
}

// CollectKey reads the one TPM of a request as Collect does; what fails is the error.
func (a *App) CollectKey(ctx context.Context, r CollectRequest) (CollectedKey, error) {
	out, err := a.Collect(ctx, r, nil)
	switch {
	case err != nil:
		return CollectedKey{}, err
	case out.Keys[0].Key != nil:
		return *out.Keys[0].Key, nil
	case out.Keys[0].err != nil:
		return CollectedKey{}, out.Keys[0].err
	}
	return CollectedKey{}, context.Cause(ctx)
}
