// Package practice is the practice cloud: an embedded stand-in for Azure IoT
// Hub and the Device Provisioning Service (DPS) on loopback, with its own CA,
// keys and durable state. Plans are rehearsed against it with the very clients,
// files and tokens that later meet the real services.
//
// [Open] opens the state of a folder, making CA, keys and addresses the first
// time; [Cloud.Serve] takes the folder's lock and answers until its context
// ends; [Cloud.Info] says where it is and what opens it; [Cloud.Faults] makes it
// misbehave on purpose.
//
// What a client may rely on:
//   - Any api-version is accepted, but one must be given. Paths ignore letter
//     case and one trailing slash.
//   - An answered write survives the end of the process at any instant. An
//     answer is sent only after everything it tells of is on disk, times of
//     last activity excepted.
//   - Authorisation is real: rights of policies, scope, expiry and both keys.
//
// It is no load generator and no security boundary: whoever may read the folder
// and open its seal has all keys. It imports no client, certificate or TPM
// package of ours, so that two readings of each rule meet in every test.
//
// Here are device and module identities, telemetry over HTTPS and twins; all of
// DPS: enrollments and groups by symmetric key, X.509 certificate and TPM,
// allocation over several hubs and by webhook; and CA certificates with proof of
// possession, by the routes of Azure Resource Manager. The rules
// follow the OpenAPI files of api-version 2021-04-12 (IoT Hub) and 2021-10-01
// (DPS) and what the services really do where that differs.
package practice
