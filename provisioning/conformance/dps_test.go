package conformance

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"edgewright/provisioning/dps"
	"edgewright/provisioning/iothub"
	"edgewright/provisioning/secret"
	"edgewright/provisioning/wire"
)

// reachDPS skips where the environment names a hub only.
func reachDPS(t *testing.T) *cloud {
	t.Helper()
	c := reach(t)
	if c.dps == nil {
		t.Skipf("%s names no file", dpsFile)
	}
	return c
}

var symmetric = &wire.AttestationMechanism{Type: wire.AttestationSymmetricKey}

// enrollment makes an individual enrollment that is removed at the end, with
// what a device leaves by it.
func (c *cloud) enrollment(e wire.IndividualEnrollment) wire.IndividualEnrollment {
	c.Helper()
	e.RegistrationID = c.prefix + e.RegistrationID
	c.leaves(e.RegistrationID)
	c.tidy("enrollment "+e.RegistrationID, func(ctx context.Context) error { return c.dps.DeleteEnrollment(ctx, e.RegistrationID, "*") })
	made, err := c.dps.CreateEnrollment(c.Context(), e)
	if err != nil {
		c.Fatal(err)
	}
	return made.Value
}

func (c *cloud) group(g wire.EnrollmentGroup) wire.EnrollmentGroup {
	c.Helper()
	g.EnrollmentGroupID = c.prefix + g.EnrollmentGroupID
	c.tidy("group "+g.EnrollmentGroupID, func(ctx context.Context) error { return c.dps.DeleteGroup(ctx, g.EnrollmentGroupID, "*") })
	made, err := c.dps.CreateGroup(c.Context(), g)
	if err != nil {
		c.Fatal(err)
	}
	return made.Value
}

// leaves has the identity and the record of a device removed at the end.
func (c *cloud) leaves(id string) {
	c.tidy("device "+id, func(ctx context.Context) error { return c.hub.DeleteDevice(ctx, id, "*") })
	c.tidy("registration "+id, func(ctx context.Context) error { return c.dps.DeleteRegistration(ctx, id, "*") })
}

func (c *cloud) register(id string, key secret.Value) (dps.Registered, error) {
	return dps.Register(c.Context(), dps.Registration{GlobalEndpoint: c.global, IDScope: c.scope, RegistrationID: id, Key: key, Options: c.options})
}

// proves sends telemetry as the device that was registered.
func (c *cloud) proves(state wire.DeviceRegistrationState, key secret.Value) {
	c.Helper()
	own, err := iothub.NewDeviceClient(wire.ConnectionString{HostName: state.AssignedHub, DeviceID: state.DeviceID, Key: key}, c.options)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = own.Close() }()
	if err := own.SendEvent(c.Context(), []byte("{}")); err != nil {
		c.Error(err)
	}
}

