package openapitest

import "github.com/getkin/kin-openapi/openapi3"

// The OpenAPI files, as they are called in ../shared/specs.
const (
	HubService = "iothub-service-2021-04-12.json"
	DPSService = "dps-service-2021-10-01.json"
	DPSDevice  = "dps-device-2021-10-01.json"
)

// Deviation is a point in which a service differs from its OpenAPI file, or
// that the file leaves open.
type Deviation struct {
	Spec      string // name of the file
	Operation string // method and path of the file, or "all"
	File      string // what the file says
	Service   string // what the service does
	Source    string
	// relax changes the file, as Load does, where requests or answers of the
	// service would not fit it; nil where they do.
	relax func(*openapi3.T)
}

const (
	live     = "live observation, free-tier hub, api-version 2021-04-12, August 2026"
	hubNPM   = "npm azure-iothub 1.16.6, recorded"
	identity = "Azure/iot-identity-service identity/aziot-cloud-client-async"
)

// Deviations is what is known of the real services. Load takes the exceptions
// from here that requests and answers need; the practice cloud does what stands
// in the column Service.
var Deviations = []Deviation{
	{HubService, "PUT /devices/{id}", "If-Match is optional", "without it the call only creates (409 if the device exists), with it the call only updates (404, 412)", live, nil},
	{HubService, "PUT /devices/{id}", "authentication may be left out", "leaving it out of an update makes new keys", live, nil},
	{HubService, "PUT /devices/{id}", "deviceScope may be left out", "an edge device's scope must be sent back unchanged, else 400 DeviceScope is immutable", live, nil},
	{HubService, "PUT /devices/{id}/modules/{mid}", "200 or 201", "always 200; the device's identity service fails on 201", identity + "/src/hub/mod.rs; " + live, nil},
	{HubService, "DELETE /devices/{id}", "If-Match is optional", "412 without it", live, nil},
	{HubService, "GET /devices/{id}", "connectionStateUpdatedTime and the like are of format date-time", "what never happened is 0001-01-01T00:00:00, at times without Z",
		"Azure/azure-iot-cli-extension azext_iot; " + hubNPM, nil},
	{HubService, "GET /devices/{id}", "the listed members are all", "members are null or added in newer versions (attributes since 2024-03-31)",
		"Azure/azure-iot-cli-extension azext_iot/sdk/iothub/service/models", nil},
	{HubService, "GET /devices/{id}/modules", "the device is found or 404", "401 IotHubUnauthorizedAccess for a missing or disabled device", live, nil},
	{HubService, "GET /twins/{id}", "x509Thumbprint has members primaryThumbprint and secondaryThumbprint", "the twin view spells them with capital letters", live,
		func(doc *openapi3.T) {
			thumbprint := doc.Components.Schemas["X509Thumbprint"].Value
			text := &openapi3.SchemaRef{Value: openapi3.NewStringSchema().WithNullable()}
			thumbprint.Properties["PrimaryThumbprint"], thumbprint.Properties["SecondaryThumbprint"] = text, text
		}},
	{HubService, "PATCH /twins/{id}", "tags and properties hold JSON objects only", "they may be any JSON value",
		"https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-device-twins",
		func(doc *openapi3.T) {
			schemas := doc.Components.Schemas
			anything(schemas, "Twin", "tags")
			anything(schemas, "ExportImportDevice", "tags")
			for _, half := range []string{"desired", "reported"} {
				anything(schemas, "TwinProperties", half)
				anything(schemas, "PropertyContainer", half)
			}
		}},
	{HubService, "GET /twins/{id}", "a twin has no member configurations", "it has one where configurations target it: {\"base\":{\"status\":\"Applied\"}}, or Targeted",
		"Azure/azure-iot-sdk-csharp Twin.Configurations, ConfigurationInfo",
		func(doc *openapi3.T) {
			doc.Components.Schemas["Twin"].Value.Properties["configurations"] = &openapi3.SchemaRef{Value: &openapi3.Schema{Type: &openapi3.Types{"object"}, AdditionalProperties: allowed}}
		}},
	{HubService, "PUT /configurations/{id}", "200 or 201; If-Match is optional", "200; without If-Match it only creates (409), with it it only updates, and the etag counts in quotes only", live, nil},
	{HubService, "PUT /configurations/{id}", "content may be changed", "an update needs content and ignores it; other content is another configuration", live, nil},
	{HubService, "PUT /configurations/{id}", "content holds JSON objects only", "a path may have any JSON value; it begins with properties.desired", live,
		func(doc *openapi3.T) {
			for _, member := range []string{"deviceContent", "moduleContent"} {
				anything(doc.Components.Schemas, "ConfigurationContent", member)
			}
			doc.Components.Schemas["ConfigurationContent"].Value.Properties["modulesContent"].Value.AdditionalProperties = allowed
		}},
	{HubService, "POST /configurations/testQueries", "targetCondition is that of a configuration", "* is refused", live, nil},
	{HubService, "POST /devices/{id}/applyConfigurationContent", "204", "400 for a device that is no edge device or content without $edgeAgent", live + "; Azure/azure-iot-cli-extension azext_iot/operations/hub.py", nil},
	{HubService, "GET /jobs/v2/{id}", "the job is found or 404", "200 with type and status unknown for a job that does not exist", live, nil},
	{HubService, "GET /jobs/v2/query", "an object with items and a token", "an array of jobs; x-ms-continuation and x-ms-item-type are headers, as in a query of devices",
		"Azure/azure-iot-sdk-csharp QueryResult.FromHttpResponseAsync; npm azure-iothub query.ts",
		func(doc *openapi3.T) {
			job := openapi3.NewSchemaRef("#/components/schemas/JobResponse", doc.Components.Schemas["JobResponse"].Value)
			doc.Components.Schemas["QueryResult"].Value = &openapi3.Schema{Type: &openapi3.Types{"array"}, Items: job}
			for _, answer := range doc.Paths.Value("/jobs/v2/query").Get.Responses.Map() {
				for _, content := range answer.Value.Content {
					content.Schema = doc.Components.Schemas["QueryResult"]
				}
			}
		}},
	{HubService, "all", "the calls of edgeHub are not in the file", "a module $edgeHub asks for the identities of its scope, and manages modules on behalf of devices beneath it",
		"Azure/iotedge edge-hub/core/src/Microsoft.Azure.Devices.Edge.Hub.CloudProxy, Microsoft.Azure.Devices.Edge.Hub.Http", nil},
	{HubService, "DELETE /jobs/{id}", "200 or 204", "assumed: 204, also for a job that has ended", "the file itself", nil},
	{HubService, "POST /jobs/create", "the file does not say what is refused", "403 JobQuotaExceeded while another job is under way", live, nil},
	{HubService, "POST /twins/{deviceId}/methods", "payload is a JSON object, in request and answer", "it may be any JSON value",
		"https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-direct-methods",
		func(doc *openapi3.T) {
			for _, schema := range []string{"CloudToDeviceMethod", "CloudToDeviceMethodResult"} {
				doc.Components.Schemas[schema].Value.Properties["payload"] = &openapi3.SchemaRef{Value: openapi3.NewSchema().WithNullable()}
			}
		}},
	{HubService, "POST /devices/query", "the answer is an array of twins", "x-ms-continuation is absent on the last page; x-ms-item-type tells twins from projections", hubNPM, nil},
	{HubService, "POST /devices", "importMode is one of seven words, in one spelling", "letter case does not matter: the npm client writes create, but Update and Delete", hubNPM, nil},
	{HubService, "POST /devices", "200 or 400, both with the result", "not known when which; assumed: 400 if every item failed, else 200, and the usual body of errors if the call as a whole is wrong",
		"Azure/azure-iot-sdk-csharp iothub/service maps 400 to an exception, yet gives failed items back",
		func(doc *openapi3.T) {
			result := doc.Components.Schemas["BulkRegistryOperationResult"].Value
			text := &openapi3.SchemaRef{Value: openapi3.NewStringSchema()}
			result.Properties["Message"], result.Properties["ExceptionMessage"] = text, text
		}},
	{HubService, "POST /devices", "keys are renewed by PUT /devices/{id} only", "since 2024-03-31 POST /devices/keys/regenerate renews those of many identities",
		"Azure/azure-iot-cli-extension azext_iot/sdk/iothub/service", nil},
	{HubService, "POST /devices/{id}/messages/events", "the device plane is not in the file", "204, no body",
		"npm azure-iot-device-http 1.14.4, recorded; https://learn.microsoft.com/rest/api/iothub/device/send-device-event", nil},
	{HubService, "all", "429 is not described", "429 carries no Retry-After; the text says to wait 10 seconds", live, nil},
	{HubService, "all", "errors have no schema", "header iothub-errorcode and one of two bodies", live + "; " + hubNPM, nil},
	{DPSService, "PUT /enrollments/{id}", "nothing on an existing enrollment without If-Match", "not known; assumed: 409. Edgewright's client looks first and sends If-Match on updates",
		"Azure/azure-iot-cli-extension azext_iot/operations/dps.py looks first, too", nil},
	{DPSService, "PUT /enrollmentGroups/{id}", "nothing on an existing group without If-Match", "as above", "as above", nil},
	{DPSService, "GET /enrollments/{id}", "attestation.symmetricKey has both keys", "GET and query leave symmetric keys out; only attestationmechanism gives them",
		"https://learn.microsoft.com/rest/api/iot-dps/service/individual-enrollment/get-attestation-mechanism; Azure/azure-iot-cli-extension", nil},
	{DPSService, "GET /enrollments/{id}", "paths have one spelling", "letter case and one trailing slash do not matter; npm clients write /enrollmentgroups",
		"npm azure-iot-provisioning-service 1.11.2, recorded", nil},
	{DPSService, "GET /enrollments/{id}", "tags and desired properties hold JSON objects only", "they may be any JSON value",
		"https://learn.microsoft.com/azure/iot-dps/how-to-manage-enrollments; npm azure-iot-provisioning-service",
		func(doc *openapi3.T) {
			doc.Components.Schemas["TwinCollection"].Value.AdditionalProperties = allowed
		}},
	{DPSService, "GET /enrollments/{id}", "certificate is a member of the answer", "what is known of a certificate (info) is there; its PEM text is not to be relied on. The practice cloud leaves it out, and takes info written back as no change",
		"https://learn.microsoft.com/azure/iot-dps/how-to-manage-enrollments-sdks", nil},
	{DPSService, "PUT /enrollments/{id}", "x509.caReferences is allowed for individual enrollments", "documented for groups only; the practice cloud refuses it with 400",
		"https://learn.microsoft.com/azure/iot-dps/concepts-x509-attestation", nil},
	{DPSService, "PUT /enrollmentGroups/{id}", "attestation may be tpm", "a TPM is for individual enrollments only: 400", "https://learn.microsoft.com/azure/iot-dps/concepts-tpm-attestation", nil},
	{DPSService, "PUT /enrollmentGroups/{id}", "nothing on numbers", "100 groups by X.509, 100 by symmetric key; the practice cloud answers 400 above that",
		"https://learn.microsoft.com/azure/iot-dps/about-iot-dps", nil},
	{DPSService, "PUT /enrollments/{id}", "nothing on what a webhook is asked and answers", "deviceRuntimeContext, the enrollment, linkedHubs; iotHubHostName, initialTwin, payload",
		"https://learn.microsoft.com/azure/iot-dps/concepts-custom-allocation", nil},
	{DPSDevice, "PUT /{idScope}/registrations/{registrationId}/register", "registrations by certificate fail like others", "401002 Invalid certificate, CA certificate not found",
		"issues Azure/azure-iot-sdk-node 547 and 869, MicrosoftDocs/azure-docs 45653", nil},
	{DPSDevice, "PUT /{idScope}/registrations/{registrationId}/register", "no csr; the file of 2025-07-01-preview has one", "a certificate is issued in the preview; the practice cloud refuses csr with 400, as no released client sends it",
		"https://learn.microsoft.com/azure/iot-hub/concept-certificate-issuance", nil},
	{DPSDevice, "PUT /{idScope}/registrations/{registrationId}/register", "200 or 202", "always 202 at first, with Location and Retry-After: 3; the device's identity service accepts nothing else",
		"https://learn.microsoft.com/azure/iot-dps/iot-dps-https-sym-key-support; npm azure-iot-provisioning-device-http 1.9.1, recorded", nil},
	{DPSDevice, "PUT /{idScope}/registrations/{registrationId}/register", "401 is an error body", "for a TPM without a token, 401 carries authenticationKey and keyName",
		"Azure/azure-iot-sdk-node; Azure/iot-identity-service", nil},
	{DPSDevice, "GET /{idScope}/registrations/{registrationId}/operations/{operationId}", "registrationState is optional", "it is there in every answer to a poll; the device's identity service needs it",
		identity, nil},
	{DPSDevice, "all", "errorCode is a number", "six digits, the first three of them the HTTP status; header x-ms-error-code has it too",
		"https://learn.microsoft.com/azure/iot-dps/how-to-troubleshoot-dps", nil},
}

var allowed = openapi3.BoolSchema{Has: openapi3.Ptr(true)}

// anything lets an object member of a schema have values of every type.
func anything(schemas openapi3.Schemas, schema, member string) {
	schemas[schema].Value.Properties[member].Value.AdditionalProperties = allowed
}
