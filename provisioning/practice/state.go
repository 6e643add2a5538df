package practice

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/wire"
)

// state is everything that is stored, in memory, guarded by Cloud.mu. Values
// are replaced, never changed in place, where an answer may still hold them.
type state struct {
	hubs          map[string]*hub // by label
	enrollments   map[string]*wire.IndividualEnrollment
	groups        map[string]*wire.EnrollmentGroup
	registrations map[string]*registration
	cas           map[objectKey]*caCertificate
	certificates  map[string]*x509.Certificate // parsed ones of groups, by SHA-256
	lastTicks     int64
}

// hub is one IoT Hub.
type hub struct {
	label, host string // host without port
	devices     map[string]*device
	ordered     []*device         // by their IDs
	scopes      map[string]string // device scope to ID of the edge device

	jobs           map[string]*job
	schedules      map[string]*schedule
	version        uint64 // counts changes
	configurations map[string]*configuration
	ranked         []*configuration  // by priority
	stacks         map[string]*stack // by their keys
	rollout        walk
	measured       measurement
}

// at finds the place of an ID among the ordered devices.
func (h *hub) at(id string) (at int, known bool) {
	return slices.BinarySearchFunc(h.ordered, id, func(d *device, id string) int { return strings.Compare(d.Identity.DeviceID, id) })
}

// add makes a device known. It may be known already.
func (h *hub) add(d *device) {
	id := d.Identity.DeviceID
	if at, known := h.at(id); !known {
		h.ordered = slices.Insert(h.ordered, at, d)
	}
	h.devices[id] = d
	if d.Identity.IsEdge() {
		h.scopes[d.Identity.DeviceScope] = id
	}
}

// remove forgets a device.
func (h *hub) remove(d *device) {
	if at, known := h.at(d.Identity.DeviceID); known {
		h.ordered = slices.Delete(h.ordered, at, at+1)
	}
	delete(h.devices, d.Identity.DeviceID)
	delete(h.scopes, scopeOfEdge(d.Identity))
}

// device is an identity with its twin, as stored, and its modules, which are
// stored by themselves, as are its messages. modules is nil where there are none.
type device struct {
	Identity wire.Device
	Twin     twin
	modules  map[string]*module
	inbox    *inbox // nil where it is empty
}

// module is a module identity with its twin, as stored.
type module struct {
	Identity wire.Module
	Twin     twin
}

// registration is a registration record, as stored.
type registration struct {
	State wire.DeviceRegistrationState
	// Group is the enrollment group by which the device came, or empty.
	Group string
	// Hub is the label of the hub where the device was assigned last, and Device
	// its ID there; empty before the first time.
	Hub, Device string
	// Operation is the newest register call's.
	Operation string
	// Waiting is there while a webhook is asked for the hub.
	Waiting *claim `json:",omitempty"`

	polls int // answers of "assigning" still to give; not stored
}

func newState(chosen *settings) *state {
	s := &state{hubs: map[string]*hub{}, enrollments: map[string]*wire.IndividualEnrollment{},
		groups: map[string]*wire.EnrollmentGroup{}, registrations: map[string]*registration{},
		cas: map[objectKey]*caCertificate{}, certificates: map[string]*x509.Certificate{}}
	for _, label := range chosen.Hubs {
		s.hubs[label] = &hub{label: label, host: label + "." + domain, devices: map[string]*device{}, scopes: map[string]string{},
			configurations: map[string]*configuration{}, stacks: map[string]*stack{}, jobs: map[string]*job{}, schedules: map[string]*schedule{}}
	}
	return s
}

// read decodes a stored object and gives what adds it to the state. It may run
// beside others; what it gives runs in the order of the objects, which come by
// kind, devices before modules.
func (s *state) read(key objectKey, plain []byte) (take func() error, err error) {
	switch key.kind {
	case kindDevice:
		d := &device{}
		if err := json.Unmarshal(plain, d); err != nil {
			return nil, err
		}
		d.Identity.ConnectionState = wire.Disconnected // nobody is, at the start
		d.Identity.CloudToDeviceMessageCount = 0       // counted anew
		slimDevice(&d.Identity)
		return func() error { return s.takeDevice(key, d) }, nil
	case kindModule:
		m := &module{}
		if err := json.Unmarshal(plain, m); err != nil {
			return nil, err
		}
		m.Identity.ConnectionState = wire.Disconnected
		slimModule(&m.Identity)
		return func() error { return s.takeModule(key, m) }, nil
	case kindMessage:
		q := &queued{}
		if err := json.Unmarshal(plain, q); err != nil {
			return nil, err
		}
		return func() error { return s.takeMessage(key, q) }, nil
	}
	return func() error { return s.take(key, plain) }, nil
}

