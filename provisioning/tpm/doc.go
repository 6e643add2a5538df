// Package tpm reads the TPM 2.0 of a device and plays the device with it: which
// chip it is, its endorsement key and from which template that came, its EK
// certificate, its storage root key, and the attestation of DPS.
//
// It works over any [Transport]: [Open] gives that of this computer and of a
// software TPM by socket; the one of an attached device comes from the package
// target. [New] wraps it.
//
// Reading never changes a TPM. Keys that are made on the way are transient and
// flushed at once, sessions as well, on failures too. No command is sent again
// that could count towards the lockout.
//
// Failures that a person can do something about are of type [Error]. Sources:
// TCG TPM 2.0 Library, Parts 1 to 3; TCG EK Credential Profile for TPM Family
// 2.0; TCG TPM v2.0 Provisioning Guidance.
package tpm
