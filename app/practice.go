package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"

	"edgewright/app/vault"
	"edgewright/provisioning"
	"edgewright/provisioning/practice"
)

// PracticeOptions are how to serve the practice cloud by itself. Empty
// addresses keep what the data folder has chosen.
type PracticeOptions struct {
	HTTPS, MQTT    string
	Names          []string
	ListenAnywhere bool
	Limits         PracticeLimits
	// OnRequest is told each answered request, on any goroutine; nil tells
	// nobody.
	OnRequest func(PracticeRequest)
}

// PracticeInfo is where the practice cloud is and what opens it. Its secrets
// show only through Revealed.
type PracticeInfo struct {
	practice.Info
}

// PracticeView is PracticeInfo as commands print it.
type PracticeView struct {
	HTTPS               string `json:"https"`
	MQTT                string `json:"mqtt"`
	CAFile              string `json:"ca_file"`
	IDScope             string `json:"id_scope"`
	HubHost             string `json:"hub_host"`
	DPSHost             string `json:"dps_host"`
	GlobalHost          string `json:"global_host"`
	HubConnectionString string `json:"hub_connection_string"`
	DPSConnectionString string `json:"dps_connection_string"`
	// ARMToken is the Bearer token of the routes of Azure Resource Manager.
	ARMToken string `json:"arm_token"`
}

// Revealed gives the view with its secrets whole.
func (i PracticeInfo) Revealed() PracticeView {
	view := i.Masked()
	view.HubConnectionString = i.HubConnectionString.RevealString()
	view.DPSConnectionString = i.DPSConnectionString.RevealString()
	view.ARMToken = i.ARMToken.RevealString()
	return view
}

// Masked gives the view with its keys and the token masked.
func (i PracticeInfo) Masked() PracticeView {
	return PracticeView{HTTPS: i.HTTPS, MQTT: i.MQTT, CAFile: i.CAFile, IDScope: i.IDScope, HubHost: i.HubHost, DPSHost: i.DPSHost,
		GlobalHost: i.GlobalHost, HubConnectionString: maskKey(i.HubConnectionString.RevealString()),
		DPSConnectionString: maskKey(i.DPSConnectionString.RevealString()), ARMToken: i.ARMToken.String()}
}

// practiceService keeps the practice cloud served while somebody here needs
// it. Another process may serve the same data folder; then this one only uses
// it.
type practiceService struct {
	app *App

	mu     sync.Mutex
	users  int
	cloud  *practice.Cloud
	cancel context.CancelFunc
	done   chan error
	serves bool // this process does
	// remote manages the process that serves the folder; nil until it is needed.
	remote *practice.Manager
}

// dir is where the practice cloud keeps its state.
func (a *App) practiceDir() string { return filepath.Join(a.config.DataDir, "practice") }

func (s *practiceService) open(ctx context.Context, options PracticeOptions) (*practice.Cloud, error) {
	if err := s.app.ctx.Err(); err != nil {
		return nil, fmt.Errorf("open the practice cloud: %w", err) // the program is closing
	}
	v, err := s.app.openVault(ctx)
	if err != nil {
		return nil, err
	}
	var number atomic.Uint64
	var log func(practice.Request)
	if options.OnRequest != nil {
		log = func(r practice.Request) { options.OnRequest(r.Row(number.Add(1))) }
	}
	cloud, err := practice.Open(ctx, practice.Options{Dir: s.app.practiceDir(), HTTPS: options.HTTPS, MQTT: options.MQTT, Hubs: options.Names,
		ListenAnywhere: options.ListenAnywhere, Limits: options.Limits, Sealer: v.Sealer("practice", vault.Practice), Now: s.app.now, Log: log})
	if err != nil {
		return nil, practiceError(err)
	}
	return cloud, nil
}

// use makes sure that the practice cloud is served, here or by another
// process, until release is called.
func (s *practiceService) use(ctx context.Context) (info PracticeInfo, release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cloud == nil {
		if err := s.start(ctx); err != nil {
			return PracticeInfo{}, nil, err
		}
	}
	s.users++
	once := sync.Once{}
	return PracticeInfo{s.cloud.Info()}, func() { once.Do(s.leave) }, nil
}

