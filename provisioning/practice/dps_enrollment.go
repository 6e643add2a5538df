package practice

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"edgewright/provisioning/wire"
)

const enrollmentKeyLength = 64 // bytes of keys that DPS makes

// enrollment is what individual enrollments and groups have in common: views
// of the members of one of them.
type enrollment struct {
	id          *string
	attestation **wire.AttestationMechanism
	edge        **wire.Capabilities
	hubHost     *string
	twin        **wire.InitialTwin
	etag        *string
	status      *string
	policy      **wire.ReprovisionPolicy
	created     **wire.Time
	updated     **wire.Time
	allocation  *string
	hubs        *[]string
	custom      **wire.CustomAllocationDefinition
	rest        *wire.Members
	group       bool
}

func individual(e *wire.IndividualEnrollment) enrollment {
	return enrollment{&e.RegistrationID, &e.Attestation, &e.Capabilities, &e.IotHubHostName, &e.InitialTwin, &e.ETag,
		&e.ProvisioningStatus, &e.ReprovisionPolicy, &e.CreatedDateTimeUTC, &e.LastUpdatedDateTimeUTC, &e.AllocationPolicy, &e.IotHubs,
		&e.CustomAllocationDefinition, &e.Rest, false}
}

func group(g *wire.EnrollmentGroup) enrollment {
	return enrollment{&g.EnrollmentGroupID, &g.Attestation, &g.Capabilities, &g.IotHubHostName, &g.InitialTwin, &g.ETag,
		&g.ProvisioningStatus, &g.ReprovisionPolicy, &g.CreatedDateTimeUTC, &g.LastUpdatedDateTimeUTC, &g.AllocationPolicy, &g.IotHubs,
		&g.CustomAllocationDefinition, &g.Rest, true}
}

func (e enrollment) isEdge() bool { return *e.edge != nil && (*e.edge).IotEdge }

// reprovision gives the policy; the service's default is true for both.
func (e enrollment) reprovision() wire.ReprovisionPolicy {
	if *e.policy == nil {
		return wire.ReprovisionPolicy{UpdateHubAssignment: true, MigrateDeviceData: true}
	}
	return **e.policy
}

// complete checks what a caller wrote and fills what it left out. there is
// what it replaces, or nil.
func (c *Cloud) complete(e enrollment, there *enrollment, now time.Time) *refusal {
	var before *wire.AttestationMechanism
	if there != nil {
		before = *there.attestation
	}
	if bad := c.completeAttestation(e, before); bad != nil {
		return bad
	}
	if *e.status == "" {
		*e.status = wire.StatusEnabled
	}
	if *e.status != wire.StatusEnabled && *e.status != wire.StatusDisabled {
		return badRequest("provisioningStatus is enabled or disabled.")
	}
	if bad := c.completeAllocation(e); bad != nil {
		return bad
	}
	if !isInitialTwin(*e.twin) {
		return badRequest("initialTwin.tags and initialTwin.properties.desired are objects.")
	}
	if policy := (*e.rest)["credentialPolicyName"]; len(policy) > 0 && string(policy) != "null" && string(policy) != `""` {
		return badRequest("credentialPolicyName: " + membersNotOffered["credentialPolicyName"] + ".")
	}
	if *e.edge == nil {
		*e.edge = &wire.Capabilities{}
	}
	(*e.edge).Rest, *e.rest = nil, nil // unknown members are ignored
	if *e.policy == nil {
		*e.policy = &wire.ReprovisionPolicy{UpdateHubAssignment: true, MigrateDeviceData: true}
	}
	*e.etag, *e.created, *e.updated = c.dpsETag(), wire.At(now), wire.At(now)
	if there != nil {
		*e.created = *there.created
	}
	return nil
}

// isInitialTwin tells whether a twin is one that devices can begin with.
func isInitialTwin(twin *wire.InitialTwin) bool {
	if twin == nil {
		return true
	}
	_, tags := jsonObject(twin.Tags)
	desired := true
	if twin.Properties != nil {
		_, desired = jsonObject(twin.Properties.Desired)
	}
	return tags && desired
}

// hubByHost finds the label of a hub by its host name, with or without port.
func (s *settings) hubByHost(host string) (string, bool) {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	label, inside := strings.CutSuffix(name, "."+domain)
	return label, inside && slices.Contains(s.Hubs, label)
}

// dpsETag has the shape of the service's: base64 of a quoted GUID.
func (c *Cloud) dpsETag() string {
	return base64.StdEncoding.EncodeToString([]byte(`"` + c.guid() + `"`))
}

func (c *Cloud) guid() string {
	raw := c.random(16)
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[0:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
