// Package rest is the HTTP side that the clients of IoT Hub and DPS share: an
// azcore pipeline with SAS tokens, bounded retries, throttling, correlation IDs
// and the service's clock, and writes that are never repeated blindly.
//
// It knows no operation of either service; packages iothub and dps do. Nothing
// else imports it.
package rest
