package daemontest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Identityd is the identity daemon of one device.
type Identityd struct {
	Network
	// Global is the setting global_endpoint, "https://host[:port]".
	Global                string
	IDScope, Registration string
	// Key signs for a device with a symmetric key; nil with a certificate.
	Key Sign
	// TPM is set for a device that has one; Key is then not used.
	TPM *SoftTPM
	// Pause is the wait before the first poll and between polls. The daemon's
	// own is 5 s.
	Pause time.Duration
}

// Device is what the daemon knows after provisioning.
type Device struct {
	Hub, ID string
	// Sign makes hub tokens; nil with a certificate.
	Sign Sign
	// Polls is how often the daemon had to ask.
	Polls int
}

const (
	provisioningVersion = "api-version=2021-06-01"
	registryVersion     = "api-version=2017-11-08-preview"
)

// Register provisions the device: register, then poll, all with the one token.
func (d Identityd) Register(ctx context.Context) (Device, error) {
	base := d.Global + "/" + d.IDScope + "/registrations/" + d.Registration
	sign := d.Key
	if d.TPM != nil {
		var err error
		if sign, err = d.nonce(ctx, base); err != nil {
			return Device{}, err
		}
	}
	token := ""
	if sign != nil {
		token = daemonToken(d.IDScope+"/registrations/"+d.Registration, sign, true, d.now())
	}
	var begun struct{ OperationID string }
	_, err := d.send(ctx, call{method: http.MethodPut, url: base + "/register?" + provisioningVersion, token: token,
		body: map[string]any{"registrationId": d.Registration}, statuses: []int{http.StatusAccepted}}, &begun)
	if err != nil {
		return Device{}, err
	}
	if begun.OperationID == "" {
		return Device{}, errors.New("the answer to register names no operation")
	}
	return d.poll(ctx, base+"/operations/"+begun.OperationID+"?"+provisioningVersion, token, sign)
}

// poll asks until the device is assigned. Every answer must carry
// registrationState, with the members that its status calls for.
func (d Identityd) poll(ctx context.Context, url, token string, sign Sign) (Device, error) {
	for polls := 1; ; polls++ {
		timer := time.NewTimer(d.Pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Device{}, ctx.Err()
		}
		var answer struct {
			Status            string
			RegistrationState *struct {
				RegistrationID, AssignedHub, DeviceID *string
				ErrorCode                             *int
				ErrorMessage                          *string
				TPM                                   *struct{ AuthenticationKey *string }
			}
		}
		if _, err := d.send(ctx, call{method: http.MethodGet, url: url, token: token, statuses: []int{http.StatusOK, http.StatusAccepted}}, &answer); err != nil {
			return Device{}, err
		}
		state := answer.RegistrationState
		switch {
		case state == nil:
			return Device{}, fmt.Errorf("status %s without registrationState", answer.Status)
		case answer.Status == "assigning" && state.RegistrationID != nil:
		case answer.Status == "assigned" && state.AssignedHub != nil && state.DeviceID != nil:
			made := Device{Hub: *state.AssignedHub, ID: *state.DeviceID, Sign: sign, Polls: polls}
			if d.TPM != nil {
				if state.TPM == nil || state.TPM.AuthenticationKey == nil {
					return Device{}, errors.New("assigned without a key for the TPM")
				}
				var err error
				if made.Sign, err = d.TPM.importBase64(*state.TPM.AuthenticationKey); err != nil {
					return Device{}, err
				}
			}
			return made, nil
		case answer.Status == "failed" && state.ErrorCode != nil && state.ErrorMessage != nil:
			return Device{}, &StatusError{Call: "registration", Code: *state.ErrorCode, Message: *state.ErrorMessage}
		default:
			return Device{}, fmt.Errorf("status %s with members missing: %+v", answer.Status, *state)
		}
	}
}

// nonce shows the TPM's keys without a token and imports the key that the
// refusal brings.
func (d Identityd) nonce(ctx context.Context, base string) (Sign, error) {
	endorsement, storageRoot, err := d.TPM.publicKeys()
	if err != nil {
		return nil, err
	}
	var answer struct{ AuthenticationKey *string }
	_, err = d.send(ctx, call{method: http.MethodPut, url: base + "/register?" + provisioningVersion, statuses: []int{http.StatusUnauthorized},
		body: map[string]any{"registrationId": d.Registration, "tpm": map[string]string{
			"endorsementKey": base64.StdEncoding.EncodeToString(endorsement), "storageRootKey": base64.StdEncoding.EncodeToString(storageRoot)}}}, &answer)
	if err != nil {
		return nil, err
	}
	if answer.AuthenticationKey == nil {
		return nil, errors.New("401 without authenticationKey: no challenge")
	}
	return d.TPM.importBase64(*answer.AuthenticationKey)
}

// Module is a module identity as identityd reads it.
type Module struct {
	ModuleID, DeviceID string
	ManagedBy          *string
	GenerationID       string
	Authentication     *struct {
		Type         string
		SymmetricKey *struct{ PrimaryKey, SecondaryKey *string }
	}
}

