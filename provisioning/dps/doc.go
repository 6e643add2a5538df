// Package dps speaks to an Azure IoT Hub Device Provisioning Service over HTTPS:
// [Client] to the service plane with a shared access policy, [Register] to the
// device plane as one device.
//
// Host names come from a connection string or an endpoint URL as they are, port
// included; none is guessed or derived. Every failed call is a *wire.Error with
// a correlation ID. What the service does otherwise than its OpenAPI files is in
// the table of package openapitest.
package dps
