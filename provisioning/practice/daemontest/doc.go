// Package daemontest plays the daemons of an edge device against a cloud: the
// calls of aziot-identityd ([Identityd]), of edgeAgent ([EdgeAgent]) and of
// edgeHub ([EdgeHub]), in the order and form in which those send them, and as
// strict about the answers as they are. It is for tests only.
//
// It imports nothing but the standard library: tokens, packets and the TPM's
// side of the challenge are written here a second time, so that a mistake of the
// practice cloud meets a stranger. The real daemons are not run.
//
// Forms and orders are those of Azure/iot-identity-service 1.6 and Azure/iotedge
// as of 2026-08.
package daemontest
