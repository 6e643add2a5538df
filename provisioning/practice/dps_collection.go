package practice

import (
	"net/http"
	"strconv"
	"strings"

	"edgewright/provisioning/wire"
)

// maxGroups is how many groups there may be of each attestation.
//
// https://learn.microsoft.com/azure/iot-dps/about-iot-dps#quotas-and-limits
const maxGroups = 100

// collection is the operations that individual enrollments and groups share.
// Its handlers are called with the state locked.
type collection[T any] struct {
	kind, noun string
	itemType   string // header x-ms-item-type of a query
	all        map[string]*T
	view       func(*T) enrollment
	validate   func(id string) error
	// prepare checks and settles members that only T has; may be nil.
	prepare func(*T) *refusal
	// shown is the answer to a read, without keys.
	shown func(*T) T
	// removed follows a removal; may be nil.
	removed func(*exchange, string)
}

func (x *exchange) individuals() collection[wire.IndividualEnrollment] {
	return collection[wire.IndividualEnrollment]{
		kind: kindEnrollment, noun: "enrollment", itemType: "enrollment", all: x.c.state.enrollments, view: individual,
		validate: wire.ValidateRegistrationID,
		prepare: func(e *wire.IndividualEnrollment) *refusal {
			e.RegistrationID = strings.ToLower(e.RegistrationID)
			e.RegistrationState = nil // read only
			if e.DeviceID != "" && wire.ValidateDeviceID(e.DeviceID) != nil {
				return badRequest("deviceId is not a device ID.")
			}
			if _, object := jsonObject(e.OptionalDeviceInformation); !object {
				return badRequest("optionalDeviceInformation is an object.")
			}
			return nil
		},
		shown: x.shownIndividual,
		// The registration record is a part of the individual enrollment.
		removed: func(x *exchange, id string) {
			if r := x.c.state.registrations[id]; r != nil && r.Group == "" {
				delete(x.c.state.registrations, id)
				x.store(objectKey{kindRegistration, id}, nil)
			}
		},
	}
}

func (x *exchange) groups() collection[wire.EnrollmentGroup] {
	return collection[wire.EnrollmentGroup]{
		kind: kindGroup, noun: "enrollment group", itemType: "enrollmentGroup", all: x.c.state.groups, view: group,
		validate: wire.ValidateEnrollmentGroupID,
		prepare: func(g *wire.EnrollmentGroup) *refusal {
			if g.Attestation == nil {
				return nil // is refused later
			}
			same := 0
			for id, other := range x.c.state.groups {
				if other.Attestation.Type == g.Attestation.Type && !strings.EqualFold(id, g.EnrollmentGroupID) {
					same++
				}
			}
			if same >= maxGroups {
				return badRequest("There are " + strconv.Itoa(maxGroups) + " enrollment groups of this attestation already.")
			}
			return nil
		},
		shown: shownGroup,
	}
}

func (t *transaction) shownIndividual(e *wire.IndividualEnrollment) wire.IndividualEnrollment {
	shown := *e
	shown.Attestation = shownAttestation(e.Attestation, false)
	shown.RegistrationState = &wire.DeviceRegistrationState{RegistrationID: e.RegistrationID, Status: wire.RegistrationUnassigned,
		CreatedDateTimeUTC: e.CreatedDateTimeUTC, LastUpdatedDateTimeUTC: e.LastUpdatedDateTimeUTC}
	if r := t.c.state.registrations[e.RegistrationID]; r != nil {
		record := r.record()
		shown.RegistrationState = &record
	}
	return shown
}

func shownGroup(g *wire.EnrollmentGroup) wire.EnrollmentGroup {
	shown := *g
	shown.Attestation = shownAttestation(g.Attestation, false)
	return shown
}

// write creates without an etag and updates with one, which may be *. IDs are
// the same in any letter case.
func (c collection[T]) write(x *exchange, given *T, match string) (*T, *refusal) {
	view := c.view(given)
	if err := c.validate(*view.id); err != nil {
		return nil, badRequest(err.Error() + ".")
	}
	id := strings.ToLower(*view.id)
	there := c.all[id]
	var before *enrollment
	switch {
	case match == "" && there != nil:
		return nil, &refusal{dpsExists, "The " + c.noun + " exists."}
	case match != "" && there == nil:
		return nil, c.missing()
	case there != nil:
		seen := c.view(there)
		if before = &seen; !etagMatches(match, *before.etag) {
			return nil, &refusal{dpsPrecondition, "The etag is not the " + c.noun + "'s."}
		}
	}
	if c.prepare != nil {
		if bad := c.prepare(given); bad != nil {
			return nil, bad
		}
	}
	if bad := x.c.complete(view, before, x.now); bad != nil {
		return nil, bad
	}
	c.all[id] = given
	x.store(objectKey{c.kind, id}, given)
	return given, nil
}

func (c collection[T]) missing() *refusal {
	return &refusal{dpsNotFound, "The " + c.noun + " does not exist."}
}

// remove needs no etag, but heeds one.
func (c collection[T]) remove(x *exchange, id, match string) *refusal {
	id = strings.ToLower(id)
	there := c.all[id]
	if there == nil {
		return c.missing()
	}
	if match != "" && !etagMatches(match, *c.view(there).etag) {
		return &refusal{dpsPrecondition, "The etag is not the " + c.noun + "'s."}
	}
	delete(c.all, id)
	x.store(objectKey{c.kind, id}, nil)
	if c.removed != nil {
		c.removed(x, id)
	}
	return nil
}

func (c collection[T]) put(x *exchange) answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	var given T
	if a := x.decode(&given); a != nil {
		return *a
	}
	id := c.view(&given).id
	if *id == "" {
		*id = x.vars["id"]
	}
	if !strings.EqualFold(*id, x.vars["id"]) {
		return x.refuse(badRequest("The ID of the body is not that of the path."))
	}
	written, bad := c.write(x, &given, x.r.Header.Get("If-Match"))
	if bad != nil {
		return x.refuse(bad)
	}
	return x.json(http.StatusOK, c.shown(written))
}

func (c collection[T]) get(x *exchange) answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	there := c.all[strings.ToLower(x.vars["id"])]
	if there == nil {
		return x.refuse(c.missing())
	}
	return x.json(http.StatusOK, c.shown(there))
}

func (c collection[T]) delete(x *exchange) answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	if bad := c.remove(x, x.vars["id"], x.r.Header.Get("If-Match")); bad != nil {
		return x.refuse(bad)
	}
	return x.noContent()
}

// keys is the attestationmechanism call, the only one that gives keys.
func (c collection[T]) keys(x *exchange) answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	there := c.all[strings.ToLower(x.vars["id"])]
	if there == nil {
		return x.refuse(c.missing())
	}
	return x.json(http.StatusOK, shownAttestation(*c.view(there).attestation, true))
}

func (x *exchange) putEnrollment() answer    { return x.individuals().put(x) }
func (x *exchange) getEnrollment() answer    { return x.individuals().get(x) }
func (x *exchange) deleteEnrollment() answer { return x.individuals().delete(x) }
func (x *exchange) enrollmentKeys() answer   { return x.individuals().keys(x) }
func (x *exchange) queryEnrollments() answer { return x.individuals().query(x) }
func (x *exchange) putGroup() answer         { return x.groups().put(x) }
func (x *exchange) getGroup() answer         { return x.groups().get(x) }
func (x *exchange) deleteGroup() answer      { return x.groups().delete(x) }
func (x *exchange) groupKeys() answer        { return x.groups().keys(x) }
func (x *exchange) queryGroups() answer      { return x.groups().query(x) }
