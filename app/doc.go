// Package app holds what a person can ask Edgewright for, without any toolkit:
// detect, preview, provision, look up runs and devices, manage clouds, secrets
// and the practice cloud. The window and the headless commands both call it.
//
// It is the only package that knows who stands behind the ports of
// [edgewright/provisioning]: cloud clients, targets, catalog and vault. Adapters
// translate their errors into the kinds of that package. Methods wait and take
// a context; none of them touches a screen.
package app