// start opens the cloud and serves it, unless another process does.
func (s *practiceService) start(ctx context.Context) error {
	cloud, err := s.open(ctx, PracticeOptions{})
	if err != nil {
		return err
	}
	serveCtx, cancel := context.WithCancel(s.app.ctx)
	done := make(chan error, 1)
	go func() { done <- cloud.Serve(serveCtx) }()
	select {
	case <-cloud.Ready():
		s.serves = true
	case err := <-done:
		s.serves = false
		done <- nil
		var other *practice.ServedError
		if !errors.As(err, &other) {
			cancel()
			return errors.Join(practiceError(err), cloud.Close())
		}
	case <-ctx.Done():
		cancel()
		<-done
		return errors.Join(ctx.Err(), cloud.Close())
	}
	s.cloud, s.cancel, s.done = cloud, cancel, done
	return nil
}

func (s *practiceService) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if s.users == 0 {
		s.shut()
	}
}

// stop ends the serving whoever still uses it.
func (s *practiceService) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut()
}

func (s *practiceService) shut() {
	if s.cloud == nil {
		return
	}
	s.cancel()
	<-s.done
	if err := s.cloud.Close(); err != nil {
		s.app.log.Warn("close the practice cloud", "error", err)
	}
	s.cloud = nil
}

// PracticeOn tells whether the practice cloud is served at the moment, by this
// process or another.
func (a *App) PracticeOn() bool {
	a.practice.mu.Lock()
	on := a.practice.cloud != nil
	a.practice.mu.Unlock()
	if on {
		return true
	}
	served, _, err := practice.Served(a.practiceDir())
	return err == nil && served
}

// KeepPractice serves the practice cloud until release is called, for a window
// that has it switched on.
func (a *App) KeepPractice(ctx context.Context) (info PracticeInfo, release func(), err error) {
	return a.practice.use(ctx)
}

// PracticeInfo says where the practice cloud is, without serving it.
func (a *App) PracticeInfo(ctx context.Context) (PracticeInfo, error) {
	a.practice.mu.Lock()
	defer a.practice.mu.Unlock()
	if a.practice.cloud != nil {
		return PracticeInfo{a.practice.cloud.Info()}, nil
	}
	cloud, err := a.practice.open(ctx, PracticeOptions{})
	if err != nil {
		return PracticeInfo{}, err
	}
	info := PracticeInfo{cloud.Info()}
	return info, cloud.Close()
}

// ServePractice serves the practice cloud by itself until ctx ends. ready is
// called when it answers.
func (a *App) ServePractice(ctx context.Context, options PracticeOptions, ready func(PracticeInfo)) error {
	cloud, err := a.practice.open(ctx, options)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cloud.Serve(ctx) }()
	select {
	case <-cloud.Ready():
		ready(PracticeInfo{cloud.Info()})
		err = <-done
	case err = <-done:
	}
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(practiceError(err), cloud.Close())
}

// ResetPractice forgets everything in the practice cloud.
func (a *App) ResetPractice(ctx context.Context) error {
	a.practice.mu.Lock()
	defer a.practice.mu.Unlock()
	if a.practice.cloud != nil {
		return &provisioning.Error{Kind: provisioning.ErrBusy, Message: "The practice cloud is being used.", Hint: "Switch it off first."}
	}
	return practiceError(practice.Reset(ctx, a.practiceDir()))
}

// practiceError makes the practice cloud's own failures readable.
func practiceError(err error) error {
	if err == nil {
		return nil
	}
	var other *practice.ServedError
	if errors.As(err, &other) {
		return &provisioning.Error{Kind: provisioning.ErrBusy, Message: fmt.Sprintf("Process %d serves the practice cloud of this data folder.", other.PID),
			Hint: "Stop it, or use another data folder.", Err: err}
	}
	var port *practice.PortError
	if errors.As(err, &port) {
		return &provisioning.Error{Kind: provisioning.ErrBusy, Message: fmt.Sprintf("The practice cloud cannot listen on %s: another program uses that port.", port.Address),
			Hint: "End that program, or serve a fresh data folder on another port with `edgewright practice serve --https ADDR`.", Err: err}
	}
	var option *practice.OptionError
	if errors.As(err, &option) {
		return &provisioning.Error{Kind: provisioning.ErrInvalid, Message: sentence(option), Hint: "`edgewright practice --help` lists the options.", Err: err}
	}
	return translate(err)
}
