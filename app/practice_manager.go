package app

import (
	"context"
	"errors"
	"net/http"

	"edgewright/provisioning"
	"edgewright/provisioning/practice"
)

// manage has act look at the practice cloud, or work on it, wherever it is: in
// the process that serves it, else in the data folder, which is opened for it.
func manage[T any](ctx context.Context, a *App, act func(ctx context.Context, m *practice.Manager) (T, error)) (T, error) {
	var none T
	m, done, err := a.practice.manager(ctx)
	if err != nil {
		return none, err
	}
	result, err := act(ctx, m)
	if err := errors.Join(managerError(err), done(err)); err != nil {
		return none, err
	}
	return result, nil
}

// do is manage for what gives nothing back.
func (s *practiceService) do(ctx context.Context, act func(ctx context.Context, m *practice.Manager) error) error {
	_, err := manage(ctx, s.app, func(ctx context.Context, m *practice.Manager) (struct{}, error) { return struct{}{}, act(ctx, m) })
	return err
}

// manager gives a manager, and done, to be called with the error of its use.
func (s *practiceService) manager(ctx context.Context) (m *practice.Manager, done func(error) error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	nothing := func(error) error { return nil }
	if s.cloud != nil && s.serves {
		return s.cloud.Manager(), nothing, nil
	}
	if served, _, err := practice.Served(s.app.practiceDir()); err == nil && served {
		if s.remote == nil {
			if s.remote, err = s.openRemote(ctx); err != nil {
				return nil, nil, err
			}
		}
		return s.remote, s.forget, nil
	}
	cloud, err := s.open(ctx, PracticeOptions{})
	if err != nil {
		return nil, nil, err
	}
	return cloud.Manager(), func(error) error { return cloud.Close() }, nil
}

// openRemote makes the manager for the process that serves the folder. It
// stays good for as long as the folder is not reset.
func (s *practiceService) openRemote(ctx context.Context) (*practice.Manager, error) {
	cloud, err := s.open(ctx, PracticeOptions{})
	if err != nil {
		return nil, err
	}
	m, err := cloud.RemoteManager()
	return m, errors.Join(translate(err), cloud.Close())
}

// forget drops the remote manager after a failure of the connection or of the
// authorisation: another process may serve other keys by now.
func (s *practiceService) forget(err error) error {
	var refused *practice.ManageError
	if err == nil || errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.remote != nil {
		s.remote.Close()
		s.remote = nil
	}
	return nil
}

// managerError makes the management surface's refusals readable.
func managerError(err error) error {
	var refused *practice.ManageError
	if !errors.As(err, &refused) {
		return practiceError(err)
	}
	kind, hint := provisioning.ErrInvalid, "`edgewright practice --help` lists what can be set."
	switch refused.Status {
	case http.StatusNotFound:
		kind, hint = provisioning.ErrNotFound, "`edgewright practice devices` lists what there is."
	case http.StatusConflict, http.StatusPreconditionFailed:
		kind, hint = provisioning.ErrConflict, "Look at what is there, and replace or remove it."
	case http.StatusServiceUnavailable:
		kind, hint = provisioning.ErrBusy, "Try again."
	case http.StatusUnauthorized:
		kind, hint = provisioning.ErrRefused, "Another program, or a practice cloud of another data folder, listens at its address."
	}
	return &provisioning.Error{Kind: kind, Message: sentence(refused), Hint: hint, Err: err}
}

// servedOnly refuses what makes sense only while the practice cloud is served.
func (s *practiceService) servedOnly() error {
	if s.app.PracticeOn() {
		return nil
	}
	return &provisioning.Error{Kind: provisioning.ErrRefused, Message: "Nobody serves the practice cloud of this data folder.",
		Hint: "Start it with `edgewright practice serve`, or switch it on in the window."}
}
