package practice

import (
	"context"
	"net/http"
)

// sent is the answer to a cloud-to-device message.
type sent struct {
	ID string `json:"id"`
}

// sendRequest is a cloud-to-device message; the body is base64 in JSON.
type sendRequest struct {
	Body       []byte            `json:"body"`
	Properties map[string]string `json:"properties,omitempty"`
}

func (m managed) send() (any, error) {
	var given sendRequest
	if err := m.decode(&given); err != nil {
		return nil, err
	}
	hub, device, _ := m.named()
	id, err := m.c.SendToDevice(m.r.Context(), hub, device, Message{Body: given.Body, Properties: given.Properties})
	return sent{id}, err
}

// SendToDevice is Cloud.SendToDevice for a body with application properties.
func (m *Manager) SendToDevice(ctx context.Context, hub, device string, body []byte, properties map[string]string) (id string, err error) {
	var answer sent
	err = m.call(ctx, http.MethodPost, "device/messages", named(hub, device, ""), sendRequest{body, properties}, &answer)
	return answer.ID, err
}
