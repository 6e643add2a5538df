// Package wire holds what the cloud clients and the practice cloud have in
// common: SAS tokens, connection strings, key derivation, the JSON models of
// IoT Hub and the Device Provisioning Service (DPS), their error bodies, and
// the rules for IDs.
//
// It opens no connection and keeps no state. Who checks a token and who signs
// one use the same grammar here, but nothing else: the practice cloud decides
// by itself what to answer.
//
// Member names and rules follow the service's OpenAPI files of api-version
// 2021-04-12 (IoT Hub) and 2021-10-01 (DPS), and what the services and their
// clients really send where that differs.
package wire
