// Package provisioning is the domain of Edgewright: it turns a plan into an
// Azure IoT Edge device that is proven to connect.
//
// A [Plan] names a [Cell] (platform x provisioning x authentication), a device
// and a cloud, and holds no secret. [Preview] looks at the device and at the
// cloud and says what would happen. A [Runner] carries the plan out as steps;
// each one looks before it acts, is written to the [Journal] before and after
// it acts, and can be undone. A run ends well only with a [Proof]: the device
// reports itself healthy and the cloud has seen it.
//
// The package knows no cloud client, no transport and no database. What its
// steps need are the ports in ports.go, which the package app fills.
package provisioning
