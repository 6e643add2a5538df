package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"edgewright/app/catalog"
	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/secret"
)

// Config is what a program gives when it starts.
type Config struct {
	// DataDir holds the catalog, the practice cloud, logs and exports; empty
	// means DefaultDataDir. StateDir, outside of it, holds this program's own
	// small state for the user; empty means DefaultStateDir.
	DataDir, StateDir string
	Version           string
	// Passphrase of the vault: a file descriptor (0 is none), a file, or a
	// question to a person (nil asks nobody).
	PassphraseFD   int
	PassphraseFile string
	AskPassphrase  func(ctx context.Context, isNew bool) (secret.Value, error)
	// HelperCommand starts this program again with rights; empty means the
	// running executable.
	HelperCommand []string
	// AskPIN asks a person for the PIN of a token; nil asks nobody. It is called
	// once for each attempt; a wrong PIN is never tried again by itself.
	AskPIN func(context.Context, PINQuestion) (secret.Value, error)
	// TokenHelper starts this program again as the process of a token's module;
	// empty means the running executable.
	TokenHelper []string
	Now         func() time.Time
	Log         *slog.Logger
}

// App is the running program without its face. Its methods may be called from
// any goroutine.
type App struct {
	config  Config
	catalog *catalog.Catalog
	// ctx ends when the program closes.
	ctx    context.Context
	cancel context.CancelFunc
	now    func() time.Time
	log    *slog.Logger

	vaultMu sync.Mutex
	vault   *vault.Vault

	tokens   tokens
	practice practiceService
	// practiceCAMu is held while the practice CA is looked for and made.
	practiceCAMu sync.Mutex
	live         liveRuns
	turns        turns

	// decorate wraps the ports of each run; tests of this package set it.
	decorate func(provisioning.Ports) provisioning.Ports
	// betweenMintSteps is called between the steps of a batch; tests of this
	// package set it.
	betweenMintSteps func(step string)
	// betweenEnrollSteps is called between the steps of a bulk enrollment; tests of
	// this package set it.
	betweenEnrollSteps func(step string)
}

// New opens the data folder. It reads no secret: the vault is opened when the
// first one is needed.
func New(ctx context.Context, config Config) (*App, error) {
	if config.DataDir == "" {
		config.DataDir = DefaultDataDir()
	}
	if config.StateDir == "" {
		config.StateDir = DefaultStateDir()
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(config.DataDir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", config.DataDir, err)
	}
	config.DataDir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &provisioning.Error{Kind: provisioning.ErrInvalid, Message: "The data folder " + dir + " cannot be made.",
			Hint: "Choose another one with --data.", Err: err}
	}
	book, err := catalog.Open(ctx, filepath.Join(dir, "catalog.db"))
	if err != nil {
		return nil, translate(err)
	}
	appCtx, cancel := context.WithCancel(ctx)
	a := &App{config: config, catalog: book, ctx: appCtx, cancel: cancel, now: config.Now, log: config.Log}
	a.practice.app = a
	return a, nil
}

// Close ends what is still going on, waits for it and closes the data folder.
// Runs that are cut by it can be resumed.
func (a *App) Close() error {
	a.cancel()
	a.live.wait()
	a.practice.stop()
	a.tokens.close()
	return a.catalog.Close()
}

// DataDir is where catalog, practice cloud and exports lie.
func (a *App) DataDir() string { return a.config.DataDir }

// Version is the program's version.
func (a *App) Version() string { return a.config.Version }

func randomBytes(n int) []byte {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return raw
}
