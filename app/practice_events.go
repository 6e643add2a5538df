package app

import (
	"context"

	"edgewright/provisioning/practice"
)

// PracticeEvent is something that happened to a connection of a device.
type PracticeEvent = practice.Event

// What events tell.
const (
	PracticeConnected = practice.EventConnected
	PracticeRefused   = practice.EventRefused
)

// Why connections end.
const (
	PracticeEndByClient = practice.EndByClient
	PracticeEndLost     = practice.EndLost
	PracticeEndSilent   = practice.EndSilent
	PracticeEndExpired  = practice.EndExpired
	PracticeEndRefused  = practice.EndRefused
	PracticeEndNewer    = practice.EndNewer
	PracticeEndIdentity = practice.EndIdentity
	PracticeEndSlow     = practice.EndSlow
	PracticeEndOffline  = practice.EndOffline
	PracticeEndStopped  = practice.EndStopped
)

// PracticeEvents gives the newest events of the serving process, oldest first; it
// is refused where none serves.
func (a *App) PracticeEvents(ctx context.Context) ([]PracticeEvent, error) {
	if err := a.practice.servedOnly(); err != nil {
		return nil, err
	}
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) ([]PracticeEvent, error) { return m.Events(ctx) })
}
