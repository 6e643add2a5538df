// Package azure speaks to Azure Resource Manager: so far the CA certificates of
// IoT hubs and of Device Provisioning Services with their proof of possession.
// Signing in is not its business; it is given a credential, as Azure's own
// packages are. A stand-in is reached by another endpoint.
package azure
