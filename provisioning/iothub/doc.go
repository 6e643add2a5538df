// Package iothub speaks to an Azure IoT Hub over HTTPS: [Client] to the service
// plane with a shared access policy, [DeviceClient] to the device plane as one
// device, to prove that its credentials work.
//
// Host names come from a connection string as they are, port included; none is
// guessed or derived. Every failed call is a *wire.Error with a correlation ID.
// What the service does otherwise than its OpenAPI file is in the table of
// package openapitest.
package iothub
