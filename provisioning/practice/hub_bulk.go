package practice

import (
	"net/http"
	"strconv"

	"edgewright/provisioning/wire"
)

// maxRegistryBulk is how many items a bulk call has at most.
const maxRegistryBulk = 100

// registryResult is the answer to a bulk call.
type registryResult struct {
	IsSuccessful bool              `json:"isSuccessful"`
	Errors       []registryError   `json:"errors"`
	Warnings     []registryWarning `json:"warnings"`
}

// registryError is an item that failed. ErrorCode is the name of the error,
// Operation the import mode.
type registryError struct {
	DeviceID    string `json:"deviceId"`
	ModuleID    string `json:"moduleId,omitempty"`
	ErrorCode   string `json:"errorCode"`
	ErrorStatus string `json:"errorStatus"`
	Operation   string `json:"operation,omitempty"`
}

// registryWarning is an identity that was made without the twin that was given
// for it.
type registryWarning struct {
	DeviceID      string `json:"deviceId"`
	WarningCode   string `json:"warningCode"`
	WarningStatus string `json:"warningStatus"`
}

// bulkDevices does one thing to each of at most a hundred identities or twins;
// each succeeds or fails by itself. The status is 200 if any succeeded, and 400
// with the same body if none did (assumed).
//
// https://learn.microsoft.com/rest/api/iothub/service/bulk-registry/update-registry
func (x *exchange) bulkDevices() answer {
	if a := x.allow(registryWrite); a != nil {
		return *a
	}
	var items []registryItem
	if a := x.decode(&items); a != nil {
		return *a
	}
	switch {
	case len(items) == 0:
		return x.hubError("ArgumentInvalid", "The list of devices is empty.")
	case len(items) > maxRegistryBulk:
		return x.hubError("TooManyDevices", "A call has at most "+strconv.Itoa(maxRegistryBulk)+" devices.")
	}
	seen := map[[2]string]bool{}
	for _, item := range items {
		id := [2]string{item.ID, item.ModuleID}
		if seen[id] {
			return x.hubError("DeviceDefinedMultipleTimes", "A device or module stands in the list twice.")
		}
		seen[id] = true
	}
	result := registryResult{Errors: []registryError{}, Warnings: []registryWarning{}}
	for _, item := range items {
		warning, refused := x.importItem(item)
		if refused != nil {
			result.Errors = append(result.Errors, item.failed(refused))
		}
		if warning != nil {
			result.Warnings = append(result.Warnings, *warning)
		}
	}
	result.IsSuccessful = len(result.Errors) == 0
	if len(result.Errors) < len(items) {
		return x.json(http.StatusOK, result)
	}
	a := x.json(http.StatusBadRequest, result)
	a.code = "BulkRegistryOperationFailure"
	a.header = map[string]string{wire.HeaderHubErrorCode: a.code}
	return a
}
