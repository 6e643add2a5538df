package practice

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"edgewright/provisioning/wire"
)

const maxBulk = 10

// everything matches the queries that clients send to list all.
var everything = regexp.MustCompile(`(?i)^\s*(\*|select\s+\*(\s+from\s+[a-z]+)?)\s*;?\s*$`)

// query lists all, in pages; conditions are not offered.
func (c collection[T]) query(x *exchange) answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	var given wire.QuerySpecification
	if a := x.decode(&given); a != nil {
		return *a
	}
	if !everything.MatchString(given.Query) {
		return x.refuse(badRequest("This query is not offered here; use SELECT * without a condition."))
	}
	return paged(x, sortedIDs(c.all), c.itemType, func(id string) T { return c.shown(c.all[id]) })
}

// paged answers with the page of sorted IDs that the headers ask for. The
// continuation token is the last ID of the page before, so that a page is right
// whatever came and went in between.
func paged[T any](x *exchange, ids []string, itemType string, shown func(id string) T) answer {
	size, ok := x.pageSize()
	if !ok {
		return x.refuse(badRequest("x-ms-max-item-count is not a positive number."))
	}
	if token := x.r.Header.Get(wire.HeaderContinuation); token != "" {
		last, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			return x.refuse(badRequest("x-ms-continuation is not a token of this service."))
		}
		at, found := slices.BinarySearch(ids, string(last))
		if found {
			at++
		}
		ids = ids[at:]
	}
	header := map[string]string{wire.HeaderItemType: itemType, wire.HeaderMaxItemCount: strconv.Itoa(size)}
	if len(ids) > size {
		ids = ids[:size]
		header[wire.HeaderContinuation] = base64.StdEncoding.EncodeToString([]byte(ids[size-1]))
	}
	page := make([]T, 0, len(ids))
	for _, id := range ids {
		page = append(page, shown(id))
	}
	a := x.json(http.StatusOK, page)
	a.header = header
	return a
}

// bulkError is one item that failed; the ID's name differs between the two.
type bulkError struct {
	RegistrationID    string `json:"registrationId,omitempty"`
	EnrollmentGroupID string `json:"enrollmentGroupId,omitempty"`
	ErrorCode         int    `json:"errorCode"`
	ErrorStatus       string `json:"errorStatus"`
}

// bulk does one thing to at most ten items; each succeeds or fails by itself.
func (c collection[T]) bulk(x *exchange, items []T, mode string, failed func(id string) bulkError) answer {
	if len(items) == 0 || len(items) > maxBulk {
		return x.refuse(badRequest("A bulk operation has 1 to " + strconv.Itoa(maxBulk) + " items."))
	}
	var act func(item *T) *refusal
	write := func(item *T, match string) *refusal {
		_, bad := c.write(x, item, match)
		return bad
	}
	switch strings.ToLower(mode) {
	case "create":
		act = func(item *T) *refusal { return write(item, "") }
	case "update":
		act = func(item *T) *refusal { return write(item, "*") }
	case "updateifmatchetag":
		act = func(item *T) *refusal {
			if *c.view(item).etag == "" {
				return badRequest("etag is missing.")
			}
			return write(item, *c.view(item).etag)
		}
	case "delete":
		act = func(item *T) *refusal { return c.remove(x, *c.view(item).id, *c.view(item).etag) }
	default:
		return x.refuse(badRequest("mode is create, update, updateIfMatchETag or delete."))
	}
	result := struct {
		IsSuccessful bool        `json:"isSuccessful"`
		Errors       []bulkError `json:"errors"`
	}{true, []bulkError{}}
	for i := range items {
		id := *c.view(&items[i]).id
		if bad := act(&items[i]); bad != nil {
			result.IsSuccessful = false
			row := failed(id)
			row.ErrorCode, row.ErrorStatus = bad.code, bad.text
			result.Errors = append(result.Errors, row)
		}
	}
	return x.json(http.StatusOK, result)
}

func (x *exchange) bulkEnrollments() answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	var given struct {
		Enrollments []wire.IndividualEnrollment `json:"enrollments"`
		Mode        string                      `json:"mode"`
	}
	if a := x.decode(&given); a != nil {
		return *a
	}
	return x.individuals().bulk(x, given.Enrollments, given.Mode, func(id string) bulkError { return bulkError{RegistrationID: id} })
}

func (x *exchange) bulkGroups() answer {
	if a := x.allowOwner(); a != nil {
		return *a
	}
	var given struct {
		EnrollmentGroups []wire.EnrollmentGroup `json:"enrollmentGroups"`
		Mode             string                 `json:"mode"`
	}
	if a := x.decode(&given); a != nil {
		return *a
	}
	return x.groups().bulk(x, given.EnrollmentGroups, given.Mode, func(id string) bulkError { return bulkError{EnrollmentGroupID: id} })
}