func TestDPSIndividual(t *testing.T) {
	c := reachDPS(t)
	ctx := t.Context()
	made := c.enrollment(wire.IndividualEnrollment{RegistrationID: "one", Attestation: symmetric, Capabilities: &wire.Capabilities{IotEdge: true},
		InitialTwin: &wire.InitialTwin{Tags: json.RawMessage(`{"line":7}`)}})
	id := made.RegistrationID
	if made.ETag == "" || made.ProvisioningStatus != wire.StatusEnabled || made.CreatedDateTimeUTC.Moment().IsZero() {
		t.Errorf("made %+v", made)
	}
	_, err := c.dps.CreateEnrollment(ctx, wire.IndividualEnrollment{RegistrationID: id, Attestation: symmetric})
	if !wire.IsConflict(err) {
		t.Errorf("create what exists: %v", err)
	}
	keys, err := c.dps.EnrollmentKeys(ctx, id)
	if err != nil || keys.SymmetricKey == nil || keys.SymmetricKey.PrimaryKey.IsEmpty() {
		t.Fatalf("keys: %v", err)
	}
	_, err = c.register(id, secret.FromString("0123456789abcdef0123456789abcdef"))
	c.failed(err, 401, "register with a wrong key")

	registered, err := c.register(id, keys.SymmetricKey.PrimaryKey.Secret())
	if err != nil || registered.State.DeviceID != id || registered.State.Status != wire.RegistrationAssigned || registered.ServerTime.IsZero() {
		t.Fatalf("registered %+v, %v", registered, err)
	}
	c.proves(registered.State, keys.SymmetricKey.PrimaryKey.Secret())
	device, err := c.hub.Device(ctx, id)
	if err != nil || !device.IsEdge() || !device.Authentication.SymmetricKey.PrimaryKey.Equal(keys.SymmetricKey.PrimaryKey) {
		t.Errorf("identity: %v", err)
	}
	twin, err := c.hub.Twin(ctx, id)
	var tags map[string]any
	if err == nil {
		err = json.Unmarshal(twin.Tags, &tags)
	}
	if err != nil || tags["line"] != 7.0 {
		t.Errorf("initial twin %v, %v", tags, err)
	}
	record, err := c.dps.Registration(ctx, id)
	if err != nil || record.AssignedHub != registered.State.AssignedHub || record.DeviceID != id {
		t.Errorf("record %+v, %v", record, err)
	}

	read, err := c.dps.Enrollment(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	read.ProvisioningStatus = wire.StatusDisabled
	updated, err := c.dps.UpdateEnrollment(ctx, read, read.ETag)
	if err != nil || updated.Value.ETag == read.ETag {
		t.Fatalf("updated %+v, %v", updated.Value, err)
	}
	_, err = c.dps.UpdateEnrollment(ctx, read, read.ETag)
	c.failed(err, 412, "update with a stale etag")
	if _, err := c.register(id, keys.SymmetricKey.PrimaryKey.Secret()); err == nil {
		t.Error("a disabled enrollment lets the device in")
	}
	again, err := c.dps.EnrollmentKeys(ctx, id)
	if err != nil || !again.SymmetricKey.PrimaryKey.Equal(keys.SymmetricKey.PrimaryKey) {
		t.Errorf("an update changed the keys: %v", err)
	}
	if err := c.dps.DeleteRegistration(ctx, id, "*"); err != nil {
		t.Error(err)
	}
	_, err = c.dps.Registration(ctx, id)
	c.failed(err, 404, "read what was deleted")
	_, err = c.dps.Enrollment(ctx, c.prefix+"none")
	c.failed(err, 404, "read what is missing")
}

func TestDPSGroup(t *testing.T) {
	c := reachDPS(t)
	ctx := t.Context()
	group := c.group(wire.EnrollmentGroup{EnrollmentGroupID: "all", Attestation: symmetric})
	keys, err := c.dps.GroupKeys(ctx, group.EnrollmentGroupID)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, name := range []string{"a", "b"} {
		id := c.prefix + name
		c.leaves(id)
		ids = append(ids, id)
		derived := wire.DeriveDeviceKey(keys.SymmetricKey.PrimaryKey.Secret(), id)
		registered, err := c.register(id, derived)
		if err != nil || registered.State.DeviceID != id {
			t.Fatalf("%s: %+v, %v", id, registered, err)
		}
		c.proves(registered.State, derived)
		_, err = c.register(id, keys.SymmetricKey.PrimaryKey.Secret())
		c.failed(err, 401, "register with the group's own key")
	}
	c.eventually("records of the group", func() bool {
		var found []string
		for record, err := range c.dps.GroupRegistrations(ctx, group.EnrollmentGroupID) {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, record.RegistrationID)
		}
		slices.Sort(found)
		return slices.Equal(found, ids)
	})
	group.ProvisioningStatus = wire.StatusDisabled
	if _, err := c.dps.UpdateGroup(ctx, group, "*"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.register(ids[0], wire.DeriveDeviceKey(keys.SymmetricKey.PrimaryKey.Secret(), ids[0])); err == nil {
		t.Error("a disabled group lets the device in")
	}
	_, err = c.dps.Group(ctx, c.prefix+"none")
	c.failed(err, 404, "read what is missing")
}

func TestDPSLists(t *testing.T) {
	c := reachDPS(t)
	ctx := t.Context()
	one, two := c.enrollment(wire.IndividualEnrollment{RegistrationID: "1", Attestation: symmetric}), c.enrollment(wire.IndividualEnrollment{RegistrationID: "2", Attestation: symmetric})
	group := c.group(wire.EnrollmentGroup{EnrollmentGroupID: "g", Attestation: symmetric})
	c.eventually("enrollments in the list", func() bool {
		seen := map[string]bool{}
		for e, err := range c.dps.Enrollments(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			seen[e.RegistrationID] = true
		}
		return seen[one.RegistrationID] && seen[two.RegistrationID]
	})
	c.eventually("group in the list", func() bool {
		found := false
		for g, err := range c.dps.Groups(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			found = found || g.EnrollmentGroupID == group.EnrollmentGroupID
		}
		return found
	})
	if err := c.dps.DeleteGroup(ctx, group.EnrollmentGroupID, group.ETag); err != nil {
		t.Error(err)
	}
	c.failed(c.dps.DeleteGroup(ctx, group.EnrollmentGroupID, "*"), 404, "delete what is missing")
}
