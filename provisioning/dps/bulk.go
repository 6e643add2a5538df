package dps

import (
	"context"
	"fmt"
	"net/http"

	"edgewright/provisioning/wire"
	"edgewright/provisioning/wire/rest"
)

// MaxBulk is how many enrollments one bulk call has at most.
const MaxBulk = 10

// BulkError is one enrollment of a bulk call that the service refused.
type BulkError struct {
	RegistrationID string `json:"registrationId"`
	// Code is the service's own, such as 409201; Status says it in words.
	Code   int    `json:"errorCode"`
	Status string `json:"errorStatus"`
}

// CreateEnrollments makes 1 to MaxBulk individual enrollments in one call. Each
// succeeds or fails by itself: those that failed come back, an existing one
// among them, which is not touched. A call whose answer is lost is repeated,
// and then finds as existing what it made before.
//
// https://learn.microsoft.com/rest/api/iot-dps/service/individual-enrollment/run-bulk-operation
func (c *Client) CreateEnrollments(ctx context.Context, list []wire.IndividualEnrollment) ([]BulkError, error) {
	operation := "create enrollments"
	if len(list) == 0 || len(list) > MaxBulk {
		return nil, c.rest.Invalid(operation, "", fmt.Errorf("%d enrollments are not 1 to %d", len(list), MaxBulk))
	}
	for i := range list {
		id := list[i].RegistrationID
		if err := wire.ValidateRegistrationID(id); err != nil {
			return nil, c.rest.Invalid(operation, id, err)
		}
		if err := complete(list[i].Attestation); err != nil {
			return nil, c.rest.Invalid(operation, id, err)
		}
	}
	body := struct {
		Enrollments []wire.IndividualEnrollment `json:"enrollments"`
		Mode        string                      `json:"mode"`
	}{list, "create"}
	var result struct {
		Successful bool        `json:"isSuccessful"`
		Errors     []BulkError `json:"errors"`
	}
	subject := list[0].RegistrationID
	if len(list) > 1 {
		subject += " to " + list[len(list)-1].RegistrationID
	}
	_, err := c.rest.Do(ctx, rest.Call{Operation: operation, Subject: subject, Method: http.MethodPost, Path: "/enrollments",
		Body: body, Expect: []int{http.StatusOK}}, &result)
	if err == nil && !result.Successful && len(result.Errors) == 0 {
		return nil, &wire.Error{Service: wire.ServiceDPS, Operation: operation, Subject: subject, Status: http.StatusOK, Message: "the service reports a failure and names none"}
	}
	return result.Errors, err
}
