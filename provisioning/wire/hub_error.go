package wire

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// HeaderHubErrorCode carries the name of the error in every failure of IoT Hub;
// HeaderDPSErrorCode carries the number in those of DPS.
const (
	HeaderHubErrorCode = "iothub-errorcode"
	HeaderDPSErrorCode = "x-ms-error-code"
)

// Headers that identify a call in the services' logs.
const (
	HeaderRequestID     = "x-ms-request-id"
	HeaderCorrelationID = "x-ms-correlation-request-id"
	HeaderClientID      = "x-ms-client-request-id"
)

// HubErrorCode is one row of IoT Hub's table of errors. Code is 0 where the
// number is not documented.
type HubErrorCode struct {
	Status, Code int
	Name         string
}

// HubErrorCodes lists the errors of IoT Hub by HTTP status, number and name.
//
// Source: ErrorCode.cs of the C# service SDK, and
// https://learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes
var HubErrorCodes = []HubErrorCode{
	{400, 400001, "InvalidProtocolVersion"},
	{400, 400003, "InvalidOperation"},
	{400, 400004, "ArgumentInvalid"},
	{400, 400005, "ArgumentNull"},
	{400, 400006, "IotHubFormatError"},
	{400, 400008, "BlobContainerValidationError"},
	{400, 400010, "InvalidSchemaVersion"},
	{400, 400011, "DeviceDefinedMultipleTimes"},
	{400, 400012, "DeserializationError"},
	{400, 400013, "BulkRegistryOperationFailure"},
	{400, 400014, "DefaultStorageEndpointNotConfigured"},
	{400, 400027, "ConnectionForcefullyClosedOnNewConnection"},
	{400, 400028, "InvalidDeviceScope"},
	{400, 400301, "CannotRegisterModuleToModule"},
	{400, 0, "InvalidConfigurationTargetCondition"},
	{400, 0, "InvalidConfigurationContent"},
	{400, 0, "InvalidConfigurationCustomMetricsQuery"},
	{401, 401001, "IotHubNotFound"},
	{401, 401002, "IotHubUnauthorizedAccess"},
	{401, 401003, "IotHubUnauthorized"},
	{403, 403001, "IotHubSuspended"},
	{403, 403002, "IotHubQuotaExceeded"},
	{403, 403003, "JobQuotaExceeded"},
	{403, 0, "ConfigurationCountLimitExceeded"},
	{403, 403004, "DeviceMaximumQueueDepthExceeded"},
	{404, 404001, "DeviceNotFound"},
	{404, 404002, "JobNotFound"},
	{404, 404010, "ModuleNotFound"},
	{404, 404103, "DeviceNotOnline"},
	{404, 404301, "ConfigurationNotFound"},
	{409, 409001, "DeviceAlreadyExists"},
	{409, 409301, "ModuleAlreadyExistsOnDevice"},
	{409, 0, "ConfigurationAlreadyExists"},
	{409, 0, "JobAlreadyExists"},
	{412, 412001, "PreconditionFailed"},
	{412, 412002, "DeviceMessageLockLost"},
	{413, 413001, "MessageTooLarge"},
	{413, 413002, "TooManyDevices"},
	{413, 413003, "TooManyModulesOnDevice"},
	{429, 429001, "ThrottlingException"},
	{429, 429002, "ThrottleBacklogLimitExceeded"},
	{429, 429003, "ThrottlingBacklogTimeout"},
	{429, 429004, "ThrottlingMaxActiveJobCountExceeded"},
	{429, 429005, "DeviceThrottlingLimitExceeded"},
	{500, 500001, "ServerError"},
	{500, 500002, "JobCancelled"},
	{503, 503001, "ServiceUnavailable"},
	{503, 503003, "PartitionNotFound"},
}

// HubErrorByName finds a row of HubErrorCodes by its name.
func HubErrorByName(name string) (HubErrorCode, bool) {
	for _, row := range HubErrorCodes {
		if row.Name == name {
			return row, true
		}
	}
	return HubErrorCode{}, false
}

// HubErrorByCode finds a row of HubErrorCodes by its number.
func HubErrorByCode(code int) (HubErrorCode, bool) {
	for _, row := range HubErrorCodes {
		if code != 0 && row.Code == code {
			return row, true
		}
	}
	return HubErrorCode{}, false
}

// HubErrorBody is the usual body of a failure of IoT Hub:
//
//	{"Message":"ErrorCode:DeviceNotFound;…","ExceptionMessage":"Tracking ID:…-TimeStamp:…"}
type HubErrorBody struct {
	Message          string `json:"Message"`
	ExceptionMessage string `json:"ExceptionMessage"`
}

// HubErrorDetail is the other body, which also occurs as a text inside
// HubErrorBody.Message.
type HubErrorDetail struct {
	ErrorCode    int    `json:"errorCode"`
	Message      string `json:"message"`
	TrackingID   string `json:"trackingId"`
	TimestampUTC string `json:"timestampUtc"`
}

// HubError is a failure of IoT Hub as read from either body.
type HubError struct {
	Code       int
	Name       string
	Message    string
	TrackingID string
}

var trackingID = regexp.MustCompile(`(?i)tracking ?id:\s*([0-9a-z-]{1,128}?)(?:-timestamp:|-g:|[^0-9a-z-]|$)`)

// ParseHubError reads a failure of IoT Hub. The name comes from the header,
// else from the ErrorCode: prefix of the message, else from the number. It
// never fails: a body that is no JSON, such as a proxy's page, gives an error
// without name.
func ParseHubError(header http.Header, body []byte) HubError {
	e := HubError{Name: cleanName(header.Get(HeaderHubErrorCode))}
	var wide struct {
		Message          string          `json:"Message"`
		ExceptionMessage string          `json:"ExceptionMessage"`
		ErrorMessage     string          `json:"errorMessage"`
		ErrorCode        json.RawMessage `json:"errorCode"`
		TrackingID       string          `json:"trackingId"`
	}
	if json.Unmarshal(body, &wide) != nil {
		return e.completed()
	}
	var inner HubErrorDetail
	if strings.HasPrefix(strings.TrimSpace(wide.Message), "{") && json.Unmarshal([]byte(wide.Message), &inner) == nil {
		wide.Message, wide.TrackingID = inner.Message, inner.TrackingID
		e.Code = inner.ErrorCode
	} else if code, err := strconv.Atoi(strings.Trim(string(wide.ErrorCode), `"`)); err == nil {
		e.Code = code
	}
	if wide.Message == "" {
		wide.Message = wide.ErrorMessage
	}
	if rest, found := strings.CutPrefix(wide.Message, "ErrorCode:"); found {
		name, text, _ := strings.Cut(rest, ";")
		if e.Name == "" {
			e.Name = cleanName(name)
		}
		wide.Message = text
	}
	e.Message = CleanMessage(wide.Message)
	e.TrackingID = CleanID(wide.TrackingID)
	if e.TrackingID == "" {
		if found := trackingID.FindStringSubmatch(wide.ExceptionMessage + " " + wide.Message); found != nil {
			e.TrackingID = found[1]
		}
	}
	return e.completed()
}

// completed adds the name to the number and the other way round.
func (e HubError) completed() HubError {
	if row, ok := HubErrorByName(e.Name); ok && e.Code == 0 {
		e.Code = row.Code
	}
	if row, ok := HubErrorByCode(e.Code); ok && e.Name == "" {
		e.Name = row.Name
	}
	return e
}