// take adds a stored object of a kind of which there are few.
func (s *state) take(key objectKey, plain []byte) error {
	switch key.kind {
	case kindEnrollment:
		return decodeInto(s.enrollments, key.id, plain)
	case kindGroup:
		return decodeInto(s.groups, key.id, plain)
	case kindRegistration:
		return s.takeRegistration(key, plain)
	case kindCA:
		return s.takeCA(key, plain)
	case kindConfiguration, kindJob, kindSchedule, kindScheduleRows:
		h, rest, err := s.hubOfKey(key)
		if err != nil {
			return err
		}
		return h.take(key.kind, rest, plain)
	}
	return nil
}

// take adds an object of a hub; id is without the hub.
func (h *hub) take(kind, id string, plain []byte) error {
	switch kind {
	case kindConfiguration:
		return h.takeConfiguration(plain)
	case kindJob:
		return decodeInto(h.jobs, id, plain)
	case kindSchedule:
		return decodeInto(h.schedules, id, plain)
	}
	return h.takeScheduleRows(id, plain)
}

func (s *state) takeDevice(key objectKey, d *device) error {
	h, id, err := s.hubOfKey(key)
	if err == nil && id != d.Identity.DeviceID {
		err = errors.New("it is another device's")
	}
	if err == nil {
		h.add(d)
	}
	return err
}

func (s *state) takeModule(key objectKey, m *module) error {
	h, ids, err := s.hubOfKey(key)
	if err != nil {
		return err
	}
	deviceID, _, _ := strings.Cut(ids, "/")
	d := h.devices[deviceID]
	if d == nil {
		return errors.New("its device is missing")
	}
	d.add(m)
	return nil
}

// hubOfKey splits the ID of a device or module into its hub and the rest.
func (s *state) hubOfKey(key objectKey) (h *hub, rest string, err error) {
	label, rest, _ := strings.Cut(key.id, "/")
	if h = s.hubs[label]; h == nil {
		return nil, "", fmt.Errorf("hub %s is unknown", label)
	}
	return h, rest, nil
}

// takeRegistration also reads records of before Device was kept, whose Hub
// counted only while they were assigned.
func (s *state) takeRegistration(key objectKey, plain []byte) error {
	if err := decodeInto(s.registrations, key.id, plain); err != nil {
		return err
	}
	if r := s.registrations[key.id]; r.Device == "" {
		r.Device = r.State.DeviceID
		if r.Device == "" {
			r.Hub = ""
		}
	}
	return nil
}

// add gives the device a module. It may have it already.
func (d *device) add(m *module) {
	if d.modules == nil {
		d.modules = make(map[string]*module, 1)
	}
	d.modules[m.Identity.ModuleID] = m
}

func decodeInto[T any](all map[string]*T, id string, plain []byte) error {
	value := new(T)
	if err := json.Unmarshal(plain, value); err != nil {
		return err
	}
	all[id] = value
	return nil
}

// ticks is now in units of 100 ns since the year 1, as .NET counts, and always
// greater than before: generation IDs and device scopes are made of it.
func (s *state) ticks(now time.Time) int64 {
	const unixEpoch = 621355968000000000
	s.lastTicks = max(s.lastTicks+1, now.UnixNano()/100+unixEpoch)
	return s.lastTicks
}

func deviceKey(h *hub, id string) objectKey { return objectKey{kindDevice, h.label + "/" + id} }

func moduleKey(h *hub, deviceID, id string) objectKey {
	return objectKey{kindModule, h.label + "/" + deviceID + "/" + id}
}

func configurationKey(h *hub, id string) objectKey {
	return objectKey{kindConfiguration, h.label + "/" + id}
}
