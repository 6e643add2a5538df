package app

import (
	"context"

	"edgewright/provisioning/practice"
)

// SendPracticeMessage queues a cloud-to-device message for a device of a hub
// and gives its ID. It waits for the device, served or not.
func (a *App) SendPracticeMessage(ctx context.Context, hub, device string, body []byte, properties map[string]string) (string, error) {
	return manage(ctx, a, func(ctx context.Context, m *practice.Manager) (string, error) {
		return m.SendToDevice(ctx, hub, device, body, properties)
	})
}
