package app

import (
	"context"

	"edgewright/provisioning/practice"
)

// How the practice cloud misbehaves on purpose, and whose rates it keeps.
type (
	PracticeFaults   = practice.FaultSettings
	PracticeThrottle = practice.ThrottleShare
	PracticeFailure  = practice.FailShare
	PracticeSpan     = practice.Span
	PracticeLimits   = practice.Limits
)

// PracticeSKUs are the SKUs that PracticeLimits know.
func PracticeSKUs() []string { return practice.SKUs }

// SetPracticeFaults replaces the faults of the served practice cloud; they end
// with its process.
func (a *App) SetPracticeFaults(ctx context.Context, faults PracticeFaults) error {
	if err := a.practice.servedOnly(); err != nil {
		return err
	}
	return a.practice.do(ctx, func(ctx context.Context, m *practice.Manager) error { return m.SetFaults(ctx, faults) })
}

// ChangePracticeFaults changes some of the faults and gives all of them.
func (a *App) ChangePracticeFaults(ctx context.Context, change func(*PracticeFaults)) (PracticeFaults, error) {
	if err := a.practice.servedOnly(); err != nil {
		return PracticeFaults{}, err
	}
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (PracticeFaults, error) {
		now, err := m.Overview(ctx)
		if err != nil {
			return PracticeFaults{}, err
		}
		change(&now.Faults)
		return now.Faults, m.SetFaults(ctx, now.Faults)
	})
}

// SetPracticeLimits chooses the rates of the served practice cloud; they end
// with its process.
func (a *App) SetPracticeLimits(ctx context.Context, limits PracticeLimits) error {
	if err := a.practice.servedOnly(); err != nil {
		return err
	}
	return a.practice.do(ctx, func(ctx context.Context, m *practice.Manager) error { return m.SetLimits(ctx, limits) })
}

// PracticeMisbehaves tells whether the practice cloud that this process serves
// has faults or limits on. Of one that another process serves it says nothing.
func (a *App) PracticeMisbehaves() bool {
	a.practice.mu.Lock()
	defer a.practice.mu.Unlock()
	cloud := a.practice.cloud
	return cloud != nil && a.practice.serves && (cloud.Faults().Settings().Any() || cloud.Limits().SKU != "")
}
