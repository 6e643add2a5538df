package iothub

// Deviation is a point in which the service differs from its OpenAPI file.
type Deviation struct {
	Operation string // method and path of the file, or "all"
	File      string // what the file says
	Service   string // what the service does
	Source    string
}

// Deviations lists what the real IoT Hub does otherwise than the OpenAPI file of
// api-version 2021-04-12. Tests that hold requests and answers against the file
// read their exceptions from here.
var Deviations = []Deviation{
	{"PUT /devices/{id}", "If-Match is optional", "without it the call only creates (409 if the device exists), with it the call only updates (404, 412)",
		"live observation, free-tier hub, api-version 2021-04-12, August 2026"},
	{"PUT /devices/{id}/modules/{mid}", "200 or 201", "always 200; the device's identity service fails on 201",
		"Azure/iot-identity-service identity/aziot-cloud-client-async/src/hub/mod.rs; live observation"},
	{"PUT /devices/{id}", "authentication may be left out", "leaving it out of an update makes new keys",
		"live observation"},
	{"DELETE /devices/{id}", "If-Match is optional", "412 without it", "live observation"},
	{"PUT /devices/{id}", "deviceScope may be left out", "an edge device's scope must be sent back unchanged, else 400 DeviceScope is immutable",
		"live observation"},
	{"GET /twins/{id}", "x509Thumbprint has members primaryThumbprint and secondaryThumbprint", "the twin view spells them with capital letters",
		"live observation"},
	{"GET /devices/{id}", "connectionStateUpdatedTime and the like are of format date-time", "what never happened is 0001-01-01T00:00:00, at times without Z",
		"Azure/azure-iot-cli-extension azext_iot; npm azure-iothub recordings"},
	{"GET /devices/{id}", "the listed members are all", "members are null or added in newer versions (attributes since 2024-03-31)",
		"Azure/azure-iot-cli-extension azext_iot/sdk/iothub/service/models"},
	{"GET /devices/{id}/modules", "the device is found or 404", "401 IotHubUnauthorizedAccess for a missing or disabled device",
		"live observation"},
	{"PATCH /twins/{id}", "tags and properties hold JSON objects only", "they may be any JSON value",
		"https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-device-twins"},
	{"all", "429 is not described", "429 carries no Retry-After; the text says to wait 10 seconds", "live observation"},
	{"all", "errors have no schema", "header iothub-errorcode and one of two bodies", "live observation; npm azure-iothub recordings"},
	{"POST /devices/{id}/messages/events", "the device plane is not in the file", "204, no body",
		"npm azure-iot-device-http recordings; https://learn.microsoft.com/rest/api/iothub/device/send-device-event"},
	{"POST /devices/query", "the answer is an array of twins", "x-ms-continuation is absent on the last page; x-ms-item-type tells twins from projections",
		"npm azure-iothub recordings"},
}
