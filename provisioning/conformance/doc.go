// Package conformance holds what this program's clients of IoT Hub and DPS
// expect of a cloud. Its tests run against the practice cloud, and against a
// real hub and DPS where the environment names files with connection strings;
// docs/development.md says how. What they make they remove again.
package conformance