// check refuses what identityd's parser does.
func (m Module) check() error {
	if m.ModuleID == "" || m.DeviceID == "" || m.GenerationID == "" {
		return fmt.Errorf("module without moduleId, deviceId or generationId: %+v", m)
	}
	if m.Authentication != nil {
		switch m.Authentication.Type {
		case "none", "sas", "x509":
		default:
			return fmt.Errorf("module %s has the authentication %q, which identityd does not know", m.ModuleID, m.Authentication.Type)
		}
	}
	return nil
}

// Registry is the identity daemon's side of the hub: the modules of its device.
type Registry struct {
	Network
	Device
}

func (r Registry) call(method, module string, statuses ...int) call {
	c := call{method: method, url: "https://" + r.Hub + "/devices/" + escapeFew(r.ID) + "/modules", statuses: statuses}
	if module != "" {
		c.url += "/" + escapeFew(module)
	}
	c.url += "?" + registryVersion
	if r.Sign != nil {
		// A port in the host name is signed, too.
		c.token = daemonToken(r.Hub+"/devices/"+r.ID, r.Sign, false, r.now())
	}
	return c
}

// Modules lists the modules.
func (r Registry) Modules(ctx context.Context) ([]Module, error) {
	var modules []Module
	if _, err := r.send(ctx, r.call(http.MethodGet, "", http.StatusOK), &modules); err != nil {
		return nil, err
	}
	for _, m := range modules {
		if err := m.check(); err != nil {
			return nil, err
		}
	}
	return modules, nil
}

// Module reads one module.
func (r Registry) Module(ctx context.Context, id string) (Module, error) {
	return r.one(ctx, r.call(http.MethodGet, id, http.StatusOK))
}

// Create makes a module without authentication, to learn its generation.
func (r Registry) Create(ctx context.Context, id, managedBy string) (Module, error) {
	c := r.call(http.MethodPut, id, http.StatusOK)
	body := map[string]any{"moduleId": id, "deviceId": r.ID}
	if managedBy != "" {
		body["managedBy"] = managedBy
	}
	c.body = body
	return r.one(ctx, c)
}

// SetKeys gives a module keys that are made of its generation and a key that
// stays on the device, and returns what signs with the first.
func (r Registry) SetKeys(ctx context.Context, m Module, master Sign) (Sign, error) {
	primary, secondary := master([]byte("primary"+m.ModuleID+m.GenerationID)), master([]byte("secondary"+m.ModuleID+m.GenerationID))
	body := map[string]any{"moduleId": m.ModuleID, "deviceId": r.ID, "authentication": map[string]any{"type": "sas", "symmetricKey": map[string]string{
		"primaryKey": base64.StdEncoding.EncodeToString(primary), "secondaryKey": base64.StdEncoding.EncodeToString(secondary)}}}
	if m.ManagedBy != nil && *m.ManagedBy != "" {
		body["managedBy"] = *m.ManagedBy
	}
	c := r.call(http.MethodPut, m.ModuleID, http.StatusOK)
	c.ifMatch, c.body = "*", body
	updated, err := r.one(ctx, c)
	if err != nil {
		return nil, err
	}
	a := updated.Authentication
	if a == nil || a.Type != "sas" || a.SymmetricKey == nil || a.SymmetricKey.PrimaryKey == nil || *a.SymmetricKey.PrimaryKey != base64.StdEncoding.EncodeToString(primary) {
		return nil, fmt.Errorf("the keys of module %s were not taken", m.ModuleID)
	}
	return WithKey(primary), nil
}

// Delete removes a module.
func (r Registry) Delete(ctx context.Context, id string) error {
	c := r.call(http.MethodDelete, id, http.StatusNoContent)
	c.ifMatch = "*"
	_, err := r.send(ctx, c, nil)
	return err
}

func (r Registry) one(ctx context.Context, c call) (Module, error) {
	var m Module
	if _, err := r.send(ctx, c, &m); err != nil {
		return m, err
	}
	return m, m.check()
}

// Reconcile brings the hub's modules in line with those that the device is to
// have: unknown ones that the daemon manages go, missing ones are made, all get
// keys of the device's own. It gives what signs for each.
func (r Registry) Reconcile(ctx context.Context, wanted []string, master Sign) (map[string]Sign, error) {
	there, err := r.Modules(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]Module{}
	for _, m := range there {
		known[m.ModuleID] = m
	}
	keys := map[string]Sign{}
	for _, id := range wanted {
		var m Module
		if _, found := known[id]; found {
			m, err = r.Module(ctx, id)
		} else {
			m, err = r.Create(ctx, id, "iotEdge")
		}
		if err != nil {
			return nil, err
		}
		delete(known, id)
		if keys[id], err = r.SetKeys(ctx, m, master); err != nil {
			return nil, err
		}
	}
	for id := range known {
		if !strings.HasPrefix(id, "$") {
			if err := r.Delete(ctx, id); err != nil {
				return nil, err
			}
		}
	}
	return keys, nil
}
