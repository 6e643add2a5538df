package practice

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Options are how to open the practice cloud of a folder.
type Options struct {
	// Dir is the folder of its state, made if missing. Nobody else writes there.
	Dir string
	// HTTPS and MQTT are the addresses to listen on, loopback IP and port. They
	// are chosen the first time, 127.0.0.1:8443 and 127.0.0.1:8883 if empty,
	// and stay; another one later is an error. Port 0 takes a free one for good.
	HTTPS, MQTT string
	// Hubs names further hubs, such as "line2" for line2.practice.test. They are
	// added to those of before.
	Hubs []string
	// ListenAnywhere makes Serve listen on all addresses, at the same ports.
	ListenAnywhere bool
	// Limits throttle like a SKU of IoT Hub; the zero value throttles nothing.
	Limits Limits
	// Sealer encrypts the state. Required.
	Sealer Sealer
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Rand makes keys; nil is crypto/rand.
	Rand io.Reader
	// Log is called for each answered request, from the request's goroutine.
	Log func(Request)
}

// Cloud is an open practice cloud.
type Cloud struct {
	dir      string
	anywhere bool
	clock    func() time.Time
	rand     io.Reader
	logTo    func(Request)
	store    *store
	database os.FileInfo
	chosen   atomic.Pointer[settings]
	faults   *Faults
	limits   limiter
	webhooks *webhooks
	log      requestLog
	events   eventLog
	changes  atomic.Uint64 // counts everything that a view may show
	ready    chan struct{}
	isReady  sync.Once
	// management answers the management surface.
	management http.Handler
	serving    atomic.Bool

	// owning is held for reading by each request and for writing while the
	// folder's lock is taken or given back.
	owning sync.RWMutex
	lock   *folderLock
	// background is there while lock is.
	background *background

	mu          sync.Mutex // guards what follows
	state       *state
	connections map[objectKey]connection
	remembered  map[objectKey]subscriptions // of clients without a clean session

	sessions   sessions
	arrival    chan struct{}        // closed when the next client begins to hear methods
	challenges map[string]challenge // by registration ID
}

// Open opens the practice cloud of a folder. Several processes may have it
// open; the first that serves it is the only one that may until it ends.
func Open(ctx context.Context, o Options) (*Cloud, error) {
	if o.Dir == "" || o.Sealer == nil {
		return nil, errors.New("open practice cloud: it needs a folder and a sealer")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open practice cloud: %w", err)
	}
	c := &Cloud{dir: o.Dir, anywhere: o.ListenAnywhere, clock: o.Now, logTo: o.Log, faults: newFaults(),
		ready: make(chan struct{}), connections: map[objectKey]connection{}, arrival: make(chan struct{}), remembered: map[objectKey]subscriptions{}, challenges: map[string]challenge{}, webhooks: newWebhooks(),
		rand: &sharedReader{from: o.Rand}}
	c.management = newManagement(c)
	c.faults.changed = func() {
		c.changes.Add(1)
		c.cutOffline()
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	if o.Rand == nil {
		c.rand = rand.Reader
	}
	if err := c.SetLimits(o.Limits); err != nil {
		return nil, fmt.Errorf("open practice cloud: %w", err)
	}
	var err error
	if c.store, err = openStore(ctx, o.Dir, o.Sealer); err != nil {
		return nil, err
	}
	if err = c.openSettings(ctx, o); err == nil {
		err = c.writeCAFile()
	}
	if err == nil {
		c.database, err = os.Stat(filepath.Join(o.Dir, databaseFile))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open practice cloud: %w", err), c.store.close())
	}
	return c, nil
}

// Close writes what is left and closes the state. Serve must have returned.
func (c *Cloud) Close() error {
	c.webhooks.close()
	return errors.Join(c.disown(), c.store.close())
}

// Faults are the switches for misbehaviour.
func (c *Cloud) Faults() *Faults { return c.faults }

// Ready is closed when Serve answers for the first time.
func (c *Cloud) Ready() <-chan struct{} { return c.ready }

func (c *Cloud) settings() *settings { return c.chosen.Load() }

// now is the cloud's clock, in UTC.
func (c *Cloud) now() time.Time { return c.clock().Add(c.faults.skewed()).UTC() }

// own takes the folder's lock and reads the state from disk, unless that is
// done already.
func (c *Cloud) own(ctx context.Context) error {
	c.owning.Lock()
	defer c.owning.Unlock()
	if c.lock != nil {
		return nil
	}
	lock, err := lockFolder(c.dir)
	if err != nil {
		return err
	}
	if there, err := os.Stat(filepath.Join(c.dir, databaseFile)); err != nil || !os.SameFile(there, c.database) {
		return errors.Join(errors.New("the practice cloud was reset; open it again"), lock.release())
	}
	c.mu.Lock()
	err = c.reload(ctx)
	c.mu.Unlock()
	if err != nil {
		return errors.Join(err, lock.release())
	}
	c.lock = lock
	c.beginBackground()
	return nil
}

// enter begins a request: it holds the folder's lock until leave is called.
func (c *Cloud) enter(ctx context.Context) (leave func(), err error) {
	for {
		c.owning.RLock()
		if c.lock != nil {
			return c.owning.RUnlock, nil
		}
		c.owning.RUnlock()
		if err := c.own(ctx); err != nil {
			return nil, err
		}
	}
}

// disown waits for requests under way, writes what is left and gives the
// folder's lock back.
func (c *Cloud) disown() error {
	c.owning.Lock()
	if c.lock == nil {
		c.owning.Unlock()
		return nil
	}
	c.background.stop()
	err := errors.Join(c.store.sync(), c.lock.release())
	c.lock = nil
	working := c.background
	c.owning.Unlock()
	working.end()
	return err
}

// recoverState goes back to what is on disk after a failed commit. The first
// of several requests that saw it fail does it for all.
func (c *Cloud) recoverState(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.store.hasFailed() {
		return nil
	}
	if err := c.reload(ctx); err != nil {
		return err
	}
	c.background.poke()
	return nil
}

// reload makes the state what is on disk. The caller holds mu.
func (c *Cloud) reload(ctx context.Context) error {
	if err := c.readSettings(ctx); err != nil {
		return err
	}
	loaded := newState(c.settings())
	if err := loaded.load(ctx, c.store); err != nil {
		return err
	}
	for _, h := range loaded.hubs {
		h.countStacks()
	}
	c.state = loaded
	c.store.reset()
	return nil
}

// random gives n random bytes. A given source that ends or fails is replaced,
// since keys are needed either way.
func (c *Cloud) random(n int) []byte {
	raw := make([]byte, n)
	if _, err := io.ReadFull(c.rand, raw); err != nil {
		_, _ = rand.Read(raw) // never fails
	}
	return raw
}

// Reset removes the state of dir, keys and CA included. It refuses while the
// folder is served.
func Reset(ctx context.Context, dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return fmt.Errorf("reset practice cloud: %w", err)
	}
	// The log first: SQLite would replay an orphan into a new database.
	for _, name := range []string{databaseFile + "-wal", databaseFile + "-shm", databaseFile, caFile} {
		if err = ctx.Err(); err != nil {
			break
		}
		if err = os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			break
		}
		err = nil
	}
	if err = errors.Join(err, lock.release()); err != nil {
		return fmt.Errorf("reset practice cloud: %w", err)
	}
	return nil
}

// sharedReader lets several goroutines read from one source.
type sharedReader struct {
	mu   sync.Mutex
	from io.Reader
}

func (r *sharedReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from.Read(p)
}
