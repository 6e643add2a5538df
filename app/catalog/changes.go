package catalog

import (
	"maps"
	"slices"
	"sync"
)

// Change says what kind of rows a write has touched.
type Change string

// The kinds of changes.
const (
	DevicesChanged      Change = "devices"
	CloudsChanged       Change = "clouds"
	RunsChanged         Change = "runs"
	LocksChanged        Change = "locks"
	SecretsChanged      Change = "secrets"
	CertificatesChanged Change = "certificates"
	BatchesChanged      Change = "batches"
	TPMKeysChanged      Change = "tpm-keys"
	TPMRunsChanged      Change = "tpm-runs"
	SettingsChanged     Change = "settings"
	// EverythingChanged follows a restore.
	EverythingChanged Change = "everything"
)

// watchers are told of each write of this process.
type watchers struct {
	mu   sync.Mutex
	next int
	all  map[int]func(Change)
}

// Watch calls changed after each write of this process, on the writer's
// goroutine, until stop is called. It must return soon and not write itself.
func (c *Catalog) Watch(changed func(Change)) (stop func()) {
	w := &c.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == nil {
		w.all = map[int]func(Change){}
	}
	id := w.next
	w.next++
	w.all[id] = changed
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, id)
	}
}

// tell calls the watchers outside of the lock, so that one may stop itself.
func (w *watchers) tell(change Change) {
	w.mu.Lock()
	called := slices.Collect(maps.Values(w.all))
	w.mu.Unlock()
	for _, changed := range called {
		changed(change)
	}
}
