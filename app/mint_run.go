package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"edgewright/app/catalog"
	"edgewright/provisioning"
	"edgewright/provisioning/bundle"
	"edgewright/provisioning/pki"
)

// minter carries out one batch. A row goes through the states of the catalog one
// after the other. Certificates and sealed bundle are written together before
// the bundle's file is, so a kill at any instant loses no serial number and makes
// none twice; the bundle in the catalog goes when its file has reached the disk.
type minter struct {
	app        *App
	batch      catalog.Batch
	issuer     pki.Issuer
	identity   pki.Profile
	edge       pki.Profile
	above      []byte // PEM of the issuer and those above it, without the root
	trust      []byte // PEM of the root, if it is known
	recipients map[string]age.Recipient
	emit       func(MintEvent)
	total      int
	// unsynced are rows whose files were written and may not be on the disk.
	unsynced []catalog.BatchRow
	synced   time.Time
	// between is told of each step; nil for nobody.
	between func(step string)
}

// mintChunk is how many rows one transaction has at most, enough to share its cost;
// firstChunk is how many the first has, whose time tells how fast rows are made.
const (
	mintChunk  = 512
	firstChunk = 32
)

// mintSync is how many files are brought to the disk together at most, and
// mintSyncAfter how long one waits for it.
const (
	mintSync      = 1024
	mintSyncAfter = time.Second
)

// mintLockFor is how long a batch keeps out others whose holder has died on
// another computer.
const mintLockFor = 24 * time.Hour

// mintLock is the name of a batch's lock.
func mintLock(id string) string { return "mint/" + id }

// carryOutMint runs a batch under its lock, from wherever it stands.
func (a *App) carryOutMint(ctx context.Context, batch catalog.Batch, emit func(MintEvent)) (MintOutcome, error) {
	if emit == nil {
		emit = func(MintEvent) {}
	}
	lock := mintLock(batch.ID)
	holder := fmt.Sprintf("%s-%x", batch.ID, randomBytes(4)) // two calls of one process are two
	if err := a.catalog.Acquire(ctx, lock, holder, a.now().Add(mintLockFor)); errors.Is(err, catalog.ErrLocked) {
		return MintOutcome{}, &provisioning.Error{Kind: provisioning.ErrBusy, Message: "The batch " + batch.ID + " is being worked on already.", Hint: "Wait for its end.", Err: err}
	} else if err != nil {
		return MintOutcome{}, translate(err)
	}
	defer func() { _ = a.catalog.Release(context.WithoutCancel(ctx), lock, holder) }()
	m := &minter{app: a, batch: batch, recipients: map[string]age.Recipient{}, emit: emit, synced: time.Now(), between: a.betweenMintSteps}
	ctx, leave := a.live.enter(ctx, a.ctx, batch.ID)
	defer leave()
	return m.run(ctx)
}

func (m *minter) run(ctx context.Context) (MintOutcome, error) {
	keep := context.WithoutCancel(ctx) // what is recorded is recorded also after a cancel
	out := MintOutcome{Batch: m.batch.ID}
	before, err := m.app.catalog.CountBatch(ctx, m.batch.ID)
	if err != nil {
		return out, translate(err)
	}
	for _, n := range before.Of {
		m.total += n
	}
	out.Skipped = finishedRows(m.batch, before)
	if err := m.app.catalog.SetBatch(ctx, m.batch.ID, string(provisioning.RunRunning), nil); err != nil {
		return out, translate(err)
	}
	failure := m.steps(ctx)
	if out.Report, err = m.report(keep); failure == nil {
		failure = err
	}
	after, err := m.app.catalog.CountBatch(keep, m.batch.ID)
	if err != nil {
		return out, translate(err)
	}
	finished := finishedRows(m.batch, after)
	out.Made, out.Failed, out.Outcome = finished-out.Skipped, after.Problems, provisioning.RunSucceeded
	switch {
	case ctx.Err() != nil && finished < m.total:
		out.Outcome = provisioning.RunCancelled
	case failure != nil || finished < m.total:
		out.Outcome = provisioning.RunFailed
	}
	if failure != nil && ctx.Err() == nil {
		out.Error = provisioning.View(failure)
	}
	ended := m.app.now()
	return out, translate(m.app.catalog.SetBatch(keep, m.batch.ID, string(out.Outcome), &ended))
}

// steps does everything that is left to do.
func (m *minter) steps(ctx context.Context) error {
	if err := m.open(ctx); err != nil {
		return err
	}
	err := m.placeKept(ctx)
	if err == nil {
		err = m.makeAll(ctx)
	}
	if err = errors.Join(err, m.settle(context.WithoutCancel(ctx))); err != nil || !m.batch.Enroll {
		return err
	}
	return m.enrollAll(ctx)
}

// open brings up the CA, once for all rows.
func (m *minter) open(ctx context.Context) error {
	row, err := m.app.catalog.Certificate(ctx, m.batch.CA)
	if err != nil {
		return translate(err)
	}
	if err := mayIssue(row); err != nil {
		return err
	}
	if m.issuer, err = m.app.issuerOf(ctx, row); err != nil {
		return err
	}
	m.above, m.trust = split(m.issuer)
	m.identity, m.edge, err = m.profiles()
	return err
}

