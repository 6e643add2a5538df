package practice

import (
	"net/http"
	"slices"
	"strings"

	"edgewright/provisioning/wire"
)

// record is the registration as the service plane gives it: without what
// concerns the attestation.
func (r *registration) record() wire.DeviceRegistrationState {
	record := r.State
	record.SymmetricKey, record.X509, record.TPM = nil, nil, nil
	return record
}

var noRegistration = &refusal{dpsNotFound, "The registration does not exist."}

func (x *exchange) getRegistration() answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	r := x.c.state.registrations[strings.ToLower(x.vars["id"])]
	if r == nil {
		return x.refuse(noRegistration)
	}
	return x.json(http.StatusOK, r.record())
}

// deleteRegistration forgets the record; the hub's identity stays.
func (x *exchange) deleteRegistration() answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	id := strings.ToLower(x.vars["id"])
	r := x.c.state.registrations[id]
	if r == nil {
		return x.refuse(noRegistration)
	}
	if match := x.r.Header.Get("If-Match"); match != "" && !etagMatches(match, r.State.ETag) {
		return x.dpsError(dpsPrecondition, "The etag is not the registration's.")
	}
	delete(x.c.state.registrations, id)
	x.store(objectKey{kindRegistration, id}, nil)
	return x.noContent()
}

// queryRegistrations lists the devices that came by a group. Some clients send
// a query, some no body; neither matters.
func (x *exchange) queryRegistrations() answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	id := strings.ToLower(x.vars["id"])
	if x.c.state.groups[id] == nil {
		return x.refuse(x.groups().missing())
	}
	var ids []string
	for name, r := range x.c.state.registrations {
		if strings.EqualFold(r.Group, id) {
			ids = append(ids, name)
		}
	}
	slices.Sort(ids)
	return paged(x, ids, "deviceRegistration", func(id string) wire.DeviceRegistrationState {
		return x.c.state.registrations[id].record()
	})
}
