package dps

// Deviation is a point in which the service differs from its OpenAPI file, or
// that the file leaves open.
type Deviation struct {
	Operation string // method and path of the file, or "all"
	File      string // what the file says
	Service   string // what the service does
	Source    string
}

// Deviations lists what the real DPS does otherwise than the OpenAPI files of
// api-version 2021-10-01. Tests that hold requests and answers against the files
// read their exceptions from here.
var Deviations = []Deviation{
	{"PUT /enrollments/{id}", "nothing on an existing enrollment without If-Match", "not known; this client looks first and sends If-Match on updates",
		"Azure/azure-iot-cli-extension azext_iot/operations/dps.py does the same"},
	{"PUT /enrollmentGroups/{id}", "nothing on an existing group without If-Match", "not known; as above", "as above"},
	{"GET /enrollments/{id}", "attestation.symmetricKey has both keys", "GET and query leave symmetric keys out; only attestationmechanism gives them",
		"https://learn.microsoft.com/rest/api/iot-dps/service/individual-enrollment/get-attestation-mechanism; Azure/azure-iot-cli-extension"},
	{"GET /enrollments/{id}", "paths have one spelling", "letter case and one trailing slash do not matter; npm clients write /enrollmentgroups",
		"npm azure-iot-provisioning-service recordings"},
	{"GET /enrollments/{id}", "tags and desired properties hold JSON objects only", "they may be any JSON value",
		"https://learn.microsoft.com/azure/iot-dps/how-to-manage-enrollments; npm azure-iot-provisioning-service"},
	{"PUT /{idScope}/registrations/{registrationId}/register", "200 or 202", "always 202 at first, with Location and Retry-After: 3; the device's identity service accepts nothing else",
		"https://learn.microsoft.com/azure/iot-dps/iot-dps-https-sym-key-support; npm azure-iot-provisioning-device-http recordings"},
	{"PUT /{idScope}/registrations/{registrationId}/register", "401 is an error body", "for a TPM without a token, 401 carries authenticationKey and keyName",
		"Azure/azure-iot-sdk-node; Azure/iot-identity-service"},
	{"GET /{idScope}/registrations/{registrationId}/operations/{operationId}", "registrationState is optional", "it is there in every answer to a poll; the device's identity service needs it",
		"Azure/iot-identity-service identity/aziot-cloud-client-async"},
	{"all", "errorCode is a number", "six digits, the first three of them the HTTP status; header x-ms-error-code has it too",
		"https://learn.microsoft.com/azure/iot-dps/how-to-troubleshoot-dps"},
}