// placeKept writes the bundles that an earlier process sealed and may not have
// brought to the disk.
func (m *minter) placeKept(ctx context.Context) error {
	for after := 0; ; {
		rows, err := m.app.catalog.BatchRows(ctx, m.batch.ID, catalog.RowSealed, after, mintChunk)
		if err != nil || len(rows) == 0 {
			return translate(err)
		}
		after = rows[len(rows)-1].Seq
		if err := m.place(ctx, rows); err != nil {
			return err
		}
	}
}

// madeChunk are rows with what was made for them.
type madeChunk struct {
	rows   []catalog.BatchRow
	sealed []catalog.SealedRow
}

// makeAll makes the rows that wait, chunk by chunk. While one chunk is written,
// the next is being made.
func (m *minter) makeAll(ctx context.Context) error {
	made := make(chan madeChunk)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(made)
		return m.makeChunks(ctx, made)
	})
	group.Go(func() error {
		for chunk := range made {
			if err := m.write(ctx, chunk); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

func (m *minter) makeChunks(ctx context.Context, made chan<- madeChunk) error {
	size := firstChunk
	for after := 0; ; {
		rows, err := m.app.catalog.BatchRows(ctx, m.batch.ID, catalog.RowWaiting, after, size)
		if err != nil || len(rows) == 0 {
			return translate(err)
		}
		after = rows[len(rows)-1].Seq
		begun := time.Now()
		sealed, err := m.makeRows(ctx, rows)
		if err != nil {
			return err
		}
		size = nextChunk(size, time.Since(begun))
		select {
		case made <- madeChunk{rows, sealed}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nextChunk is how many rows the next chunk has after one that took so long: as many
// as take a quarter of a second. CAs in tokens can take a second for each signature.
func nextChunk(size int, took time.Duration) int {
	return int(min(max(int64(size)*int64(time.Second/4)/max(int64(took), 1), 1), mintChunk))
}

// write records a chunk that was made and places its bundles.
func (m *minter) write(ctx context.Context, made madeChunk) error {
	m.step("made")
	if err := m.app.catalog.SealRows(ctx, m.batch.ID, made.sealed); err != nil {
		return translate(err)
	}
	m.step("sealed")
	for i := range made.rows {
		made.rows[i].Sealed = made.sealed[i].Sealed
	}
	return m.place(ctx, made.rows)
}

func (m *minter) step(name string) {
	if m.between != nil {
		m.between(name)
	}
}

// place writes bundles into the folder.
func (m *minter) place(ctx context.Context, rows []catalog.BatchRow) error {
	for _, row := range rows {
		if err := writeBeside(m.batch.Folder, row.DeviceID+bundle.Extension, row.Sealed); err != nil {
			return m.unwritten(err, &provisioning.Error{Message: "The bundle of " + row.DeviceID + " cannot be written."})
		}
		m.step("file " + row.DeviceID)
		row.Sealed = nil
		m.unsynced = append(m.unsynced, row)
	}
	if len(m.unsynced) >= mintSync || time.Since(m.synced) > mintSyncAfter {
		return m.settle(ctx)
	}
	return nil
}

// unwritten completes the error of a file that cannot be written into the folder.
func (m *minter) unwritten(err error, made *provisioning.Error) error {
	if full := fromCatalog(err); full != nil {
		full.Err = fmt.Errorf("%s: %w", strings.TrimSuffix(made.Message, "."), err)
		return full
	}
	made.Kind, made.Hint, made.Err = provisioning.ErrInvalid, "Look at the folder "+m.batch.Folder+" and resume the batch.", err
	return made
}

// settle brings the files to the disk and lets go of the bundles in the catalog.
func (m *minter) settle(ctx context.Context) error {
	if len(m.unsynced) == 0 {
		return nil
	}
	names := make([]string, len(m.unsynced))
	states := make([]catalog.RowState, len(m.unsynced))
	for i, row := range m.unsynced {
		names[i] = row.DeviceID + bundle.Extension
		states[i] = catalog.RowState{Seq: row.Seq, State: catalog.RowPlaced}
	}
	if err := syncFiles(m.batch.Folder, names); err != nil {
		return m.unwritten(err, &provisioning.Error{Message: "The last bundles do not reach the disk."})
	}
	m.step("synced")
	if err := m.app.catalog.SetRows(ctx, m.batch.ID, states); err != nil {
		return translate(err)
	}
	for _, row := range m.unsynced {
		m.tell(row, catalog.RowPlaced, "")
	}
	m.unsynced, m.synced = nil, time.Now()
	return nil
}

func (m *minter) tell(row catalog.BatchRow, state, problem string) {
	m.emit(MintEvent{Batch: m.batch.ID, Row: row.Seq, Of: m.total, Device: row.DeviceID, State: state, Problem: problem, Time: m.app.now()})
}
