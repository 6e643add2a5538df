// Package e2e tests the built program from outside: its commands on folders,
// over SSH to a real sshd, and on "this computer". The devices are roots that
// debootstrap makes, with their own users and files, in which a stand-in for
// iotedge and systemctl lies at their real paths.
//
// The tests run in mount, network and process namespaces of their own, so that
// nothing stays mounted or running and no port is taken. They need root; the
// build tag e2e selects them.
package e2e
